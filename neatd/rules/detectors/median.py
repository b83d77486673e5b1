"""The median and what belongs to it, in the one form that all detectors use. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

# The standard error of a median of n normal values is 1.2533 sigma / sqrt(n), and sigma is 1.4826 MAD.
ERROR_FACTOR = 1.2533 * 1.4826


def median_of_sorted(ordered: Sequence[float]) -> float:
    """The median of values in ascending order, at least one. Halved before they are added: a sum could overflow."""
    size = len(ordered)
    return ordered[(size - 1) // 2] / 2 + ordered[size // 2] / 2


def mad_of(values: Iterable[float], centre: float) -> float:
    """The median distance of the values, at least one, from their `centre`."""
    return median_of_sorted(sorted([abs(one - centre) for one in values]))


def median_error(mad: Any, count: int) -> Any:
    """The standard error of a median of `count` values with this MAD; or of each of an array of MADs."""
    return ERROR_FACTOR * mad / math.sqrt(count)
