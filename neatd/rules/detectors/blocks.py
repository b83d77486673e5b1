"""A series cut into blocks of finite points, each told by its median, and where asked by the median's error. Pure.

Blocks are cut by finite points, not by steps, so that a gap or a NaN neither starts nor ends one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from neatd.rules.detectors.median import mad_of, median_error, median_of_sorted


class Blocks:
    """Holds the points of the block that is filling. A series is fed by one pair of the methods, or the other."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.held: list[float] = []

    def feed(self, value: float) -> float | None:
        """Take in a point; the median of the block that is full with it."""
        block = self._full_with(value)
        return None if block is None else median_of_sorted(block)

    def feed_many(self, values: Any) -> Iterator[tuple[int, float]]:
        """Take in points; (place of its last point, median) of each block that is full."""
        from neatd.rules.detectors.arrays import row_medians

        ends, blocks = self._all_full_with(values)
        return zip(ends.tolist(), row_medians(blocks).tolist(), strict=True)

    def feed_measured(self, value: float) -> tuple[float, float] | None:
        """Take in a point; (median, its standard error) of the block that is full with it."""
        block = self._full_with(value)
        if block is None:
            return None
        median = median_of_sorted(block)
        return median, median_error(mad_of(block, median), self._size)

    def feed_many_measured(self, values: Any) -> tuple[Any, Any, Any]:
        """Take in points; (places of their last points, medians, standard errors) of the blocks that are full, arrays."""
        from neatd.rules.detectors.arrays import block_medians

        ends, blocks = self._all_full_with(values)
        medians, mads = block_medians(blocks)
        return ends, medians, median_error(mads, self._size)

    def _full_with(self, value: float) -> list[float] | None:
        """Take in a point; the block that is full with it, sorted."""
        if not math.isfinite(value):
            return None
        self.held.append(value)
        if len(self.held) < self._size:
            return None
        block, self.held = sorted(self.held), []
        return block

    def _all_full_with(self, values: Any) -> tuple[Any, Any]:
        """Take in points; (places of their last points, one row a block) of the blocks that are full."""
        from neatd.rules.detectors.arrays import finite_places, joined

        finite, held = finite_places(values), len(self.held)
        points = joined(self.held, values[finite])
        full = len(points) // self._size * self._size
        self.held = points[full:].tolist()
        return finite[self._size - held - 1 :: self._size], points[:full].reshape(-1, self._size)
