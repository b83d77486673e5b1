"""Sessions of assistants: they begin and end, and their record says it all; by hooks alone, and by the daemon alone."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.cli.main import neat, run
from neatd.pipeline import attending
from neatd.store import attendance, live
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from tests.conftest import Neat, until
from tests.hooks_made import Assisted, claude
from tests.mother import Born
from tests.sessions_made import add_run, git, git_commit, history, keep, sessions


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


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


def test_what_a_person_commits_after_an_assistant_is_gone_is_not_the_assistants(made: Assisted) -> None:
    """As the daemon finds it that was not there: it ends the session first, with the last that is known of it."""
    made.tell("session-start")
    with made.store() as store:
        long_ago = live.ago(3600)
        store.execute("UPDATE attendance SET pid = 999999999, born = 'x', started_at = ?, seen_at = ?", [long_ago] * 2)
        store.execute("UPDATE attended SET started_at = ?", [long_ago])
    git_commit(made, "of a person")
    with made.store() as store, transaction(store):
        assert attending.end_deserted(store, made.known(), datetime.now(UTC), attending.REST_S, attending.LONE_S)
    with made.store() as store, transaction(store):
        attending.take(store, made.known())
    assert made.subjects() == [] and made.known().ended_at == long_ago


def test_only_who_is_gone_or_silent_for_long_is_deserted(made: Assisted) -> None:
    """A process that lives may be silent for days; of one that is not known nothing else tells."""
    made.tell("session-start")
    known, now = made.known(), datetime.now(UTC)
    with made.store() as store, transaction(store):
        assert not attending.end_deserted(store, known, now + timedelta(days=9), attending.REST_S, attending.LONE_S)
        unknown = known._replace(pid=0, born="")
        assert not attending.end_deserted(store, unknown, now + timedelta(hours=1), attending.REST_S, attending.LONE_S)
        gone = known._replace(born="another")
        assert not attending.end_deserted(store, gone, now, attending.REST_S, attending.LONE_S)
        assert attending.end_deserted(store, unknown, now + timedelta(hours=13), attending.REST_S, attending.LONE_S)


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
    daemon = Born([sys.executable, "-c", program], cwd=neat.root, env=neat.env, stderr=subprocess.DEVNULL)
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
