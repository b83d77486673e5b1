"""How long runs took by the times that their trainers wrote into the lines, in one query for all runs; and when one began
anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

LONGEST_S = 10 * 365 * 86400.0  # more is a clock that was set, or two kinds of time in one file


def time_spans(points: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, float]:
    """Run id -> seconds from the first line to the last, of the runs whose lines tell times; of several files the longest."""
    ends = ", ".join(
        f"(SELECT {pick}(time) FROM (SELECT * FROM (SELECT p.time FROM point p WHERE p.series_id = s.id ORDER BY p.seq {order}"
        f" LIMIT 1) UNION ALL SELECT * FROM (SELECT c.{column} AS time FROM chunk c WHERE c.series_id = s.id"
        f" ORDER BY c.first_seq {order} LIMIT 1))) AS {name}"
        for pick, order, column, name in (("min", "", "first_time", "begun"), ("max", "DESC", "last_time", "ended"))
    )
    sql = (
        "SELECT run_id, max(ended) - min(begun) FROM (SELECT s.run_id, s.source,"
        f" {ends} FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value"
        " WHERE s.points > 0 AND s.source != 'system')"
        " GROUP BY run_id, source"
    )
    found: dict[str, float] = {}
    for run_id, seconds in points.execute(sql, (json.dumps(list(run_ids)),)):
        if seconds is not None and 0 < seconds < LONGEST_S:
            found[run_id] = max(seconds, found.get(run_id, 0.0))
    return found


class Restart(NamedTuple):
    """A run went on from an earlier step: its attempt, of which stream, and when by its first line; None where none tells."""

    attempt: int
    source: str
    from_step: int
    time: float | None


def restarts(points: sqlite3.Connection, run_id: str, most: int) -> list[Restart]:
    """The newest `most` restarts of a run's streams, in order."""
    sql = "SELECT attempt, source, from_step, from_seq FROM attempt WHERE run_id = ? ORDER BY attempt DESC, source LIMIT ?"
    rows = points.execute(sql, (run_id, most)).fetchall()
    return [Restart(row[0], row[1], row[2], _begun(points, run_id, row[1], row[0])) for row in reversed(rows)]


def _begun(points: sqlite3.Connection, run_id: str, source: str, attempt: int) -> float | None:
    """The time of an attempt's first line, of some series of the stream."""
    of = "FROM (SELECT id FROM series WHERE run_id = ? AND source = ? ORDER BY points DESC LIMIT 4) s"
    sealed = f"SELECT min(c.first_time) {of} JOIN chunk c ON c.series_id = s.id WHERE c.attempt = ?"
    narrow = f"SELECT min(p.time) {of} JOIN point p ON p.series_id = s.id WHERE p.attempt = ?"
    told = [points.execute(sql, (run_id, source, attempt)).fetchone()[0] for sql in (sealed, narrow)]
    return min((one for one in told if one is not None), default=None)
