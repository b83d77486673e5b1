"""Sessions of assistants: they begin and end, and what was done in them is seen; by hooks alone, and by the daemon alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neatd.cli.main import neat, run
from neatd.models import GitState
from neatd.store import attendance, runs
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.short import ensure_project
from tests.conftest import Neat, until
from tests.hooks_made import Assisted, claude, codex, cursor
from tests.store_rows import AT
from tests.testing_made import IDENTITY, PROGRAM


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


# ---- beginning and end ----


def test_a_session_is_a_record_with_its_beginning_and_end(made: Assisted) -> None:
    """Whose it is, from when to when."""
    made.tell("session-start")
    begun = made.session()
    assert (begun["assistant"], begun["status"], begun["ended"], begun["title"]) == ("claude-code", "open", "", "")
    assert begun["worktree"] == str(made.root) and begun["branch"] == "main" and begun["source"] == "claude-code"
    made.tell("session-end")
    ended = made.session()
    assert ended["status"] == "done" and ended["ended"] >= ended["started"] == begun["started"]
    assert made.known().event == "session-end:other"


def test_an_ended_session_that_is_resumed_is_the_same(made: Assisted) -> None:
    """It is open again, with what was done before."""
    made.tell("session-start")
    made.edit("a.py")
    made.tell("session-end")
    made.tell("session-start", source="resume")
    assert (made.session()["status"], made.session()["ended"], made.session()["file"]) == ("open", "", ["a.py"])
    made.tell("session-end", reason="resume")
    assert made.session()["status"] == "done" and sessions(made) == 1


def test_a_compaction_goes_on_with_the_same_session(made: Assisted) -> None:
    """Nothing is begun and nothing ended."""
    made.tell("session-start")
    made.tell("pre-compact")
    assert "From neat" in made.tell("session-start", source="compact")
    assert sessions(made) == 1 and made.session()["status"] == "open"
    assert history(made, "status") == 0


def test_a_cleared_session_ends_and_another_begins(made: Assisted) -> None:
    """In the same process."""
    made.tell("session-start")
    made.tell("session-end", reason="clear")
    made.tell("session-start", "s2", source="clear")
    assert (made.session()["status"], made.session("s2")["status"]) == ("done", "open")


def test_a_fork_is_a_session_of_its_own(made: Assisted) -> None:
    """The one that it came from goes on."""
    made.tell("session-start")
    made.tell("session-start", "s2", source="fork")
    assert made.session()["status"] == made.session("s2")["status"] == "open"


def test_an_end_that_is_told_twice_is_one(made: Assisted) -> None:
    """As where hooks are set up twice; and an end of what never began leaves no record."""
    made.tell("session-end", "never")
    made.tell("session-start")
    made.tell("session-end")
    ended = made.known()
    made.tell("session-end")
    assert made.known() == ended and sessions(made) == 1 and history(made, "status") == 1


def test_a_session_whose_start_was_missed_begins_with_what_is_heard_first(made: Assisted) -> None:
    """Hooks may be set up while an assistant is at work, or the store was in use."""
    made.edit("a.py")
    assert made.session()["file"] == ["a.py"]


def test_what_comes_after_the_end_opens_it_again(made: Assisted) -> None:
    """It was taken for deserted wrongly."""
    made.tell("session-start")
    with made.store() as store, transaction(store):
        assert attendance.end(store, made.known(), utc_now(), "gone")
    made.tell("user-prompt")
    assert made.session()["status"] == "open" and made.session()["ended"] == ""


def test_a_subagents_work_is_the_sessions(made: Assisted) -> None:
    """Its events bear the session's name, with the agent's beside."""
    made.tell("session-start")
    made.edit("a.py", agent_id="ag1", agent_type="Explore")
    made.tell("post-tool", tool_name="Edit", tool_input={"file_path": "b.py"}, agent_id="ag1", agent_type="Explore")
    assert sessions(made) == 1 and made.session()["file"] == ["a.py", "b.py"]


def test_who_comes_next_ends_the_session_of_an_assistant_that_is_gone(made: Assisted) -> None:
    """Where no daemon does; it ended with the last that is known of it."""
    made.tell("session-start")
    made.edit("a.py")
    with made.store() as store:
        store.execute("UPDATE attendance SET pid = 999999999, born = 'x', seen_at = '2026-01-01T00:00:00.000000+00:00'")
    made.tell("session-start", "s2")
    assert made.session()["status"] == "done" and made.session()["ended"][:10] != "2026-01-01"
    assert made.session("s2")["status"] == "open"


def sessions(made: Assisted) -> int:
    with made.store() as store:
        return int(store.execute("SELECT count(*) FROM session").fetchone()[0])


def history(made: Assisted, field: str) -> int:
    with made.store() as store:
        return int(store.execute("SELECT count(*) FROM history WHERE field = ?", (field,)).fetchone()[0])


# ---- commits ----


def git_commit(made: Assisted, subject: str, *words: str, root: Path | None = None) -> str:
    """A commit of one more line, and what git prints of it."""
    root = root or made.root
    with (root / "a.py").open("a") as file:
        file.write(f"# {subject}\n")
    git(root, "add", "-A")
    return git(root, "commit", "-m", subject, *words)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout


def test_commits_are_the_sessions(made: Assisted) -> None:
    """Those made while it was there, also quiet ones and those of a program; not those of before."""
    made.tell("session-start")
    assert made.subjects() == []
    made.bash("git commit -m one", git_commit(made, "one"))
    git_commit(made, "two", "-q")
    made.bash("git commit -qm two")
    git_commit(made, "three", "-q")
    made.bash("make release", "")
    git_commit(made, "four", "-q")  # by whom nothing tells, but it was alone
    made.tell("stop")
    assert made.subjects() == ["one", "two", "three", "four"]
    assert made.session()["title"].endswith("last: four")
    (name, *_) = made.session()["commits"][0].split()
    assert git(made.root, "rev-parse", "--short=10", "HEAD~3").strip() == name


def test_an_amended_commit_is_one(made: Assisted) -> None:
    """Under its new name."""
    made.tell("session-start")
    made.bash("git commit -m one", git_commit(made, "one"))
    made.bash("git commit --amend -m better", git_commit(made, "better", "--amend"))
    assert made.subjects() == ["better"]


def test_merges_picks_and_reverts_are_commits_of_its_own(made: Assisted) -> None:
    """But not one that only moves on, and not what was merged."""
    git(made.root, "checkout", "-qb", "side")
    made.write("side.py", "1")
    made.commit("aside")
    git(made.root, "checkout", "-q", "main")
    made.tell("session-start")
    git_commit(made, "one")
    git(made.root, "merge", "-q", "--no-ff", "side", "-m", "both")
    git(made.root, "revert", "--no-edit", "HEAD~1")
    git(made.root, "checkout", "-qb", "other", "HEAD~2")
    git(made.root, "cherry-pick", "side")
    git(made.root, "merge", "-q", "--ff-only", "other")
    made.tell("stop")
    assert made.subjects() == ["one", "merge side", 'Revert "one"', "aside"]


def test_what_a_pull_a_checkout_and_a_reset_brought_is_not_its_work(made: Assisted, tmp_path: Path) -> None:
    """It was committed elsewhere, or before."""
    git(tmp_path, "clone", "-q", "project", "theirs")
    git_commit(made, "elsewhere", root=tmp_path / "theirs")
    made.tell("session-start")
    git(made.root, "pull", "-q", str(tmp_path / "theirs"), "main")
    git(made.root, "reset", "-q", "--hard", "HEAD~1")
    git(made.root, "checkout", "-qb", "x")
    made.bash("git pull", "Fast-forward")
    made.tell("stop")
    assert made.subjects() == []


@pytest.mark.parametrize("words", [["rebase", "-q", "other"], ["pull", "-q", "--rebase", ".", "other"]])
def test_a_rebased_commit_is_one_under_its_new_name(made: Assisted, words: list[str]) -> None:
    """And what was rebased besides it is no work of the session."""
    git(made.root, "checkout", "-qb", "other")
    made.write("other.py", "1")
    made.commit("other work")
    git(made.root, "checkout", "-q", "main")
    made.write("old.py", "1")
    made.commit("old")
    made.tell("session-start")
    made.bash("git commit", git_commit(made, "one"))
    made.bash("git commit", git_commit(made, "two"))
    git(made.root, *words)
    made.bash("git " + " ".join(words))
    assert made.subjects() == ["one", "two"]
    assert made.session()["commits"][1][:10] == git(made.root, "rev-parse", "--short=10", "HEAD").strip()


def test_a_reflog_that_was_cut_short_doubles_nothing(made: Assisted) -> None:
    """It is read anew, and what is known is passed over."""
    made.tell("session-start")
    git_commit(made, "one")
    git_commit(made, "one better", "--amend")
    made.tell("stop")
    log = made.root / ".git" / "logs" / "HEAD"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[1:]))
    made.tell("stop")
    assert made.subjects() == ["one better"]


# ---- files ----


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


# ---- tests, records, runs ----


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


def keep(made: Assisted, *words: str) -> str:
    """A record kept, or changed, by a command in this process."""
    before = Path.cwd()
    os.chdir(made.root)
    try:
        with made.store() as store:
            old = store.execute("SELECT max(id) FROM history").fetchone()[0] or 0
        assert run(neat, list(words)) == 0
        with made.store() as store:
            return str(store.execute("SELECT record_id FROM history WHERE id > ? ORDER BY id", (old,)).fetchone()[0])
    finally:
        os.chdir(before)


def add_run(made: Assisted, name: str, pid: int = 0, root: Path | None = None) -> str:
    """A run that the daemon has met just now."""
    with made.store() as store:
        with transaction(store):
            ensure_project(store, made.place)
        found = runs.ensure_run(store, IDENTITY, str(root or made.root), name, GitState(), AT)
        process = json.dumps({"pid": pid}) if pid else None
        store.execute("UPDATE run SET created_at = ?, process = ? WHERE id = ?", (utc_now(), process, found.id))
    return found.id


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


# ---- several at once ----


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


# ---- the whole of it ----


def test_the_record_says_it_all_without_a_daemon(made: Assisted, capsys: pytest.CaptureFixture[str]) -> None:
    """As `neat list session --json` prints it."""
    made.tell("session-start")
    made.bash("git commit -m one", git_commit(made, "one"))
    made.bash("pytest", "3 passed in 1s")
    made.patch.setenv("NEAT_SESSION", made.known().session_id)
    note = keep(made, "note", "x")
    made.patch.delenv("NEAT_SESSION")
    begun = add_run(made, "runs/a")
    made.tell("session-end", reason="prompt_input_exit")
    made.patch.chdir(made.root)
    capsys.readouterr()
    assert run(neat, ["list", "session", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["commits"] == made.session()["commits"] and len(one["commits"]) == 1
    assert (one["file"], one["records"], one["runs"], len(one["tests"])) == (["a.py"], [note], [begun], 1)
    assert (one["status"], one["assistant"]) == ("done", "claude-code") and one["started"] <= one["ended"]
    assert one["title"] == "1 commit, 1 file, 1 record, 1 run, 1 test run; last: one"


ASSISTANT = """
import json, subprocess, sys, time
event, commit = json.loads(sys.argv[1]), sys.argv[2:]
hook = [sys.executable, "-c", "from neatd.cli.main import main; main()", "hook", "session-start"]
subprocess.run(hook, input=json.dumps(event).encode(), check=True, stdout=subprocess.DEVNULL)
print("started", flush=True)
input()
open("made.py", "w").write("x = 1")
subprocess.run(["git", "add", "-A"], check=True)
subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "-qm", "alone"], check=True)
print("committed", flush=True)
time.sleep(600)
"""


def test_a_killed_assistant_without_any_further_hook_is_seen_by_the_daemon(neat: Neat) -> None:
    """Its commit, its file and its end; no process is left behind."""
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=n", "-c", "user.email=n@x.y", "commit", "-qm", "first"],
    ):
        git(neat.root, *words)
    program = (
        "from neatd.pipeline import attending, sessions; attending.REST_S = sessions.GAP_S = 0.5;"
        "from neatd.daemon import main; main()"
    )
    daemon = subprocess.Popen([sys.executable, "-c", program], cwd=neat.root, env=neat.env, stderr=subprocess.DEVNULL)
    event = json.dumps(claude("session-start", neat.root))
    assistant = subprocess.Popen(
        [sys.executable, "-c", ASSISTANT, event],
        cwd=neat.root,
        env=neat.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        until(neat.is_alive, "the daemon")
        assert assistant.stdout is not None and assistant.stdin is not None
        assert assistant.stdout.readline() == b"started\n"
        until(lambda: head_log(neat) >= 0, "a first look")
        assistant.stdin.write(b"\n")
        assistant.stdin.flush()
        assert assistant.stdout.readline() == b"committed\n"
        until(lambda: neat.json("neat", "list", "session")[0]["commits"], "the commit")
        assistant.kill()
        assistant.wait(timeout=30)
        until(lambda: neat.json("neat", "list", "session")[0]["status"] == "done", "the end")
        (one,) = until(lambda: [s for s in neat.json("neat", "list", "session") if s["file"]], "the file")
    finally:
        for process in (assistant, daemon):
            process.kill()
            process.communicate(timeout=30)
    assert [commit.partition(" ")[2] for commit in one["commits"]] == ["alone"] and one["file"] == ["made.py"]


def head_log(neat: Neat) -> int:
    import sqlite3

    store = sqlite3.connect(neat.home / "neat.db")
    found = store.execute("SELECT max(head_log) FROM attended").fetchone()[0]
    store.close()
    return -1 if found is None else int(found)
