"""The condition `jump`: a learning rate that leaves its schedule; told once a jump. Pure.

What a schedule does is passed over: a rise from the start on (warm-up), a fall that stays (decay), a rise to what was
reached before (restart), and jumps that come again soon (cycles, stairs). Left are a rise above all that was reached, and
a jump that goes back.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from neatd.rules.conditions import Jump
from neatd.rules.detectors.finding import Finding, Found

# Below this share of the highest value the rise from the start is over.
FALLEN = 0.999
# A restart goes to the highest value so far; this many times it is no restart.
OVER = 1.5
# A jump goes back by its own ratio, to this factor. The last step of a cosine and its restart differ by far more.
SAME_RATIO = 1.25
# What a decay makes of a learning rate meanwhile, at most; also the root of the jump's ratio.
SAME_LEVEL = 3.0
# A glitch lies between calm stretches: so many times its own length before it. Cycles and stairs have no such calm.
CALM = 3
# Near its foot a ramp changes by large ratios, but no more than this many times its last change, and at its own pace.
RAMP = 2.5
# Where more than one point in so many jumps, they are taken one at a time.
MOST_JUMPS = 16


class Departure(NamedTuple):
    """The last jump, until the value goes back or jumps again."""

    number: int  # of the first point behind it
    step: int
    before: float
    after: float
    calm: int  # points before it without a jump
    highest: float  # before it
    has_fallen: bool  # before it
    is_told: bool


class JumpDetector:
    """Ratios are compared by products, so that zero needs no case of its own. Values below zero are passed over."""

    def __init__(self, when: Jump) -> None:
        self._when, self._ratio = when, when.ratio
        self._forget()

    def _forget(self) -> None:
        self._points = 0
        self._calm = 0  # points since the last jump, or since the first
        self._last: float | None = None
        self._highest = 0.0
        self._has_fallen = False
        self._left: Departure | None = None
        # The last change of the value: its size (0 of a jump), points that the value before lasted, number of the point.
        self._size, self._held, self._changed = 0.0, 0, 0

    def feed(self, step: int, value: float) -> Finding | None:
        if not 0.0 <= value < math.inf:
            return None
        last = self._last
        if last is not None and value != last:
            if value > self._ratio * last or value * self._ratio < last:
                return self._ramp_or_jump(step, value, last)
            self._change_to(abs(value - last))
        self._pass(value)
        return None

    def feed_many(self, steps: Any, values: Any) -> Found:
        """What lies between jumps is only looked at for its highest value."""
        import numpy as np

        from neatd.rules.detectors.arrays import feed_each, points_at

        places = np.flatnonzero((values >= 0.0) & (values < math.inf))
        points, ratio = values[places], self._ratio
        before = np.concatenate((points[:1] if self._last is None else [self._last], points[:-1]))
        jumps = np.flatnonzero((points > ratio * before) | (points * ratio < before))
        if MOST_JUMPS * len(jumps) > len(points):
            return feed_each(self, steps, values, places)
        found, at = [], 0
        for jump, (place, step, value) in zip(jumps.tolist(), points_at(steps, values, places[jumps]), strict=True):
            self._pass_many(points[at:jump])
            finding = self.feed(step, value)
            if finding is not None:
                found.append((place, finding))
            at = jump + 1
        self._pass_many(points[at:])
        return found

    def _pass_many(self, points: Any) -> None:
        """Take in points without a jump."""
        import numpy as np

        if not len(points):
            return
        highest = np.maximum.accumulate(np.concatenate(([self._highest], points)))[:-1]
        self._change_many(points)
        self._has_fallen = self._has_fallen or bool((points < FALLEN * highest).any())
        self._highest = max(self._highest, float(points.max()))
        self._points += len(points)
        self._calm += len(points)
        self._last = float(points[-1])

    def _change_many(self, points: Any) -> None:
        """Remember the last change among `points`."""
        import numpy as np

        sizes = np.abs(np.diff(points, prepend=points[0] if self._last is None else self._last))
        changes = np.flatnonzero(sizes)[-2:].tolist()
        if changes:
            begin = self._points + changes[0] if len(changes) > 1 else self._changed
            self._size, self._changed = float(sizes[changes[-1]]), self._points + changes[-1]
            self._held = self._changed - begin

    def _change_to(self, size: float) -> None:
        self._size, self._held, self._changed = size, self._points - self._changed, self._points

    def _pass(self, value: float) -> None:
        """Take in a point that is no jump."""
        self._points += 1
        self._calm += 1
        self._last = value
        if value > self._highest:
            self._highest = value
        elif value < FALLEN * self._highest:
            self._has_fallen = True

    def _ramp_or_jump(self, step: int, value: float, last: float) -> Finding | None:
        size = abs(value - last)
        is_paced = abs(self._points - self._changed - self._held) <= 1
        if is_paced and size <= RAMP * self._size:
            self._change_to(size)
            self._pass(value)
            return None
        finding = self._jump(step, value, last)
        self._change_to(0.0)
        self._pass(value)
        self._calm = 0
        return finding

    def _jump(self, step: int, value: float, last: float) -> Finding | None:
        left = self._left
        if left is not None and self._goes_back(left, last, value):
            # What was reached meanwhile is not the schedule's.
            self._highest, self._has_fallen, self._left = left.highest, left.has_fallen, None
            return None if left.is_told else self._glitch(left)
        finding = self._above_all(value, last)
        self._left = Departure(
            self._points, step, last, value, self._calm, self._highest, self._has_fallen, finding is not None
        )
        return finding

    def _goes_back(self, left: Departure, last: float, value: float) -> bool:
        """Whether the jump from `last` to `value` undoes the one before."""
        length = self._points - left.number
        is_short = length <= self._when.back_points
        is_calm = left.is_told or left.calm >= max(self._when.min_points, CALM * length)
        ratio = _score(left.after, left.before)
        level = SAME_LEVEL if ratio is None else min(SAME_LEVEL, math.sqrt(ratio))
        return (
            is_short
            and is_calm
            and (left.after > left.before) == (value < last)
            and _are_within(left.after, last, level)
            and _are_within(left.before, value, level)
            and _are_within(left.after * value, left.before * last, SAME_RATIO)
        )

    def _glitch(self, left: Departure) -> Finding | None:
        if self._when.direction not in ("both", "up" if left.after > left.before else "down"):
            return None
        times = _times(left.after, left.before)
        length = self._points - left.number
        points = f"{length} points" if length > 1 else "one point"
        why = f"back after {points} at {left.after:.4g}, {times}, from step {left.step} on"
        return Finding(why, _score(left.after, left.before))

    def _above_all(self, value: float, last: float) -> Finding | None:
        """A rise above all that was reached, once something was."""
        is_high = value > last and self._has_fallen and value > OVER * self._highest
        if not is_high or self._points < self._when.min_points or self._when.direction == "down":
            return None
        why = f"{_times(value, last)}, {last:.4g}, and above the highest so far, {self._highest:.4g}"
        return Finding(why, _score(value, last), self._highest)

    def restart(self, first_step: int) -> None:
        self._forget()

    def dump(self) -> dict[str, Any]:
        return {
            "points": self._points,
            "calm": self._calm,
            "last": self._last,
            "highest": self._highest,
            "fallen": self._has_fallen,
            "left": None if self._left is None else list(self._left),
            "change": [self._size, self._held, self._changed],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._points, self._calm, self._last = state["points"], state["calm"], state["last"]
        self._highest, self._has_fallen = state["highest"], state["fallen"]
        self._left = Departure(*state["left"]) if state["left"] else None
        self._size, self._held, self._changed = state["change"]


def _are_within(one: float, other: float, factor: float) -> bool:
    return one <= factor * other and other <= factor * one


def _score(value: float, before: float) -> float | None:
    """The ratio, the larger by the smaller; None where it is no number."""
    low, high = sorted((value, before))
    ratio = high / low if low else math.inf
    return ratio if ratio < math.inf else None


def _times(value: float, before: float) -> str:
    ratio = _score(value, before)
    if ratio is None:
        return "next to nothing" if value < before else "from next to nothing"
    return f"{ratio:.3g} times the one before" if value > before else f"1/{ratio:.3g} of the one before"
