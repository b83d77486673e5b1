"""A window of a series at the resolution of a chart, at a cost that does not grow with the series.

Levels: the points themselves where they are few; the extremes of every 64 points; those of whole chunks. The first and the
last point of the window, the lowest and the highest of each stretch drawn, and one value of each stretch that is not
finite are always in the answer. Stretches are powers of two of steps, so that points do not jump as a run grows.
"""

from __future__ import annotations

import json
import math
import sqlite3
from typing import Any, NamedTuple

import numpy as np

from neatd.models import Column
from neatd.store.columns import Opened, column_of, floats_of, ints_at, times_of
from neatd.store.connection import in_one_view
from neatd.store.summary import BUCKET, NONE, bucket_parts
from neatd.store.window import CHUNK, DATA, DATA_OF, Limits, limits_of, series_named

EXACT = 65_536  # points of a window that are looked at one by one
NOWHERE = -1
Point = tuple[int, float, float | None]
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
        level = _extremes_of_chunk if is_coarse else _extremes_of_buckets
        parts = [level(row) if _is_whole(row, limits, first, last) else _opened(opened, row) for row in rows]
        rest = _timed(column_of(opened, name, named[0], f" AND 0{where[0]}", where[1], values))
        found = Drawn(*(np.concatenate(some) for some in zip(*parts, rest, strict=True)))
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


def _extremes_of_chunk(row: sqlite3.Row) -> Drawn:
    """The ends and the extremes of a chunk, from its row alone."""
    kept = [
        (row["first_step"], row["first"], row["first_time"]),
        (row["min_step"], row["min"], row["min_time"]),
        (row["max_step"], row["max"], row["max_time"]),
        (row["nonfinite_step"], None, None),
        (row["last_step"], row["last"], row["last_time"]),
    ]
    rows = [one for one in kept if one[0] is not None]
    steps = np.array([one[0] for one in rows], dtype=np.int64)
    values, times = (np.array([one[index] for one in rows], dtype=np.float64) for index in (1, 2))
    nowhere = np.full(len(rows), NOWHERE)
    return Drawn(np.full(len(rows), row["attempt"]), steps, values, times, nowhere, nowhere)


def _extremes_of_buckets(row: sqlite3.Row) -> Drawn:
    """The ends of a chunk, and the extremes of every 64 of its points."""
    parts = bucket_parts(row["buckets"])
    lows, highs = floats_of(parts.mins), floats_of(parts.maxs)
    places, values = [np.array([0, row["kept"] - 1])], [np.array([row["first"], row["last"]], dtype=np.float64)]
    for at, some in ((parts.min_at, lows), (parts.max_at, highs), (parts.bad_at, None)):
        at_bucket = np.frombuffer(at, dtype=np.uint8)
        is_there = np.flatnonzero(at_bucket != NONE)
        places.append(BUCKET * is_there + at_bucket[is_there])
        values.append(np.full(len(is_there), np.nan) if some is None else some[is_there])
    where = np.concatenate(places)
    count = len(where)
    return Drawn(
        np.full(count, row["attempt"]), ints_at(row["steps"], where), np.concatenate(values), np.full(count, np.nan),
        np.full(count, row["block_id"]), where,
    )  # fmt: skip


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
    times, blocks = one.times.copy(), one.blocks
    wanted = sorted({*blocks.tolist()} - {NOWHERE})
    sql = "SELECT b.id, b.times FROM json_each(?) j CROSS JOIN block b ON b.id = j.value"
    for block_id, packed in points.execute(sql, (json.dumps(wanted),)):
        here = np.flatnonzero(blocks == block_id)
        times[here] = times_of(packed, int(one.places[here].max()) + 1)[one.places[here]]
    cells = zip(one.steps.tolist(), one.values.tolist(), times.tolist(), strict=True)
    return [(step, value, None if math.isnan(time) else time) for step, value, time in cells]
