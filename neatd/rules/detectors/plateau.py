"""The condition `plateau`: a series that gains no more; told once, until it gains again. Pure.

A level is the median of the medians of the blocks of one window. So a window of 500 points is remembered by 23 numbers.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from neatd.rules.conditions import Plateau
from neatd.rules.detectors.blocks import Blocks
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.median import mad_of, median_error, median_of_sorted

# A gain as slow as min_improvement asks would end a plateau and begin one again and again.
MOST_DOUBLED = 10
# Standard errors that a gain has to show before a plateau is over.
NOISE = 4.0


class PlateauDetector:
    """Fires when the level of the last window is no better than the best one of windows before it, by min_improvement.

    Values are turned about for goal `max`, so that inside less is always better.
    """

    def __init__(self, when: Plateau) -> None:
        self._when = when
        self._sign = 1.0 if when.goal == "min" else -1.0
        self._size = math.isqrt(when.window)
        self._parts = -(-when.window // self._size)
        self._forget()

    def _forget(self) -> None:
        self._blocks = Blocks(self._size)
        self._medians: deque[float] = deque(maxlen=self._parts)
        self._levels: deque[float] = deque(maxlen=self._parts)  # of windows that share points with the last
        self._best: float | None = None  # of all levels before those
        self._count = 0  # blocks so far
        self._told = 0
        self._quiet = 0  # blocks to wait after a gain: half a window, and twice as long after each one that was told
        self._is_open = False

    def feed(self, step: int, value: float) -> Finding | None:
        median = self._blocks.feed(value)
        return None if median is None else self._judge(median)

    def feed_many(self, steps: Any, values: Any) -> Found:
        """All full blocks have their medians made at once."""
        judged = ((end, self._judge(median)) for end, median in self._blocks.feed_many(values))
        return [(end, finding) for end, finding in judged if finding is not None]

    def _judge(self, median: float) -> Finding | None:
        self._count += 1
        self._medians.append(self._sign * median)
        if len(self._medians) < self._parts:
            return None
        level = median_of_sorted(sorted(self._medians))
        if len(self._levels) == self._parts:
            self._best = self._levels[0] if self._best is None else min(self._best, self._levels[0])
        self._levels.append(level)
        return None if self._best is None else self._compare(level, self._best)

    def _compare(self, level: float, best: float) -> Finding | None:
        if level < best - self._when.min_improvement * abs(best):
            if self._is_open and best - level < NOISE * self._error(level):
                return None
            self._is_open, self._quiet = False, self._parts // 2 << min(self._told, MOST_DOUBLED)
            return None
        self._quiet = max(0, self._quiet - 1)
        if self._is_open or self._quiet or self._count * self._size < self._when.min_points:
            return None
        self._is_open = True
        self._told += 1
        share = f", {100 * self._when.min_improvement:.3g} % better" if self._when.min_improvement else ""
        window = self._parts * self._size
        why = f"no gain in {window} points, their level {self._sign * level:.4g} is not{share} than {self._sign * best:.4g}"
        return Finding(why if share else why.replace(" is not than", " is not better than"))

    def _error(self, level: float) -> float:
        """The standard error of a level."""
        return float(median_error(mad_of(self._medians, level), self._parts))

    def restart(self, first_step: int) -> None:
        self._forget()

    def dump(self) -> dict[str, Any]:
        return {
            "block": list(self._blocks.held),
            "medians": list(self._medians),
            "levels": list(self._levels),
            "best": self._best,
            "count": self._count,
            "quiet": self._quiet,
            "told": self._told,
            "open": self._is_open,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._blocks.held = list(state["block"])
        self._medians = deque(state["medians"], maxlen=self._parts)
        self._levels = deque(state["levels"], maxlen=self._parts)
        self._best, self._count, self._quiet = state["best"], state["count"], state["quiet"]
        self._told, self._is_open = state["told"], state["open"]
