"""A window of a series at the resolution of a chart, at a cost that does not grow with the series.

Levels: the points themselves where they are few; the extremes of every 64 points; those of whole chunks. The first and the
last point of the window, the lowest and the highest of each stretch drawn, and one value of each stretch that is not
finite are always in the answer. Stretches are powers of two of steps, so that points do not jump as a run grows.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from neatd.models import Column
from neatd.store.columns import Opened, column_of, floats_of, ints_at, times_at
from neatd.store.connection import in_one_view
from neatd.store.summary import BUCKET, NONE, bucket_parts
from neatd.store.window import CHUNK, DATA, DATA_OF, Limits, limits_of, series_named

EXACT = 65_536  # points of a window that are looked at one by one
NOWHERE = -1
Point = tuple[int, float, float | None]
_IN_A_ROW = (
    ("first_step", "first", "first_time"), ("min_step", "min", "min_time"), ("max_step", "max", "max_time"),
    ("nonfinite_step", "", ""), ("last_step", "last", "last_time"),
)  # fmt: skip
ROW = "first_time, last_time, min_time, max_time, 1 AS is_short FROM chunk c"
BUCKETS = (
    f"substr(d.buckets, c.buckets_at + 1, c.buckets_size) AS buckets, buckets_size > 0 AS is_short, b.steps {DATA_OF}"
    " JOIN block b ON b.id = c.block_id"
)


class Drawn(NamedTuple):
    """Points that may be drawn, in file order, as numpy arrays. Times are looked up for those that are."""

    attempts: Any
    steps: Any
    values: Any
    times: Any  # of those of no block
    blocks: Any  # in which the time stands; NOWHERE for none
    places: Any  # within the block


@in_one_view
def at_resolution(
    points: sqlite3.Connection, run_id: str, name: str, most: int, first: int | None = None, last: int | None = None
) -> list[Point]:
    """(step, value, time) of at most `most` (at least 8) points of a series' current attempt, by step."""
    named = series_named(points, run_id, name)
    if named is None:
        return []
    limits, opened = limits_of(points, run_id, named[1]), Opened(points)
    where, values = _within(first, last)
    sql = "SELECT count(*), sum(kept), sum(CASE WHEN buckets_size THEN 0 ELSE kept END) FROM chunk"
    chunks, kept, bare = points.execute(f"{sql} WHERE series_id = ?{where[0]}", (named[0], *values)).fetchone()
    if (kept or 0) <= max(EXACT, most):
        found = _timed(column_of(opened, name, named[0], *where, values))
    else:
        is_coarse = 4 * chunks >= most or bare > 4 * EXACT
        more = ROW if is_coarse else BUCKETS
        sql = f"SELECT {CHUNK}, {more} WHERE series_id = ?{where[0]} ORDER BY first_seq"
        rows = points.execute(sql, (named[0], *values)).fetchall()
        level = _extremes_of_chunks if is_coarse else _extremes_of_buckets
        parts = [_timed(column_of(opened, name, named[0], f" AND 0{where[0]}", where[1], values))]
        for is_whole, some in groupby(rows, lambda row: _is_whole(row, limits, first, last)):
            parts[-1:-1] = [level(list(some))] if is_whole else [_opened(opened, row) for row in some]
        found = Drawn(*(np.concatenate(some) for some in zip(*parts, strict=True)))
    return _listed(points, _reduced(_current(found, limits, first, last), max(8, most))) if len(found.steps) else []


def _within(first: int | None, last: int | None) -> tuple[tuple[str, str], list[int]]:
    tests = [("last_step >= ?", "step >= ?", first), ("first_step <= ?", "step <= ?", last)]
    wanted = [one for one in tests if one[2] is not None]
    chunks, narrow = ("".join(f" AND {one[index]}" for one in wanted) for index in (0, 1))
    return (chunks, narrow), [one[2] for one in wanted if one[2] is not None]


def _is_whole(row: sqlite3.Row, limits: Limits, first: int | None, last: int | None) -> bool:
    """Whether a chunk is drawn in short: all of it is wanted and current, none of it lies on an edge."""
    low, high = -math.inf if first is None else first, math.inf if last is None else last
    is_within = (
        low <= row["first_step"] and row["last_step"] <= high and row["last_step"] < limits.below(row["attempt"])
    )
    return is_within and bool(row["is_short"])


def _timed(one: Column | None) -> Drawn:
    """Points whose times are known."""
    empty = np.empty(0, dtype=np.int64)
    if one is None:
        return Drawn(empty, empty, empty.astype(np.float64), empty.astype(np.float64), empty, empty)
    nowhere = np.full(len(one.steps), NOWHERE)
    return Drawn(one.attempts, one.steps, one.values, one.times, nowhere, nowhere)


def _opened(opened: Opened, row: sqlite3.Row) -> Drawn:
    """Every point of a chunk."""
    sql = f"SELECT block_id, attempt, {DATA} {DATA_OF} WHERE c.id = ?"
    return _timed(opened.chunk("", opened.points.execute(sql, (row["id"],)).fetchone()))


def _extremes_of_chunks(rows: Sequence[sqlite3.Row]) -> Drawn:
    """The ends and the extremes of chunks, from their rows alone."""
    kept = [
        (row["attempt"], row[step], row[value] if value else None, row[time] if time else None)
        for row in rows
        for step, value, time in _IN_A_ROW
        if row[step] is not None
    ]
    attempts, steps, values, times = zip(*kept, strict=True)
    nowhere = np.full(len(kept), NOWHERE)
    numbers = (np.array(some, dtype=np.float64) for some in (values, times))
    return Drawn(np.array(attempts), np.array(steps, dtype=np.int64), *numbers, nowhere, nowhere)


def _extremes_of_buckets(rows: Sequence[sqlite3.Row]) -> Drawn:
    """The ends of chunks, and the extremes of every 64 of their points; of all of them at once, for they may be hundreds."""
    parts = [bucket_parts(row["buckets"]) for row in rows]
    counts = np.array([len(one.min_at) for one in parts])
    owner = np.repeat(np.arange(len(rows)), counts)  # of each bucket the row
    begins = BUCKET * (np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts))
    lows, highs = (np.concatenate([floats_of(one[at]) for one in parts]) for at in (0, 1))
    owners, places = [np.repeat(np.arange(len(rows)), 2)], [np.array([[0, row["kept"] - 1] for row in rows]).ravel()]
    values = [np.array([[row["first"], row["last"]] for row in rows], dtype=np.float64).ravel()]
    for at, some in ((3, lows), (4, highs), (5, np.full(len(owner), np.nan))):
        at_bucket = np.frombuffer(b"".join(one[at] for one in parts), dtype=np.uint8)
        is_there = at_bucket != NONE
        owners.append(owner[is_there])
        places.append((begins + at_bucket)[is_there])
        values.append(some[is_there])
    order = np.argsort(whose := np.concatenate(owners), kind="stable")
    whose, where, every = whose[order], np.concatenate(places)[order], np.concatenate(values)[order]
    cuts = np.searchsorted(whose, np.arange(1, len(rows)))
    steps = [ints_at(row["steps"], some) for row, some in zip(rows, np.split(where, cuts), strict=True)]
    attempts, blocks = (np.array([row[name] for row in rows])[whose] for name in ("attempt", "block_id"))
    return Drawn(attempts, np.concatenate(steps), every, np.full(len(where), np.nan), blocks, where)


def _current(one: Drawn, limits: Limits, first: int | None, last: int | None) -> Drawn:
    """Without what lies outside of the window, and what a restart abandoned."""
    keep = np.ones(len(one.steps), dtype=bool)
    if first is not None:
        keep &= one.steps >= first
    if last is not None:
        keep &= one.steps <= last
    for attempt, step in limits.starts:
        keep &= ~((one.attempts < attempt) & (one.steps >= step))
    kept = one if keep.all() else _picked(one, keep)
    is_rising = bool((kept.steps[1:] >= kept.steps[:-1]).all())
    return kept if is_rising else _picked(kept, np.argsort(kept.steps, kind="stable"))


def _picked(one: Drawn, which: Any) -> Drawn:
    return Drawn(*(array[which] for array in one))


def _reduced(one: Drawn, most: int) -> Drawn:
    """At most `most` points: the ends, and of each stretch the lowest, the highest and one that is not finite."""
    if len(one.steps) <= most:
        return one
    span = int(one.steps[-1] - one.steps[0]) + 1
    width = 1 << max(0, math.ceil(math.log2(span / max(1, most // 3 - 2))))
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


def _listed(points: sqlite3.Connection, one: Drawn) -> list[Point]:
    """As points, with the times that are not known yet."""
    times = one.times.copy()
    order = np.argsort(one.blocks, kind="stable")
    blocks, begins = np.unique(one.blocks[order], return_index=True)
    here = dict(zip(blocks.tolist(), np.split(order, begins[1:]), strict=True))
    wanted = json.dumps([block_id for block_id in here if block_id != NOWHERE])
    sql = "SELECT b.id, b.times FROM json_each(?) j CROSS JOIN block b ON b.id = j.value"
    for block_id, packed in points.execute(sql, (wanted,)):
        times[here[block_id]] = times_at(packed, one.places[here[block_id]])
    cells = zip(one.steps.tolist(), one.values.tolist(), times.tolist(), strict=True)
    return [(step, value, None if math.isnan(time) else time) for step, value, time in cells]
