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
from typing import Any, NamedTuple

from neatd.store.connection import transaction
from neatd.store.summary import LEAST_BUCKETS, Summary, summarise

LEAST_SEALED = 256  # rows of a turn that go straight to columns; fewer wait in the narrow table
MOST_SEALED = 8192  # rows of a block: what a query opens at once
MOST_DATA = 65_536  # bytes of columns after which the next ones go to another row: SQLite reads all of it for a part
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
        columns = {series_id: values[start:end] for series_id, values in rows.columns.items()}
        part = Rows(rows.attempt, rows.seqs[start:end], rows.steps[start:end], rows.times[start:end], columns)
        for series_id, one in _write_block(points, part).items():
            found.setdefault(series_id, []).append(one)
    return found


def _write_block(points: sqlite3.Connection, rows: Rows) -> dict[int, Summary]:
    found: dict[int, Summary] = {}
    block_id, waiting = None, list[tuple[dict[str, object], Packed]]()
    last, is_rising = next(reversed(rows.columns), None), list(rows.steps) == sorted(rows.steps)
    for series_id, values in rows.columns.items():
        found[series_id] = one = summarise(rows.steps, values)
        waiting.append(({"series_id": series_id} | _numbers(rows, one, is_rising), packed_column(values, rows.times)))
        if series_id == last or sum(len(packed.data) for _, packed in waiting) >= MOST_DATA:
            block_id = _write_together(points, rows if block_id is None else None, block_id, waiting)
            waiting = []
    return found


def _numbers(rows: Rows, one: Summary, is_rising: bool) -> dict[str, object]:
    """What a chunk's row tells of its points."""

    def at(step: int | None) -> float | None:
        return None if step is None else rows.times[rows.steps.index(step)]

    return {
        "attempt": rows.attempt, "first_seq": rows.seqs[0], "last_seq": rows.seqs[-1],
        "first_step": min(rows.steps), "last_step": max(rows.steps), "points": one.points, "kept": one.points,
        "is_rising": is_rising, "nonfinite": one.nonfinite, "nonfinite_step": one.nonfinite_step,
        "nonfinite_value": one.nonfinite_value, "nonfinite_time": at(one.nonfinite_step), "total": one.total,
        "first_time": rows.times[0], "last_time": rows.times[-1], "first": one.first, "last": one.last, "min": one.min,
        "min_step": one.min_step, "min_time": at(one.min_step), "max": one.max, "max_step": one.max_step,
        "max_time": at(one.max_step),
    }  # fmt: skip


class Packed(NamedTuple):
    """A column as bytes."""

    data: bytes
    buckets: bytes  # none where opening the column takes no longer


def packed_column(values: Sequence[float], times: Sequence[float | None]) -> Packed:
    import numpy as np  # only where columns are written

    from neatd.store.buckets import buckets_of, pack_buckets
    from neatd.store.packing import pack_floats

    wide: Any = np.asarray(values, dtype=np.float64)
    buckets = pack_buckets(buckets_of(wide), times) if len(values) >= LEAST_BUCKETS else b""
    return Packed(pack_floats(wide), buckets)


def insert_block(points: sqlite3.Connection, rows: Rows | None, columns: Sequence[Packed]) -> int:
    """A new block with these columns one after another; without rows it goes on from another one. Returns its id."""
    from neatd.store.packing import pack_ints, pack_times

    shared = (b"", b"", b"")
    if rows is not None:
        shared = (pack_ints(rows.seqs), pack_ints(rows.steps), pack_times(rows.times))
    buckets, data = b"".join(one.buckets for one in columns), b"".join(one.data for one in columns)
    sql = "INSERT INTO block (seqs, steps, buckets, times, data) VALUES (?, ?, ?, ?, ?)"
    found = points.execute(sql, (shared[0], shared[1], buckets, shared[2], data)).lastrowid
    assert found is not None
    return found


def _write_together(
    points: sqlite3.Connection, rows: Rows | None, block_id: int | None,
    waiting: Sequence[tuple[dict[str, object], Packed]],
) -> int:  # fmt: skip
    """Columns whose bytes lie in one row, so that they share its pages; returns the id of the block they are of."""
    data_id = insert_block(points, rows, [packed for _, packed in waiting])
    at, buckets_at, chunks = 0, 0, []
    for numbers, packed in waiting:
        data_size, buckets_size = len(packed.data), len(packed.buckets)
        place = {"at": at, "size": data_size, "buckets_at": buckets_at, "buckets_size": buckets_size}
        chunks.append(numbers | place | {"block_id": data_id if block_id is None else block_id, "data_id": data_id})
        at, buckets_at = at + data_size, buckets_at + buckets_size
    marks = ", ".join(f":{name}" for name in chunks[0])
    points.executemany(f"INSERT INTO chunk ({', '.join(chunks[0])}) VALUES ({marks})", chunks)
    return data_id if block_id is None else block_id


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
