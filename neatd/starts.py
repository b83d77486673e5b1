"""The daemon's starts and how each ended: what tells a crash loop, how long to wait in one, and the last crash's reason.

Kept as `starts.json` in NEAT_HOME by the daemon that holds the lock; who cannot write it goes on without. A start that has no
end and whose process is gone died without a word. Only a service waits: a start by hand is never held up.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from neatd.files import read_small, write_atomic
from neatd.lifesign import is_running, last_seen
from neatd.redact import redact

log = logging.getLogger(__name__)
KEPT = 20
SHORT_S = 60.0  # one that lived for less died at once
RECENT_S = 24 * 3600.0  # a crash is told for so long
FREE = 2  # so many such deaths in a row are tried again at once
FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 300.0
_LARGEST = 1 << 20
NO_WORD = "it died without a word: killed, or out of memory"
MACHINE_OFF = "the machine went off"
_NO_CRASH = ("", MACHINE_OFF)


class Start(NamedTuple):
    """A life of the daemon. Times are unix seconds; `ended_at` None while it lives; `reason` "" when it was told to end."""

    at: float
    pid: int
    version: str
    is_service: bool
    ended_at: float | None = None
    reason: str = ""

    @property
    def is_crash(self) -> bool:
        """It ended by itself."""
        return self.ended_at is not None and self.reason not in _NO_CRASH

    @property
    def died_at_once(self) -> bool:
        """It crashed before it was of use."""
        return self.is_crash and (self.ended_at or 0.0) - self.at < SHORT_S

    def has_held(self, now: float) -> bool:
        """It was of use: it lived for a while, or ended because it was told to."""
        lived_s = (now if self.ended_at is None else self.ended_at) - self.at
        return lived_s >= SHORT_S or (self.ended_at is not None and not self.reason)


class Starts(NamedTuple):
    """The newest starts, oldest first; those before `forgiven_at` hold nobody up."""

    lives: tuple[Start, ...] = ()
    forgiven_at: float = 0.0

    @property
    def in_a_row(self) -> int:
        """How many starts in a row died at once, up to now."""
        count = 0
        for one in reversed([one for one in self.lives if one.ended_at is not None]):
            if not one.died_at_once or one.at < self.forgiven_at:
                break
            count += 1
        return count

    @property
    def last_crash(self) -> Start | None:
        """The newest life that ended by itself."""
        return next((one for one in reversed(self.lives) if one.is_crash), None)

    def told_crash(self, now: float) -> Start | None:
        """The last crash while it is news: until a later life is there for a day, or, of a start that failed, has held."""
        crash = self.last_crash
        later = self.lives[self.lives.index(crash) + 1 :] if crash else ()
        if crash is None or crash.ended_at is None or not later:
            return crash
        is_mended = crash.died_at_once and any(one.has_held(now) for one in later)
        return None if is_mended or now - crash.ended_at > RECENT_S else crash

    def wait_s(self, now: float) -> float:
        """How long a service waits before it tries again. A clock that was put back makes it no longer."""
        over = self.in_a_row - FREE
        if over <= 0 or not self.last_crash:
            return 0.0
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(over - 1, 10))
        return min(wait, max(0.0, (self.last_crash.ended_at or now) + wait - now))

    def crash_shape(self, now: float) -> dict[str, Any] | None:
        """The last crash as JSON; None when there is none to be told."""
        crash = self.told_crash(now)
        if crash is None:
            return None
        wait_s = round(self.wait_s(now), 1)
        return {"at": crash.ended_at, "reason": crash.reason, "in_a_row": self.in_a_row, "waits_s": wait_s}


def starts_path(home: Path) -> Path:
    """Where they are kept."""
    return home / "starts.json"


def crash_path(home: Path) -> Path:
    """Where Python itself writes what it was at when a signal killed it (`faulthandler`)."""
    return home / "logs" / "crash.log"


def read_starts(home: Path) -> Starts:
    """What is kept; nothing when there is none, or it cannot be read."""
    try:
        data = json.loads(read_small(starts_path(home), _LARGEST))
        return Starts(tuple(Start(**one) for one in data["lives"]), float(data["forgiven_at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Starts()


def _write(home: Path, starts: Starts) -> None:
    data = {"lives": [one._asdict() for one in starts.lives[-KEPT:]], "forgiven_at": starts.forgiven_at}
    try:
        write_atomic(starts_path(home), json.dumps(data).encode())
    except OSError as error:  # a full disk: the daemon's own work says so too
        log.error("the starts cannot be written: %s", error)


def forgive(home: Path) -> None:
    """Who starts the daemon by hand has looked at what was wrong: nothing waits any more."""
    starts = read_starts(home)
    if starts.in_a_row:
        _write(home, starts._replace(forgiven_at=time.time()))


def settled(home: Path, starts: Starts) -> Starts:
    """The same with an end for each life: for one that has none by what it left."""
    if all(one.ended_at is not None for one in starts.lives):
        return starts
    import psutil

    seen, booted_at = last_seen(home), psutil.boot_time()
    lives = []
    for one in starts.lives:
        if one.ended_at is None:
            ended_at = max(one.at, seen.timestamp() if seen else one.at)
            reason = MACHINE_OFF if one.at < booted_at else last_words(home) or NO_WORD
            one = one._replace(ended_at=ended_at, reason=reason)
        lives.append(one)
    return starts._replace(lives=tuple(lives))


def known_starts(home: Path) -> Starts:
    """As they stand for somebody who asks from outside: one that died without a word has ended too."""
    starts = read_starts(home)
    return starts if is_running(home) else settled(home, starts)


def last_words(home: Path) -> str:
    """What the crash log holds of the last signal, and where the program was; "" for nothing."""
    try:
        text = read_small(crash_path(home), _LARGEST).decode(errors="replace")
    except OSError:
        return ""
    lines = text[text.rfind("Fatal Python error") :].splitlines() if "Fatal Python error" in text else []
    signal = lines[0].removeprefix("Fatal Python error: ") if lines else ""
    stack = [line.strip() for line in _main_thread(lines)]
    where = next((line for line in stack if "neatd" in line), stack[0] if stack else "")
    what = "the watchdog ended it, or it aborted" if signal == "Aborted" else f"it was ended by a {signal.lower()}"
    return redact(f"{what}, at {where}" if where else what) if signal else ""


def _main_thread(lines: Sequence[str]) -> list[str]:
    """The frames of the loop's own thread, innermost first: it is the last one in the dump, or the only one."""
    begins = [number for number, line in enumerate(lines) if "most recent call first" in line]
    return [line for line in lines[begins[-1] + 1 :] if line.lstrip().startswith("File ")] if begins else []


def failed_start(home: Path, reason: str, version: str) -> None:
    """A start that came to nothing before there was a daemon: a library that cannot be loaded."""
    starts, now = read_starts(home), time.time()
    _write(home, starts._replace(lives=(*starts.lives, Start(now, os.getpid(), version, True, now, redact(reason)))))


class Life:
    """One start, kept from its begin to its end; what raises out of it is the reason of its end."""

    def __init__(self, home: Path, version: str, pid: int, is_service: bool) -> None:
        self.home = home
        self.start = Start(time.time(), pid, version, is_service)

    def __enter__(self) -> Life:
        starts = settled(self.home, read_starts(self.home))
        _write(self.home, starts._replace(lives=(*starts.lives, self.start)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        reason = f"{kind.__name__}: {error}" if kind else ""
        ended = self.start._replace(ended_at=time.time(), reason=redact(reason.splitlines()[0]) if reason else "")
        starts = read_starts(self.home)
        lives = tuple(one for one in starts.lives if one.at != self.start.at)
        _write(self.home, starts._replace(lives=(*lives, ended)))
