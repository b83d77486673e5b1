"""`neat hook` as a process: its streams, and what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neatd.cli.hook import PATIENCE_S
from tests.hooks_made import CLAUDE_EVENTS, Assisted, claude
from tests.mother import Born
from tests.test_light import DAEMONS, READERS, loaded
from tests.testing_made import PROGRAM


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    return Assisted(tmp_path, monkeypatch)


def test_a_stdin_that_is_never_closed_keeps_nobody_waiting(made: Assisted) -> None:
    """It ends by itself, with 0, in less than ten seconds."""
    assert PATIENCE_S < 9
    program = f"from neatd.cli import hook as module; module.PATIENCE_S = 0.5; {PROGRAM.format('hook', 'hook')}"
    command = [sys.executable, "-c", program, "stop"]
    process = Born(command, stdin=subprocess.PIPE, cwd=made.root, env=made.env)
    assert process.wait(timeout=30) == 0
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
