"""A series cut into blocks of finite points, each told by its median. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from neatd.rules.detectors.median import median_of_sorted


class Blocks:
    """Holds the points of the block that is filling."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.held: list[float] = []

    def feed(self, value: float) -> float | None:
        """Take in a point; the median of the block that is full with it."""
        if not math.isfinite(value):
            return None
        self.held.append(value)
        if len(self.held) < self._size:
            return None
        median = median_of_sorted(sorted(self.held))
        self.held.clear()
        return median

    def feed_many(self, values: Any) -> Iterator[tuple[int, float]]:
        """Take in points; (place of its last point, median) of each block that is full."""
        from neatd.rules.detectors.arrays import finite_places, joined, row_medians

        finite, held = finite_places(values), len(self.held)
        points = joined(self.held, values[finite])
        full = len(points) // self._size * self._size
        self.held = points[full:].tolist()
        if not full:
            return iter(())
        ends, medians = finite[self._size - held - 1 :: self._size], row_medians(points[:full].reshape(-1, self._size))
        return zip(ends.tolist(), medians.tolist(), strict=True)
