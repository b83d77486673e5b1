"""What detectors ask of a whole stretch of a series at once, in numpy arrays. Pure.

Loaded only when a backlog is judged: points that come one at a time need no numpy. Invariant: the arithmetic is that of
Python's floats, to the bit; where 0.0 and -0.0 may stand for each other, the docstring says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from neatd.rules.detectors.finding import Detector, Found


def feed_each(detector: Detector, steps: Any, values: Any, places: Any) -> Found:
    """Feed the points at `places` one at a time."""
    fed = ((place, detector.feed(step, value)) for place, step, value in points_at(steps, values, places))
    return [(place, finding) for place, finding in fed if finding is not None]


def points_at(steps: Any, values: Any, places: Any) -> Iterator[tuple[int, int, float]]:
    """(place, step, value) of the points at `places`, as Python's numbers."""
    return zip(places.tolist(), steps[places].tolist(), values[places].tolist(), strict=True)


def joined(before: Collection[float], values: Any) -> Any:
    """`before` and `values` behind it, as one array."""
    return np.concatenate((np.fromiter(before, float), values))


def finite_places(values: Any) -> Any:
    """Where the values are neither NaN nor infinite."""
    return np.flatnonzero(np.isfinite(values))


def finite_edges(values: Any) -> Any:
    """Where finite values and others meet, both sides; the last finite value; the first and the last value."""
    is_finite = np.isfinite(values)
    changes = np.flatnonzero(is_finite[1:] != is_finite[:-1])
    return np.unique(np.concatenate(([0], changes, changes + 1, np.flatnonzero(is_finite)[-1:], [len(values) - 1])))


def new_lows(values: Any, lowest: float) -> Any:
    """Where a value is below `lowest` and below all values before it."""
    return np.flatnonzero(values < lowest_before(values, lowest))


def lower(one: Any, other: Any) -> Any:
    """The lesser of each two, as Python's `min` has it."""
    return np.where(other < one, other, one)


def lowest_before(values: Any, lowest: float) -> Any:
    """For each value the least of `lowest` and of those before it; 0.0 may be -0.0."""
    return np.minimum.accumulate(np.concatenate(([lowest], values)))[:-1]


def jumps_between(first: float, largest: float, values: Any, change: float, level: float) -> tuple[Any, float]:
    """(where a value differs from the one before by `change` of the larger one, which is at least `level` of the largest so
    far; the largest of all). `first` comes before the values, which are not negative."""
    before = np.concatenate(([first], values[:-1]))
    levels = level * np.maximum.accumulate(np.concatenate(([largest], values)))[1:]
    tops = np.maximum(before, values)
    are_jumps = (np.abs(values - before) >= change * tops) & (tops >= levels) & (levels > 0)
    return np.flatnonzero(are_jumps), float(max(largest, values.max()))


def late_places(places: Any, last: int, gap: int) -> Any:
    """The `places` with more than `gap` between them and the one before; before the first is `last`."""
    return places[np.diff(places, prepend=last) > gap]


def block_medians(blocks: Any) -> tuple[Any, Any]:
    """(the median of each row, the median distance from it), as `median_of_sorted` has them."""
    medians = row_medians(blocks)
    return medians, row_medians(np.abs(blocks - medians[:, None]))


def row_medians(rows: Any) -> Any:
    """Sorted stably, as Python does: of 0.0 and -0.0 the one in the middle shows in messages."""
    ordered = np.sort(rows, axis=1, kind="stable")
    size = ordered.shape[1]
    return ordered[:, (size - 1) // 2] / 2 + ordered[:, size // 2] / 2
