"""The condition `non_finite`: a NaN or an infinity, told once until the series is finite again. Pure."""

from __future__ import annotations

import math
from typing import Any

from neatd.rules.conditions import NonFinite
from neatd.rules.detectors.finding import Finding, Found


class NonFiniteDetector:
    """Fires on the first value of an episode that is no number, also when it is the first of the series."""

    def __init__(self, when: NonFinite) -> None:
        self._is_open = False
        self._last: tuple[int, float] | None = None  # the last finite point

    def feed(self, step: int, value: float) -> Finding | None:
        if math.isfinite(value):
            self._is_open = False
            self._last = (step, value)
            return None
        if self._is_open:
            return None
        self._is_open = True
        if self._last is None:
            return Finding("not finite from its first point on")
        return Finding(f"not finite any more, it was {self._last[1]:.4g} at step {self._last[0]}")

    def feed_many(self, steps: Any, values: Any) -> Found:
        """Within a row of finite points, or of others, none tells anything that those at its ends do not."""
        from neatd.rules.detectors.arrays import feed_each, finite_edges

        return feed_each(self, steps, values, finite_edges(values))

    def restart(self, first_step: int) -> None:
        self._is_open, self._last = False, None

    def dump(self) -> dict[str, Any]:
        return {"open": self._is_open, "last": self._last}

    def restore(self, state: dict[str, Any]) -> None:
        self._is_open = state["open"]
        self._last = tuple(state["last"]) if state["last"] else None
