"""Proofs, for a whole stretch of points at once, that a `spike` rule passes over nearly all of them. Pure.

Loaded only when a backlog is judged. Invariant: a screen may suspect a point for nothing, but never passes one that
the detector would do more with than count it. So bounds hold in floating point too, and what is NaN is suspected.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from neatd.rules.conditions import Spike
from neatd.rules.detectors.window import LEAST_SCALE, MAD_FACTOR

# As many successive points as a 25th of the window are bounded together, by the values that all their windows hold.
# Ranks are then known to 4 %, which leaves 1 of 1,000 points of normal noise for a second look, and a 25th to sort.
SHARE = 25
# Values sorted at once in the second look: 2 MiB.
AT_ONCE = 1 << 18
# Values worth sorting a point of the stretch: what numpy sorts in the time in which the window takes one point in.
WORTH_SORTING = 200
# Twice what rounding may take from or add to a result of 1.
ROUNDING = 2.0**-52
# Squares of less are lost below the least float, and sums of squares of more beyond the largest one.
LEAST_SQUARED = 1e-150
LARGEST_SQUARED = 1e150


def suspects_of(when: Spike, kept: Any, held: int) -> Any:
    """The places, among the points of `kept` behind the `held` ones of the window, of those that must be looked at.

    There must be a multiple of `together` points. None when to take them one at a time is no slower.
    """
    if when.estimator == "robust":
        return beyond_quartiles(kept, when.window, when.k)
    return beyond_mean(kept, held, when.window, when.k, is_two_sided=when.direction != "up")


def together(window: int) -> int:
    """How many successive points `beyond_quartiles` bounds together; it takes multiples of it."""
    return max(1, window // SHARE)


def beyond_quartiles(kept: Any, window: int, k: float) -> Any:
    """The places, among the points, of exactly those for which `RobustWindow.spread_if_beyond` gives a spread.

    kept: `window` values and the points behind them, all finite, as they stand if none of them is drawn in.
    None when many points need the second look, so that taking them one at a time is no slower.
    """
    suspects = _beyond_shared(kept, window, k)
    if len(suspects) * window > WORTH_SORTING * (len(kept) - window):
        return None
    windows, rows = sliding_window_view(kept, window), max(1, AT_ONCE // window)
    parts = [suspects[at : at + rows] for at in range(0, len(suspects), rows)]
    return np.concatenate([suspects[:0], *(part[_beyond_own(windows[part], kept[window + part], k)] for part in parts)])


def _beyond_shared(kept: Any, window: int, k: float) -> Any:
    """The places of the points that the values shared by successive windows do not show to be within.

    Each window holds `extra` values besides the shared ones. So its value of rank j is at most the shared one of
    rank j, and at least the shared one of rank j - extra.
    """
    count = together(window)
    extra = count - 1
    points = kept[window:].reshape(-1, count)
    shared = np.sort(sliding_window_view(kept, window - extra)[extra::count][: len(points)], axis=1)
    first, third = _quartiles(window)
    is_beyond = _is_beyond(
        points, _medians(shared, window, extra), _medians(shared, window, 0),
        shared[:, first, None], shared[:, third - extra, None], k,
    )  # fmt: skip
    return np.flatnonzero(is_beyond.ravel())


def _beyond_own(windows: Any, points: Any, k: float) -> Any:
    """Whether each point is beyond, told exactly by its own window."""
    ordered = np.sort(windows, axis=1)
    first, third = _quartiles(windows.shape[1])
    medians = _medians(ordered, windows.shape[1], 0)
    return _is_beyond(points[:, None], medians, medians, ordered[:, first, None], ordered[:, third, None], k).ravel()


def _quartiles(size: int) -> tuple[int, int]:
    """The ranks that `RobustWindow` looks at."""
    return size // 4, size // 4 + (size + 1) // 2


def _medians(ordered: Any, size: int, extra: int) -> Any:
    """The median of `size` values, or with `extra` the least it can be; a column."""
    return (ordered[:, (size - 1) // 2 - extra] / 2 + ordered[:, size // 2 - extra] / 2)[:, None]


def _is_beyond(points: Any, least: Any, most: Any, first: Any, third: Any, k: float) -> Any:
    """Whether a point may be beyond the reach of a median from `least` to `most`.

    The quartiles are at most `first` and at least `third`. Each operation is one of `spread_if_beyond`, and rounding
    keeps the order of results. Where both medians are the true one, and both quartiles, this is its answer.
    """
    nearer = np.minimum(least - first, third - most)
    size = np.maximum(np.maximum(least, -most), 0.0)
    reach = k * np.maximum(MAD_FACTOR * nearer, LEAST_SCALE * size)
    return ~((most - reach <= points) & (points <= least + reach))


def beyond_mean(kept: Any, held: int, window: int, k: float, is_two_sided: bool = False) -> Any:
    """The places, among the points, of those that may be more than k standard deviations above the mean, or off it.

    kept: the `held` values of the window (it may not be full yet) and the points behind them, all finite. Sums over
    windows are differences of running sums. They and Python's own sums are rounded otherwise; a sum of n values, however
    added, is off by less than n roundings of the sum of their magnitudes. `off` is four times that and covers both.
    """
    points, ends = kept[held:], np.arange(held, len(kept))
    begins = np.maximum(ends - window, 0)
    counts = (ends - begins).astype(float)
    shifted = kept - kept[0]
    largest, off = np.abs(shifted).max(), 4 * len(kept) * ROUNDING
    means, mean_off = _window_means(shifted, begins, ends, counts, off)
    squares, square_off = _window_means(shifted * shifted, begins, ends, counts, off)
    mean_off = mean_off + off * (largest + abs(kept[0])) + LEAST_SQUARED
    variances = squares - means * means - square_off - mean_off * (4 * largest + mean_off)
    reach = k * np.sqrt(np.maximum(variances, 0.0)) * (1 - off)
    is_passed = points <= kept[0] + means + reach - (k + 2) * mean_off
    if is_two_sided:
        is_passed &= points >= kept[0] + means - reach + (k + 2) * mean_off
    return np.flatnonzero(~(is_passed & (largest < LARGEST_SQUARED) | _is_level(kept, held, counts)))


def _window_means(values: Any, begins: Any, ends: Any, counts: Any, off: float) -> tuple[Any, Any]:
    """(the mean over each window, by how much it may be off)."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return (sums[ends] - sums[begins]) / counts, off * np.abs(values).sum() / counts


def _is_level(kept: Any, held: int, counts: Any) -> Any:
    """Whether a point and all values of its window are the same: then it is not above their mean."""
    changes = np.concatenate(([0], np.flatnonzero(kept[1:] != kept[:-1]) + 1))
    ends = np.arange(held, len(kept))
    since = changes[np.searchsorted(changes, ends, side="right") - 1]
    return ends - since >= counts
