"""points.db read in columns: the points of many lines as numpy arrays, for judging a backlog and for charts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from neatd.models import Column
from neatd.store.packing import unpack_floats, unpack_ints, unpack_times
from neatd.store.window import CHUNK, narrow_rows


def columns_between(
    points: sqlite3.Connection, run_id: str, source: str, after_seq: int, upto_seq: int
) -> list[Column]:
    """The series of all lines after_seq < seq <= upto_seq of a stream as arrays, by name, abandoned points too."""
    sql = "SELECT id, name FROM series WHERE run_id = ? AND source = ? ORDER BY name"
    blocks: dict[int, tuple[Any, Any, Any]] = {}  # series of one block share them
    found: list[Column] = []
    for series_id, name in points.execute(sql, (run_id, source)).fetchall():
        parts = _chunk_columns(points, name, series_id, after_seq, upto_seq, blocks)
        sql = "SELECT seq, attempt, step, value, time FROM point WHERE series_id = ? AND seq > ? AND seq <= ? ORDER BY seq"
        if rows := narrow_rows(points.execute(sql, (series_id, after_seq, upto_seq))):
            parts.append(_column(name, *zip(*rows, strict=True)))
        if not parts:
            continue
        one = parts[0] if len(parts) == 1 else _joined(name, parts)
        if one.seqs[0] <= after_seq or one.seqs[-1] > upto_seq:
            kept = (one.seqs > after_seq) & (one.seqs <= upto_seq)
            one = Column(name, *(array[kept] for array in one[1:]))
        if len(one.seqs):
            found.append(one)
    return found


def _column(name: str, seqs: Any, attempts: Any, steps: Any, values: Any, times: Any) -> Column:
    whole = (np.array(one, dtype=np.int64) for one in (seqs, attempts, steps))
    return Column(name, *whole, *(np.array(one, dtype=np.float64) for one in (values, times)))


def _chunk_columns(
    points: sqlite3.Connection, name: str, series_id: int, after_seq: int, upto_seq: int,
    blocks: dict[int, tuple[Any, Any, Any]],
) -> list[Column]:  # fmt: skip
    sql = f"SELECT {CHUNK}, data FROM chunk WHERE series_id = ? AND last_seq > ? AND first_seq <= ? ORDER BY first_seq"
    found: list[Column] = []
    for row in points.execute(sql, (series_id, after_seq, upto_seq)).fetchall():
        block = row["block_id"]
        if block not in blocks:
            seqs, steps, times = points.execute(
                "SELECT seqs, steps, times FROM block WHERE id = ?", (block,)
            ).fetchone()
            numbers = np.array(unpack_ints(seqs))
            when = np.array(unpack_times(times, len(numbers)), dtype=np.float64)
            blocks[block] = numbers, np.array(unpack_ints(steps)), when
        numbers, steps, when = blocks[block]
        attempts = np.full(len(numbers), row["attempt"])
        found.append(Column(name, numbers, attempts, steps, np.array(unpack_floats(row["data"])), when))
    return found


def _joined(name: str, parts: Sequence[Column]) -> Column:
    """Parts in file order, though lines of other shapes may lie between those of one."""
    one = Column(name, *(np.concatenate([part[index] for part in parts]) for index in range(1, 6)))
    if (one.seqs[1:] < one.seqs[:-1]).any():
        one = Column(name, *(array[np.argsort(one.seqs, kind="stable")] for array in one[1:]))
    return one
