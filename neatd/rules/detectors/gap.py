"""The condition `gap`: an evaluation that gets worse while training does not, told once until there is a new best. Pure.

The best of many noisy evaluations lies far down by chance alone, and all that follow lie above it. So medians are compared
too, and the rise has to be large beside the noise of the evaluations themselves. That is taken from their second
differences: a steady rise or fall, which is no noise, is not in them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from neatd.rules.conditions import Gap
from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.detectors.window import MAD_FACTOR

# In deviations of a single evaluation. Steady evaluations with independent noise of 2 to 25 % (Gaussian, Student's t of 3,
# gamma) beside a falling training loss fired in 9 of 720 runs of 200 evaluations with it, and in 542 without it. Where the
# noise lasts from one evaluation to the next (a correlation of 0.5) it hides half of itself: 445 and 571.
NOISE = 5.0
RECENT = 30  # evaluations that the noise is taken from
LEAST_KNOWN = 3  # second differences, before any noise is known


class GapDetector:
    """Fires when the last `worse_evals` evaluations are worse than the best one, the last of them by enough, and their
    median by as much worse than the best such median; when training stands no worse than at the best evaluation; and when
    the two lie apart."""

    def __init__(self, when: Gap) -> None:
        self._when = when
        self._sign = 1.0 if when.goal == "min" else -1.0  # times it, less is better
        self._points = self._worse = 0
        self._best: tuple[int, float, float | None] | None = None
        self._is_told = False
        self._recent: deque[float] = deque(maxlen=max(RECENT, when.worse_evals))  # less is better
        self._least = math.inf  # of the medians so far

    def feed(self, step: int, value: float, training: float | None) -> Finding | None:
        """Take the next evaluation in, with what training stood at; None where that is not known."""
        if not math.isfinite(value):
            return None
        self._points += 1
        self._recent.append(self._sign * value)
        if self._points >= self._when.worse_evals:
            self._least = min(self._least, self._typical())
        if self._best is None or self._sign * value < self._sign * self._best[1]:
            self._best, self._worse, self._is_told = (step, value, training), 0, False
            return None
        self._worse = self._worse + 1 if value != self._best[1] else 0
        finding = None if self._is_told else self._finding(value, training, self._best)
        self._is_told = self._is_told or finding is not None
        return finding

    def _finding(self, value: float, training: float | None, best: tuple[int, float, float | None]) -> Finding | None:
        when, sign = self._when, self._sign
        if self._points < when.min_points or self._worse < when.worse_evals or training is None or best[2] is None:
            return None
        if sign * training > sign * best[2] or sign * (value - training) < when.min_gap * max(abs(training), 1.0):
            return None
        noise = self._noise()
        if noise is None:
            return None
        rise = max(when.min_rise * abs(best[1]), NOISE * noise)
        threshold = best[1] + sign * rise
        if not (sign * value > sign * threshold and self._typical() > self._least + rise):
            return None
        stands = f"training went from {best[2]:.4g} to {training:.4g}"
        why = f"worse than its best, {best[1]:.4g} at step {best[0]}, for {self._worse} evaluations, while {stands}"
        return Finding(why, abs(value / best[1] - 1) if best[1] else abs(value), threshold)

    def _typical(self) -> float:
        """The median of the last `worse_evals` evaluations; less is better."""
        return median_of_sorted(sorted(list(self._recent)[-self._when.worse_evals :]))

    def _noise(self) -> float | None:
        """One deviation of an evaluation; None while too little is known. Of a steady course 0."""
        bends = _bends(self._recent)
        if len(bends) < LEAST_KNOWN:
            return None
        return MAD_FACTOR * median_of_sorted(sorted(bends)) / math.sqrt(6.0)

    def restart(self) -> None:
        """The run began anew: nothing is known."""
        self._points = self._worse = 0
        self._best, self._is_told, self._least = None, False, math.inf
        self._recent.clear()

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "points": self._points, "best": self._best, "worse": self._worse, "told": self._is_told,
            "recent": list(self._recent), "least": self._least if math.isfinite(self._least) else None,
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `dump` gave."""
        self._points, self._worse, self._is_told = state["points"], state["worse"], state["told"]
        self._best = tuple(state["best"]) if state["best"] else None
        self._recent.extend(state["recent"])
        self._least = math.inf if state["least"] is None else state["least"]


def _bends(values: Sequence[float] | deque[float]) -> list[float]:
    every = list(values)
    triples = zip(every, every[1:], every[2:], strict=False)
    return [abs(before - 2 * here + after) for before, here, after in triples]
