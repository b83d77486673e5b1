"""The condition `growth`: a value that grows without end, seen in medians of blocks; told once an episode. Pure.

A leak shows against what the series was before. One that grows from its start on may fill a cache, so it is told only
when it has grown for long and does not slow down. A saw-tooth never comes far above what it has reached before.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

from neatd.rules.conditions import Growth
from neatd.rules.detectors.blocks import Blocks
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.median import median_of_sorted

# Of min_growth: a series that grew by less in half a window has been level. So has one that grew by less than this share
# of what it grows by now: a leak may begin while a cache still fills, and what fills slows down.
LEVEL = 0.25
# A series that was never level is told after so many windows, when it still grows at half its whole pace.
WINDOWS_FROM_START = 10
STEADY = 0.5
# Of the rise over a window, each half has to bring so much: one step up is no growth, nor is a cache's last filling.
EACH_HALF = 0.2


class GrowthDetector:
    """Fires when the newest of `blocks` medians is min_growth above the oldest and all before, and most pairs rise."""

    def __init__(self, when: Growth) -> None:
        self._when = when
        self._forget()

    def _forget(self) -> None:
        self._skipped = 0
        self._blocks = Blocks(self._when.block)
        self._medians: deque[float] = deque(maxlen=self._when.blocks)
        self._count = 0  # medians so far
        self._first = 0.0  # of them
        self._peak: float | None = None  # of those that are not in the window any more
        self._slowest = math.inf  # what it grew by in half a window, as a share, where that was least
        self._end: float | None = None  # below it the episode that was told is over

    def feed(self, step: int, value: float) -> Finding | None:
        if self._skipped < self._when.skip_points:
            self._skipped += 1
            return None
        median = self._blocks.feed(value)
        return None if median is None else self._judge(median, value)

    def feed_many(self, steps: Any, values: Any) -> Found:
        """All full blocks have their medians made at once."""
        skipped = min(self._when.skip_points - self._skipped, len(values))
        self._skipped += skipped
        found: Found = []
        for end, median in self._blocks.feed_many(values[skipped:]):
            finding = self._judge(median, float(values[skipped + end]))
            if finding is not None:
                found.append((skipped + end, finding))
        return found

    def _judge(self, newest: float, value: float) -> Finding | None:
        """Take in the median of a block, of which `value` is the last point."""
        self._take(newest)
        if self._end is not None:
            if newest >= self._end:
                return None
            self._end = None
        medians, oldest = self._medians, self._medians[0]
        if len(medians) < self._when.blocks or oldest <= 0:
            return None
        before = oldest if self._peak is None else max(oldest, self._peak)
        was_level = self._slowest < LEVEL * max(self._when.min_growth, (newest / oldest - 1) / 2)
        least = self._when.min_growth * (oldest if was_level else self._first)
        if newest == before or newest - before < least or not self._is_growing(was_level):
            return None
        self._end = oldest / 2 + newest / 2
        return self._finding(oldest, newest, value)

    def _take(self, newest: float) -> None:
        medians = self._medians
        if not self._count:
            self._first = newest
        self._count += 1
        if len(medians) == self._when.blocks:
            self._peak = medians[0] if self._peak is None else max(self._peak, medians[0])
        medians.append(newest)
        half = self._when.blocks // 2
        last = list(medians)[-(half + 1) :]
        if len(last) > half and last[0] != 0:
            self._slowest = min(self._slowest, max(0.0, half * slope(last) / abs(last[0])))

    def _is_growing(self, was_level: bool) -> bool:
        """Whether a window that rose enough rose all along."""
        oldest, middle, newest = (self._medians[at] for at in (0, self._when.blocks // 2, -1))
        return (
            (was_level or self._is_steady())
            and min(middle - oldest, newest - middle) >= EACH_HALF * (newest - oldest)
            and rising_share(list(self._medians)) >= self._when.rising
        )

    def _is_steady(self) -> bool:
        """Whether it has grown for long, and not much slower of late."""
        blocks, newest = self._when.blocks, self._medians[-1]
        pace, whole = (newest - self._medians[0]) / blocks, (newest - self._first) / self._count
        return self._count >= WINDOWS_FROM_START * blocks and pace >= STEADY * whole

    def _finding(self, oldest: float, newest: float, value: float) -> Finding:
        points, share = self._when.block * self._when.blocks, newest / oldest - 1
        why = f"growing without a break, from {oldest:.4g} to {newest:.4g} in {points} points, {100 * share:.3g} %"
        assert self._end is not None
        return Finding(why, share if share < math.inf else None, self._end if value > self._end else None)

    def restart(self, first_step: int) -> None:
        self._forget()

    def dump(self) -> dict[str, Any]:
        return {
            "skipped": self._skipped,
            "block": list(self._blocks.held),
            "medians": list(self._medians),
            "count": self._count,
            "first": self._first,
            "peak": self._peak,
            "slowest": None if self._slowest == math.inf else self._slowest,
            "end": self._end,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._skipped, self._count, self._first = state["skipped"], state["count"], state["first"]
        self._blocks.held = list(state["block"])
        self._medians = deque(state["medians"], maxlen=self._when.blocks)
        self._slowest = math.inf if state["slowest"] is None else state["slowest"]
        self._peak, self._end = state["peak"], state["end"]


def rising_share(values: Sequence[float]) -> float:
    """Of all pairs, how many rise."""
    count = len(values)
    rising = sum(one < other for at, one in enumerate(values) for other in values[at + 1 :])
    return rising / (count * (count - 1) / 2)


def slope(values: Sequence[float]) -> float:
    """By Theil and Sen: the median of the slopes of all pairs."""
    slopes = [(other - one) / gap for at, one in enumerate(values) for gap, other in enumerate(values[at + 1 :], 1)]
    return median_of_sorted(sorted(slopes))
