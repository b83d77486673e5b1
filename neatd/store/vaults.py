"""Neat's own copies of best checkpoints, as rows: which save of which run, where, and what it is the best by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from neatd.models import Checkpoint, Goal, Run
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.rows import dump


class Copy(NamedTuple):
    """One copy. `ordinal` is the save's: the same file written anew is another save."""

    checkpoint_id: str
    ordinal: int
    path: str  # relative to the run's folder
    mode: str
    size_bytes: int
    best: dict[str, tuple[Goal, float]]


def copies(connection: sqlite3.Connection, run_id: str) -> list[Copy]:
    """The copies of a run's best checkpoints, oldest first."""
    sql = (
        "SELECT checkpoint_id, ordinal, path, mode, size_bytes, best FROM vault WHERE run_id = ?"
        " ORDER BY created_at, rowid"
    )
    return [
        Copy(row["checkpoint_id"], row["ordinal"], row["path"], row["mode"], row["size_bytes"], _best(row["best"]))
        for row in connection.execute(sql, (run_id,))
    ]


def _best(text: str) -> dict[str, tuple[Goal, float]]:
    found: dict[str, Any] = json.loads(text)
    return {metric: (goal, float(value)) for metric, (goal, value) in found.items()}


def copied_bytes(connection: sqlite3.Connection, project_id: str) -> int:
    """What the copies of a project take on disk."""
    sql = "SELECT COALESCE(sum(size_bytes), 0) FROM vault WHERE project_id = ?"
    return int(connection.execute(sql, (project_id,)).fetchone()[0])


def add_copy(
    connection: sqlite3.Connection, run: Run, one: Checkpoint, path: str, mode: str, size_bytes: int,
    best: Mapping[str, tuple[Goal, float]],
) -> None:  # fmt: skip
    """Keep that a copy was made, or what else it is the best by."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO vault (checkpoint_id, ordinal, run_id, project_id, path, mode, size_bytes, best, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (checkpoint_id, ordinal) DO UPDATE SET best = excluded.best,"
            " path = excluded.path, mode = excluded.mode, size_bytes = excluded.size_bytes",
            (one.id, one.ordinal, run.id, run.project_id, path, mode, size_bytes, dump(dict(best)), utc_now()),
        )


def remove_copy(connection: sqlite3.Connection, one: Copy) -> None:
    """Forget a copy that is no longer on the disk."""
    with transaction(connection):
        connection.execute(
            "DELETE FROM vault WHERE checkpoint_id = ? AND ordinal = ?", (one.checkpoint_id, one.ordinal)
        )
