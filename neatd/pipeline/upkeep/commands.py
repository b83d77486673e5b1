"""The user's own commands, as words: no shell reads them, they end in their time, and what they say is kept without secrets."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import IO

from neatd.errors import NeatError
from neatd.files import write_atomic
from neatd.pipeline.upkeep.work import Outcome, Steps, Work
from neatd.redact import redact

MOST_OUTPUT = 64 << 10  # bytes that are kept, from the end
_LOOK_S = 0.2
_GRACE_S = 5.0  # between asking a command to end and ending it
_LINES = 20  # of its output, in the row


def output_path(home: Path, name: str) -> Path:
    """Where the last output of a command is kept."""
    return home / "maintenance" / f"{name}.log"


def run_command(work: Work) -> Steps:
    """Run it, in its folder, with nothing to read; a code other than 0, and no end in its time, are failures."""
    job = work.job
    folder = Path(job.folder or "~").expanduser()
    yield f"running {redact(job.what)}"
    try:
        process = subprocess.Popen(
            job.command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"NEAT_HOME": str(work.home), "NEAT_MAINTENANCE": job.name}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NeatError(
            f"{job.command[0]} cannot be run in {folder}: {error.strerror}",
            f"mend `command` or `folder` of {job.name} in maintenance.yaml",
        ) from error
    tail = _Tail(process.stdout)
    why = yield from _await_end(work, process)
    text = redact(tail.text())
    path = output_path(work.home, job.name)
    write_atomic(path, text.encode())
    return _outcome(process.returncode, why, text, path)


def _await_end(work: Work, process: subprocess.Popen[bytes]) -> Generator[str, None, str]:
    """Why it was ended from here; "" when it ended by itself."""
    waited = 0.0
    while True:
        try:
            process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            waited += _LOOK_S
        else:
            return ""
        if work.should_end():
            _end(process)
            return "neatd ended"
        if waited >= work.job.timeout_s:
            _end(process)
            return f"it did not end within {work.job.timeout_s:g} s"
        try:
            yield f"running for {waited:.0f} s"
        except GeneratorExit:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command with all that it started and that stayed with it."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait(_GRACE_S)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if os.name == "nt":
        process.kill()
        return
    with suppress(ProcessLookupError):  # it has just ended
        os.killpg(process.pid, number)


def _outcome(code: int, why: str, text: str, path: Path) -> Outcome:
    lines = text.splitlines()[-_LINES:]
    details = {"exit_code": code, "output": lines, "file": str(path)}
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    said = f": {last[:200]}" if last else ""
    if why:
        return Outcome(f"{why}{said}", details, is_bad=True)
    return Outcome(f"exit code {code}{said}", details, is_bad=code != 0)


class _Tail:
    """The end of what a command writes, read as it comes, so that it is never held up by a full pipe."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream, self._kept = stream, bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True, name="output of a command")
        self._thread.start()

    def _read(self) -> None:
        with self._stream as stream:
            while piece := os.read(stream.fileno(), 1 << 16):
                self._kept += piece
                if len(self._kept) > 2 * MOST_OUTPUT:
                    del self._kept[:-MOST_OUTPUT]

    def text(self) -> str:
        """What was kept; what a child that outlives the command still holds open is not waited for."""
        self._thread.join(1.0)
        data = bytes(self._kept[-MOST_OUTPUT:])
        if len(self._kept) > MOST_OUTPUT:
            data = data.partition(b"\n")[2] or data  # a cut first line may hold half a secret
        return data.decode(errors="replace")
