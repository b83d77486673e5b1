"""How large the store is and what takes the room. Reads only; of chunks the rows, never the packed columns in them."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from neatd.store.connection import database_path

MOST_RUNS = 5


class RunSize(NamedTuple):
    """What a run takes in points.db."""

    run_id: str
    points: int  # sealed ones that are kept
    size_bytes: int


class PointsSize(NamedTuple):
    """points.db in numbers."""

    sealed: int  # points in packed columns that are kept
    dropped: int  # points that were thinned out of them
    narrow: int
    predictions: int
    sealed_bytes: int  # of the packed columns
    free_bytes: int  # of pages that hold nothing now: new points go there
    largest: tuple[RunSize, ...]

    @property
    def bytes_a_point(self) -> float | None:
        """Of sealed ones."""
        return self.sealed_bytes / self.sealed if self.sealed else None


def points_size(points: sqlite3.Connection) -> PointsSize:
    """What is in points.db."""
    sql = (
        "SELECT s.run_id, sum(c.kept), sum(c.points - c.kept), sum(c.size + c.buckets_size) FROM chunk c"
        " JOIN series s ON s.id = c.series_id GROUP BY s.run_id"
    )
    columns = {row[0]: (row[1], row[2], row[3]) for row in points.execute(sql)}
    shared = _of_blocks(points)
    runs = [RunSize(run_id, kept, size + shared.get(run_id, 0)) for run_id, (kept, _, size) in columns.items()]
    pages, page = (points.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    narrow, told = (points.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("point", "prediction"))
    return PointsSize(
        sum(one.points for one in runs), sum(gone for _, gone, _ in columns.values()), narrow, told,
        sum(one.size_bytes for one in runs), pages * page,
        tuple(sorted(runs, key=lambda one: -one.size_bytes)[:MOST_RUNS]),
    )  # fmt: skip


def _of_blocks(points: sqlite3.Connection) -> dict[str, int]:
    """Run -> bytes of what its columns share: line numbers, steps, times."""
    each = "SELECT DISTINCT s.run_id, c.block_id FROM chunk c JOIN series s ON s.id = c.series_id"
    size = "length(b.seqs) + length(b.steps) + length(b.times)"
    sql = f"SELECT e.run_id, sum({size}) FROM ({each}) e JOIN block b ON b.id = e.block_id GROUP BY e.run_id"
    return dict(points.execute(sql).fetchall())


def database_bytes(home: Path, name: str) -> int:
    """A database with what lies beside it until it is written into it."""
    path = database_path(home, name)
    return sum(_bytes(path.with_name(path.name + end)) for end in ("", "-wal", "-shm"))


def folder_bytes(folder: Path) -> int:
    """Everything below a folder; links are not followed, and what goes away meanwhile counts nothing."""
    found = os.walk(folder)
    return sum(_bytes(Path(where) / name) for where, _, names in found for name in names)


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
