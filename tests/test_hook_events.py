"""`neat hook`: every event of every assistant, with the JSON that it documents, and what each leaves."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from neatd.store import deliveries
from tests.hooks_made import CLAUDE_EVENTS, CODEX_EVENTS, CURSOR_EVENTS, Assisted, claude, codex, context_of, cursor
from tests.store_rows import add
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
