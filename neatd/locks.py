"""A lock the kernel drops when its holder dies: a reused PID or a left-over file never looks like a living holder."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

from neatd.errors import NeatError


class FileLock:
    """An exclusive lock on a file; the file itself stays and means nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock now; False when another process has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError:  # a sandbox that only reads may still ask whether somebody holds it
            handle = os.open(self.path, os.O_RDONLY)
        if not _lock(handle):
            os.close(handle)
            return False
        self._handle = handle
        return True

    def acquire(self, wait_s: float, what: str) -> None:
        """Take the lock, trying for `wait_s` seconds; raises NeatError naming `what` is busy."""
        deadline = time.monotonic() + wait_s
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise NeatError(f"{what} is busy: {self.path} is locked", "wait for the other neat command to end")
            time.sleep(0.02)

    def release(self) -> None:
        """Give the lock back; harmless when not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> FileLock:
        self.acquire(30.0, self.path.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _lock(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
