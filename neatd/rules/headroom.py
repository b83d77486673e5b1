"""How near a limit of memory is: the limits at one moment, how much of each is left, when it is reached. Pure.

A limit is the host's memory or that of a control group around a run. What the kernel would give back before it kills (idle
and active file cache) is not counted as used by whoever reads it. Memory that does not grow has no time to its limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import combinations
from math import ceil
from typing import NamedTuple

WINDOW_S = 60.0  # that a slope is made of
RAMP_S = 10.0  # that a fast ramp shows itself in: a flat minute before it would hide it from the median
PEAK_S = 600.0  # for which a height that was survived is remembered
LEAST_POINTS = 3  # that show growth
MOST_POINTS = 15  # that a slope is made of: 120 pairs, 40 us
LEAST_TREND = 0.6  # of all pairs of points, those that rise less those that fall: a saw's teeth make half of that
LEAST_GROWTH, LEAST_RAMP = 0.001, 0.02  # of the limit, within the window: less is noise
MARGIN = 0.01  # of the limit, by which a height counts as another one
HOST = "host"


class Room(NamedTuple):
    """One limit: what it allows and what is left of that. `some` and `full`: percent of the last 10 s in which programs
    below it waited for memory; None where the kernel does not tell."""

    key: str
    name: str  # as a reason reads it
    limit_bytes: int
    available_bytes: int
    some: float | None = None
    full: float | None = None

    @property
    def used_bytes(self) -> int:
        return max(0, self.limit_bytes - self.available_bytes)

    @property
    def used_share(self) -> float:
        return self.used_bytes / self.limit_bytes if self.limit_bytes > 0 else 0.0


class MemoryLook(NamedTuple):
    """All limits at one moment, and the host's swap."""

    rooms: tuple[Room, ...]
    swap_total_bytes: int = 0
    swap_used_bytes: int = 0

    @property
    def headroom_bytes(self) -> int | None:
        """What can still be taken: the least that any limit leaves."""
        return min((room.available_bytes for room in self.rooms), default=None)


class Growth:
    """What one limit had in use over the last minutes."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()  # seconds, bytes

    def add(self, now: float, used_bytes: int) -> None:
        """One look, at `now` seconds of a clock that is not set back."""
        self._points.append((now, used_bytes))
        while self._points[0][0] < now - PEAK_S:
            self._points.popleft()

    def seconds_to(self, limit_bytes: int) -> float | None:
        """When the limit is reached at this pace; None where memory does not grow, or only to where it was before: a
        loader's saw does that again and again. The sooner one of a minute's slope and of the last ten seconds'."""
        found = [self._left_s(limit_bytes, WINDOW_S, LEAST_GROWTH), self._left_s(limit_bytes, RAMP_S, LEAST_RAMP)]
        return min((one for one in found if one is not None), default=None)

    def _left_s(self, limit_bytes: int, window_s: float, least: float) -> float | None:
        now, used = self._points[-1]
        recent = [point for point in self._points if point[0] >= now - window_s]
        if self._was_here(now - window_s, used, MARGIN * limit_bytes):
            return None
        slope = slope_of(recent[:: -ceil(len(recent) / MOST_POINTS)][::-1])
        if slope <= 0 or slope * (now - recent[0][0]) < least * limit_bytes:
            return None
        return max(0.0, (limit_bytes - used) / slope)

    def _was_here(self, until: float, used: int, margin: float) -> bool:
        """Whether memory was as high before that moment, and fell since: it comes back to a height that was survived."""
        at, before = max(
            ((at, held) for at, held in self._points if at < until), key=lambda one: one[1], default=(0.0, 0)
        )
        lowest = min((held for later, held in self._points if later > at), default=used)
        return used <= before + margin and lowest < before - margin


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """The median slope of all pairs (Theil and Sen), units a second; 0 for fewer than three points, and where the pairs
    do not agree that it rises or falls."""
    slopes = [(b - a) / (t - s) for (s, a), (t, b) in combinations(points, 2) if t > s]
    if len(points) < LEAST_POINTS or not slopes:
        return 0.0
    trend = sum((one > 0) - (one < 0) for one in slopes) / len(slopes)
    from statistics import median  # 20 ms, which `neat queue` does without

    return median(slopes) if abs(trend) >= LEAST_TREND else 0.0


def amount(count: float) -> str:
    """Bytes as a reason reads them: 1.4 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """About how long: 40 s, 12 min, 3 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
