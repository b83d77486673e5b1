"""Which commits a tool call vouches for: what it printed, wherever in the project that was, and what its words name."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.pipeline.told import Names, folders_named
from neatd.read.headlog import Made
from tests.hooks_made import Assisted
from tests.sessions_made import git, git_commit

NEW = "b" * 40
COMMANDS = {
    "git commit -qm 'Fix it'": True, 'git commit -qm "Fix it" && git push': True, "git commit -qm'Fix it'": True,
    "git commit -q --message='Fix it'": True, "git commit -qm 'Fix it\n\nBecause.'": True, "git commit -qm Fix\\ it": True,
    "git commit -qm \"$(cat <<'EOF'\nFix it\n\nIt's \"done\"\nEOF\n)\"": True, "git commit -qF - <<E\nFix it\nE": True,
    "bash -lc \"git commit -qm 'Fix it'\"": True, "git commit -qm 'Fix it tests'": False, "git commit -qm 'Do Fix it'": False,
    "git commit -qm 'Fix'": False, "git commit -qm it's Fix it": False, "git commit -qm Fix it": False, "": False,
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


@pytest.mark.parametrize(("command", "is_named"), COMMANDS.items(), ids=map(repr, COMMANDS))
def test_a_subject_is_an_argument_or_a_line_of_one(command: str, is_named: bool) -> None:
    """Never a part of another one."""
    assert Names(command).has(Made(NEW, 1, "Fix it")) == is_named


def test_a_command_may_be_a_list_of_words() -> None:
    """As Codex runs it; and the word of git names what is no plain commit."""
    assert Names(("bash", "-lc", "git commit -qm 'Fix it'")).has(Made(NEW, 1, "Fix it"))
    assert Names(("git", "commit", "-qm", "Fix it")).has(Made(NEW, 1, "Fix it"))
    assert not Names(("git", "commit", "-qm", "Fix it all")).has(Made(NEW, 1, "Fix it"))
    assert Names("git merge -q x").has(Made(NEW, 1, "merge x", action="merge"))
    assert not Names("git merge -q x").has(Made(NEW, 1, "x", action="cherry-pick"))


def test_where_a_command_goes_is_read_of_it() -> None:
    """With and without quotes."""
    assert folders_named("cd lib && git commit; git -C 'a b' commit; (cd \"c d\")") == ["lib", "a b", "c d"]
    assert folders_named(("bash", "-lc", "cd lib; ls")) == ["lib"] and folders_named("git commit -m x") == []


def test_a_quiet_commit_that_was_amended_is_one(made: Assisted) -> None:
    """Although the new subject holds the old one."""
    made.tell("session-start")
    git_commit(made, "Fix loader", "-q")
    made.bash("git commit -qam 'Fix loader'")
    git_commit(made, "Fix loader tests", "-q", "--amend")
    made.bash("git commit -q --amend -m 'Fix loader tests'")
    git_commit(made, "Fix loader tests", "-q", "--amend")
    made.bash("git commit -q --amend -m 'Fix loader tests'")
    assert made.subjects() == ["Fix loader tests"]


def test_a_quiet_commit_takes_none_of_another_session(made: Assisted) -> None:
    """Neither one whose subject is a part of its own, nor an older one of the same subject."""
    made.tell("session-start")
    made.tell("session-start", "s2")
    git_commit(made, "fix", "-q")
    made.bash("sh ship.sh", session="s2")
    git_commit(made, "fix the loader", "-q")
    made.bash("git commit -qm 'fix the loader'")
    git_commit(made, "fix", "-q")
    made.bash("git commit -qm fix", session="s2")
    assert (made.subjects(), made.subjects("s2")) == (["fix the loader"], ["fix"])


def test_a_quiet_commit_of_long_before_the_call_is_not_its_own(made: Assisted) -> None:
    """The call tells how long it took; where it does not, it may have taken minutes."""
    made.tell("session-start")
    made.tell("session-start", "s2")
    with made.store() as store:
        store.execute("UPDATE attendance SET started_at = '2026-01-01T00:00:00.000000+00:00'")
    git_commit(made, "fix", "-q")
    log = made.root / ".git" / "logs" / "HEAD"
    *lines, last = log.read_text().splitlines()
    before, _, after = last.partition("> ")
    seconds, _, rest = after.partition(" ")
    log.write_text("\n".join([*lines, f"{before}> {int(seconds) - 60} {rest}"]) + "\n")
    made.bash("git commit -qm fix", duration_ms=1000)
    assert made.subjects() == []
    made.bash("git commit -qm fix", duration_ms=90_000)
    assert made.subjects() == ["fix"]


@pytest.mark.parametrize("way", ["cwd", "cd", "-C"])
@pytest.mark.parametrize("words", [(), ("-q",)], ids=["printed", "quiet"])
def test_a_commit_of_a_repository_within_the_project_is_the_sessions(
    made: Assisted, way: str, words: list[str]
) -> None:
    """As of a submodule, wherever the assistant stands."""
    lib = nested(made)
    made.tell("session-start")
    printed = git_commit(made, "inside", *words, root=lib)
    told = {"cwd": "git commit -m inside", "cd": "cd lib && git commit -m inside", "-C": "git -C lib commit -m inside"}
    made.bash(told[way], printed, root=lib if way == "cwd" else made.root)
    assert made.subjects() == ["inside"]


def nested(made: Assisted) -> Path:
    lib = made.root / "lib"
    lib.mkdir()
    git(lib, "init", "-q", "-b", "main")
    return lib


def test_a_commit_of_a_repository_elsewhere_is_not_the_sessions(made: Assisted, tmp_path: Path) -> None:
    """Nor of one that a link in the project leads to."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (made.root / "link").symlink_to(other)
    made.tell("session-start")
    printed = git_commit(made, "outside", root=other)
    made.bash("cd link && git commit -m outside", printed)
    made.bash(f"git -C {other} commit -m outside", printed)
    assert made.subjects() == []


def test_a_printed_commit_needs_no_log(made: Assisted) -> None:
    """Where git keeps none it is asked itself; what was committed before is still no work of the session."""
    git(made.root, "config", "core.logAllRefUpdates", "false")
    (made.root / ".git" / "logs" / "HEAD").unlink()
    made.patch.setenv("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
    before = git_commit(made, "before")
    made.patch.delenv("GIT_COMMITTER_DATE")
    made.tell("session-start")
    made.bash("git commit -m one", git_commit(made, "one"))
    made.bash("cat old.log", before + "[main 1234567] never made")
    assert made.subjects() == ["one"]


def test_a_printed_commit_may_bear_another_date(made: Assisted) -> None:
    """The log has the committer's, which may be told to git; but a commit of before stays one."""
    before = git(made.root, "rev-parse", "--short", "HEAD")
    shift(made.root)
    made.tell("session-start")
    made.patch.setenv("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
    printed = git_commit(made, "dated")
    made.patch.delenv("GIT_COMMITTER_DATE")
    made.bash("git commit -m dated", printed)
    made.bash("cat old.log", f"[main {before.strip()}] first")
    assert made.subjects() == ["dated"]


def shift(root: Path) -> None:
    """What is in the log of HEAD was done a minute before."""
    log = root / ".git" / "logs" / "HEAD"
    before, _, after = log.read_text().partition("> ")
    seconds, _, rest = after.partition(" ")
    log.write_text(f"{before}> {int(seconds) - 60} {rest}")


@pytest.mark.parametrize("is_beside", [True, False])
def test_projects_of_one_repository_do_not_take_each_others_commits(tmp_path: Path, is_beside: bool) -> None:
    """They share a log; what touches the project's folder is its own, whoever looks first."""
    with pytest.MonkeyPatch.context() as patch:
        made = Assisted(tmp_path, patch)
        other = tmp_path / "other"
        other.mkdir()
        (other / "neat.yaml").write_text("id: 7f0a2f6e-1111-4222-8333-944445555667\nname: other\n")
        git(tmp_path, "init", "-q", "-b", "main")
        git_commit(made, "first")
        made.tell("session-start")
        if is_beside:
            made.tell("session-start", "s2", other)
        (other / "b.py").write_text("1")
        git(tmp_path, "add", "other")
        git(tmp_path, "commit", "-qm", "of the other")
        made.tell("stop")
        git_commit(made, "mine", "-q")
        made.tell("stop")
        made.tell("session-end")
        assert made.subjects() == ["mine"]
        if is_beside:
            made.tell("session-end", "s2", other)
            with made.store() as store:
                (commits,) = store.execute("SELECT commits FROM session WHERE worktree = ?", (str(other),)).fetchone()
            assert "of the other" in commits and "mine" not in commits
