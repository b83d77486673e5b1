"""The condition `expression`: a claim over a point and the history of its series, told once an episode. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neatd.models import Sample
from neatd.rules.conditions import Expression
from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.detectors.window import LEAST_SCALE, MAD_FACTOR, MEAN_AD_FACTOR
from neatd.rules.formula import Formula
from neatd.rules.goals import goal_of

Other = Callable[[str], float | None]


class ExpressionDetector:
    """Fires when the claim held at `flagged` of the last `of` points; the episode ends when it did not at
    `cooldown_points` in a row."""

    def __init__(self, when: Expression, formula: Formula, metric: str) -> None:
        self._when, self._formula = when, formula
        self._goal = goal_of(metric)
        self._points = 0  # finite ones
        self._values: deque[float] = deque(maxlen=when.window)
        self._held: deque[bool] = deque(maxlen=when.of)
        self._is_open, self._back = False, 0

    def feed(self, sample: Sample, other: Other) -> Finding | None:
        """Take the next point in; `other` gives the last value of another series of the source."""
        holds = self._points >= self._when.min_points and self._formula.is_true(self._names(sample), other)
        if math.isfinite(sample.value):
            self._points += 1
            self._values.append(sample.value)
        self._held.append(holds)
        if holds and not self._is_open and sum(self._held) >= self._when.flagged:
            self._is_open, self._back = True, 0
            return Finding(self._why())
        self._back = 0 if holds or not self._is_open else self._back + 1
        if self._back >= self._when.cooldown_points:
            self._is_open, self._back = False, 0
        return None

    def restart(self) -> None:
        """The run began anew: nothing is known."""
        self._points, self._is_open, self._back = 0, False, 0
        self._values.clear()
        self._held.clear()

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        held = [int(one) for one in self._held]
        return {
            "points": self._points, "values": list(self._values), "held": held, "open": self._is_open, "back": self._back
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `dump` gave."""
        self._points, self._is_open, self._back = state["points"], state["open"], state["back"]
        self._values.extend(state["values"])
        self._held.extend(map(bool, state["held"]))

    def _why(self) -> str:
        text = " ".join(self._when.expression.split())
        often = f", at {sum(self._held)} of {len(self._held)} points" if self._when.of > 1 else ""
        return f"{text}{often}"

    def _names(self, sample: Sample) -> dict[str, float | None]:
        """What the expression asks for, and no more."""
        wanted, values = self._formula.names, self._values
        found: dict[str, float | None] = {
            "value": sample.value, "step": sample.step, "time": sample.time, "points": self._points,
            "last": values[-1] if values else None,
        }  # fmt: skip
        if values and not wanted <= found.keys():
            found |= _history(sorted(values), self._goal)
        return {name: found.get(name) for name in wanted}


def _history(ordered: Sequence[float], goal: str | None) -> dict[str, float | None]:
    median, size = median_of_sorted(ordered), len(ordered)
    deviations = sorted([abs(value - median) for value in ordered])
    robust = MAD_FACTOR * median_of_sorted(deviations), MEAN_AD_FACTOR * sum(deviations) / size
    return {
        "mean": sum(ordered) / size, "median": median, "deviation": max(*robust, LEAST_SCALE * abs(median)),
        "least": ordered[0], "largest": ordered[-1],
        "best": None if goal is None else ordered[0] if goal == "min" else ordered[-1],
    }  # fmt: skip
