"""The next points of the samplers that need no results: grid, random, sobol. Pure.

Each goes through a sequence that its seed decides, past what was tried already. Invariant: the points of a study are the
same set whatever the order in which its trials end, and however often the daemon was killed meanwhile. Sampler tpe is
elsewhere (`optimizer.py`), and learns from results: with several trials at once its points depend on which ends first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from itertools import count

from neatd.errors import NeatError
from neatd.studies.sobol import MOST_DIMENSIONS, sobol
from neatd.studies.space import Point, Space, fingerprint

MOST_MISSES = 2_000  # in a row that were tried already, or that what is no row forbids


class Sequence:
    """A study's points in their order. `next_points` remembers how far it came, which costs nothing when forgotten."""

    def __init__(self, space: Space) -> None:
        if space.spec.sampler.kind == "sobol" and len(space.asked) > MOST_DIMENSIONS:
            raise NeatError(
                f"sampler sobol fills {MOST_DIMENSIONS} dimensions at the most, the space has {len(space.asked)}",
                "set `kind: random`",
            )
        self.space = space
        self._begun = 0

    def next_points(self, tried: Collection[str], wanted: int) -> list[Point]:
        """The next points whose fingerprints are not among `tried`; fewer than wanted where there are no more.

        `tried` has to hold what was given before, or it is given again.
        """
        found: list[Point] = []
        seen = set(tried)
        for index, point in self._from(self._begun):
            if len(found) == wanted:
                break
            if fingerprint(point.params) not in seen:
                found.append(point)
                seen.add(fingerprint(point.params))
            elif not found:
                self._begun = index
        return found

    def _from(self, first: int) -> Iterator[tuple[int, Point]]:
        """(index, point) until there is no hope of another: at the latest when a long stretch told nothing new."""
        if self.space.spec.sampler.kind == "grid":
            yield from ((index, self.space.from_row(row)) for index, row in enumerate(self._order) if index >= first)
            return
        misses, seen = 0, set[str]()
        for index in count(first):
            point = self._at(index)
            key = fingerprint(point.params) if point else ""
            misses = misses + 1 if point is None or key in seen else 0
            if point is not None and key not in seen:
                seen.add(key)
                yield index, point
            elif misses > MOST_MISSES:
                break
        if self.space.size is not None:  # what such a sequence met too rarely
            yield from ((first, self.space.from_row(row)) for row in self._order)

    @property
    def _order(self) -> list[int]:
        return shuffled(len(self.space.rows), self.space.spec.sampler.seed)

    def _at(self, index: int) -> Point | None:
        sampler, dimensions = self.space.spec.sampler, len(self.space.asked)
        if sampler.kind == "sobol":
            return self.space.from_shares(sobol(index, dimensions, sampler.seed))
        return self.space.from_shares(shares(f"{sampler.seed}:{index}", dimensions))


def random_point(space: Space, tried: Collection[str], mark: str) -> Point | None:
    """A point at random that was not tried, the same for the same `mark`; None where none was found."""
    for attempt in range(MOST_MISSES):
        point = space.from_shares(shares(f"{mark}:{attempt}", len(space.asked)))
        if point is not None and fingerprint(point.params) not in tried:
            return point
    if space.size is not None:
        left = (space.from_row(row) for row in shuffled(len(space.rows), space.spec.sampler.seed))
        return next((point for point in left if fingerprint(point.params) not in tried), None)
    return None


def shares(mark: str, wanted: int) -> list[float]:
    """So many numbers from 0 to 1 that the mark decides, on every machine and every version of Python."""
    found: list[float] = []
    for block in count():
        if len(found) >= wanted:
            break
        digest = hashlib.sha256(f"{mark}:{block}".encode()).digest()
        found += [(int.from_bytes(digest[at : at + 8], "big") >> 11) / 2**53 for at in range(0, 32, 8)]
    return found[:wanted]


def shuffled(length: int, seed: int) -> list[int]:
    """0 to length - 1 in an order that the seed decides, likewise."""
    keys = [hashlib.sha256(f"{seed}:order:{one}".encode()).digest() for one in range(length)]
    return sorted(range(length), key=keys.__getitem__)
