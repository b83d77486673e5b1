"""The median, in the one form that all detectors use. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def median_of_sorted(ordered: Sequence[float]) -> float:
    """The median of values in ascending order, at least one. Halved before they are added: a sum could overflow."""
    size = len(ordered)
    return ordered[(size - 1) // 2] / 2 + ordered[size // 2] / 2
