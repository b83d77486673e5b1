"""Runs a command as if neat were not there, and sees what it prints: bytes unchanged, exit code, signals.

On a terminal the command gets a pty that changes nothing, so that colours and widths stay; else pipes. Where stdout
and stderr go to the same place they share one, so that their order stays. Knows nothing of tests.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, NamedTuple

Feed = Callable[[bytes], None]
_BLOCK = 1 << 16
_DRAIN_S = 0.3  # of silence after the command's end; a process it left behind may hold its output open for ever
_OUT, _ERR = 1, 2


class Ended(NamedTuple):
    """How a command ended: its exit code as a shell gives it, and whether a signal asked it to."""

    exit_code: int
    is_interrupted: bool
    seconds: float


def run_through(command: Sequence[str], out: Feed, err: Feed) -> Ended:
    """Run `command` to its end; `out` and `err` see copies of its bytes. Raises OSError when it cannot be started.

    Where both go to the same place, `out` sees all of it.
    """
    begun = time.monotonic()
    shared = _is_same_place(_OUT, _ERR)
    copiers = [_Copier(_OUT, out)] if shared else [_Copier(_OUT, out), _Copier(_ERR, err)]
    signals = _Signals(copiers)
    try:
        with signals.handled():
            # Descriptors that we were handed go on to the command: make's job server is one.
            process = subprocess.Popen(command, stdout=copiers[0].sink, stderr=copiers[-1].sink, close_fds=False)
            signals.process = process
            for copier in copiers:
                copier.start()
            code = process.wait()
            seconds = time.monotonic() - begun
            for copier in copiers:
                copier.finish()
    finally:
        for copier in copiers:
            copier.close_sink()
    is_interrupted = bool(signals.received) or code in (-signal.SIGINT, -signal.SIGTERM)
    return Ended(128 - code if code < 0 else code, is_interrupted, seconds)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Without Ctrl-C, for the moment in which the result is kept: people press it twice."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_same_place(one: int, other: int) -> bool:
    """Whether two descriptors are of the same file, pipe or terminal."""
    try:
        a, b = os.fstat(one), os.fstat(other)
    except OSError:
        return False
    return (a.st_dev, a.st_ino, a.st_rdev) == (b.st_dev, b.st_ino, b.st_rdev) and a.st_ino != 0


class _Copier:
    """Copies what the command writes into `sink` to one of our own descriptors, in a thread of its own."""

    def __init__(self, target: int, feed: Feed) -> None:
        self._target, self._feed = target, feed
        self.is_terminal = os.name == "posix" and os.isatty(target)
        self.source, self.sink = _terminal(target) if self.is_terminal else os.pipe()
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._is_writing = False
        self._active_at = 0.0
        self._is_left = False

    def start(self) -> None:
        """Begin; the command has the sink by now."""
        self.close_sink()
        self._thread.start()

    def close_sink(self) -> None:
        """Give our own hold on the sink up, so that the end of the command is the end of its output."""
        if self.sink >= 0:
            os.close(self.sink)
            self.sink = -1

    def finish(self) -> None:
        """Copy what the command still wrote before it ended, however slow the reader is."""
        self._active_at = time.monotonic()
        while self._thread.is_alive():
            self._thread.join(0.05)
            if not self._is_writing and time.monotonic() - self._active_at > _DRAIN_S:
                self._is_left = True
                return

    def _copy(self) -> None:
        while not self._is_left:
            try:
                data = os.read(self.source, _BLOCK)
            except OSError:  # how the end of a pty reads on Linux
                break
            if not data:
                break
            self._active_at, self._is_writing = time.monotonic(), True
            is_read = self._write(data)
            self._active_at, self._is_writing = time.monotonic(), False
            if not is_read:
                break
            if not self._is_left:
                self._feed(data)
        os.close(self.source)  # a command whose output nobody reads any more is told so, as without us

    def _write(self, data: bytes) -> bool:
        """Write all of it; False when nobody reads it."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._target, view) :]
            except BlockingIOError:  # whoever started us shares a descriptor that does not wait
                select.select([], [self._target], [], 1.0)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    return False
        return True

    def fit(self) -> None:
        """Give the command's terminal the size of ours."""
        if self.is_terminal:
            with contextlib.suppress(OSError):
                _copy_size(self._target, self.source)


def _terminal(target: int) -> tuple[int, int]:
    """A pty as wide as our terminal that passes bytes on unchanged: (our end, the command's end)."""
    import termios

    ours, theirs = os.openpty()
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST  # our own terminal turns newlines into what it needs
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    with contextlib.suppress(OSError):
        _copy_size(target, theirs)
    return ours, theirs


def _copy_size(source: int, target: int) -> None:
    import fcntl
    import termios

    size = fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8)
    fcntl.ioctl(target, termios.TIOCSWINSZ, size)


class _Signals:
    """What neat is told while the command runs goes on to the command; neat itself waits for its end."""

    def __init__(self, copiers: list[_Copier]) -> None:
        self.received: list[int] = []
        self._copiers = copiers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    @process.setter
    def process(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self.received:  # those that came while it was started
            self._pass_on(number)

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Take the signals that end a program, for as long as the command runs. Those we ignore it ignores too."""
        before: dict[int, Any] = {}
        for name, handler in (*((name, self._end) for name in _ENDING), ("SIGWINCH", self._resize)):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        is_typed = number in (signal.SIGINT, getattr(signal, "SIGQUIT", None)) and _is_foreground()
        if self._process is not None and not is_typed:  # what is typed reaches the command by itself
            with contextlib.suppress(OSError, ValueError):
                self._process.send_signal(number)

    def _resize(self, number: int, frame: FrameType | None) -> None:
        for copier in self._copiers:
            copier.fit()


_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")


def _is_foreground() -> bool:
    """Whether the terminal sends what is typed to our group, the command among it. On Windows every console does."""
    if os.name != "posix":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
