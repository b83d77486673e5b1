"""Successive medians of blocks, with all that a `diverging` rule knows at each of them. Pure.

Loaded only when a backlog is judged.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from neatd.rules.detectors.arrays import joined, lowest_before, new_lows


class MedianPath:
    """The medians known so far, at most `blocks` of them, and new ones behind them; errors alike."""

    def __init__(
        self, known: Collection[float], known_errors: Collection[float], lowest: float | None, medians: Any, errors: Any
    ) -> None:
        self._held = len(known)
        self._all = joined(known, medians)
        self._errors = joined(known_errors, errors)
        self._known_lowest, self._medians = lowest, medians
        self._lowest = math.inf if lowest is None else lowest
        self._lows = new_lows(medians, self._lowest)
        # A fall ends an episode; numbered by the falls since the first new median, none of which is 0.
        falls = np.concatenate(([False], self._all[1:] < self._all[:-1]))
        self.episodes = np.cumsum(falls[self._held :])

    def suspects(self, blocks: int, min_rise: float) -> Iterator[tuple[int, int]]:
        """(place among the new medians, episode) of those that rose through `blocks`, and min_rise over the lowest."""
        least = np.minimum(lowest_before(self._medians, self._lowest), self._medians)
        is_high = ~(self._medians < least + min_rise * np.abs(least))
        has_risen = _rises_in_a_row(self._all)[self._held :] >= blocks - 1
        places = np.flatnonzero(has_risen & is_high)
        return zip(places.tolist(), self.episodes[places].tolist(), strict=True)

    def median(self, at: int) -> tuple[float, float]:
        """(new median, its error)."""
        return float(self._medians[at]), float(self._errors[self._held + at])

    def before(self, at: int, blocks: int) -> tuple[list[float], list[float], float | None]:
        """(the last `blocks` medians before the new one at `at`, their errors, the lowest of all before it)."""
        part = slice(max(0, self._held + at - blocks), self._held + at)
        lows = self._lows[: self._lows.searchsorted(at)]
        lowest = float(self._medians[lows[-1]]) if len(lows) else self._known_lowest
        return self._all[part].tolist(), self._errors[part].tolist(), lowest


def _rises_in_a_row(values: Any) -> Any:
    """For each value how many times in a row, up to it, a value was above the one before."""
    places = np.arange(len(values))
    is_begin = np.concatenate(([True], ~(values[1:] > values[:-1])))
    return places - np.maximum.accumulate(np.where(is_begin, places, 0))
