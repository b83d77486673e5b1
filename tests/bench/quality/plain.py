"""The plain detectors that people write, for comparison: a value above the mean of the last ones by k deviations.

Each flagged point is an event. One-sided, the point itself excluded, flagged points included: as they are written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from neatd.models import Line
from tests.bench.quality.judged import Told
from tests.bench.quality.runs import Labelled, lines


def flagged(values: np.ndarray, window: int, least: int, k: float) -> np.ndarray:
    """The places of finite values more than k deviations above the mean of up to `window` finite ones before."""
    finite = np.flatnonzero(np.isfinite(values))
    x = values[finite]
    if len(x) <= least:
        return finite[:0]
    ends, begins = np.arange(len(x)), np.maximum(np.arange(len(x)) - window, 0)
    # Differences to the centre of all: running sums of large values would lose the small deviations.
    shifted = x - np.median(x)
    means, squares = (_window_means(one, begins, ends) for one in (shifted, shifted * shifted))
    deviations = np.sqrt(np.maximum(squares - means * means, 0.0))
    is_flagged = (ends >= least) & (shifted > means + k * deviations + 1e-9 * np.abs(x))
    return finite[is_flagged]


def _window_means(values: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    sums = np.concatenate(([0.0], np.cumsum(values.astype(np.longdouble))))
    return ((sums[ends] - sums[begins]) / np.maximum(ends - begins, 1)).astype(float)


def events(run: Labelled) -> dict[str, list[Told]]:
    """Events of each plain detector by its name."""
    found = lines(run)
    training = {run.series["loss"]}
    return {
        "z>3 every metric": _events(found, lambda name: True, 100, 30, 3.0),
        "z>3 loss": _events(found, training.__contains__, 100, 30, 3.0),
        "6 sigma loss, norm": _events(found, {*training, run.series["norm"]}.__contains__, 128, 64, 6.0),
    }


def _events(
    found: Sequence[Line], is_wanted: Callable[[str], bool], window: int, least: int, k: float
) -> list[Told]:  # fmt: skip
    series: dict[str, list[tuple[int, float]]] = {}
    for line in found:
        for name, value in line.values.items():
            if is_wanted(name):
                series.setdefault(name, []).append((line.step, value))
    told = []
    for name, points in series.items():
        places = flagged(np.array([value for _, value in points]), window, least, k)
        told += [Told("plain", "plain", name, *points[place], "") for place in places.tolist()]
    return told
