"""A sandbox that may only read NEAT_HOME: reading commands answer, what is kept waits in the inbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROGRAMS, Neat, bind_root_to_permissions

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permission bits of POSIX")
READING = (
    ("brief",), ("list",), ("list", "decision", "--json"), ("search", "cubes"), ("runs", "--json"), ("table",), ("verify",),
    ("check", "--", "python", "train.py"), ("events",), ("handoff", "--no-keep"), ("data", "status"),
)  # fmt: skip


def sandboxed(neat: Neat, *words: str) -> subprocess.CompletedProcess[str]:
    """`neat …` as a user who may not write what is closed."""
    program = f"from neatd.cli.main import {PROGRAMS['neat']} as run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, *words], cwd=neat.root, env=neat.env, text=True, capture_output=True,
        timeout=60, preexec_fn=bind_root_to_permissions,
    )  # fmt: skip


def close(folder: Path, is_closed: bool = True) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod((0o555 if path.is_dir() else 0o444) if is_closed else (0o755 if path.is_dir() else 0o644))


@pytest.fixture(params=[False, True], ids=["no daemon", "a daemon"])
def closed(neat: Neat, request: pytest.FixtureRequest) -> Iterator[Neat]:
    """A project with a decision and a run, whose NEAT_HOME may only be read."""
    neat.call("neat", "decide", "train on cubes")
    if request.param:
        neat.start()
        neat.metrics("runs/a", {"step": 1, "val/loss": 2.0})
        neat.wait_for_points("runs/a", "val/loss", 1)
    close(neat.home)
    yield neat
    close(neat.home, is_closed=False)


def test_reading_commands_answer(closed: Neat) -> None:
    """Each with exit code 0, and the decision is told."""
    for words in READING:
        done = sandboxed(closed, *words)
        assert done.returncode == 0, (words, done.stderr)
    assert "train on cubes" in sandboxed(closed, "brief").stdout
    assert json.loads(sandboxed(closed, "list", "decision", "--json").stdout)[0]["title"] == "train on cubes"


def test_what_is_kept_waits_and_what_is_changed_says_why_not(closed: Neat) -> None:
    """A record of any kind is left in the inbox; a change of one names what would be needed."""
    for words in (("note", "seen inside"), ("insight", "x", "--component", "y"), ("prefer", "short words")):
        done = sandboxed(closed, *words)
        assert done.returncode == 0 and ".neat/inbox" in done.stderr
    decision = json.loads(sandboxed(closed, "list", "decision", "--json").stdout)[0]["id"]
    refused = sandboxed(closed, "close", decision)
    assert refused.returncode == 1 and "can only be read" in refused.stderr and "hint: " in refused.stderr


def test_a_key_left_in_the_inbox_is_not_taken_in(neat: Neat) -> None:
    """A file there may be written by anything: it is cleaned like every other record."""
    key = "ghp_" + "1234567890abcdefghijABCDEFGHIJ123456"
    at = "2026-01-02T03:04:05.000000+00:00"
    row = {"id": "n-" + "d" * 16, "title": f"token {key}", "source": "codex", "created_at": at, "updated_at": at}
    inbox = neat.root / ".neat" / "inbox"
    inbox.mkdir()
    (inbox / "n.json").write_text(json.dumps({"kind": "note", "row": row}))
    neat.start()
    neat.call("neat", "note", "another")
    assert [one for one in _wait(neat) if key in one] == []


def _wait(neat: Neat) -> list[str]:
    from tests.conftest import until

    def taken() -> list[str]:
        return [one["title"] for one in neat.json("neat", "list", "note") if one["source"] == "codex"]

    found: list[str] = until(taken, "the record of the inbox")
    return found
