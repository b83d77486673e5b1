"""A message on its way: a child process that is asked whether it is done, and ended when it takes too long."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

SEND_S = 30.0


class Message(NamedTuple):
    """What is told, in whole lines without secrets."""

    title: str
    body: str
    severity: str


class Sending:
    """One message to one address. Nothing here waits but `finish`."""

    def __init__(self, url: str, message: Message, home: Path, most_s: float = SEND_S) -> None:
        flags: dict[str, Any] = {"start_new_session": True}  # a Ctrl-C is not meant for it
        if sys.platform == "win32":
            flags = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
        self._answer: str | None = None
        self._most_s, self._until = most_s, time.monotonic() + most_s
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "neatd.actions.deliver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=home, text=True, encoding="utf-8", **flags,
        )  # fmt: skip
        assert self._process.stdin is not None
        with suppress(OSError):  # it ended already, and says nothing
            self._process.stdin.write(json.dumps({"url": url, **message._asdict()}))  # far less than a pipe holds
            self._process.stdin.close()

    def answer(self) -> str | None:
        """None while it is on its way; then, as often as one asks, "" when it was taken, else why not."""
        if self._answer is None and self._process.poll() is not None:
            self._answer = self._said()
        elif self._answer is None and time.monotonic() >= self._until:
            self.end(f"no answer within {self._most_s:.0f} s")
        return self._answer

    def finish(self, wait_s: float | None = None) -> str | None:
        """`answer`, waited for as long as it may take, or for `wait_s` seconds."""
        left = self._until - time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, left if wait_s is None else min(left, wait_s)))
        return self.answer()

    def end(self, why: str = "it was left") -> None:
        """End it: whether the message was taken is not known."""
        self._answer = self._answer if self._answer is not None else why
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def _said(self) -> str:
        assert self._process.stdout is not None
        with self._process.stdout as out:
            text = out.read()
        try:
            return str(json.loads(text.strip().splitlines()[-1])["why"])
        except (ValueError, LookupError, TypeError):
            return f"the sender broke off (exit code {self._process.returncode})"
