"""What an assistant's session did writes itself into the documents, and the brief names the last one that did something."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from neatd.cli.hook import hook
from neatd.cli.main import run
from neatd.who import SESSION_VARIABLE
from tests.cli_place import Cli
from tests.documents_made import document, git, section


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv(SESSION_VARIABLE, "")  # what a hook tells its own process ends with the test
    git("init", "-q", "-b", "main")
    for name, value in (("user.name", "T"), ("user.email", "t@example.org")):
        git("config", name, value)
    made.init()
    git("add", "-A")
    git("commit", "-qm", "begin")
    return made


def tell(cli: Cli, monkeypatch: pytest.MonkeyPatch, event: str, key: str = "s1", **fields: object) -> None:
    """`neat hook EVENT` as an assistant calls it."""
    payload = {"session_id": key, "cwd": str(cli.root), "hook_event_name": event, **fields}
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(payload).encode())))
        assert run(hook, [event]) == 0


def change(cli: Cli, name: str, subject: str) -> str:
    """A file written and committed; returns the beginning of the commit."""
    (cli.root / name).write_text(subject)
    git("add", "-A")
    git("commit", "-qm", subject)
    return git("rev-parse", "HEAD")[:10]


def test_a_handoff_tells_what_the_sessions_since_the_last_one_did(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits and files, without anybody saying so; an open session belongs to it, one in which nothing was done does not."""
    tell(cli, monkeypatch, "session-start", "before")
    early = change(cli, "a.py", "the loader")
    tell(cli, monkeypatch, "session-end", "before")
    cli.ok("handoff")
    for key in ("empty", "open"):
        tell(cli, monkeypatch, "session-start", key)
    tell(cli, monkeypatch, "session-end", "empty")
    late = change(cli, "b.py", "the loss of the topology")
    tell(cli, monkeypatch, "stop", "open")
    text = document(cli, "handoff")
    done = section(text, "## Completed this session")
    assert f"commit {late} the loss of the topology" in done and early not in done
    assert done.count("- Session: ") == 1 and "claude-code" in done
    assert "`b.py`" in section(text, "## Files created and modified this session")


def test_the_brief_names_the_last_session_that_did_something(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not the one that has just begun."""
    tell(cli, monkeypatch, "session-start", "one")
    change(cli, "a.py", "the loader")
    tell(cli, monkeypatch, "session-end", "one")
    tell(cli, monkeypatch, "session-start", "two")
    assert "Last session: claude-code, 1 commit, 1 file; last: the loader" in cli.ok("brief")


def test_a_session_in_which_nothing_was_done_does_not_travel(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others learn of a session by what it did."""
    tell(cli, monkeypatch, "session-start", "empty")
    tell(cli, monkeypatch, "session-start", "busy")
    cli.ok("sync")
    assert not (cli.root / ".neat" / "knowledge.jsonl").exists()
    tell(cli, monkeypatch, "session-end", "empty")
    change(cli, "a.py", "the loader")
    tell(cli, monkeypatch, "session-end", "busy")
    cli.ok("sync")
    (line,) = (cli.root / ".neat" / "knowledge.jsonl").read_text().splitlines()
    assert "the loader" in json.loads(line)["title"]
