"""A page of the runs of a project, or of all: so many from the so-manieth, in an order, with how many there are.

Bounded: of ten thousand runs only those of the page are read as models.
"""

from __future__ import annotations

import sqlite3
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
    asked = condition(part)
    where = f"{asked.sql} AND project_id = :project" if project_id else asked.sql
    values: dict[str, Any] = {"project": project_id, "most": most, "offset": offset, **asked.values}
    total = int(connection.execute(f"SELECT count(*) FROM run WHERE {where}", values).fetchone()[0])
    by = f"{_column(order)}, created_at DESC, rowid DESC"
    rows = f"SELECT id FROM run WHERE {where} ORDER BY {by} LIMIT :most OFFSET :offset"
    found = connection.execute(f"SELECT * FROM run WHERE id IN ({rows}) ORDER BY {by}", values)
    return to_models(Run, found), total


def _column(order: str) -> str:
    return f"{ORDERS[order.removeprefix('-')]} {'DESC' if order.startswith('-') else 'ASC'}"
