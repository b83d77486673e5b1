"""Processes of tests born of one that has loaded their code: loading it takes longer than most of their lives.

A `Born` is a Popen of a Python program: it has the arguments, folder, environment and standard files that it is given, and
its end is what the kernel says. But its parent is another process, and modules are loaded that it does not need: tests of
these, of starting, and of the installed commands take a Popen.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from neatd.control import log_path

DAEMON = "from neatd import daemon; daemon.main()"
SERVE = "from tests.mother_forks import serve; serve()"
ROOT = Path(__file__).resolve().parents[1]
_one_at_a_time = threading.Lock()


class Born(subprocess.Popen[Any]):
    """`[sys.executable, "-c", program, …]` as a process, with the arguments of Popen that are named here."""

    def __init__(
        self, args: Sequence[str], *, cwd: str | Path | None = None, env: Mapping[str, str] | None = None,
        start_new_session: bool = False, stdin: Any = None, stdout: Any = None, stderr: Any = None, text: bool = False,
        bufsize: int = -1,
    ) -> None:  # fmt: skip
        assert args[:2] == [sys.executable, "-c"], f"not a Python program: {args}"
        self._wish = {
            "words": args[2:], "cwd": os.fspath(cwd or Path.cwd()), "env": dict(os.environ if env is None else env),
            "leads": start_new_session,
        }  # fmt: skip
        super().__init__(args, stdin=stdin, stdout=stdout, stderr=stderr, text=text or None, bufsize=bufsize)

    def _execute_child(self, *given: Any) -> None:
        """What Popen calls once its pipes are made, in place of its own way to have a child."""
        pipes = given[10:16]  # the child's stdin and ours, our stdout and the child's, our stderr and the child's
        files = [pipe if pipe != -1 else number for number, pipe in enumerate((pipes[0], pipes[3], pipes[5]))]
        self._ended, tells = os.pipe()
        try:
            self.pid = _bear(self._wish, [*files, tells])
        finally:
            os.close(tells)
        self._child_created = True
        self._close_pipe_fds(*pipes)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._ended], [], [], None if timeout is None else max(0, timeout))[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._end()
        return int(self.returncode)

    def _end(self) -> None:
        """Take its exit status, which has come; without one, the mother was killed and has taken it with her."""
        self.returncode = os.waitstatus_to_exitcode(int(os.read(self._ended, 32) or b"9"))
        os.close(self._ended)


def run_born(
    args: Sequence[str], *, input: str | bytes | None = None, timeout: float | None = None, check: bool = False,
    capture_output: bool = False, **options: Any,
) -> subprocess.CompletedProcess[Any]:  # fmt: skip
    """`subprocess.run` of a Born."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} if capture_output else {}
    if input is not None:
        pipes["stdin"] = subprocess.PIPE
    with Born(args, **pipes, **options) as process:
        try:
            out, err = process.communicate(input, timeout=timeout)
        finally:
            process.kill()
    done = subprocess.CompletedProcess(args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def bear(home: Path, env: Mapping[str, str]) -> int:
    """Begin a daemon of `home` as `neatd start` does: it leads a session, in its home, its output the log; returns its pid."""
    log_path(home).parent.mkdir(parents=True, exist_ok=True)
    wish = {"words": [DAEMON], "cwd": str(home), "env": dict(env), "leads": True}
    with Path(os.devnull).open("rb") as nothing, log_path(home).open("ab") as log:
        _, unread = ends = os.pipe()
        try:
            return _bear(wish, [nothing.fileno(), log.fileno(), log.fileno(), unread])
        finally:
            for end in ends:
                os.close(end)


def _bear(wish: Mapping[str, Any], files: Sequence[int]) -> int:
    mother = _mother()
    with _one_at_a_time:
        text = json.dumps(wish).encode() + b"\n"
        sent = socket.send_fds(mother, [text], files)
        mother.sendall(text[sent:])
        return int(mother.recv(32))


@cache
def _mother() -> socket.socket:
    ours, hers = socket.socketpair()
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdin=hers, cwd=ROOT)
    hers.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
