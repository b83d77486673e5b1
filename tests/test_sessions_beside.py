"""Several assistants at once: in two worktrees, in one, in two projects; each gets its own."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hooks_made import Assisted, claude
from tests.sessions_made import add_run, git, git_commit, keep, sessions
from tests.testing_made import IDENTITY, PROGRAM


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


def test_two_assistants_in_two_worktrees_each_get_their_own(made: Assisted, tmp_path: Path) -> None:
    """Commits, files, runs, all without a word of theirs."""
    other = tmp_path / "other"
    git(made.root, "worktree", "add", "-q", "-b", "other", str(other))
    made.tell("session-start")
    made.tell("session-start", "s2", other)
    git_commit(made, "here")
    git_commit(made, "there", root=other)
    one, two = add_run(made, "runs/a"), add_run(made, "runs/a", root=other)
    made.write("x.py", "1")
    (other / "y.py").write_text("1")
    for session, root in (("s1", made.root), ("s2", other)):
        made.tell("session-end", session, root)
    assert (made.subjects(), made.subjects("s2")) == (["here"], ["there"])
    assert (made.session()["runs"], made.session("s2")["runs"]) == ([one], [two])
    assert sorted(made.session()["file"]) == ["a.py", "x.py"] and sorted(made.session("s2")["file"]) == ["a.py", "y.py"]


def test_two_assistants_in_one_worktree_each_get_their_own(made: Assisted) -> None:
    """By what their tool calls tell; and what nothing vouches for belongs to none."""
    made.tell("session-start")
    made.tell("session-start", "s2")
    loud = git_commit(made, "of one")
    made.tell("stop", "s2")  # the other one's hook comes first
    made.bash("git commit -m 'of one'", loud)
    git_commit(made, "quiet of two", "-q")
    made.tell("stop")
    made.bash("git commit -qm 'quiet of two'", session="s2")
    made.bash("git commit -qm 'never made'")
    made.bash("make release", git_commit(made, "by make"))
    git_commit(made, "of a person", "-q")
    made.edit("one.py")
    made.edit("two.py", "s2")
    made.write("nobody.py", "1")
    made.tell("session-end")
    made.tell("session-end", "s2")
    assert (made.subjects(), made.subjects("s2")) == (["of one", "by make"], ["quiet of two"])
    assert (made.session()["file"], made.session("s2")["file"]) == (["one.py", "a.py"], ["two.py", "a.py"])


def test_a_commit_that_another_one_reads_of_stays_whose_it_is(made: Assisted) -> None:
    """As by printing a log of the work."""
    made.tell("session-start")
    made.tell("session-start", "s2")
    printed = git_commit(made, "of one")
    made.bash("git commit -m 'of one'", printed)
    made.bash("cat work.log; git commit", printed, "s2")
    assert (made.subjects(), made.subjects("s2")) == (["of one"], [])


def test_a_commit_in_a_worktree_it_did_not_go_to_is_its_own(made: Assisted, tmp_path: Path) -> None:
    """`git -C` and `cd x && git commit` leave the assistant where it was."""
    other = tmp_path / "other"
    git(made.root, "worktree", "add", "-q", "-b", "other", str(other))
    made.tell("session-start")
    made.bash(f"cd {other} && git commit -m there", git_commit(made, "there", root=other))
    assert made.subjects() == ["there"]


def test_an_assistant_that_goes_to_another_worktree_works_there(made: Assisted, tmp_path: Path) -> None:
    """One session, with the worktrees of its work; already at an ordinary command."""
    other = tmp_path / "other"
    git(made.root, "worktree", "add", "-q", "-b", "other", str(other))
    made.tell("session-start")
    made.bash("ls", root=other)
    git_commit(made, "there", root=other)
    git_commit(made, "here")
    made.bash("ls", root=made.root)
    made.tell("session-end", root=other)
    assert sorted(made.subjects()) == ["here", "there"] and sessions(made) == 1


def test_an_assistant_in_two_projects_has_a_session_in_each(made: Assisted, tmp_path: Path) -> None:
    """And its records belong to that of the project they are of."""
    second = tmp_path / "second"
    second.mkdir()
    (second / "neat.yaml").write_text("id: 7f0a2f6e-1111-4222-8333-944445555667\nname: second\n")
    made.tell("session-start")
    made.edit("there.py", root=second)
    made.edit("here.py")
    made.patch.setenv("NEAT_SESSION", made.known().session_id)
    one = keep(made, "note", "here")
    root, made.root = made.root, second
    two = keep(made, "note", "there")
    made.root = root
    made.patch.delenv("NEAT_SESSION")
    made.tell("stop")
    made.tell("stop", root=second)
    with made.store() as store:
        rows = store.execute("SELECT project_id, file, records FROM session").fetchall()
    found = {row[0] == IDENTITY: (json.loads(row[1]), json.loads(row[2])) for row in rows}
    assert found == {True: (["here.py"], [one]), False: (["there.py"], [two])}


def test_hooks_at_the_same_moment_lose_and_double_nothing(made: Assisted) -> None:
    """As of parallel tool calls: eight processes at once, the first of their session among them."""
    command = [sys.executable, "-c", PROGRAM.format("hook", "hook"), "post-tool"]

    def edit(number: int) -> int:
        event = claude("post-tool", made.root, tool_name="Edit", tool_input={"file_path": f"f{number % 4}.py"})
        return made.call(command, input=json.dumps(event).encode()).returncode

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(edit, range(8))) == [0] * 8
    assert sorted(made.session()["file"]) == ["f0.py", "f1.py", "f2.py", "f3.py"] and sessions(made) == 1
