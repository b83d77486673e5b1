"""A sandbox that may only read NEAT_HOME: reading commands answer, what is kept waits in the inbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.cli_place import Answer
from tests.conftest import Neat, bind_root_to_permissions, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permission bits of POSIX")
READING = (
    ("brief",), ("list",), ("list", "decision", "--json"), ("search", "cubes"), ("runs", "--json"), ("table",), ("verify",),
    ("check", "--", "python", "train.py"), ("events",), ("handoff", "--no-keep"), ("data", "status"),
)  # fmt: skip


PROGRAM = """
import json, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from neatd.cli.main import neat, run

for words in json.loads(sys.argv[1]):
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(neat, words)
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""


def sandboxed(neat: Neat, *commands: Sequence[str]) -> list[Answer]:
    """The answers to `neat …`, one after the other, as a user who may not write what is closed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)], cwd=neat.root, env=neat.env, text=True, capture_output=True,
        timeout=60, preexec_fn=bind_root_to_permissions,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Answer(*json.loads(line)) for line in done.stdout.splitlines()]


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
    answers = dict(zip(READING, sandboxed(closed, *READING), strict=True))
    assert [(words, one.err) for words, one in answers.items() if one.code != 0] == []
    assert "train on cubes" in answers["brief",].out
    assert json.loads(answers["list", "decision", "--json"].out)[0]["title"] == "train on cubes"


def test_what_is_kept_waits_and_what_is_changed_says_why_not(closed: Neat) -> None:
    """A record of any kind is left in the inbox; a change of one names what would be needed."""
    kept = (("note", "seen inside"), ("insight", "x", "--component", "y"), ("prefer", "short words"))
    *answers, found = sandboxed(closed, *kept, ("list", "decision", "--json"))
    assert all(one.code == 0 and ".neat/inbox" in one.err for one in answers), answers
    (refused,) = sandboxed(closed, ("close", json.loads(found.out)[0]["id"]))
    assert refused.code == 1 and "can only be read" in refused.err and "hint: " in refused.err


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
    def taken() -> list[str]:
        return [one["title"] for one in neat.json("neat", "list", "note") if one["source"] == "codex"]

    found: list[str] = until(taken, "the record of the inbox")
    return found
