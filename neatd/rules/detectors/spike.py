"""The condition `spike`: a value far above the last ones, told once an episode. Pure.

Invariant: a point is judged by the points before it alone. Values that are not finite are neither judged nor kept.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from neatd.rules.conditions import Spike
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.detectors.window import (
    LEAST_SCALE,
    MAD_FACTOR,
    MEAN_AD_FACTOR,
    PlainWindow,
    RobustWindow,
    Spread,
)

# A stretch is screened at once when at most one of so many points has to be looked at: that costs four times a feed.
SUSPECTS = 4
NEWEST = 10  # values whose median is where a series stands now


class SpikeDetector:
    """Flags a value beyond centre + k * scale by at least min_rise of |centre|; fires at `flagged` of the last `of`."""

    def __init__(self, when: Spike) -> None:
        self._when = when
        is_plain = when.estimator == "zscore"
        self._open: Callable[..., RobustWindow | PlainWindow] = (
            partial(PlainWindow, is_two_sided=when.direction != "up") if is_plain else RobustWindow
        )
        self._window = self._open(when.window)
        # Steps of the flagged ones of the last points, None of the others; not kept where one is enough.
        self._flags: deque[int | None] = deque(maxlen=when.of)
        self._quiet_left = 0  # unflagged points still wanted before the next firing
        self._largest = 0.0  # of the unflagged ones of the run, where the rule asks for it

    def feed(self, step: int, value: float) -> Finding | None:
        if not math.isfinite(value):
            return None
        window = self._window
        if len(window.values) < self._when.min_points:
            self._grow(value)
            window.push(value)
            return None
        spread = window.spread_if_beyond(value, self._when.k)
        if spread is None:
            self._pass_flags(1)
            self._grow(value)
            window.push(value)
            return None
        return self._judge(step, value, spread)

    def feed_many(self, steps: Any, values: Any) -> Found:
        """Screen as many points at once as pays off; take them one at a time while many of them change the window."""
        from neatd.rules.detectors.arrays import feed_each, finite_places
        from neatd.rules.detectors.pace import Pace
        from neatd.rules.detectors.screens import together

        places = finite_places(values)
        enough = self._when.window if self._when.estimator == "robust" else self._when.min_points
        at = max(0, enough - len(self._window.values))
        found = feed_each(self, steps, values, places[:at])
        pace = Pace(self._when.window, together(self._when.window))
        while at < len(places):
            fed, taken = self._feed_screened(steps, values, places[at : at + pace.length])
            alone = pace.alone_after(taken)
            found += fed + feed_each(self, steps, values, places[at + taken : at + taken + alone])
            at += taken + alone
        return found

    def _feed_screened(self, steps: Any, values: Any, places: Any) -> tuple[Found, int]:
        """(what fired, how many points were taken in): none, or up to the first that is clipped, or all."""
        from neatd.rules.detectors.arrays import joined, points_at
        from neatd.rules.detectors.screens import suspects_of, together

        places = places[: len(places) - len(places) % together(self._when.window)]
        held, kept = len(self._window.values), joined(self._window.values, values[places])
        suspects = suspects_of(self._when, kept, held)
        if suspects is None or not len(places) or len(suspects) * SUSPECTS > len(places):
            return [], 0
        found: Found = []
        taken = 0
        for at, (place, step, value) in zip(suspects.tolist(), points_at(steps, values, places[suspects]), strict=True):
            self._pass_over(at - taken, kept[: held + at])
            finding = self.feed(step, value)
            taken = at + 1
            if finding is not None:
                found.append((place, finding))
            if self._window.values[-1] != value:
                return found, taken  # the window is another now than the screen took it to be
        self._pass_over(len(places) - taken, kept)
        return found, len(places)

    def _pass_over(self, count: int, kept: Any) -> None:
        """Take in `count` unflagged points, the last ones of `kept`."""
        if count:
            self._pass_flags(count)
            self._grow(float(kept[-count:].max()))
            self._window = self._open(self._when.window, kept[-self._when.window :].tolist())

    def _pass_flags(self, count: int) -> None:
        self._quiet_left = max(0, self._quiet_left - count)
        if self._when.of > 1:
            self._flags.extend([None] * min(count, self._when.of))

    def _grow(self, value: float) -> None:
        if self._when.record:
            self._largest = max(self._largest, value)

    def _judge(self, step: int, value: float, spread: Spread) -> Finding | None:
        """Take in a value whose spread had to be measured."""
        reach, rise = self._when.k * spread.scale, self._when.min_rise * abs(spread.centre)
        finding = None
        if self._is_flagged(value, spread, reach, rise):
            self._flags.append(step)
            if self._quiet_left:
                self._quiet_left = self._when.cooldown_points
            elif len(flagged := [one for one in self._flags if one is not None]) >= self._when.flagged:
                self._quiet_left = self._when.cooldown_points
                finding = self._finding(value, spread, max(reach, rise))._replace(since=min(flagged))
        else:
            self._pass_flags(1)
            self._grow(value)
        self._window.push(self._window.clip(value, spread, reach))
        return finding

    def _is_flagged(self, value: float, spread: Spread, reach: float, rise: float) -> bool:
        direction, change = self._when.direction, value - spread.centre
        is_above = direction != "down" and value > spread.centre + reach and change >= rise
        is_below = direction != "up" and value < spread.centre - reach and -change >= rise
        return (is_above or is_below) and self._is_far_in_log(value)

    def _is_far_in_log(self, value: float) -> bool:
        """Whether the ratio to the last values is as unusual as the difference, where the rule asks for it.

        The scale is that of the steps from one value to the next, and the centre that of the newest values: a loss that
        falls tenfold within the window is no noise.
        """
        if not self._when.log_k or value <= 0 or 0 < self._when.record * self._largest < value:
            return True
        logs = [math.log(one) for one in self._window.values if one > 0]
        if 2 * len(logs) < len(self._window.values) or len(logs) < 3:
            return True
        centre = median_of_sorted(sorted(logs[-NEWEST:]))
        steps = sorted([abs(after - before) for before, after in pairwise(logs)])
        scale = max(MAD_FACTOR * median_of_sorted(steps), MEAN_AD_FACTOR * math.fsum(steps) / len(steps)) / math.sqrt(2)
        return abs(math.log(value) - centre) > self._when.log_k * max(scale, LEAST_SCALE)

    def _finding(self, value: float, spread: Spread, margin: float) -> Finding:
        is_up = value > spread.centre
        size, side = len(self._window.values), "above" if is_up else "below"
        threshold = spread.centre + margin if is_up else spread.centre - margin
        if spread.scale == 0:
            return Finding(f"{side} the last {size} points, all {spread.centre:.4g}", None, threshold)
        score = abs(value - spread.centre) / spread.scale
        centre = f"the {self._window.centre_name} {spread.centre:.4g} of the last {size} points"
        return Finding(f"{score:.3g} {self._window.unit} {side} {centre}", score, threshold)

    def restart(self, first_step: int) -> None:
        self._window, self._quiet_left = self._open(self._when.window), 0
        self._flags.clear()

    def dump(self) -> dict[str, Any]:
        flags = list(self._flags) if self._when.of > 1 else []
        own = {"largest": self._largest} if self._when.record else {}
        return {"values": list(self._window.values), "quiet_left": self._quiet_left, "flags": flags, **own}

    def restore(self, state: dict[str, Any]) -> None:
        self._window = self._open(self._when.window, state["values"])
        self._quiet_left = state["quiet_left"]
        self._flags.extend(state["flags"])
        self._largest = state.get("largest", 0.0)
