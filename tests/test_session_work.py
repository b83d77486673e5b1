"""What else is done in a session: files, test runs, records, runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hooks_made import Assisted, codex, cursor
from tests.sessions_made import add_run, git, git_commit, keep


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


def test_edited_files_are_the_sessions(made: Assisted) -> None:
    """Of each tool that edits, relative to the project; each once, and none from outside of it."""
    made.tell("session-start")
    (made.root / "sub").mkdir()
    made.edit(str(made.root / "a.py"))
    made.edit("b.py", tool="Write", content="x")
    made.edit("c.py", tool="MultiEdit", edits=[{"old_string": "a", "new_string": "b"}])
    made.tell("post-tool", tool_name="NotebookEdit", tool_input={"notebook_path": str(made.root / "n.ipynb")})
    patch = "*** Begin Patch\n*** Update File: d.py\n@@\n-a\n+b\n*** Add File: e.py\n+x\n*** End Patch"
    made.tell("post-tool", tool_name="apply_patch", tool_input={"command": patch})
    for outside in (
        "/etc/passwd",
        "../x.py",
        ".neat/brief.md",
        ".git/config",
        "",
        "\0",
        "a/../../y.py",
        str(made.root),
    ):
        made.edit(outside)
    made.edit(str(made.root / "a.py"))
    made.tell("post-tool", tool_name="Edit", tool_input={"file_path": "f.py"}, cwd=str(made.root / "sub"))
    made.tell("post-tool", tool_name="Read", tool_input={"file_path": str(made.root / "r.py")})
    assert made.session()["file"] == ["a.py", "b.py", "c.py", "n.ipynb", "d.py", "e.py", "sub/f.py"]


def test_edits_of_codex_and_cursor_are_kept(made: Assisted) -> None:
    """A patch, and an event of its own."""
    patch = "*** Begin Patch\n*** Delete File: d.py\n*** Update File: e.py\n*** Move to: f.py\n*** End Patch"
    made.context(
        codex("post-tool", made.root, "x", tool_name="apply_patch", tool_input={"command": patch}), "post-tool"
    )
    assert made.session("x")["file"] == ["d.py", "e.py", "f.py"]
    event = cursor(
        "post-tool", made.root, "y", hook_event_name="afterFileEdit", file_path=str(made.root / "a.py"), edits=[]
    )
    assert made.answer({**event, "tool_name": None}, "post-tool") == ("", "")
    assert made.session("y")["file"] == ["a.py"]


def test_the_end_adds_what_git_tells(made: Assisted) -> None:
    """Files of its commits, and those that a program wrote; not what was changed before it came."""
    before = made.write("before.py", "1")
    os.utime(before, (1e9, 1e9))
    made.tell("session-start")
    git(made.root, "add", "before.py")
    git_commit(made, "one")
    made.write("generated.py", "1")
    made.write(".neat/brief.md", "x")
    made.tell("session-end")
    assert sorted(made.session()["file"]) == ["a.py", "before.py", "generated.py"]


def test_names_may_be_anything(made: Assisted) -> None:
    """A secret in one is not kept."""
    made.tell("session-start")
    made.edit("with space\nand line.py")
    made.edit("TOKEN=ghp_" + "a" * 36 + ".py")
    made.edit("\ud800.py")
    made.write("ünïcode.py", "1")
    made.tell("session-end")
    files = made.session()["file"]
    assert "with space\nand line.py" in files and "ünïcode.py" in files and len(files) == 3
    assert not any("ghp_" in one for one in files)


def test_test_runs_are_the_sessions(made: Assisted) -> None:
    """Those that a hook tells of, and those of `neat test` in one of its shells."""
    made.tell("session-start")
    made.bash("pytest -q", "3 passed in 1s")
    env = {**made.env, "NEAT_SESSION": made.known().session_id, "CLAUDECODE": "1"}
    assert made.test("true", env=env).returncode == 0
    made.tell("session-end")
    assert len(made.session()["tests"]) == 2 and made.session()["title"].startswith("2 test runs")


def test_records_of_its_shells_are_the_sessions(made: Assisted) -> None:
    """Made and changed; a person's own belong to none."""
    made.tell("session-start")
    mine = keep(made, "decide", "of the person")
    task = keep(made, "task", "of the person")
    made.patch.setenv("NEAT_SESSION", made.known().session_id)
    one = keep(made, "decide", "of the assistant", "--why", "x")
    keep(made, "close", task)
    made.patch.delenv("NEAT_SESSION")
    made.tell("stop")
    assert made.session()["records"] == [one, task] and mine not in made.session()["records"]


def test_without_the_variable_the_process_above_tells(made: Assisted) -> None:
    """An assistant that offers no file for its environment; a stranger's variable is none of its."""
    made.tell("session-start")
    made.patch.setenv("CLAUDECODE", "1")
    one = keep(made, "note", "of the assistant")
    made.patch.setenv("NEAT_SESSION", "nonsense")
    two = keep(made, "note", "of the assistant too")
    made.patch.delenv("NEAT_SESSION")
    made.patch.delenv("CLAUDECODE")
    made.tell("stop")
    assert made.session()["records"] == [one, two]


def test_a_run_that_began_while_it_was_alone_is_the_sessions(made: Assisted) -> None:
    """And none of before."""
    add_run(made, "runs/before")
    made.tell("session-start")
    one = add_run(made, "runs/a")
    made.tell("stop")
    assert made.session()["runs"] == [one]


def test_a_run_is_whose_environment_it_bears(made: Assisted) -> None:
    """Also where two are in one worktree; and where nothing tells, nobody's."""
    made.tell("session-start")
    made.tell("session-start", "s2")
    environment = {**os.environ, "NEAT_SESSION": made.known("s2").session_id}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment) as process:
        one = add_run(made, "runs/a", process.pid)
        add_run(made, "runs/b")
        made.tell("stop")
    assert made.session()["runs"] == [] and made.session("s2")["runs"] == [one]


def test_a_run_is_the_assistants_above_its_process(made: Assisted) -> None:
    """Where its environment says nothing."""
    made.tell("session-start")
    made.tell("session-start", "s2")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with made.store() as store:
            store.execute("UPDATE attendance SET pid = 1, born = 'x' WHERE key = 's1'")
            (above,) = store.execute("SELECT pid FROM attendance WHERE key = 's2'").fetchone()
        assert above
        one = add_run(made, "runs/a", process.pid)
        made.tell("stop", "s2")
    assert made.session()["runs"] == [] and made.session("s2")["runs"] == [one]


def test_a_run_whose_parent_has_ended_is_of_the_thread_that_its_environment_names(made: Assisted) -> None:
    """As of Codex with `nohup … &`, also where two of its sessions are in one worktree."""
    for key in ("thread-1", "thread-2"):
        made.context(codex("session-start", made.root, key, source="fork"), "session-start")
        with made.store() as store:
            store.execute("UPDATE attendance SET pid = 1, born = 'x'")
    environment = {**os.environ, "CODEX_THREAD_ID": "thread-2"}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment) as process:
        one = add_run(made, "runs/a", process.pid)
        made.context(codex("stop", made.root, "thread-1"), "stop")
    assert (made.session("thread-1")["runs"], made.session("thread-2")["runs"]) == ([], [one])
