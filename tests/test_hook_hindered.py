"""`neat hook` where something is in its way: a store that is locked or cannot be opened, a pipe that stays open, a signal."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import until
from tests.hooks_made import CLAUDE_EVENTS, Assisted, claude, context_of
from tests.mother import Born, run_born
from tests.testing_made import PROGRAM

HOOK = [sys.executable, "-c", PROGRAM.format("hook", "hook")]
AT_MOST_S = 15.0  # a hook waits a second for a writer, other commands thirty; the rest is for a busy machine


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit()
    made.write(".neat/brief.md", "# Brief\nloss is 0.5\n")
    return made


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A database that another keeps for itself, readers included."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE held (x)")
    try:
        yield
    finally:
        other.close()


def start(made: Assisted, event: str = "session-start", **options: Any) -> subprocess.Popen[bytes]:
    given = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    begin = subprocess.Popen if "preexec_fn" in options else Born
    return begin([*HOOK, event], cwd=made.root, env=made.env, **given)


# ---- the store ----


def test_a_start_beside_a_locked_store_gets_the_brief(made: Assisted) -> None:
    """In about a second, with git's branch and that the store did not answer; nothing is said of runs and tasks."""
    payload = claude("session-start", made.root)
    with locked(made.home / "neat.db"):
        begun = time.monotonic()
        out, err = made.answer(payload, "session-start")
        assert time.monotonic() - begun < AT_MOST_S
    told = context_of(out, payload)
    assert (
        "loss is 0.5" in told and "The store did not answer (database is locked)" in told and "Git: branch main" in told
    )
    assert "next step" not in told and "the store did not answer" in err


def test_other_events_beside_a_locked_store_end_soon(made: Assisted) -> None:
    """And a test run is left in the inbox."""
    made.tell("session-start")
    given: dict[str, Any] = {
        "tool_input": {"command": "pytest"}, "tool_response": {"stdout": "3 passed in 1s", "stderr": ""},
    }  # fmt: skip
    with locked(made.home / "neat.db"):
        begun = time.monotonic()
        assert "locked" in made.hook(claude("user-prompt", made.root), "user-prompt")
        assert "inbox" in made.hook(claude("post-tool", made.root, **given))
        assert time.monotonic() - begun < AT_MOST_S
    assert len(list((made.root / ".neat" / "inbox").glob("*.json"))) == 1


def test_a_start_beside_locked_numbers_is_told_the_rest(made: Assisted) -> None:
    """Without a line on stderr, in less than a second."""
    from neatd.store.opening import connect

    connect(made.home, "points").close()
    with locked(made.home / "points.db"):
        begun = time.monotonic()
        told = made.tell("session-start")
        assert time.monotonic() - begun < AT_MOST_S
    assert "loss is 0.5" in told and "did not answer" not in told


def test_a_start_gets_the_brief_where_nothing_can_be_written(made: Assisted) -> None:
    """As on a full disk: SQLite makes a file for the log even to read, and each other event is one line."""
    for event in CLAUDE_EVENTS:
        payload = claude(event, made.root)
        with start(made, event, preexec_fn=forbid_files) as process:
            out, err = process.communicate(json.dumps(payload).encode(), timeout=20)
        assert process.returncode == 0 and len(err.splitlines()) == 1 and b"disk I/O error" in err
        told = context_of(out.decode(), payload)
        assert ("loss is 0.5" in told and "The store did not answer (disk I/O error)" in told) == (
            event == "session-start"
        )


def forbid_files() -> None:
    """No file of this process may grow: a write fails, as on a full disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_store_whose_log_is_no_file_is_out_of_reach(made: Assisted) -> None:
    """No error stops the context."""
    payload = claude("session-start", made.root)
    for suffix in ("-wal", "-shm"):
        (made.home / f"neat.db{suffix}").unlink(missing_ok=True)
        (made.home / f"neat.db{suffix}").mkdir()
    out, err = made.answer(payload, "session-start")
    assert "loss is 0.5" in context_of(out, payload) and "the store did not answer" in err


def test_its_patience_ends_with_a_line(made: Assisted) -> None:
    """Which of all hooks it was that ended without an answer."""
    program = f"from neatd.cli import hook as module; module.PATIENCE_S = 0.3; {PROGRAM.format('hook', 'hook')}"
    process = Born(
        [sys.executable, "-c", program, "stop"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=made.root,
        env=made.env,
    )
    assert process.wait(timeout=30) == 0 and process.stderr is not None
    assert process.stderr.read().decode().startswith("neat hook: ended after 0.3 s without an answer")
    assert len(process.communicate()[1].splitlines()) == 0


# ---- streams ----


def test_a_whole_object_is_answered_though_stdin_stays_open(made: Assisted) -> None:
    """Also when it came in two parts, and with an end of line behind it."""
    payload = claude("session-start", made.root)
    line = json.dumps(payload).encode() + b"\n"
    with start(made) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(line[:40])
        process.stdin.flush()
        process.stdin.write(line[40:])
        process.stdin.flush()
        assert process.wait(timeout=30) == 0
        assert "From neat" in context_of(process.stdout.read().decode(), payload)


def test_half_an_object_is_waited_for(made: Assisted) -> None:
    """An object that ends within another is none."""
    payload = claude("session-start", made.root, extra={"deep": {}})
    line = json.dumps(payload).encode()
    with start(made) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(line[:-1])  # its last letter closes an inner object
        process.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        out, _ = process.communicate(line[-1:], timeout=30)
        assert process.returncode == 0 and "From neat" in context_of(out.decode(), payload)


@pytest.mark.parametrize("event", ["session-start", "nonsense"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("is_full", [True, False], ids=["full", "closed pipe"])
def test_a_stream_that_takes_nothing_changes_no_exit_code(
    made: Assisted, event: str, stream: str, is_full: bool
) -> None:
    """The line cannot be said, and nobody is stopped for it."""
    if is_full:
        target = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, target = os.pipe()
        os.close(reader)
    payload = json.dumps(claude("session-start", made.root)).encode()
    with start(made, event, **{stream: target}) as process:
        _, err = process.communicate(payload, timeout=20)
    os.close(target)
    assert process.returncode == 0 and b"Traceback" not in (err or b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_quietly(made: Assisted, number: int) -> None:
    """With 0 and without a word."""
    with start(made) as process:
        status = Path(f"/proc/{process.pid}/status")
        until(lambda: catches(status, number), "the hook to wait for its event")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, b"", b"")


def catches(status: Path, number: int) -> bool:
    """Whether a process handles the signals, the last of them among them."""
    if not status.exists():
        pytest.skip("the system does not tell which signals a process catches")
    caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
    mask = int(caught.split()[1], 16)
    return all(mask >> (one - 1) & 1 for one in (number, signal.SIGHUP))


# ---- files of the project ----


@pytest.mark.parametrize("name", [".git/HEAD", ".git/refs/heads/main", ".git/commondir", "neat.yaml"])
@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "without end"])
def test_a_file_that_never_ends_keeps_nobody(made: Assisted, name: str, is_pipe: bool) -> None:
    """What git or the project has there is not known then."""
    path = made.root / name
    path.unlink(missing_ok=True)
    if is_pipe:
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    payload = json.dumps(claude("session-start", made.root)).encode()
    done = run_born(
        [*HOOK, "session-start"],
        input=payload,
        cwd=made.root,
        env=made.env,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    if name == "neat.yaml":
        assert b"no neat.yaml in" in done.stderr
    else:
        assert "From neat" in context_of(done.stdout.decode(), json.loads(payload))
