"""The condition `spike`: a value far above the last ones, told once an episode. Pure.

Invariant: a point is judged by the points before it alone. Values that are not finite are neither judged nor kept.
"""

from __future__ import annotations

import math
from typing import Any

from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.window import PlainWindow, RobustWindow, Spread
from neatd.rules.schema import Spike


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
