"""The conditions `above` and `below`: values beyond a fixed number; told once an episode. Pure."""

from __future__ import annotations

from typing import Any

from neatd.rules.conditions import Limit
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.flags import Flags


class LimitDetector:
    """Fires at the point with which `flagged` of the last `of` are beyond. NaN and infinities are passed over."""

    def __init__(self, when: Limit) -> None:
        self._when = when
        self._flags = Flags(when)

    def feed(self, step: int, value: float) -> Finding | None:
        number = self._flags.count(value)
        if number is None or not self._is_beyond(value) or number < self._when.min_points:
            return None
        return self._finding(value) if self._flags.mark(number) else None

    def feed_many(self, steps: Any, values: Any) -> Found:
        """Nearly all points lie within and are only counted."""
        from neatd.rules.detectors.arrays import finite_places

        finite = finite_places(values)
        early = max(0, self._when.min_points - self._flags.points)
        beyond = self._is_beyond(values[finite[early:]]).nonzero()[0] + early
        begins = self._flags.mark_many(beyond + self._flags.points)
        self._flags.points += len(finite)
        return [(place, self._finding(float(values[place]))) for place in finite[beyond[begins]].tolist()]

    def _is_beyond(self, value: Any) -> Any:
        """Of a number, or of each of an array."""
        return value > self._when.limit if self._when.condition == "above" else value < self._when.limit

    def _finding(self, value: float) -> Finding:
        when = self._when
        score = abs(value - when.limit) / abs(when.limit) if when.limit else None
        return Finding(f"{when.condition} {when.limit:.4g}{self._flags.often}", score, when.limit)

    def restart(self, first_step: int) -> None:
        self._flags.restart()

    def dump(self) -> dict[str, Any]:
        return self._flags.dump()

    def restore(self, state: dict[str, Any]) -> None:
        self._flags.restore(state)
