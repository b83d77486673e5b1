"""points.db: rows that name the same series become a block of packed columns, straight from a backlog or out of the narrow
table once there are many.

A chunk never spans two attempts. Sealing moves points and changes none: one transaction writes the chunks and takes the
rows away.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from neatd.store.connection import transaction
from neatd.store.packing import pack_floats, pack_ints, pack_times
from neatd.store.summary import BUCKET, Summary, buckets_of, pack_buckets, summarise

LEAST_SEALED = 256  # rows of a turn that go straight to columns; fewer wait in the narrow table
MOST_SEALED = 8192  # rows of a block: what a query opens at once
LEAST_WORTH = 32  # points of an ended run's series that are worth a chunk


class Rows(NamedTuple):
    """Rows of one stream that name the same series, of one attempt, in file order."""

    attempt: int
    seqs: Sequence[int]
    steps: Sequence[int]
    times: Sequence[float | None]
    columns: Mapping[int, Sequence[float]]  # series id -> values


def write_blocks(points: sqlite3.Connection, rows: Rows) -> dict[int, list[Summary]]:
    """Write rows as blocks; the caller holds the transaction. Series id -> the numbers of its chunks in order."""
    found: dict[int, list[Summary]] = {}
    for start in range(0, len(rows.seqs), MOST_SEALED):
        end = start + MOST_SEALED
        seqs, steps = rows.seqs[start:end], rows.steps[start:end]
        parts = (pack_ints(seqs), pack_ints(steps), pack_times(rows.times[start:end]))
        block = points.execute("INSERT INTO block (seqs, steps, times) VALUES (?, ?, ?)", parts).lastrowid
        for series_id, values in rows.columns.items():
            one = _write_chunk(
                points, series_id, block, rows.attempt, seqs, steps, rows.times[start:end], values[start:end]
            )
            found.setdefault(series_id, []).append(one)
    return found


def _write_chunk(
    points: sqlite3.Connection, series_id: int, block: int | None, attempt: int, seqs: Sequence[int],
    steps: Sequence[int], times: Sequence[float | None], values: Sequence[float],
) -> Summary:  # fmt: skip
    one = summarise(steps, values)

    def at(step: int | None) -> float | None:
        return None if step is None else times[steps.index(step)]

    buckets = pack_buckets(buckets_of(values)) if len(values) > 2 * BUCKET else b""
    row: dict[str, object] = {
        "series_id": series_id, "block_id": block, "attempt": attempt, "first_seq": seqs[0], "last_seq": seqs[-1],
        "first_step": min(steps), "last_step": max(steps), "points": one.points, "kept": one.points,
        "nonfinite": one.nonfinite, "nonfinite_step": one.nonfinite_step, "total": one.total, "first_time": times[0],
        "last_time": times[-1], "first": one.first, "last": one.last, "min": one.min, "min_step": one.min_step,
        "min_time": at(one.min_step), "max": one.max, "max_step": one.max_step, "max_time": at(one.max_step),
        "buckets": buckets, "data": pack_floats(values),
    }  # fmt: skip
    marks = ", ".join(f":{name}" for name in row)
    points.execute(f"INSERT INTO chunk ({', '.join(row)}) VALUES ({marks})", row)
    return one


def seal(points: sqlite3.Connection, run_id: str, source: str) -> int:
    """Move a stream's points from the narrow table into blocks; returns how many were moved. All or nothing."""
    with transaction(points):
        sql = "SELECT id FROM series WHERE run_id = ? AND source = ?"
        ids = [row[0] for row in points.execute(sql, (run_id, source)).fetchall()]
        alike: dict[tuple[tuple[int, int], ...], Rows] = {}
        for series_id in ids:
            for attempt, rows in _narrow(points, series_id):
                if len(rows) >= LEAST_WORTH:
                    _gather(alike, attempt, series_id, rows)
        for block in alike.values():
            write_blocks(points, block)
            for series_id in block.columns:
                where = "series_id = ? AND attempt = ? AND seq <= ?"
                points.execute(f"DELETE FROM point WHERE {where}", (series_id, block.attempt, block.seqs[-1]))
        return sum(len(block.seqs) * len(block.columns) for block in alike.values())


def _narrow(points: sqlite3.Connection, series_id: int) -> list[tuple[int, list[sqlite3.Row]]]:
    sql = "SELECT attempt, seq, step, value, time FROM point WHERE series_id = ? ORDER BY seq"
    rows = points.execute(sql, (series_id,)).fetchall()
    return [(attempt, list(some)) for attempt, some in groupby(rows, key=lambda row: int(row["attempt"]))]


def _gather(
    alike: dict[tuple[tuple[int, int], ...], Rows], attempt: int, series_id: int, rows: list[sqlite3.Row]
) -> None:  # fmt: skip
    key = tuple((row["seq"], row["step"]) for row in rows)
    values = [math.nan if row["value"] is None else row["value"] for row in rows]
    if key not in alike:
        seqs, steps = [seq for seq, _ in key], [step for _, step in key]
        alike[key] = Rows(attempt, seqs, steps, [row["time"] for row in rows], {})
    alike[key] = alike[key]._replace(columns={**alike[key].columns, series_id: values})
