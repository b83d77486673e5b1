"""The state of git as a person sees it, whatever the repository, and without touching it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from neatd.models import GitState
from neatd.place import git_head
from neatd.read.gitstate import changed_since, git_marks, git_state

ENV = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
}  # fmt: skip


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env=ENV, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A repository without a commit."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def repo(empty: Path) -> Path:
    """One commit: train.py and old.py."""
    (empty / "train.py").write_text("lr = 1\n")
    (empty / "old.py").write_text("a = 1\n" * 20)
    git(empty, "add", ".")
    git(empty, "commit", "-q", "-m", "First\n\nwith a body")
    return empty


def test_a_clean_repository(repo: Path) -> None:
    """Branch, commit, and the first line of its message."""
    commit = git(repo, "rev-parse", "HEAD")
    assert git_state(repo) == GitState(branch="main", commit=commit, subject="First", is_repo=True)
    assert git_head(repo) == ("main", commit)


def test_outside_of_a_repository_everything_is_empty(tmp_path: Path) -> None:
    """Nor is a missing folder an error."""
    assert git_state(tmp_path) == git_state(tmp_path / "gone") == GitState()
    assert git_head(tmp_path) == ("", "")


def test_before_the_first_commit_there_is_a_branch_only(empty: Path) -> None:
    """Its files are untracked, or staged."""
    (empty / "a.py").touch()
    (empty / "b.py").touch()
    git(empty, "add", "b.py")
    found = git_state(empty)
    assert found == GitState(branch="main", is_repo=True, untracked=("a.py",), dirty=("b.py",), marks={"b.py": "new"})
    assert git_head(empty) == ("main", "")


def test_a_detached_head_has_a_commit_and_no_branch(repo: Path) -> None:
    """As in the midst of a bisection."""
    commit = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "-q", "--detach")
    found = git_state(repo)
    assert (found.is_detached, found.branch, found.commit, found.is_repo) == (True, "", commit, True)
    assert git_head(repo) == ("", commit)


def test_a_worktree_has_a_branch_of_its_own(repo: Path, tmp_path: Path) -> None:
    """Its .git is a file that names a folder."""
    other = tmp_path / "other"
    git(repo, "worktree", "add", "-q", "-b", "feature/x", str(other))
    (other / "new.py").touch()
    found = git_state(other)
    assert (found.branch, found.untracked) == ("feature/x", ("new.py",))
    assert git_state(repo).branch == "main" and git_state(repo).untracked == ()
    assert git_head(other) == ("feature/x", git(repo, "rev-parse", "HEAD"))


def test_a_packed_branch_is_read(repo: Path) -> None:
    """`git gc` moves branches into one file."""
    commit = git(repo, "rev-parse", "HEAD")
    git(repo, "pack-refs", "--all")
    assert git_head(repo) == ("main", commit)


def test_changes_of_every_sort_are_told_apart(repo: Path) -> None:
    """Changed, staged, deleted and new files; a new folder is told as one."""
    (repo / "train.py").write_text("lr = 2\n")
    (repo / "old.py").unlink()
    (repo / "staged.py").touch()
    git(repo, "add", "staged.py")
    (repo / "new.py").touch()
    (repo / "runs" / "a").mkdir(parents=True)
    (repo / "runs" / "a" / "metrics.jsonl").touch()
    found = git_state(repo)
    assert sorted(found.dirty) == ["old.py", "staged.py", "train.py"]
    assert sorted(found.untracked) == ["new.py", "runs/"]


def test_what_became_of_each_file_is_told(repo: Path) -> None:
    """New, modified, deleted, renamed, in conflict; and an untracked one has no mark."""
    (repo / "gone.py").write_text("x = 1\n" * 9)
    (repo / "named.py").write_text("y = 2\n" * 20)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "more")
    git(repo, "checkout", "-qb", "other")
    (repo / "train.py").write_text("lr = 3\n")
    git(repo, "commit", "-qam", "theirs")
    git(repo, "checkout", "-q", "main")
    (repo / "train.py").write_text("lr = 4\n")
    git(repo, "commit", "-qam", "ours")
    subprocess.run(["git", "merge", "-q", "other"], cwd=repo, env=ENV, check=False, capture_output=True)
    (repo / "old.py").write_text("b")
    (repo / "gone.py").unlink()
    git(repo, "mv", "named.py", "renamed.py")
    (repo / "staged.py").touch()
    git(repo, "add", "staged.py")
    (repo / "new.py").touch()
    assert git_state(repo).marks == {
        "train.py": "conflicted", "old.py": "modified", "gone.py": "deleted", "renamed.py": "renamed", "staged.py": "new",
    }  # fmt: skip


def test_the_upstream_is_told_with_the_commits_on_either_side(repo: Path, tmp_path: Path) -> None:
    """Nothing without one; one that is gone has a name and no counts."""
    assert (git_state(repo).upstream, git_state(repo).ahead, git_state(repo).behind) == ("", None, None)
    git(tmp_path, "clone", "-q", str(repo), "clone")
    clone = tmp_path / "clone"
    assert (git_state(clone).upstream, git_state(clone).ahead, git_state(clone).behind) == ("origin/main", 0, 0)
    git(clone, "commit", "-q", "--allow-empty", "-m", "mine")
    git(clone, "commit", "-q", "--allow-empty", "-m", "mine too")
    git(repo, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(clone, "fetch", "-q")
    assert (git_state(clone).ahead, git_state(clone).behind) == (2, 1)
    git(clone, "update-ref", "-d", "refs/remotes/origin/main")
    assert (git_state(clone).upstream, git_state(clone).ahead) == ("origin/main", None)


def test_paths_that_are_neats_by_its_configuration_are_no_changes(repo: Path) -> None:
    """Also from a folder inside the repository, and a new folder that holds nothing else."""
    (repo / "sub" / "docs").mkdir(parents=True)
    (repo / "sub" / "docs" / "handoff.md").touch()
    (repo / "train.py").write_text("lr = 2\n")
    ours = ("docs/handoff.md", "../train.py", "")
    found = git_state(repo / "sub", ours)
    assert (found.dirty, found.untracked) == ((), ())
    (repo / "sub" / "docs" / "mine.md").touch()
    assert git_state(repo / "sub", ours).untracked == ("sub/",) and git_state(repo).dirty == ("train.py",)


def test_what_changed_since_a_commit(repo: Path) -> None:
    """What HEAD has that was not there; on another branch since it left it; nothing when the commit is not known."""
    first = git(repo, "rev-parse", "HEAD")
    (repo / "train.py").write_text("lr = 2\n")
    (repo / "größe.py").touch()
    (repo / "H.md").touch()
    git(repo, "rm", "-q", "old.py")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "second")
    expected = {"größe.py": "new", "old.py": "deleted", "train.py": "modified"}
    assert dict(changed_since(repo, first, ("H.md",))) == expected
    git(repo, "checkout", "-qb", "other", first)
    (repo / "side.py").touch()
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "side")
    assert changed_since(repo, git(repo, "rev-parse", "main")) == (("side.py", "new"),)
    assert changed_since(repo, "0" * 40) == changed_since(repo, "--output=x") == changed_since(repo, "") == ()


@pytest.mark.parametrize("is_staged", [True, False])
def test_a_rename_is_told_by_its_new_name_only(repo: Path, is_staged: bool) -> None:
    """Whether git saw the move, or finds it in the working folder; the change after it is told right."""
    (repo / "train.py").write_text("lr = 2\n")
    if is_staged:
        git(repo, "mv", "old.py", "new.py")
    else:
        (repo / "old.py").rename(repo / "new.py")
        git(repo, "add", "-N", "new.py")
    assert sorted(git_state(repo).dirty) == ["new.py", "train.py"]


def test_names_with_spaces_quotes_and_letters_of_any_alphabet(repo: Path) -> None:
    """As they are, without git's own quoting."""
    names = ["a b.py", 'q"uote.py', "größe.py", "数据.py", "-> x.py", " lead.py", "tail.py "]
    for name in names:
        (repo / name).touch()
    git(repo, "add", "a b.py", "größe.py")
    found = git_state(repo)
    assert sorted(found.dirty) == ["a b.py", "größe.py"]
    assert sorted(found.untracked) == sorted(set(names) - {"a b.py", "größe.py"})


@pytest.mark.skipif(os.name == "nt", reason="file names of Windows are Unicode")
def test_a_name_that_is_not_utf8_costs_only_its_letters(repo: Path) -> None:
    """The state can be stored, and everything else in it is there."""
    Path(os.fsdecode(os.fsencode(repo) + b"/caf\xe9.py")).touch()
    found = git_state(repo)
    assert found.untracked == ("caf?.py",) and found.commit
    assert GitState.model_validate_json(found.model_dump_json()) == found


def test_neats_own_files_are_no_changes(repo: Path) -> None:
    """Else every run would be of a dirty tree because neat looked at it."""
    ours = (
        ".neat/brief.md",
        "runs/a/snapshots/anomaly_1/metadata.json",
        "runs/a/snapshots/.partial_2/x",
        "snapshots/anomaly_3/x",
    )
    for path in (*ours, "runs/a/config.json", "src/neat/x.py", "my.neat"):
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).touch()
    git(repo, "add", "-f", "runs/a/config.json", "src")
    assert sorted(git_state(repo).dirty) == ["runs/a/config.json", "src/neat/x.py"]
    assert git_state(repo).untracked == ("my.neat",)


def test_a_tree_with_many_changes_is_told_by_its_first_ones(repo: Path) -> None:
    """A brief does not hold thousands of paths."""
    for number in range(250):
        (repo / f"n{number:03}.py").touch()
    found = git_state(repo).untracked
    assert (len(found), found[0], found[-1]) == (200, "n000.py", "n199.py")
    assert git_state(repo).unlisted == 50


def test_looking_takes_no_lock_and_writes_nothing(repo: Path) -> None:
    """A commit of the user's never fails because neat was looking, nor does looking while one is under way."""
    os.utime(repo / "train.py", (1, 1))  # the index is stale now: a plain `git status` would write it anew
    before = {path: path.read_bytes() for path in (repo / ".git").rglob("*") if path.is_file()}
    lock = repo / ".git" / "index.lock"
    lock.write_bytes(b"mine")
    assert git_state(repo).branch == "main"
    assert lock.read_bytes() == b"mine"
    lock.unlink()
    assert git_state(repo).dirty == ()
    assert {path: path.read_bytes() for path in (repo / ".git").rglob("*") if path.is_file()} == before


def test_a_folder_inside_a_repository_is_of_the_repository(repo: Path) -> None:
    """Paths stay relative to the worktree."""
    (repo / "sub").mkdir()
    (repo / "sub" / "a.py").touch()
    git(repo, "add", "sub")
    assert git_state(repo / "sub").dirty == ("sub/a.py",)


def test_a_repository_without_a_worktree_has_no_changes(repo: Path, tmp_path: Path) -> None:
    """A bare clone has a branch and a commit."""
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare")
    found = git_state(tmp_path / "bare")
    assert (found.branch, found.commit, found.dirty) == ("main", git(repo, "rev-parse", "HEAD"), ())


@pytest.mark.parametrize("broken", ["HEAD", "objects", "index"])
def test_a_damaged_repository_is_no_error(repo: Path, broken: str) -> None:
    """Whatever is missing or garbled, an answer comes back."""
    path = repo / ".git" / broken
    if broken == "objects":
        for file in path.rglob("*"):
            if file.is_file():
                file.chmod(0o600)
                file.write_bytes(b"garbage")
    else:
        path.write_bytes(b"garbage")
    assert isinstance(git_state(repo), GitState)
    assert isinstance(git_head(repo), tuple)


@pytest.mark.parametrize("where", ["repo", "worktree", "folder inside"])
def test_marks_change_with_a_commit_a_branch_and_the_index(repo: Path, tmp_path: Path, where: str) -> None:
    """And stay the same while nothing happens; in a worktree and in a folder of the repository, too."""
    folder = repo
    if where == "worktree":
        folder = tmp_path / "other"
        git(repo, "worktree", "add", "-q", str(folder))
    root = folder / "sub" if where == "folder inside" else folder
    root.mkdir(exist_ok=True)
    seen = [git_marks(root)]
    assert git_marks(root) == seen[0] and any(seen[0])
    (folder / "new.py").touch()
    for words in (("add", "new.py"), ("commit", "-q", "-m", "second"), ("checkout", "-q", "-b", f"branch-{where[:4]}")):
        git(folder, *words)
        seen.append(git_marks(root))
    assert len(set(seen)) == 4


def test_marks_outside_of_a_repository_are_all_nothing(tmp_path: Path) -> None:
    """So that `git init` shows as a change."""
    assert set(git_marks(tmp_path)) == {0}
