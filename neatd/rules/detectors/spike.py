"""The condition `spike`: a value far above the last ones, told once an episode. Pure.

Invariant: a point is judged by the points before it alone. Values that are not finite are neither judged nor kept.
"""

from __future__ import annotations

import math
from typing import Any

from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.window import PlainWindow, RobustWindow, Spread
from neatd.rules.schema import Spike

# A stretch is screened at once when at most one of so many points has to be looked at: that costs four times a feed.
SUSPECTS = 4


class SpikeDetector:
    """Fires when value > centre + k * scale and the rise is at least min_rise of |centre|."""

    def __init__(self, when: Spike) -> None:
        self._when = when
        self._open = RobustWindow if when.estimator == "robust" else PlainWindow
        self._window: RobustWindow | PlainWindow = self._open(when.window)
        self._quiet_left = 0  # unflagged points still wanted before the next firing

    def feed(self, step: int, value: float) -> Finding | None:
        if not math.isfinite(value):
            return None
        window = self._window
        if len(window.values) < self._when.min_points:
            window.push(value)
            return None
        spread = window.spread_if_beyond(value, self._when.k)
        if spread is None:
            self._quiet_left -= self._quiet_left > 0
            window.push(value)
            return None
        return self._judge(value, spread)

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
            self._quiet_left = max(0, self._quiet_left - count)
            self._window = self._open(self._when.window, kept[-self._when.window :].tolist())

    def _judge(self, value: float, spread: Spread) -> Finding | None:
        """Take in a value whose spread had to be measured."""
        reach, rise = self._when.k * spread.scale, self._when.min_rise * abs(spread.centre)
        is_flagged = value > spread.centre + reach and value - spread.centre >= rise
        finding = self._finding(value, spread, max(reach, rise)) if is_flagged and not self._quiet_left else None
        if is_flagged:
            self._quiet_left = self._when.cooldown_points
        elif self._quiet_left:
            self._quiet_left -= 1
        self._window.push(self._window.clip(value, spread, reach))
        return finding

    def _finding(self, value: float, spread: Spread, margin: float) -> Finding:
        size, threshold = len(self._window.values), spread.centre + margin
        if spread.scale == 0:
            return Finding(f"above the last {size} points, all {spread.centre:.4g}", None, threshold)
        score = (value - spread.centre) / spread.scale
        centre = f"the {self._window.centre_name} {spread.centre:.4g} of the last {size} points"
        return Finding(f"{score:.3g} {self._window.unit} above {centre}", score, threshold)

    def restart(self, first_step: int) -> None:
        self._window, self._quiet_left = self._open(self._when.window), 0

    def dump(self) -> dict[str, Any]:
        return {"values": list(self._window.values), "quiet_left": self._quiet_left}

    def restore(self, state: dict[str, Any]) -> None:
        self._window = self._open(self._when.window, state["values"])
        self._quiet_left = state["quiet_left"]
