"""Feeds bytes to a parser as the reader does: what was not consumed comes again, with more behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from neatd.read.rows import BadLine, Feed, Parsed


class Given(NamedTuple):
    """What a parser gave over all pieces of a file."""

    rows: list[Parsed]
    bad: list[BadLine]
    told: dict[str, Any]
    consumed: int
    seq: int
    state: dict[str, Any]

    def series(self) -> dict[str, list[tuple[int, float]]]:
        """Name -> (step, value) in file order."""
        found: dict[str, list[tuple[int, float]]] = {}
        for row in self.rows:
            for name, value in row.values.items():
                found.setdefault(name, []).append((row.step, value))
        return found


def fed(feed: Feed, data: bytes, cuts: Iterable[int] = (), label: str = "") -> Given:
    """Feed `data`, growing to each of `cuts` and then whole; between the pieces the state is kept as JSON text."""
    given = Given([], [], {}, 0, 0, {})
    for end in (*sorted(cuts), len(data)):
        found = feed(data[given.consumed : end], json.loads(json.dumps(given.state)), given.seq, label)
        given = Given(
            [*given.rows, *found.rows],
            [*given.bad, *found.bad],
            {**given.told, **found.told},
            given.consumed + found.consumed,
            found.seq,
            found.state,
        )
    return given


def text_of(given: Given) -> str:
    """For comparison: NaN is like NaN here."""
    return repr(given)
