"""The session in which an assistant calls tools: the one its hooks told of, or the server's own; and what it received."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neatd.store import deliveries, presence
from neatd.who import SESSION_VARIABLE
from tests.cli_place import Cli
from tests.mcp_made import Tools, environment, registered, with_tools
from tests.testing_made import PROGRAM


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setenv(SESSION_VARIABLE, "")
    return registered(Cli(tmp_path, monkeypatch, capsys))


def sessions(cli: Cli) -> list[dict[str, Any]]:
    return list(cli.json("list", "session"))


async def keep_two(tools: Tools) -> str:
    kept = await tools("log", kind="decision", text="train on patches", fields={"why": "160 does not fit"})
    await tools("log", kind="task", text="measure it")
    return str(kept.json["id"])


def test_an_assistant_without_hooks_has_a_session_while_its_server_lives(cli: Cli) -> None:
    """With what it kept; over when the server leaves."""
    kept = with_tools(cli, keep_two, name="Cursor")
    (session,) = sessions(cli)
    assert (session["assistant"], session["status"], session["title"]) == ("cursor", "done", "2 records")
    assert kept in session["records"] and session["ended"] >= session["started"] > ""


def test_what_only_looks_begins_one_session_and_no_more(cli: Cli) -> None:
    """Two servers of one assistant, one after the other, are one session that is open again."""

    async def look(tools: Tools) -> None:
        await tools("runs")
        await tools("search", query="x")

    for _ in range(2):
        with_tools(cli, look)
    (session,) = sessions(cli)
    assert (session["title"], session["status"]) == ("", "done")


def test_tools_are_called_in_the_session_that_the_hooks_told_of(cli: Cli) -> None:
    """The same process started both; it stays open when the server leaves."""
    payload = {"session_id": "s1", "cwd": str(cli.root), "hook_event_name": "SessionStart", "source": "startup"}
    command = [sys.executable, "-c", PROGRAM.format("hook", "hook"), "session-start"]
    subprocess.run(command, input=json.dumps(payload).encode(), env=environment(cli), capture_output=True, check=True)
    kept = with_tools(cli, keep_two, is_ours=True)
    with cli.store() as store:
        (known,) = presence.open_ones(store)
        history = store.execute("SELECT session FROM history WHERE record_id = ?", (kept,)).fetchall()
    assert [tuple(row) for row in history] == [(known.session_id,)] and known.key == "s1"
    assert len(sessions(cli)) == 1


def test_a_brief_that_was_asked_for_is_a_delivery(cli: Cli) -> None:
    """By the hash of what the assistant got."""

    async def ask(tools: Tools) -> str:
        return (await tools("brief")).text

    text = with_tools(cli, ask)
    with cli.store() as store:
        (one,) = deliveries.deliveries(store, sessions(cli)[0]["project_id"])
    assert (one.event, one.assistant, one.hash) == ("mcp", "claude-code", deliveries.text_hash(text))
    assert one.session_id == sessions(cli)[0]["id"]


def test_a_store_that_is_busy_keeps_no_answer_back(cli: Cli) -> None:
    """The session is not kept then, the answer is right all the same."""

    async def look(tools: Tools) -> list[Any]:
        with cli.store() as other:
            other.execute("BEGIN IMMEDIATE")
            try:
                return list((await tools("runs")).json)
            finally:
                other.execute("ROLLBACK")

    assert with_tools(cli, look) == []
    assert sessions(cli) == []
