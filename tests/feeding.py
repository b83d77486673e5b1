"""Feeding a parser as a reader does: what was not consumed comes again, with more behind it."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from neatd.read.attempts import rows_of
from neatd.read.rows import BadLine, Feed, Parsed, Stretch, Told


class Read(NamedTuple):
    """All that came of a file. Values as text: NaN is equal to NaN then."""

    rows: list[str]
    bad: list[BadLine]
    told: Told
    seq: int
    is_stuck: bool


class Reading:
    """One reader of one growing file."""

    def __init__(self, feed: Feed, label: str = "") -> None:
        self.feed, self.label = feed, label
        self.rows: list[Parsed] = []
        self.bad: list[BadLine] = []
        self.told: Told = {}
        self.state: dict[str, Any] = {}
        self.consumed = self.seq = 0
        self.is_stuck = False

    def see(self, data: bytes) -> None:
        """The file as it stands now: fed until nothing more is consumed."""
        while True:
            fed = self.feed(data[self.consumed :], self.state, self.seq, self.label)
            self.rows += single(fed.rows)
            self.bad += fed.bad
            self.told.update(fed.told)
            self.state, self.seq, self.is_stuck = fed.state, fed.seq, fed.is_stuck
            self.consumed += fed.consumed
            if not fed.consumed or self.consumed >= len(data):
                return

    def series(self) -> dict[str, list[tuple[int, float]]]:
        """Name -> (step, value) in file order."""
        found: dict[str, list[tuple[int, float]]] = {}
        for row in self.rows:
            for name, value in row.values.items():
                found.setdefault(name, []).append((row.step, value))
        return found

    @property
    def read(self) -> Read:
        return Read([repr(row) for row in self.rows], self.bad, self.told, self.seq, self.is_stuck)


def single(rows: Iterable[Parsed | Stretch]) -> list[Parsed]:
    """Rows one by one, in file order, whether they came as columns or not."""
    found = [row for one in rows for row in (rows_of(one) if isinstance(one, Stretch) else [one])]
    return sorted(found, key=attrgetter("seq"))


def whole(feed: Feed, data: bytes, label: str = "") -> Reading:
    """The file seen once, as a whole."""
    return growing(feed, data, [], label)


def growing(feed: Feed, data: bytes, cuts: Iterable[int], label: str = "") -> Reading:
    """The file seen at each of these sizes, and as a whole."""
    reading = Reading(feed, label)
    for cut in [*sorted(cuts), len(data)]:
        if cut >= reading.consumed:
            reading.see(data[:cut])
    return reading


def same(found: Any, logged: Any) -> bool:
    """Whether two collections are equal, with NaN equal to NaN and a tuple to a list."""
    if isinstance(found, list | tuple):
        return len(found) == len(logged) and all(same(a, b) for a, b in zip(found, logged, strict=True))
    if isinstance(found, dict):
        return found.keys() == logged.keys() and all(same(found[key], logged[key]) for key in found)
    return bool(found == logged or (found != found and logged != logged))
