"""The last values of a series with a centre and a scale: median and robust deviation, or mean and standard deviation.

Decides nothing. Invariant: both are functions of `values` alone (an ordered list of finite numbers), never of sums
carried along, so a window made again from its values answers with the same bits.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from neatd.rules.detectors.median import median_of_sorted

# Factors that make MAD and mean absolute deviation estimate a normal distribution's standard deviation.
MAD_FACTOR = 1.4826
MEAN_AD_FACTOR = 1.2533
# The least scale, of |median|. A bare MAD is 0 on flat and quantised series and would make every wobble a spike.
LEAST_SCALE = 0.01


class Spread(NamedTuple):
    """Where the values lie: `centre` and the width `scale` (>= 0) of one deviation."""

    centre: float
    scale: float


class RobustWindow:
    """Median and max(1.4826 MAD, 1.2533 mean absolute deviation, 1 % of |median|), over a sorted copy."""

    centre_name: ClassVar[str] = "median"
    unit: ClassVar[str] = "robust deviations"

    def __init__(self, length: int, values: Iterable[float] = ()) -> None:
        self.values = deque(values)
        self._length = length
        self._sorted = sorted(self.values)

    def push(self, value: float) -> None:
        """Take `value` in; beyond `length` the oldest goes."""
        self.values.append(value)
        insort(self._sorted, value)
        if len(self.values) > self._length:
            del self._sorted[bisect_left(self._sorted, self.values.popleft())]

    def spread_if_beyond(self, value: float, k: float) -> Spread | None:
        """The spread; or None where it need not be known, as `value` is surely within k scales of the centre.

        The quartiles tell that without looking at every value: more than half of the values would have to lie
        between them for the MAD to be less than the nearer one's distance. That spares nearly all the work.
        """
        ordered = self._sorted
        size = len(ordered)
        median = median_of_sorted(ordered)
        low = size // 4
        nearer = min(median - ordered[low], ordered[low + (size + 1) // 2] - median)
        reach = k * max(MAD_FACTOR * nearer, LEAST_SCALE * abs(median))
        if median - reach <= value <= median + reach:
            return None
        return Spread(median, self._scale(median))

    def spread(self) -> Spread:
        """Where the values lie."""
        median = median_of_sorted(self._sorted)
        return Spread(median, self._scale(median))

    def _scale(self, median: float) -> float:
        deviations = sorted([abs(value - median) for value in self._sorted])
        mean = sum(deviations) / len(deviations)
        return max(MAD_FACTOR * median_of_sorted(deviations), MEAN_AD_FACTOR * mean, LEAST_SCALE * abs(median))

    def clip(self, value: float, spread: Spread, reach: float) -> float:
        """`value` drawn to within `reach` of the centre, so that a burst's first spike does not hide the next ones.

        A scale of 0 (a history of zeros) draws nothing: the window would stay at zero for ever.
        """
        if spread.scale == 0:
            return value
        return min(max(value, spread.centre - reach), spread.centre + reach)


class PlainWindow:
    """Mean and population standard deviation, over the values as they came: the literal "z > 3"."""

    centre_name: ClassVar[str] = "mean"
    unit: ClassVar[str] = "standard deviations"

    def __init__(self, length: int, values: Iterable[float] = (), is_two_sided: bool = False) -> None:
        self.values = deque(values, maxlen=length)
        self._is_two_sided = is_two_sided

    def push(self, value: float) -> None:
        """Take `value` in; beyond the length the oldest goes."""
        self.values.append(value)

    def spread_if_beyond(self, value: float, k: float) -> Spread | None:
        """The spread, or None when `value` is not above the mean, nor below it where that counts too.

        Sums are taken of differences to the first value: exact for a flat series, where a plain mean is off by a
        bit and would put the same value above itself.
        """
        first = self.values[0]
        shifted = [one - first for one in self.values]
        offset = sum(shifted) / len(shifted)
        if value == first + offset or (value < first + offset and not self._is_two_sided):
            return None
        variance = sum([(one - offset) * (one - offset) for one in shifted]) / len(shifted)
        return Spread(first + offset, math.sqrt(variance))

    def clip(self, value: float, spread: Spread, reach: float) -> float:
        """`value` as it is: this is the rule as people write it down, masking and all."""
        return value
