"""The condition `drop`: a value, of which more is better, far below the best so far; told once an episode. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from neatd.rules.conditions import Drop
from neatd.rules.detectors.finding import Finding, Found

# An accuracy above this is counted in percent (0 to 100), not as a share (0 to 1): none of the latter reaches it.
LARGEST_SHARE = 1.5
MEAN_OF = 20  # points of a dense series that are compared as one; and that the noise is taken from
LEAST_KNOWN = 6  # points, for any noise to be known
# The mean distance between two normal values in a row is 2 / sqrt(pi) sigma.
DISTANCE_FACTOR = math.sqrt(math.pi) / 2


class DropDetector:
    """Fires when value < threshold; the episode ends when `cooldown_points` in a row are back at or above it."""

    def __init__(self, when: Drop) -> None:
        self._when = when
        self._points = 0
        self._best: tuple[int, float] | None = None
        self._back = when.cooldown_points  # points in a row at or above the threshold; below it an episode is open
        self._recent: deque[float] = deque(maxlen=MEAN_OF)  # kept where the rule asks for noise
        self._is_dense = False
        self._needs_noise = when.noise_k > 0 or when.dense_points > 0

    def feed(self, step: int, value: float) -> Finding | None:
        if not math.isfinite(value):
            return None
        if self._needs_noise:
            return self._feed_noisy(step, value)
        return self._take(step, value, None if self._best is None else self._threshold(self._best[1]))

    def _take(self, step: int, value: float, threshold: float | None) -> Finding | None:
        """Take in a value; it is judged where a threshold is known and enough values came before."""
        finding = None
        if self._best is not None and threshold is not None and self._points >= self._when.min_points:
            is_below = value < threshold
            if is_below and self._back >= self._when.cooldown_points:
                finding = self._finding(value, self._best, threshold)
            self._back = 0 if is_below else self._back + 1
        self._points += 1
        if self._best is None or value > self._best[1]:
            self._best = (step, value)
        return finding

    def feed_many(self, steps: Any, values: Any) -> Found:
        from neatd.rules.detectors.arrays import feed_each, finite_places

        finite = finite_places(values)
        if self._needs_noise:
            return self._feed_many_noisy(steps, values, finite)
        early = max(0, self._when.min_points - self._points)
        feed_each(self, steps, values, finite[:early])  # nothing is judged yet
        return self._judge_many(steps, values, finite[early:])

    def _feed_noisy(self, step: int, value: float) -> Finding | None:
        """A fall counts beside the noise; of a long series the mean of the last points is what falls."""
        noise = self._noise()
        self._recent.append(value)
        if not self._is_dense and 0 < self._when.dense_points <= self._points:
            self._is_dense, self._best, self._back = True, None, self._when.cooldown_points
        judged = _mean(self._recent) if self._is_dense else value
        threshold = None
        if self._best is not None and noise is not None:
            own = noise / math.sqrt(len(self._recent)) if self._is_dense else noise
            threshold = min(self._threshold(self._best[1]), self._best[1] - self._when.noise_k * own)
        return self._take(step, judged, threshold)

    def _feed_many_noisy(self, steps: Any, values: Any, finite: Any) -> Found:
        """One at a time until means are compared; from then on all at once."""
        from neatd.rules.detectors.arrays import feed_each, joined

        dense = self._when.dense_points
        most = max(dense + 1, self._when.min_points, MEAN_OF)
        alone = max(0, most - self._points) if dense else len(finite)
        found = feed_each(self, steps, values, finite[:alone])
        places = finite[alone:]
        if not len(places):
            return found
        known = joined(self._recent, values[places])
        found += self._judge_means(steps, values, places, *_means(known, len(places)))
        self._recent.extend(known[-MEAN_OF:].tolist())
        return found

    def _judge_means(self, steps: Any, values: Any, places: Any, judged: Any, noises: Any) -> Found:
        """As `_judge_many`, of means; `judged` and `noises` are those of the points at `places`."""
        from neatd.rules.detectors.arrays import late_places, lower, lowest_before, new_lows

        assert self._best is not None
        first, best = self._best, self._best[1]
        tops = new_lows(-judged, -best)
        bests = -lowest_before(-judged, -best)
        thresholds = lower(self._thresholds(bests), bests - self._when.noise_k * (noises / math.sqrt(MEAN_OF)))
        below = (judged < thresholds).nonzero()[0]
        found: Found = []
        for at in late_places(below, -1 - self._back, self._when.cooldown_points).tolist():
            before = tops[: tops.searchsorted(at)]
            top = (int(steps[places[before[-1]]]), float(judged[before[-1]])) if len(before) else first
            found.append((int(places[at]), self._finding(float(judged[at]), top, float(thresholds[at]))))
        self._points += len(places)
        self._back = len(places) - 1 - int(below[-1]) if len(below) else self._back + len(places)
        if len(tops):
            self._best = int(steps[places[tops[-1]]]), float(judged[tops[-1]])
        return found

    def _noise(self) -> float | None:
        """One deviation of a point, by how far points in a row lie apart; None while too few are known."""
        if len(self._recent) < LEAST_KNOWN:
            return None
        away = [abs(after - before) for before, after in pairwise(self._recent)]
        return DISTANCE_FACTOR * _mean(away)

    def _judge_many(self, steps: Any, values: Any, places: Any) -> Found:
        """Take in the finite points at `places`: each is judged, by the best before it."""
        from neatd.rules.detectors.arrays import late_places, lowest_before, new_lows

        if self._best is None or not len(places):
            return []
        judged, best = values[places], self._best[1]
        tops = places[new_lows(-judged, -best)]
        below = (judged < self._thresholds(-lowest_before(-judged, -best))).nonzero()[0]
        begins = places[late_places(below, -1 - self._back, self._when.cooldown_points)]
        found = [(place, self._fall(steps, values, tops, place)) for place in begins.tolist()]
        self._points += len(places)
        self._back = len(places) - 1 - int(below[-1]) if len(below) else self._back + len(places)
        self._best = self._best_before(steps, values, tops, len(values))
        return found

    def _fall(self, steps: Any, values: Any, tops: Any, place: int) -> Finding:
        """What begins at `place`, where `tops` are the places of new bests."""
        best = self._best_before(steps, values, tops, place)
        return self._finding(float(values[place]), best, self._threshold(best[1]))

    def _best_before(self, steps: Any, values: Any, tops: Any, place: int) -> tuple[int, float]:
        before = tops[: tops.searchsorted(place)]
        if len(before):
            return int(steps[before[-1]]), float(values[before[-1]])
        assert self._best is not None
        return self._best

    def _thresholds(self, bests: Any) -> Any:
        """`_threshold` of each of `bests`."""
        if self._when.of == "relative":
            return bests - self._when.fraction * abs(bests)
        return bests - self._when.fraction * (1 + 99 * (bests > LARGEST_SHARE))

    def _threshold(self, best: float) -> float:
        if self._when.of == "relative":
            return best - self._when.fraction * abs(best)
        return best - self._when.fraction * (100 if best > LARGEST_SHARE else 1)

    def _finding(self, value: float, best: tuple[int, float], threshold: float) -> Finding:
        best_step, top = best
        fall = top - value
        if self._when.of == "relative" and top:
            score, how = fall / abs(top), f"{100 * fall / abs(top):.3g} % (relative)"
        else:
            score, how = fall, f"{fall if top > LARGEST_SHARE else 100 * fall:.3g} percentage points"
        return Finding(f"{how} below the best so far, {top:.4g} at step {best_step}", score, threshold)

    def restart(self, first_step: int) -> None:
        self._points, self._best, self._back = 0, None, self._when.cooldown_points
        self._recent.clear()
        self._is_dense = False

    def dump(self) -> dict[str, Any]:
        state: dict[str, Any] = {"points": self._points, "best": self._best, "back": self._back}
        if self._needs_noise:
            state |= {"recent": list(self._recent), "dense": self._is_dense}
        return state

    def restore(self, state: dict[str, Any]) -> None:
        self._points, self._back = state["points"], state["back"]
        self._best = tuple(state["best"]) if state["best"] else None
        if self._needs_noise:
            self._recent.extend(state["recent"])
            self._is_dense = state["dense"]


def _mean(values: Collection[float]) -> float:
    """Each is divided first: the sum of huge ones is no number. Added up in order, as `_means` does."""
    total, count = 0.0, len(values)
    for one in values:
        total += one / count
    return total


def _means(known: Any, count: int) -> tuple[Any, Any]:
    """(the mean of the last 20, the noise of the 20 before) of each of the last `count` values of `known`."""
    import numpy as np

    size = len(known)
    means, away = np.zeros(count), np.zeros(count)
    distances = np.abs(np.diff(known))
    for back in range(MEAN_OF - 1, -1, -1):
        means += known[size - count - back : size - back] / MEAN_OF
    for back in range(MEAN_OF - 1, 0, -1):
        away += distances[size - 1 - count - back : size - 1 - back] / (MEAN_OF - 1)
    return means, DISTANCE_FACTOR * away
