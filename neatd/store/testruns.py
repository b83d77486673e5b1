"""Test runs as the store has them: the latest one, those of a time, those that a result file is known to come from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neatd.store.moments import utc_now
from neatd.store.short import insert_record, set_field

if TYPE_CHECKING:
    from neatd.knowledge import TestRun

_LIVE = "deleted_at <= restored_at"


def latest(connection: sqlite3.Connection, project_id: str, worktree: str = "") -> TestRun | None:
    """The test run that ended last, in any worktree or in the one named. None before there is one."""
    from neatd.knowledge import TestRun
    from neatd.store.rows import to_model  # pydantic: the hook does without

    where, values = ("AND worktree = ?", [worktree]) if worktree else ("", [])
    row = connection.execute(
        f"SELECT * FROM test WHERE project_id = ? AND {_LIVE} {where} ORDER BY created_at DESC, rowno DESC LIMIT 1",
        [project_id, *values],
    ).fetchone()
    return None if row is None else to_model(TestRun, row)


def since(connection: sqlite3.Connection, project_id: str, worktree: str, moment: str) -> list[sqlite3.Row]:
    """The rows of one worktree's test runs from `moment` on (as the store writes times), newest first."""
    return connection.execute(
        f"SELECT * FROM test WHERE project_id = ? AND worktree = ? AND created_at >= ? AND {_LIVE}"
        " ORDER BY created_at DESC, rowno DESC LIMIT 200",
        (project_id, worktree, moment),
    ).fetchall()


def has_origin(connection: sqlite3.Connection, project_id: str, mark: str) -> bool:
    """Whether a test run, a deleted one too, has `mark` among its origins: what was taken in once is not taken again."""
    sql = "SELECT 1 FROM test WHERE project_id = ? AND instr(origin, ?) LIMIT 1"
    return connection.execute(sql, (project_id, json.dumps(mark, ensure_ascii=False))).fetchone() is not None


def put(connection: sqlite3.Connection, row: Mapping[str, Any], replaces: Iterable[str] = ()) -> None:
    """Write a test run, and take out those it tells more of: they stay in the store, deleted. Caller holds the
    transaction."""
    insert_record(connection, "test", row)
    for old in replaces:
        set_field(connection, "test", old, "deleted_at", utc_now(), str(row["source"]))
