"""A window of a series at the resolution of a chart, at a cost that does not grow with the series.

Levels: the points themselves where they are few; the extremes of every 64 points; those of whole chunks. The first and the
last point of the window, the lowest and the highest of each stretch drawn, and one value of each stretch that is not
finite are always in the answer. Stretches are powers of two of steps, so that points do not jump as a run grows.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from neatd.models import Column
from neatd.store.columns import Opened, column_of, floats_of, ints_at, times_of
from neatd.store.connection import in_one_view
from neatd.store.summary import BUCKET, NONE, bucket_parts
from neatd.store.window import CHUNK, DATA, DATA_OF, Limits, limits_of, series_named, steps_between

NO_STEP = (1 << 63) - 1  # behind the last there can be
WIDEST = 1 << 62  # bucket of steps
EXACT = 65_536  # points of a window that are looked at one by one
Point = tuple[int, float, float | None]
_IN_A_ROW = (
    ("first_step", "first", "first_time"), ("min_step", "min", "min_time"), ("max_step", "max", "max_time"),
    ("nonfinite_step", "nonfinite_value", "nonfinite_time"), ("last_step", "last", "last_time"),
)  # fmt: skip
ROW = "first_time, last_time, min_time, max_time, nonfinite_time, is_rising AS is_short FROM chunk c"
BUCKETS = (
    "substr(d.buckets, c.buckets_at + 1, c.buckets_size) AS buckets, buckets_size > 0 AND is_rising AS is_short,"
    f" first_time, last_time, b.steps {DATA_OF} JOIN block b ON b.id = c.block_id"
)


BAD = np.array([math.nan, math.inf, -math.inf, math.nan])  # by the two high bits of a place in a bucket


class Drawn(NamedTuple):
    """Points that may be drawn, in file order, as numpy arrays of one length."""

    attempts: Any
    steps: Any
    values: Any
    times: Any  # NaN where none is told


@in_one_view
def at_resolution(
    points: sqlite3.Connection, run_id: str, name: str, most: int, first: int | None = None, last: int | None = None
) -> list[Point]:
    """(step, value, time) of at most `most` (at least 8) points of a series' current attempt, by step."""
    named = series_named(points, run_id, name)
    if named is None:
        return []
    limits, opened = limits_of(points, run_id, named[1]), Opened(points)
    chunked, narrowed, values = steps_between(first, last)
    sql = "SELECT count(*), sum(kept), sum(CASE WHEN buckets_size THEN 0 ELSE kept END) FROM chunk"
    chunks, kept, bare = points.execute(f"{sql} WHERE series_id = ?{chunked}", (named[0], *values)).fetchone()
    if (kept or 0) <= max(EXACT, most):
        found = _drawn(column_of(opened, name, named[0], chunked, narrowed, values))
    else:
        is_coarse = 4 * chunks >= most or bare > 4 * EXACT
        sql = f"SELECT {CHUNK}, {ROW if is_coarse else BUCKETS} WHERE series_id = ?{chunked} ORDER BY first_seq"
        rows = points.execute(sql, (named[0], *values)).fetchall()
        level = _extremes_of_chunks if is_coarse else _extremes_of_buckets
        parts: list[Drawn] = []
        for is_whole, some in groupby(rows, lambda row: _is_whole(row, limits, first, last)):
            alike = list(some)
            parts += [level(alike)] if is_whole else [_opened(opened, row) for row in alike]
        narrow = _drawn(column_of(opened, name, named[0], f" AND 0{chunked}", narrowed, values))
        found = Drawn(*(np.concatenate(one) for one in zip(*parts, narrow, strict=True)))
    return _listed(_reduced(_current(found, limits, first, last), max(8, most))) if len(found.steps) else []


def _is_whole(row: sqlite3.Row, limits: Limits, first: int | None, last: int | None) -> bool:
    """Whether a chunk is drawn in short: by step, all of it wanted and current, none of it on an edge."""
    low, high = -math.inf if first is None else first, math.inf if last is None else last
    is_within = (
        low <= row["first_step"] and row["last_step"] <= high and row["last_step"] < limits.below(row["attempt"])
    )
    return is_within and bool(row["is_short"])


def _drawn(one: Column | None) -> Drawn:
    if one is None:
        return Drawn(*(np.empty(0, dtype=kind) for kind in (np.int64, np.int64, np.float64, np.float64)))
    return Drawn(one.attempts, one.steps, one.values, one.times)


def _opened(opened: Opened, row: sqlite3.Row) -> Drawn:
    """Every point of a chunk."""
    sql = f"SELECT block_id, attempt, {DATA} {DATA_OF} WHERE c.id = ?"
    return _drawn(opened.chunk("", opened.points.execute(sql, (row["id"],)).fetchone()))


def _extremes_of_chunks(rows: Sequence[sqlite3.Row]) -> Drawn:
    """The ends and the extremes of chunks, from their rows alone."""
    kept = [
        (row["attempt"], row[step], row[value], row[time])
        for row in rows
        for step, value, time in _IN_A_ROW
        if row[step] is not None
    ]
    kinds = (np.int64, np.int64, np.float64, np.float64)
    return Drawn(*(np.array(some, dtype=kind) for some, kind in zip(zip(*kept, strict=True), kinds, strict=True)))


def _extremes_of_buckets(rows: Sequence[sqlite3.Row]) -> Drawn:
    """The ends of chunks, and the extremes of every 64 of their points; of all of them at once, for they may be hundreds."""
    parts = [bucket_parts(row["buckets"]) for row in rows]
    counts = np.array([len(one.min_at) for one in parts])
    owner = np.repeat(np.arange(len(rows)), counts)  # of each bucket the row
    begins = BUCKET * (np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts))
    lows, highs = (np.concatenate([floats_of(one[at]) for one in parts]) for at in (0, 1))
    found = [(np.repeat(np.arange(len(rows)), 2), *_ends(rows))]
    bad = np.frombuffer(b"".join(one.bad_at for one in parts), dtype=np.uint8)
    for at, some, told in ((6, lows, 2), (7, highs, 3), (8, BAD[bad // BUCKET], 4)):
        at_bucket = np.frombuffer(b"".join(one[at] for one in parts), dtype=np.uint8)
        if (is_there := at_bucket != NONE).any():
            places = begins + at_bucket % BUCKET
            clock = [times_of(one[told], len(one[at]) - one[at].count(NONE)) for one in parts]
            found.append((owner[is_there], places[is_there], some[is_there], np.concatenate(clock)))
    whose, places, values, times = (np.concatenate(some) for some in zip(*found, strict=True))
    order = np.argsort(whose, kind="stable")
    whose, places = whose[order], places[order]
    cuts = np.split(places, np.searchsorted(whose, np.arange(1, len(rows))))
    steps = [ints_at(row["steps"], some) for row, some in zip(rows, cuts, strict=True)]
    attempts = np.array([row["attempt"] for row in rows])[whose]
    return Drawn(attempts, np.concatenate(steps), values[order], times[order])


def _ends(rows: Sequence[sqlite3.Row]) -> Iterator[Any]:
    """(places, values, times) of the first and the last point of each chunk."""
    yield np.array([[0, row["kept"] - 1] for row in rows]).ravel()
    for first, last in (("first", "last"), ("first_time", "last_time")):
        yield np.array([[row[first], row[last]] for row in rows], dtype=np.float64).ravel()


def _current(one: Drawn, limits: Limits, first: int | None, last: int | None) -> Drawn:
    """Without what lies outside of the window, and what a restart abandoned."""
    keep = np.ones(len(one.steps), dtype=bool)
    if first is not None:
        keep &= one.steps >= first
    if last is not None:
        keep &= one.steps <= last
    if limits.starts:
        which, place = np.unique(one.attempts, return_inverse=True)
        below = [limits.below(attempt) for attempt in which.tolist()]
        tops = np.array([NO_STEP if step == math.inf else step - 1 for step in below], dtype=np.int64)
        keep &= one.steps <= tops[place]
    kept = one if keep.all() else _picked(one, keep)
    is_rising = bool((kept.steps[1:] >= kept.steps[:-1]).all())
    return kept if is_rising else _picked(kept, np.argsort(kept.steps, kind="stable"))


def _picked(one: Drawn, which: Any) -> Drawn:
    return Drawn(*(array[which] for array in one))


def _reduced(one: Drawn, most: int) -> Drawn:
    """At most `most` points: the ends, and of each stretch the lowest, the highest and one that is not finite."""
    if len(one.steps) <= most:
        return one
    span = int(one.steps[-1]) - int(one.steps[0]) + 1
    width = min(1 << max(0, math.ceil(math.log2(span / max(1, most // 3 - 2)))), WIDEST)
    while True:
        index = _kept(one, width)
        if len(index) <= most:
            return _picked(one, index)
        width *= 2


def _kept(one: Drawn, width: int) -> Any:
    groups = one.steps // width
    starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(groups)]]))
    is_finite = np.isfinite(one.values)
    chosen = [np.array([0, len(groups) - 1])]
    for reduce, missing in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        values = np.where(is_finite, one.values, missing)
        extreme = np.repeat(reduce.reduceat(values, starts), sizes)
        chosen.append(_first_of_each(is_finite & (values == extreme), starts, sizes))
    chosen.append(_first_of_each(~is_finite, starts, sizes))
    return np.unique(np.concatenate(chosen))


def _first_of_each(marks: Any, starts: Any, sizes: Any) -> Any:
    """Of each stretch the first place that is marked."""
    at = np.flatnonzero(marks)
    group = np.repeat(np.arange(len(starts)), sizes)[at]
    is_first = np.concatenate([[True], group[1:] != group[:-1]]) if len(at) else np.zeros(0, dtype=bool)
    return at[is_first]


def _listed(one: Drawn) -> list[Point]:
    cells = zip(one.steps.tolist(), one.values.tolist(), one.times.tolist(), strict=True)
    return [(step, value, None if math.isnan(time) else time) for step, value, time in cells]
