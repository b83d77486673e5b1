"""When a run began that is met for the first time: by its own first line, else by the oldest trace on the disk.

A copy that kept its times, and a run that was written long ago, began when they were written and not when they are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from neatd.files import open_regular
from neatd.models import Stretch
from neatd.read.formats.table import feed_of
from neatd.read.placed import Placed

_HEAD_BYTES = 4096
_EARLIEST_S = 1e9  # 2001: an earlier time is a count of seconds of its own
_EVENT_FILE = re.compile(r"tfevents\.(1\d{9})\.")
_TOLD_BY_LINES = ("jsonl", "csv")


def first_evidence(place: Path, sources: Sequence[Placed], now: float) -> float:
    """Unix seconds of the first trace of a run, never later than its last line nor than `now`.

    `place` is its folder, or the database that holds it. A folder's own time is that of the last file that came into it.
    """
    paths = [one.path for one in sources]
    lines = [time for one in sources if (time := _first_line(one)) is not None]
    last = max(_written(paths), default=now)
    found = min(lines) if lines else min(_written([place, *paths]), default=now)
    return min(found, last, now)


def first_written(place: Path, paths: Iterable[Path]) -> float:
    """Unix seconds of the oldest of these files and their folder, by when each was written last; 0 where none is left."""
    return min(_written([place, *paths]), default=0.0)


def _first_line(placed: Placed) -> float | None:
    """The time that the first readable row tells, or that stands in an event file's name."""
    if named := _EVENT_FILE.search(placed.path.name):
        return float(named[1])
    if placed.format not in _TOLD_BY_LINES:
        return None
    try:
        with open_regular(placed.path) as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    for row in feed_of(placed.format)(head, {}, 0, "").rows:
        for time in row.times if isinstance(row, Stretch) else (row.time,):
            return time if time is not None and time > _EARLIEST_S else None
    return None


def _written(paths: Iterable[Path]) -> list[float]:
    found = []
    for path in paths:
        try:
            found.append(path.stat().st_mtime)
        except OSError:
            continue  # it went meanwhile
    return found
