"""`neat hook`: every event of every assistant, with the JSON that it documents; and whatever else may come."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from neatd.cli.hook import PATIENCE_S
from neatd.store import deliveries
from tests.conftest import bind_root_to_permissions
from tests.hooks_made import CLAUDE_EVENTS, CODEX_EVENTS, CURSOR_EVENTS, Assisted, claude, codex, context_of, cursor
from tests.store_rows import add
from tests.test_light import DAEMONS, READERS, loaded
from tests.testing_made import IDENTITY, PROGRAM

MAKERS = {"claude-code": claude, "codex": codex, "cursor": cursor}
DOCUMENTED = [
    *(("claude-code", event) for event in CLAUDE_EVENTS), *(("codex", event) for event in CODEX_EVENTS),
    *(("cursor", event) for event in CURSOR_EVENTS),
]  # fmt: skip


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    return Assisted(tmp_path, monkeypatch)


@pytest.mark.parametrize(("assistant", "event"), DOCUMENTED)
def test_each_documented_event_is_taken_in(made: Assisted, assistant: str, event: str) -> None:
    """Only a start is answered where nothing happened; the session is the assistant's, by its own name."""
    made.context(MAKERS[assistant]("session-start", made.root), "session-start")
    told = made.context(MAKERS[assistant](event, made.root), event)
    assert ("From neat" in told) == (event == "session-start")
    with made.store() as store:
        rows = store.execute("SELECT assistant, key, ended_at FROM attendance").fetchall()
    assert [row[:2] for row in map(tuple, rows)] == [(assistant, "s1")]
    assert bool(rows[0][2]) == (event == "session-end")


@pytest.mark.parametrize("event", ["stop", "pre-compact", "session-end"])
def test_where_nothing_can_be_told_nothing_is(made: Assisted, event: str) -> None:
    """Even with news: Stop would go on, and the others refuse context. They are told at the next prompt."""
    made.tell("session-start")
    made.happen()
    assert made.tell(event) == ""
    assert "critical non_finite" in made.tell("user-prompt")


def test_a_prompt_of_cursor_does_not_use_up_the_news(made: Assisted) -> None:
    """Its documentation knows no context there; after a tool call it does."""
    made.context(cursor("session-start", made.root), "session-start")
    made.happen()
    assert made.context(cursor("user-prompt", made.root), "user-prompt") == ""
    assert "non_finite" in made.context(cursor("post-tool", made.root), "post-tool")


def test_an_event_under_another_name_is_not_answered(made: Assisted) -> None:
    """Context for Stop would keep the assistant going."""
    assert made.answer(claude("session-start", made.root, hook_event_name="Stop"), "session-start") == ("", "")


def test_a_failed_tool_call_is_answered_by_its_own_name(made: Assisted) -> None:
    """Claude Code checks that the answer names its event."""
    made.tell("session-start")
    made.happen()
    told = made.tell("post-tool", hook_event_name="PostToolUseFailure", error="Exit code 1", is_interrupt=False)
    assert "non_finite" in told


def test_codex_is_one_session_though_its_start_does_not_name_it(made: Assisted) -> None:
    """A start without a transcript could be anybody's; the next turn tells."""
    made.context(codex("session-start", made.root, transcript_path=None), "session-start")
    made.context(codex("user-prompt", made.root, transcript_path=None), "user-prompt")
    with made.store() as store:
        assert [row[0] for row in store.execute("SELECT assistant FROM session")] == ["codex"]
        assert [row[0] for row in store.execute("SELECT assistant FROM attendance")] == ["codex"]


# ---- bad input ----

BAD: dict[str, bytes] = {
    "nothing": b"", "no JSON": b"{session", "a list": b'["x"]', "a number": b"7", "null": b"null", "not UTF-8": b"\xff\xfe{}",
    "nested without end": b'{"a":' + b"[" * 100_000, "an empty object": b"{}",
    "other types": b'{"session_id": 7, "cwd": ["/"], "source": {}, "hook_event_name": 3, "tool_name": [], "tool_input": 1}',
    "a NUL": b'{"session_id": "a\\u0000b", "cwd": "/\\u0000"}',
    "half a letter": b'{"session_id": "\\ud800", "cwd": "/\\udfff", "source": "\\ud800"}',
    "a long name": json.dumps({"session_id": "s" * 100_000, "source": "x" * 100_000}).encode(),
    "control characters": b'{"session_id": "\\u001b[31m", "source": "\\u001b[31m\\n"}',
}  # fmt: skip


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_whatever_comes_does_no_harm(made: Assisted, raw: bytes) -> None:
    """To any event: exit code 0, a valid answer or none, one line at most."""
    made.patch.chdir(made.root)
    for event in CLAUDE_EVENTS:
        out, _ = made.answer(raw, event)
        assert out == "" or json.loads(out)


def test_halves_of_letters_and_foreign_words_do_not_keep_it_from_its_context(made: Assisted) -> None:
    """JSON can spell them; what a field should not hold is not kept."""
    told = made.tell("session-start", "\ud800", source="API_KEY=abcd1234efgh5678\n\ud800")
    with made.store() as store:
        rows = store.execute("SELECT event FROM attendance UNION ALL SELECT event FROM delivery").fetchall()
    assert "From neat" in told and [row[0] for row in rows] == ["session-start"] * 2


def test_unknown_fields_change_nothing(made: Assisted) -> None:
    """Versions to come will have more."""
    assert "From neat" in made.tell("session-start", source="teleport", brand_new={"deep": [1, {"a": None}]})


@pytest.mark.parametrize("event", ["", "nope", "--help-me", "SessionStart"])
def test_an_unknown_event_is_said(made: Assisted, event: str) -> None:
    """In one line."""
    assert made.hook(claude("stop", made.root), event).startswith("neat hook: no event ")


def test_a_project_that_was_never_set_up_is_said(made: Assisted, tmp_path: Path) -> None:
    """And nothing is made of it."""
    out, err = made.answer(claude("session-start", tmp_path), "session-start")
    assert out == "" and err.startswith("neat hook: no neat.yaml in ")
    assert not (tmp_path / ".neat").exists()


def test_a_missing_store_is_said_and_not_made(made: Assisted) -> None:
    """`neat init` makes one."""
    for path in made.home.iterdir():
        path.unlink()
    out, err = made.answer(claude("session-start", made.root), "session-start")
    assert out == "" and "there is no store yet" in err and list(made.home.iterdir()) == []


def test_a_damaged_store_is_said(made: Assisted) -> None:
    """At any event, and left as it is."""
    for path in made.home.glob("neat.db*"):
        path.unlink()
    (made.home / "neat.db").write_bytes(b"garbage" * 999)
    for event in CLAUDE_EVENTS:
        out, err = made.answer(claude(event, made.root), event)
        assert out == "" and err and (made.home / "neat.db").read_bytes() == b"garbage" * 999


def test_a_store_of_a_newer_version_is_said(made: Assisted) -> None:
    """At any event; it is not migrated back."""
    with made.store() as store:
        store.execute("PRAGMA user_version = 99")
    for event in CLAUDE_EVENTS:
        out, err = made.answer(claude(event, made.root), event)
        assert out == "" and err.startswith("neat hook: ")


def test_a_start_is_answered_while_another_writes(made: Assisted) -> None:
    """Reading comes first; that the session is not kept is said."""
    with made.store() as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        out, err = made.answer(claude("session-start", made.root), "session-start")
        assert time.monotonic() - begun < 4
        assert "From neat" in context_of(out, claude("session-start", made.root)) and "not kept" in err
        out, err = made.answer(claude("post-tool", made.root), "post-tool")
        assert out == "" and "locked" in err


def test_news_that_could_not_be_kept_are_told_later(made: Assisted) -> None:
    """Or they would be told twice."""
    made.tell("session-start")
    made.happen()
    with made.store() as other:
        other.execute("BEGIN IMMEDIATE")
        assert made.answer(claude("user-prompt", made.root), "user-prompt")[0] == ""
    assert "non_finite" in made.tell("user-prompt")
    assert made.tell("user-prompt") == ""


def test_a_test_run_that_waits_in_the_inbox_names_its_session(made: Assisted) -> None:
    """The daemon takes it in for that one."""
    made.tell("session-start")
    with made.store() as other:
        other.execute("BEGIN IMMEDIATE")
        given = {"tool_input": {"command": "pytest"}, "tool_response": {"stdout": "3 passed in 1s", "stderr": ""}}
        assert "inbox" in made.hook(claude("post-tool", made.root, **given))
    (left,) = (made.root / ".neat" / "inbox").glob("*.json")
    assert json.loads(left.read_text())["session"] == made.known().session_id


def test_the_context_comes_from_a_home_that_may_only_be_read(made: Assisted) -> None:
    """As in an assistant's sandbox."""
    add(made.home, "note", "x")
    event = json.dumps(claude("session-start", made.root))
    for path in (*made.home.iterdir(), made.home):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        done = made.call(
            [sys.executable, "-c", PROGRAM.format("hook", "hook"), "session-start"], input=event.encode(),
            preexec_fn=bind_root_to_permissions,
        )  # fmt: skip
    finally:
        made.home.chmod(0o700)
    assert done.returncode == 0 and "From neat" in context_of(done.stdout.decode(), json.loads(event)), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_working_folder_may_be_gone(made: Assisted, tmp_path: Path) -> None:
    """The event tells of another; and where it tells of none, that is said."""
    gone = tmp_path / "gone"
    gone.mkdir()
    made.patch.chdir(gone)
    gone.rmdir()
    assert "From neat" in made.tell("session-start")
    made.patch.setenv("CLAUDE_PROJECT_DIR", str(made.root))
    assert "From neat" in made.tell("session-start", root=gone)
    made.patch.delenv("CLAUDE_PROJECT_DIR")
    assert "was removed" in made.hook(claude("session-start", gone), "session-start")


# ---- as a process ----


def test_a_stdin_that_is_never_closed_keeps_nobody_waiting(made: Assisted) -> None:
    """It ends by itself, with 0, in less than ten seconds."""
    assert PATIENCE_S < 9
    program = f"from neatd.cli import hook as module; module.PATIENCE_S = 0.5; {PROGRAM.format('hook', 'hook')}"
    command = [sys.executable, "-c", program, "stop"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=made.root, env=made.env)
    assert process.wait(timeout=8) == 0
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-", "> >(true)", ">/dev/full"])
def test_closed_streams_change_nothing(made: Assisted, closed: str) -> None:
    """The exit code stays 0, and there is no traceback."""
    event = json.dumps(claude("session-start", made.root))
    made.write("event.json", event)
    line = f'"$0" -c "$1" session-start < event.json {closed}; echo "code $?" >&3'
    done = made.call(["bash", "-c", f"( {line} ) 3>&1 1>out.txt", sys.executable, PROGRAM.format("hook", "hook")])
    assert b"code 0" in done.stdout and b"Traceback" not in done.stderr, done


def test_an_ordinary_command_loads_next_to_nothing(made: Assisted) -> None:
    """Most calls of an assistant leave nothing to keep: the store is asked for news, and that is all."""
    made.tell("session-start")
    found = hook_loads(made, claude("post-tool", made.root), "post-tool")
    assert not found & (
        DAEMONS | READERS | {"shlex", "subprocess", "tempfile", "hashlib", "neatd.store.short", "neatd.models"}
    )


@pytest.mark.parametrize("event", CLAUDE_EVENTS)
def test_no_event_loads_what_is_heavy(made: Assisted, event: str) -> None:
    """Plain rows through the standard library; what starts processes is only for the end of a session."""
    made.tell("session-start")
    made.write(".neat/brief.md", "# Brief\n")
    found = hook_loads(made, claude(event, made.root), event)
    assert not found & (DAEMONS | READERS | {"neatd.models", "neatd.config"})
    assert event == "session-end" or not found & {"subprocess", "tempfile"}


def hook_loads(made: Assisted, payload: dict[str, Any], event: str) -> set[str]:
    """The modules that a process holds after a hook."""
    program = (
        "import io, sys\nfrom neatd.cli.main import run\nfrom neatd.cli.hook import hook\n"
        f"sys.stdin = io.TextIOWrapper(io.BytesIO({json.dumps(payload).encode()!r}))\nassert run(hook, [{event!r}]) == 0"
    )
    return loaded(program)


# ---- what it leaves ----


def test_each_start_is_a_delivery_by_its_hash(made: Assisted) -> None:
    """Which assistant received which text, when, from which event."""
    told = made.tell("session-start", source="resume")
    with made.store() as store:
        (one,) = deliveries.deliveries(store, IDENTITY)
    assert (one.assistant, one.event, one.characters) == ("claude-code", "session-start:resume", len(told))
    assert (
        one.hash == deliveries.text_hash(told)
        and one.session_id == made.known().session_id
        and one.root == str(made.root)
    )


def test_the_assistants_shells_are_told_their_session(made: Assisted, tmp_path: Path) -> None:
    """By the file that Claude Code offers; once, and beside what others wrote."""
    file = tmp_path / "env.sh"
    file.write_text("export A=1")
    made.patch.setenv("CLAUDE_ENV_FILE", str(file))
    for source in ("startup", "compact"):
        made.tell("session-start", source=source)
    line = f"export NEAT_SESSION={made.known().session_id}"
    assert file.read_text() == f"export A=1\n{line}\n"


def test_a_key_in_the_session_is_not_kept(made: Assisted) -> None:
    """Neither in the store nor on stderr."""
    key = "sk-ant-api03-" + "a" * 95
    made.tell("session-start")
    made.edit(str(made.root / f"API_KEY={key}.py"))
    made.bash(f"git commit -qm 'use {key}'")
    with closing(sqlite3.connect(made.home / "neat.db")) as store:
        assert key not in "\n".join(store.iterdump())


def test_the_answer_holds_no_control_characters(made: Assisted) -> None:
    """Neither from records nor from a brief that came with the repository."""
    add(made.home, "note", "x")
    made.write(".neat/brief.md", "# Brief\n\x1b[31mred\x07 \u202etrap API_KEY=abcd1234efgh5678 ssh root@203.0.113.9\n")
    told = made.tell("session-start")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told)
    assert "abcd1234" not in told and "203.0.113.9" not in told and "red" in told


def test_hooks_run_with_an_environment_that_names_nobody(made: Assisted) -> None:
    """HOME may be missing."""
    env = {"NEAT_HOME": str(made.home), "PATH": os.environ["PATH"]}
    event = claude("session-start", made.root)
    done = made.call(
        [sys.executable, "-c", PROGRAM.format("hook", "hook"), "session-start"],
        input=json.dumps(event).encode(),
        env=env,
    )
    assert done.returncode == 0 and context_of(done.stdout.decode(), event)
