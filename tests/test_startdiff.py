"""The code a run began with, beyond its commit: changes that can be applied again, without secrets, of bounded size."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from neatd.read.gitrun import git_beginning
from neatd.read.gitstate import git_state
from neatd.read.startdiff import MOST_UNTRACKED, StartDiff, start_diff
from tests.repos_made import ENV, commit, git, make_repo
from tests.secrets_made import KNOWN, key_block

OPENAI = next(one.secret for one in KNOWN if one.what == "openai")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


def test_nothing_changed_is_known_and_empty(repo: Path) -> None:
    """Which is another thing than not being known."""
    assert start_diff(repo) == StartDiff(is_known=True)


def test_the_changes_can_be_applied_to_the_commit(repo: Path) -> None:
    """Staged or not, with a new, a renamed and a deleted file, and lines that are no UTF-8."""
    commit(repo, "lr = 1\n" * 50)
    (repo / "old.py").write_text("a\n" * 30)
    (repo / "gone.py").write_text("b\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "more")
    (repo / "train.py").write_bytes(b"lr = 1\n" * 50 + b"# caf\xe9\n")
    git(repo, "mv", "old.py", "new.py")
    git(repo, "rm", "-q", "gone.py")
    (repo / "staged.py").write_text("c\n")
    git(repo, "add", "staged.py")
    found = start_diff(repo)
    again = repo.parent / "again"
    git(repo.parent, "clone", "-q", str(repo), str(again))
    patch = found.text.encode("utf-8", "surrogateescape")
    subprocess.run(["git", "apply"], cwd=again, input=patch, env=ENV, check=True)
    files = sorted(path.name for path in again.glob("*.py"))
    assert files == ["new.py", "staged.py", "train.py"]
    assert (again / "train.py").read_bytes() == (repo / "train.py").read_bytes()
    assert found.size_bytes == len(patch) and len(found.packed) < found.size_bytes and not found.is_truncated


def test_untracked_files_are_named_and_ignored_ones_are_not(repo: Path) -> None:
    """By names relative to the worktree, also from a folder in it; contents that are no code are not kept."""
    (repo / ".gitignore").write_text("*.pt\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "ignore")
    (repo / "sub").mkdir()
    for name in ("sub/new.csv", "b.txt", "model.pt"):
        (repo / name).write_text("content of it\n")
    for folder in (repo, repo / "sub"):
        found = start_diff(folder)
        assert (found.untracked, found.untracked_count) == (("b.txt", "sub/new.csv"), 2)
        assert "content of it" not in found.text


def test_many_untracked_files_are_counted(repo: Path) -> None:
    """The first are named; all are counted."""
    for number in range(MOST_UNTRACKED + 5):
        (repo / f"{number:05}.txt").touch()
    found = start_diff(repo)
    assert len(found.untracked) == MOST_UNTRACKED and found.untracked_count == MOST_UNTRACKED + 5


def test_what_neat_writes_is_no_change(repo: Path) -> None:
    """What the state of git leaves out is left out here, tracked or not, in any folder."""
    ours = [
        ".neat/brief.md", "sub/.neat/x", "snapshots/anomaly_1/notes.txt", "sub/.partial_2/a", "AGENTS.md",
        "sub/deep/snapshots/anomaly_9/b",
    ]  # fmt: skip
    (repo / "sub" / "deep").mkdir(parents=True)  # git tells a folder that is wholly new as one
    (repo / "sub" / "deep" / "model.py").touch()
    commit(repo, "with a folder")
    for tracked in (False, True):
        for number, name in enumerate(ours):
            (repo / name).parent.mkdir(parents=True, exist_ok=True)
            (repo / name).write_text(f"{tracked} {number}\n")
        found = start_diff(repo, ["AGENTS.md"])
        assert (found.text, found.untracked) == ("", ()), tracked
        state = git_state(repo, ["AGENTS.md"])
        assert (state.dirty, state.untracked) == ((), ()), tracked
        if not tracked:
            git(repo, "add", "-f", *ours)
            git(repo, "commit", "-qm", "ours")
    assert "AGENTS.md" in start_diff(repo).text


def test_a_projects_own_folder_may_lie_in_the_repository(repo: Path) -> None:
    """The diff is the whole repository's; what neat writes is named from the project's folder."""
    (repo / "sub").mkdir()
    (repo / "sub" / "AGENTS.md").write_text("x\n")
    (repo / "train.py").write_text("second\n")
    found = start_diff(repo / "sub", ["AGENTS.md"])
    assert "+second" in found.text and found.untracked == ()


def test_a_secret_does_not_stay_in_the_text(repo: Path) -> None:
    """Neither in an added nor in a removed line, nor in a file's name; a project's own patterns count too."""
    commit(repo, f"key = '{OPENAI}'\n")
    (repo / "train.py").write_text(f"key = '{OPENAI[:-4]}abcd'\npassword = 'hunter2-hunter'\nlr = 2  # site-0815\n")
    (repo / f"{OPENAI}.txt").touch()
    found = start_diff(repo)
    assert OPENAI not in found.text and OPENAI[:-4] not in found.text and "hunter2" not in found.text
    assert "+lr = 2" in found.text and OPENAI not in "".join(found.untracked)
    assert "0815" not in start_diff(repo, clean=lambda text: text.replace("site-0815", "…")).text


def test_a_private_key_that_was_added_does_not_stay(repo: Path) -> None:
    """Its lines begin with a plus there."""
    block = key_block(lines=20)
    (repo / "train.py").write_text(f"first = 1\nkey = '''\n{block}\n'''\nlast = 2\n")
    text = start_diff(repo).text
    assert not [line for line in block.splitlines() if line in text] and "first = 1" in text and "last = 2" in text


def test_what_is_too_large_is_cut_at_a_line_and_says_so(repo: Path) -> None:
    """Half a line would be another line."""
    (repo / "train.py").write_text("".join(f"value = {n}\n" for n in range(2000)))
    found = start_diff(repo, most_bytes=5000)
    assert found.is_truncated and found.is_known and 4900 < found.size_bytes <= 5000 and found.text.endswith("\n")


def test_data_and_binaries_are_named_and_not_kept(repo: Path) -> None:
    """A model, and a table of more than half a megabyte: only that they changed, with the hashes of their contents."""
    for content in (b"\0\1", b"\0\2"):
        (repo / "model.bin").write_bytes(content * 100)
        (repo / "table.csv").write_bytes(b"1,2,3\n" * 200_000 + content[1:])
        git(repo, "add", ".")
        if content == b"\0\1":
            git(repo, "commit", "-qm", "data")
    found = start_diff(repo)
    assert "model.bin differ" in found.text and "table.csv differ" in found.text and "1,2,3" not in found.text
    assert found.size_bytes < 1000


def test_no_program_of_the_repositorys_is_run(repo: Path) -> None:
    """Neither a driver of diffs nor one that makes text of a file, however a user's or a repository's files name them."""
    mark = repo.parent / "was-run"
    (repo / ".gitattributes").write_text("*.py diff=evil\n")
    commit(repo, "one\n")
    for name in ("diff.external", "diff.evil.command", "diff.evil.textconv"):
        git(repo, "config", name, f"touch {mark};")
    git(repo, "config", "color.ui", "always")
    (repo / "train.py").write_text("two\n")
    found = start_diff(repo)
    assert "+two" in found.text and "\x1b" not in found.text and not mark.exists()


def test_where_git_tells_nothing_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, one without a commit, a folder that is gone, no git at all: never an error."""
    assert start_diff(tmp_path) == StartDiff() and start_diff(tmp_path / "nowhere") == StartDiff()
    assert StartDiff().text == ""
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    assert not start_diff(tmp_path / "new").is_known
    repo = make_repo(tmp_path / "repo")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start_diff(repo) == StartDiff()


def test_a_file_beside_the_repository_cannot_be_named_as_ours(repo: Path) -> None:
    """Nor can a path that leads out stop the look."""
    (repo / "train.py").write_text("second\n")
    assert "+second" in start_diff(repo, ["../x", "/etc/passwd", ""]).text


def test_reading_stops_where_enough_is_there(repo: Path) -> None:
    """git is ended, and its exit is then no failure; one that fails by itself is."""
    (repo / "train.py").write_text("x\n" * 100_000)
    answer = git_beginning(repo, ["diff", "HEAD"], 1000)
    assert answer is not None and len(answer[0]) == 1000 and answer[1]
    assert git_beginning(repo, ["rev-parse", "HEAD"], 1000) == ((git(repo, "rev-parse", "HEAD") + "\n").encode(), False)
    assert git_beginning(repo, ["no-such-command"], 1000) is None
    assert git_beginning(repo / "nowhere", ["status"], 1000) is None


def test_no_lock_is_taken(repo: Path) -> None:
    """A person's own commit does not fail because neat was looking."""
    (repo / "train.py").write_text("second\n")
    before = (repo / ".git" / "index").stat().st_mtime_ns
    (repo / ".git" / "index.lock").touch()
    assert start_diff(repo).is_known and (repo / ".git" / "index").stat().st_mtime_ns == before


def test_small_new_files_of_text_can_be_applied_too(repo: Path) -> None:
    """A program that was never added is code as well; data, links and what is large are names alone."""
    texts = {"new.py": "a = 1\nb = 2", "sub dir/x.yaml": "lr: 0.1\n", "run.sh": f"export KEY={OPENAI}\n"}
    for name, text in texts.items():
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text(text)
    (repo / "big.py").write_text("x = 1\n" * 20_000)
    (repo / "rows.csv").write_text("1,2\n")
    (repo / "binary.py").write_bytes(b"\0\n")
    (repo / "link.py").symlink_to("new.py")
    (repo / "credentials.json").write_text("{}\n")
    (repo / ".hidden.py").write_text("x\n")
    found = start_diff(repo)
    assert found.untracked_count == 9 and OPENAI not in found.text
    assert [
        one for one in ("big.py", "rows.csv", "binary.py", "link.py", "credentials", ".hidden") if one in found.text
    ] == []
    again = repo.parent / "again"
    subprocess.run(["git", "clone", "-q", str(repo), str(again)], env=ENV, check=True)
    subprocess.run(["git", "apply"], cwd=again, input=found.text.encode(), env=ENV, check=True)
    for name in ("new.py", "sub dir/x.yaml"):
        assert (again / name).read_text() == texts[name]
