"""The condition `shift`: a level that changed, seen in medians of blocks against the blocks before; told once. Pure.

A spike is over before a block is full of it; a shift stays.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from neatd.rules.conditions import Shift
from neatd.rules.detectors.blocks import Blocks
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.detectors.window import MAD_FACTOR, MEAN_AD_FACTOR

LEAST = 1e-12  # what a logarithm is taken of at least: a gradient of 0 is a level too
LEAST_BLOCKS = 4  # before anything is judged


class _Level(NamedTuple):
    """Where the earlier blocks lie."""

    centre: float
    scale: float


class ShiftDetector:
    """Fires when a block's median lies k scales, and min_change, from the median of the blocks in the window."""

    def __init__(self, when: Shift) -> None:
        self._when = when
        self._blocks = Blocks(when.points)  # in the rule's scale
        kept = max(LEAST_BLOCKS, when.window // when.points)
        self._medians: deque[float] = deque(maxlen=kept)
        self._errors: deque[float] = deque(maxlen=kept)
        self._is_open = False

    def feed(self, step: int, value: float) -> Finding | None:
        measured = self._blocks.feed_measured(self._scaled(value))
        return None if measured is None else self._judge(*measured)

    def feed_many(self, steps: Any, values: Any) -> Found:
        """All full blocks have their medians made at once."""
        import numpy as np

        scaled = np.fromiter(map(self._scaled, values.tolist()), float, len(values))
        ends, *measured = (one.tolist() for one in self._blocks.feed_many_measured(scaled))
        judged = ((end, self._judge(*one)) for end, *one in zip(ends, *measured, strict=True))
        return [(end, finding) for end, finding in judged if finding is not None]

    def _scaled(self, value: float) -> float:
        """The value in the rule's scale; one that is not finite stays so."""
        return math.log(max(value, LEAST)) if self._when.scale == "log" and math.isfinite(value) else value

    def _judge(self, newest: float, error: float) -> Finding | None:
        """Take in the median of a block that is full."""
        finding = None
        if len(self._medians) >= LEAST_BLOCKS:
            level = self._level(error)
            is_far = self._is_far(newest, level)
            if is_far and not self._is_open:
                finding = self._finding(newest, level)
            self._is_open = is_far
        self._medians.append(newest)
        self._errors.append(error)
        return finding

    def _level(self, error: float) -> _Level:
        """By how much the blocks differ among themselves; at least what the noise within them makes of a median."""
        ordered = sorted(self._medians)
        centre = median_of_sorted(ordered)
        away = sorted([abs(one - centre) for one in ordered])
        among = max(MAD_FACTOR * median_of_sorted(away), MEAN_AD_FACTOR * sum(away) / len(away))
        within = max(error, median_of_sorted(sorted(self._errors)))
        return _Level(centre, max(among, within))

    def _is_far(self, newest: float, level: _Level) -> bool:
        change = newest - level.centre
        if self._when.direction == "up" or (self._when.direction == "both" and change > 0):
            return change > self._reach(level)
        return -change > self._reach(level)

    def _reach(self, level: _Level) -> float:
        """How far a median may lie from the centre."""
        least = self._when.min_change
        if self._when.scale == "log":  # half is as far down as twice is up
            return max(self._when.k * level.scale, math.log1p(least))
        return max(self._when.k * level.scale, least * abs(level.centre))

    def _finding(self, newest: float, level: _Level) -> Finding:
        sign = 1 if newest > level.centre else -1
        score = abs(newest - level.centre) / level.scale if level.scale else None
        border = level.centre + sign * self._reach(level)
        now, before, threshold = self._plain((newest, level.centre, border))
        blocks = f"the {len(self._medians)} blocks of {self._when.points} points before"
        how = f"; {score:.3g} robust deviations" if score is not None else ""
        return Finding(f"the level went from {before:.4g} to {now:.4g}, against {blocks}{how}", score, threshold)

    def _plain(self, values: Sequence[float]) -> list[float]:
        return [math.exp(min(one, 709.0)) for one in values] if self._when.scale == "log" else list(values)

    def restart(self, first_step: int) -> None:
        self._blocks.held.clear()
        self._medians.clear()
        self._errors.clear()
        self._is_open = False

    def dump(self) -> dict[str, Any]:
        return {
            "block": list(self._blocks.held),
            "medians": list(self._medians),
            "errors": list(self._errors),
            "open": self._is_open,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._blocks.held = list(state["block"])
        self._medians.extend(state["medians"])
        self._errors.extend(state["errors"])
        self._is_open = state["open"]
