"""The condition `exact_zero`: a value of exactly 0.0 in a series that has none of its own; told once an episode. Pure."""

from __future__ import annotations

import math
from typing import Any

from neatd.rules.conditions import Zero
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.flags import Flags

# A series that came so near to zero, of 1 or of its first value where that is less, reaches it by itself: a loss learnt by
# heart (0.0 in float32 below 6e-8), or printed with four digits. So does one that goes below zero.
NEAR_ZERO = 1e-4
# Zeros that come more often than once in so many points are the series' own, such as a hinge loss's. An episode counts once.
POINTS_AN_EPISODE = 500


class ZeroDetector:
    """`min_points` counts values that are not zero: a series that is zero from its start tells nothing."""

    def __init__(self, when: Zero) -> None:
        self._when = when
        self._others = 0  # finite ones that are not zero
        self._near = 0.0  # from here on zero is near
        self._least = math.inf  # of those that are not zero
        self._episodes = 0  # so far, told or not
        self._flags = Flags(when)

    def feed(self, step: int, value: float) -> Finding | None:
        number = self._flags.count(value)
        if number is None:
            return None
        if value != 0.0:
            self._take(value, value, 1)
            return None
        if self._others < self._when.min_points or not self._flags.mark(number):
            return None
        return self._begin(number, self._least)

    def feed_many(self, steps: Any, values: Any) -> Found:
        """Zeros are few: the others are counted, and their least value is all that is asked of them."""
        from neatd.rules.detectors.arrays import finite_places

        finite = finite_places(values)
        points = values[finite]
        zeros = (points == 0.0).nonzero()[0]
        others = points[points != 0.0] if len(zeros) else points
        found = self._zeros(finite, zeros, others) if len(zeros) else []
        self._flags.points += len(points)
        if len(others):
            self._take(float(others[0]), float(others.min()), len(others))
        return found

    def _zeros(self, finite: Any, zeros: Any, others: Any) -> Found:
        """Judge the zeros, with `finite` the places of all points and `others` the values between."""
        import numpy as np

        before = zeros - np.arange(len(zeros))  # so many of the others come before each
        is_judged = before + self._others >= self._when.min_points
        zeros, before = zeros[is_judged], before[is_judged]
        begins = self._flags.mark_many(zeros + self._flags.points)
        if not len(begins):
            return []
        near = self._near if self._others or not len(others) else _near_of(float(others[0]))
        self._near = near
        leasts = np.minimum.accumulate(np.concatenate(([self._least], others)))[before[begins]]
        found = []
        for zero, least in zip(zeros[begins].tolist(), leasts.tolist(), strict=True):
            finding = self._begin(self._flags.points + zero, least)
            if finding is not None:
                found.append((int(finite[zero]), finding))
        return found

    def _take(self, first: float, least: float, count: int) -> None:
        """Take in `count` values that are not zero."""
        if not self._others:
            self._near = _near_of(first)
        self._others += count
        self._least = min(self._least, least)

    def _begin(self, number: int, least: float) -> Finding | None:
        """An episode begins at the point of this number, where `least` is the least value before it."""
        is_rare = self._episodes * POINTS_AN_EPISODE <= number
        self._episodes += 1
        if not is_rare or not self._near < least < math.inf:
            return None
        return Finding(f"exactly zero{self._flags.often}, the least before was {least:.4g}", None, least / 2)

    def restart(self, first_step: int) -> None:
        self._others = self._episodes = 0
        self._near, self._least = 0.0, math.inf
        self._flags.restart()

    def dump(self) -> dict[str, Any]:
        least = None if self._least == math.inf else self._least
        own = {"others": self._others, "episodes": self._episodes, "near": self._near, "least": least}
        return {**own, **self._flags.dump()}

    def restore(self, state: dict[str, Any]) -> None:
        self._others, self._episodes, self._near = state["others"], state["episodes"], state["near"]
        self._least = math.inf if state["least"] is None else state["least"]
        self._flags.restore(state)


def _near_of(first: float) -> float:
    return NEAR_ZERO * min(1.0, abs(first))
