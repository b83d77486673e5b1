"""Whether a file that was written anew still says what it said: then its rows go on where they stood. Pure.

Lightning and Stable-Baselines3 rewrite the whole file when a new key appears. Each row has a mark chained over all rows
before it: over its step, its time and its named values in the order of their names, so that an added empty column changes
nothing. Marks at the powers of two tell early that another file stands there. How the rows come in pieces changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any, Literal, NamedTuple

from neatd.read.rows import Parsed

Verdict = Literal["waiting", "same", "different"]
_PLACE = Struct("<16sq?d").pack


def fingerprint(previous: str, row: Parsed) -> str:
    """The mark of a row: 16 bytes in hex, over the mark of the row before it ("" for none) and what the row says."""
    names, key = _order(tuple(row.values))
    before, time = bytes.fromhex(previous), row.time
    place = _PLACE(before, row.step, time is not None, 0.0 if time is None else time)
    told = array("d", map(row.values.__getitem__, names)).tobytes()
    return blake2b(place + key + told, digest_size=16).hexdigest()


@lru_cache(maxsize=16)  # rows of one file have few sets of names; one set may be of 10,000
def _order(names: tuple[str, ...]) -> tuple[tuple[str, ...], bytes]:
    """(the names in order, a digest of them)."""
    ordered = tuple(sorted(names))
    return ordered, blake2b("\0".join(ordered).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Chain(NamedTuple):
    """What the rows of a file so far come to."""

    length: int = 0
    mark: str = ""  # of the last row
    marks: tuple[str, ...] = ()  # of the rows 1, 2, 4, 8 and so on

    def as_state(self) -> list[Any]:
        """Plain JSON; at most 64 marks however many rows."""
        return [self.length, self.mark, list(self.marks)]


def chain_of(state: list[Any] | None) -> Chain:
    """The chain that `as_state` gave; an empty one for none."""
    return Chain(state[0], state[1], tuple(state[2])) if state else Chain()


def chained(chain: Chain, rows: Iterable[Parsed]) -> Chain:
    """The chain behind these rows."""
    count, mark, marks = chain
    for row in rows:
        count, mark = count + 1, fingerprint(mark, row)
        if count & (count - 1) == 0:
            marks = (*marks, mark)
    return Chain(count, mark, marks)


class Replay(NamedTuple):
    """A new generation of a file, while it may still be the old one again."""

    old: Chain  # of the generation before, as far as it was read
    seen: Chain = Chain()  # of this one


class Followed(NamedTuple):
    """What some rows of the new generation come to."""

    replay: Replay
    verdict: Verdict
    fresh: list[Parsed]  # rows that were not there before: those behind the old ones, when they are the same


def follow(replay: Replay, rows: list[Parsed]) -> Followed:
    """Take the next rows of the new generation.

    "waiting": all of them were there before; when the file rests like this, it was cut: then it is another one.
    "same": the old rows are all there; `fresh` goes on behind them, and so does whatever comes later.
    "different": start this generation over, from its first row, as a new one.
    """
    old, seen = replay
    left = max(old.length - seen.length, 0)
    if left:
        seen = chained(seen, rows[:left])
        if seen.marks != old.marks[: len(seen.marks)] or (seen.length == old.length and seen.mark != old.mark):
            return Followed(Replay(old, seen), "different", [])
    if seen.length < old.length:
        return Followed(Replay(old, seen), "waiting", [])
    fresh = rows[left:]
    return Followed(Replay(old, chained(seen, fresh)), "same", fresh)
