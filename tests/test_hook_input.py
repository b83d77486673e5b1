"""`neat hook` with whatever may come: no JSON, no project, no store or one in use, a folder that is gone."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import bind_root_to_permissions
from tests.hooks_made import CLAUDE_EVENTS, Assisted, claude, context_of
from tests.store_rows import add
from tests.testing_made import PROGRAM


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    return Assisted(tmp_path, monkeypatch)


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
        assert time.monotonic() - begun < 15  # other commands wait half a minute for a writer
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
        given: dict[str, Any] = {
            "tool_input": {"command": "pytest"},
            "tool_response": {"stdout": "3 passed in 1s", "stderr": ""},
        }
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
    assert "was removed" in made.hook(claude("session-start", gone, "unknown"), "session-start")
