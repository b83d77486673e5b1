"""The condition `best`: a value better than all before it, by enough over the last one reported. Pure.

Once something was reported, "better than all before" follows from "better than the last reported by
min_improvement": an earlier value past that mark would have been reported itself. So only reports are remembered.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from neatd.rules.conditions import Best
from neatd.rules.detectors.finding import Finding, Found

# A restart goes back to a value that was still reported before it. At 1 % each, 64 reports span a factor of 1.9.
REPORTS_KEPT = 64


class BestDetector:
    """Values are turned about for goal `max`, so that inside less is always better. NaN and infinities are passed over."""

    def __init__(self, when: Best) -> None:
        self._when = when
        self._sign = 1.0 if when.goal == "min" else -1.0
        self._points = 0  # finite points before the first report
        self._least: tuple[int, float] | None = None  # the best of those
        self._reports: deque[tuple[int, float]] = deque(maxlen=REPORTS_KEPT)

    def feed(self, step: int, value: float) -> Finding | None:
        if not math.isfinite(value):
            return None
        cost = self._sign * value
        if self._reports:
            return self._improve(step, cost)
        before = self._least
        is_least = before is None or cost < before[1]
        if is_least and self._points >= self._when.min_points:
            self._reports.append((step, cost))
            return self._finding(cost, before, before[1]) if before else Finding("the first point")
        self._points += 1
        if is_least:
            self._least = (step, cost)
        return None

    def feed_many(self, steps: Any, values: Any) -> Found:
        """Only a value better than all before it can be reported or remembered; the others are counted."""
        from neatd.rules.detectors.arrays import finite_places, new_lows, points_at

        finite = finite_places(values)
        lowest = self._reports[-1][1] if self._reports else self._least[1] if self._least else math.inf
        lows = new_lows(self._sign * values[finite], lowest)
        found: Found = []
        fed = 0
        for at, (place, step, value) in zip(lows.tolist(), points_at(steps, values, finite[lows]), strict=True):
            self._pass_over(at - fed)
            finding = self.feed(step, value)
            if finding is not None:
                found.append((place, finding))
            fed = at + 1
        self._pass_over(len(finite) - fed)
        return found

    def _pass_over(self, count: int) -> None:
        """Count points that were no better than the best."""
        if not self._reports:
            self._points += count

    def _improve(self, step: int, cost: float) -> Finding | None:
        last = self._reports[-1]
        threshold = last[1] - self._when.min_improvement * abs(last[1])
        if cost > threshold or cost >= last[1]:
            return None
        self._reports.append((step, cost))
        return self._finding(cost, last, threshold)

    def _finding(self, cost: float, before: tuple[int, float], threshold: float) -> Finding:
        before_step, mark = before
        gain = (mark - cost) / abs(mark) if mark else None
        share = "" if gain is None else f"{100 * gain:.3g} % "
        word = "below" if self._when.goal == "min" else "above"
        why = f"the best so far, {share}{word} {self._sign * mark:.4g} at step {before_step}"
        return Finding(why, gain, self._sign * threshold)

    def restart(self, first_step: int) -> None:
        """Keep what was reached before `first_step`; what the abandoned points reached is no longer there to be used."""
        while self._reports and self._reports[-1][0] >= first_step:
            self._reports.pop()
        if not self._reports and (self._least is None or self._least[0] >= first_step):
            self._points, self._least = 0, None

    def dump(self) -> dict[str, Any]:
        return {"points": self._points, "least": self._least, "reports": list(self._reports)}

    def restore(self, state: dict[str, Any]) -> None:
        self._points = state["points"]
        self._least = tuple(state["least"]) if state["least"] else None
        self._reports = deque(((step, cost) for step, cost in state["reports"]), maxlen=REPORTS_KEPT)
