"""A page of the runs of a project, or of all: so many from the so-manieth, in an order, with how many there are.

Bounded: of ten thousand runs only those of the page are read as models.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from neatd.models import Run
from neatd.store.rows import to_models
from neatd.store.runfilter import condition

ORDERS = {"started": "started_at", "name": "name", "status": "status", "ended": "coalesce(ended_at, '9')"}


def run_page(
    connection: sqlite3.Connection, project_id: str | None, part: str, order: str = "-started", most: int = 100,
    offset: int = 0,
) -> tuple[list[Run], int]:  # fmt: skip
    """(the runs of this page that a filter means, how many there are on all pages). A minus before the order turns it
    around; of equals the newest come first."""
    where, given = _asked(project_id, part)
    values = {**given, "most": most, "offset": offset}
    total = int(connection.execute(f"SELECT count(*) FROM run WHERE {where}", values).fetchone()[0])
    by = f"{_column(order)}, created_at DESC, rowid DESC"
    rows = f"SELECT id FROM run WHERE {where} ORDER BY {by} LIMIT :most OFFSET :offset"
    found = connection.execute(f"SELECT * FROM run WHERE id IN ({rows}) ORDER BY {by}", values)
    return to_models(Run, found), total


def matching_ids(connection: sqlite3.Connection, project_id: str | None, part: str) -> list[tuple[str, str]]:
    """(id, its project's) of every run that a filter means, the newest first: no run is read as a model."""
    where, values = _asked(project_id, part)
    rows = connection.execute(
        f"SELECT id, project_id FROM run WHERE {where} ORDER BY created_at DESC, rowid DESC", values
    )
    return [(row[0], row[1]) for row in rows]


def runs_of(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Run]:
    """The runs of these ids, in their order; those that are not there are left out."""
    sql = "SELECT r.* FROM json_each(?) j CROSS JOIN run r ON r.id = j.value ORDER BY j.key"
    return to_models(Run, connection.execute(sql, (json.dumps(list(ids)),)))


def _asked(project_id: str | None, part: str) -> tuple[str, dict[str, Any]]:
    asked = condition(part)
    where = f"{asked.sql} AND project_id = :project" if project_id else asked.sql
    return where, {"project": project_id, **asked.values}


def _column(order: str) -> str:
    return f"{ORDERS[order.removeprefix('-')]} {'DESC' if order.startswith('-') else 'ASC'}"
