"""A window of a series at the resolution of a chart, at a cost that does not grow with the series.

Levels: the points themselves where they are few; the extremes of every 64 points; those of whole chunks. The first and the
last point of the window, the lowest and the highest of each stretch drawn, and one value of each stretch that is not
finite are always in the answer. Stretches are powers of two of steps, so that points do not jump as a run grows.
"""

from __future__ import annotations

import math
import sqlite3
from typing import Any

import numpy as np

from neatd.models import Column
from neatd.store.columns import Opened, column_of, picked
from neatd.store.connection import in_one_view
from neatd.store.summary import BUCKET, NONE, unpack_buckets
from neatd.store.window import CHUNK, Limits, limits_of, series_named

EXACT = 65_536  # points of a window that are looked at one by one
Point = tuple[int, float, float | None]


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
    more = "first_time, last_time, min_time, max_time, length(buckets) > 0 AS has_buckets"
    sql = f"SELECT {CHUNK}, {more} FROM chunk WHERE series_id = ?{where[0]}"
    chunks = points.execute(sql + " ORDER BY first_seq", (named[0], *values)).fetchall()
    count = sum(row["kept"] for row in chunks)
    if count <= max(EXACT, most):
        found = column_of(opened, name, named[0], *where, values)
    else:
        level = _extremes_of_chunk if 2 * len(chunks) >= most else _extremes_of_buckets
        parts = [_part(opened, name, row, limits, first, last, level) for row in chunks]
        rest = column_of(opened, name, named[0], f" AND 0{where[0]}", where[1], values)
        every = [*parts, *([rest] if rest is not None else [])]
        found = Column(name, *(np.concatenate([part[index] for part in every]) for index in range(1, 6)))
    if found is None:
        return []
    return _reduced(_current(found, limits, first, last), max(8, most))


def _within(first: int | None, last: int | None) -> tuple[tuple[str, str], list[int]]:
    tests = [("last_step >= ?", "step >= ?", first), ("first_step <= ?", "step <= ?", last)]
    wanted = [one for one in tests if one[2] is not None]
    chunks, narrow = ("".join(f" AND {one[index]}" for one in wanted) for index in (0, 1))
    return (chunks, narrow), [one[2] for one in wanted if one[2] is not None]


def _part(
    opened: Opened, name: str, row: sqlite3.Row, limits: Limits, first: int | None, last: int | None, level: Any
) -> Column:
    """A chunk in short when all of it is wanted and current; its points when it lies on an edge."""
    low, high = -math.inf if first is None else first, math.inf if last is None else last
    is_whole = low <= row["first_step"] and row["last_step"] <= high and row["last_step"] < limits.below(row["attempt"])
    if is_whole and row["has_buckets"]:
        found: Column = level(opened, name, row)
        return found
    data = opened.points.execute("SELECT block_id, attempt, data FROM chunk WHERE id = ?", (row["id"],)).fetchone()
    return opened.chunk(name, data)


def _extremes_of_chunk(opened: Opened, name: str, row: sqlite3.Row) -> Column:
    """The ends and the extremes of a chunk, from its row alone."""
    kept = [
        (row["first_seq"], row["first_step"], row["first"], row["first_time"]),
        (row["first_seq"], row["min_step"], row["min"], row["min_time"]),
        (row["first_seq"], row["max_step"], row["max"], row["max_time"]),
        (row["first_seq"], row["nonfinite_step"], None, None),
        (row["last_seq"], row["last_step"], row["last"], row["last_time"]),
    ]
    rows = [one for one in kept if one[1] is not None]
    seqs, steps = (np.array([one[index] for one in rows], dtype=np.int64) for index in (0, 1))
    values, times = (np.array([one[index] for one in rows], dtype=np.float64) for index in (2, 3))
    return Column(name, seqs, np.full(len(seqs), row["attempt"]), steps, values, times)


def _extremes_of_buckets(opened: Opened, name: str, row: sqlite3.Row) -> Column:
    """The ends of a chunk, and the extremes of every 64 of its points."""
    data = opened.points.execute("SELECT buckets FROM chunk WHERE id = ?", (row["id"],)).fetchone()[0]
    found, (seqs, steps, times) = unpack_buckets(data), opened.block(row["block_id"])
    starts = BUCKET * np.arange(len(found.min_at))
    bad = np.frombuffer(found.bad_at, dtype=np.uint8)
    places = [(found.min_at, found.mins), (found.max_at, found.maxs), (found.bad_at, np.full(len(bad), np.nan))]
    where = [np.array([0]), np.array([len(seqs) - 1])]
    values = [np.array([row["first"]], dtype=np.float64), np.array([row["last"]], dtype=np.float64)]
    for at, some in places:
        at_bucket = np.frombuffer(at, dtype=np.uint8)
        is_there = at_bucket != NONE
        where.append((starts + at_bucket)[is_there])
        values.append(np.asarray(some, dtype=np.float64)[is_there])
    index, every = np.concatenate(where), np.concatenate(values)
    attempts = np.full(len(index), row["attempt"])
    return Column(name, seqs[index], attempts, steps[index], every, times[index])


def _current(one: Column, limits: Limits, first: int | None, last: int | None) -> Column:
    """Without what lies outside of the window, and what a restart abandoned."""
    keep = np.ones(len(one.steps), dtype=bool)
    if first is not None:
        keep &= one.steps >= first
    if last is not None:
        keep &= one.steps <= last
    for attempt, step in limits.starts:
        keep &= ~((one.attempts < attempt) & (one.steps >= step))
    kept = one if keep.all() else picked(one, keep)
    is_rising = bool((kept.steps[1:] >= kept.steps[:-1]).all())
    return kept if is_rising else picked(kept, np.argsort(kept.steps, kind="stable"))


def _reduced(one: Column, most: int) -> list[Point]:
    """At most `most` points: the ends, and of each stretch the lowest, the highest and one that is not finite."""
    if len(one.steps) <= most:
        return _listed(one, np.arange(len(one.steps)))
    span = int(one.steps[-1] - one.steps[0]) + 1
    width = 1 << max(0, math.ceil(math.log2(span / max(1, most // 3 - 2))))
    while True:
        index = _kept(one, width)
        if len(index) <= most:
            return _listed(one, index)
        width *= 2


def _kept(one: Column, width: int) -> Any:
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


def _listed(one: Column, index: Any) -> list[Point]:
    times = one.times[index].tolist()
    cells = zip(one.steps[index].tolist(), one.values[index].tolist(), times, strict=True)
    return [(step, value, None if math.isnan(time) else time) for step, value, time in cells]
