"""Points of several series as columns: which come first, where attempts rise, and stretches of one attempt. Pure.

Loaded only when a backlog is judged: with it comes numpy. Holds no state and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from neatd.models import Sample
from neatd.rules.detectors.arrays import finite_places


class Column(Protocol):
    """Points of one series in file order, as numpy arrays of one length; `seqs` ascend."""

    @property
    def name(self) -> str: ...
    @property
    def seqs(self) -> Any: ...  # int64
    @property
    def attempts(self) -> Any: ...  # int64
    @property
    def steps(self) -> Any: ...  # int64
    @property
    def values(self) -> Any: ...  # float64
    @property
    def times(self) -> Any: ...  # float64; NaN where the source tells none


class Begin(NamedTuple):
    """The first point of an attempt; they compare as the points were written."""

    seq: int
    name: str
    step: int


class Stretch(NamedTuple):
    """Points of one series in file order without a restart between them, as numpy arrays of one length."""

    seqs: Any
    attempts: Any
    steps: Any
    values: Any
    times: Any

    def sample(self, place: int) -> Sample:
        """The point at `place`, in Python's numbers."""
        time = float(self.times[place])
        return Sample(
            int(self.seqs[place]),
            int(self.attempts[place]),
            int(self.steps[place]),
            float(self.values[place]),
            None if time != time else time,
        )

    def samples(self) -> Iterator[Sample]:
        """All points in order."""
        return map(self.sample, range(len(self.values)))

    def windows(self, places: Sequence[int], recent: tuple[tuple[int, float], ...], size: int) -> list[Any]:
        """For each place the last `size` finite (step, value) before it, those of `recent` being before all."""
        finite = finite_places(self.values) if places else self.values[:0]
        windows = []
        for before in finite.searchsorted(places).tolist():
            own = finite[max(0, before - size) : before]
            older = recent[len(own) - size :] if len(own) < size else ()
            windows.append((*older, *self._points(own)))
        return windows

    def finite_before(self, places: Sequence[int]) -> list[int]:
        """How many finite points there are before each place."""
        found: list[int] = finite_places(self.values).searchsorted(places).tolist()
        return found

    def last_finite(self, size: int) -> list[tuple[int, float]]:
        """The last (step, value) that are finite, at most `size`."""
        return self._points(finite_places(self.values)[-size:])

    def _points(self, places: Any) -> list[tuple[int, float]]:
        return list(zip(self.steps[places].tolist(), self.values[places].tolist(), strict=True))


def like_python() -> Any:
    """A context in which numpy's floats overflow in silence, as Python's do."""
    return np.errstate(all="ignore")


def in_order(columns: Sequence[Column]) -> list[Column]:
    """The columns that hold points, by their first one."""
    return sorted((one for one in columns if len(one.seqs)), key=lambda one: (int(one.seqs[0]), one.name))


def attempts_begun(columns: Sequence[Column]) -> dict[int, Begin]:
    """The first point of each attempt over all columns, in the order in which they were written."""
    begun: dict[int, Begin] = {}
    for column in columns:
        changes = np.concatenate(([0], np.flatnonzero(np.diff(column.attempts)) + 1))
        for place, attempt in zip(changes.tolist(), column.attempts[changes].tolist(), strict=True):
            here = Begin(int(column.seqs[place]), column.name, int(column.steps[place]))
            begun[attempt] = min(begun.get(attempt, here), here)
    return dict(sorted(begun.items(), key=lambda one: one[1]))


class Part(NamedTuple):
    """Some of the points of a column."""

    name: str
    seqs: Any
    attempts: Any
    steps: Any
    values: Any
    times: Any


def cut(column: Column, begin: int, end: int | None) -> Column:
    """The points from `begin` to before `end`."""
    at = slice(begin, end)
    return Part(
        column.name, column.seqs[at], column.attempts[at], column.steps[at], column.values[at], column.times[at]
    )


def stretches(column: Column, attempt: int) -> Iterator[Stretch]:
    """The points cut where they come to an attempt above all before, of which `attempt` is the highest."""
    highest = np.maximum.accumulate(np.concatenate(([attempt], column.attempts)))
    rises = np.flatnonzero(column.attempts > highest[:-1]).tolist()
    cuts = sorted({0, *rises, len(column.seqs)})
    for begin, end in pairwise(cuts):
        part = slice(begin, end)
        yield Stretch(
            column.seqs[part], column.attempts[part], column.steps[part], column.values[part], column.times[part]
        )
