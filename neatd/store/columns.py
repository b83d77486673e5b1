"""points.db read in columns: the points of many lines as numpy arrays, for judging a backlog and for charts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from neatd.models import Column
from neatd.store.connection import in_one_view
from neatd.store.unpacking import EVEN, TICKS, planes_of
from neatd.store.window import CHUNK, DATA, DATA_OF, narrow_rows


@in_one_view
def columns_between(
    points: sqlite3.Connection, run_id: str, source: str, after_seq: int, upto_seq: int
) -> list[Column]:
    """The series of all lines after_seq < seq <= upto_seq of a stream as arrays, by name, abandoned points too."""
    sql = "SELECT id, name FROM series WHERE run_id = ? AND source = ? ORDER BY name"
    opened = Opened(points)
    found: list[Column] = []
    for series_id, name in points.execute(sql, (run_id, source)).fetchall():
        one = column_of(
            opened,
            name,
            series_id,
            " AND last_seq > ? AND first_seq <= ?",
            " AND seq > ? AND seq <= ?",
            (after_seq, upto_seq),
        )
        if one is not None and (one.seqs[0] <= after_seq or one.seqs[-1] > upto_seq):
            one = picked(one, (one.seqs > after_seq) & (one.seqs <= upto_seq))
        if one is not None and len(one.seqs):
            found.append(one)
    return found


class Opened:
    """Chunks as arrays. The block that several series share is opened once."""

    def __init__(self, points: sqlite3.Connection) -> None:
        self.points = points
        self._blocks: dict[int, tuple[Any, Any, Any]] = {}

    def block(self, block_id: int) -> tuple[Any, Any, Any]:
        """(seqs, steps, times) of a block's rows; times are NaN where none are told."""
        if block_id not in self._blocks:
            row = self.points.execute("SELECT seqs, steps, times FROM block WHERE id = ?", (block_id,)).fetchone()
            seqs = ints_of(row[0])
            self._blocks[block_id] = seqs, ints_of(row[1]), times_of(row[2], len(seqs))
        return self._blocks[block_id]

    def chunk(self, name: str, row: sqlite3.Row) -> Column:
        """The points of a chunk; the row needs its block, its attempt and its data."""
        seqs, steps, times = self.block(row["block_id"])
        return Column(name, seqs, np.full(len(seqs), row["attempt"]), steps, floats_of(row["data"]), times)


def column_of(
    opened: Opened, name: str, series_id: int, chunk_where: str, narrow_where: str, values: Sequence[float]
) -> Column | None:
    """The stored points of a series that may fit, abandoned ones too, in file order; None without any."""
    sql = f"SELECT {CHUNK}, {DATA} {DATA_OF} WHERE series_id = ?{chunk_where} ORDER BY first_seq"
    parts = [opened.chunk(name, row) for row in opened.points.execute(sql, (series_id, *values)).fetchall()]
    sql = f"SELECT seq, attempt, step, value, time FROM point WHERE series_id = ?{narrow_where} ORDER BY seq"
    if rows := narrow_rows(opened.points.execute(sql, (series_id, *values))):
        cells = list(zip(*rows, strict=True))
        whole = (np.array(one, dtype=np.int64) for one in cells[:3])
        parts.append(Column(name, *whole, *(np.array(one, dtype=np.float64) for one in cells[3:])))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else _joined(name, parts)


def picked(one: Column, which: Any) -> Column:
    """Some of a column's points."""
    return Column(one.name, *(array[which] for array in one[1:]))


def _joined(name: str, parts: Sequence[Column]) -> Column:
    """Parts in file order, though lines of other shapes may lie between those of one."""
    one = Column(name, *(np.concatenate([part[index] for part in parts]) for index in range(1, 6)))
    return picked(one, np.argsort(one.seqs, kind="stable")) if (one.seqs[1:] < one.seqs[:-1]).any() else one


def ints_of(data: bytes) -> Any:
    """`unpacking.unpack_ints` as an array."""
    if data[:1] == b"e":
        first, stride, count = EVEN.unpack(data[1:])
        return first + stride * np.arange(count, dtype=np.int64)
    rest = _array(data[9:])
    found = np.empty(1 + len(rest), dtype=np.int64)
    found[0], found[1:] = int.from_bytes(data[1:9], "little", signed=True), rest
    return np.cumsum(found, out=found)


def ints_at(data: bytes, places: Any) -> Any:
    """Those of `ints_of` at some places; where they stand at even distances only these are made."""
    if data[:1] == b"e":
        first, stride, _ = EVEN.unpack(data[1:])
        return first + stride * places
    return ints_of(data)[places]


def floats_of(data: bytes) -> Any:
    """`unpacking.unpack_floats` as an array."""
    if data[:1] == b"i":
        return _array(data[2:]) / 10.0 ** data[1]
    return _array(data[1:]).astype(np.float64)


def times_of(data: bytes, count: int) -> Any:
    """`unpacking.unpack_times` as an array, NaN for None."""
    if not data:
        return np.full(count, np.nan)
    if data[:1] in b"mt":
        return ints_of(data[1:]) / (1000 if data[:1] == b"m" else TICKS)
    return floats_of(data[1:])


def _array(data: bytes) -> Any:
    """`unpacking.unpack_array` as an array."""
    code, count, planes = planes_of(data)
    if len(planes) == 1:
        return np.frombuffer(planes[0], dtype=code)
    raw = np.empty((count, len(planes)), dtype=np.uint8)
    for at, plane in enumerate(planes):
        raw[:, at] = np.frombuffer(plane, dtype=np.uint8)
    return raw.reshape(-1).view(code)
