"""Which runs of a project are meant, by their ids: of ten thousand runs no row is read whole. Reads only."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from neatd.models import ENDED
from neatd.store.moments import stamp


def newest_ids(connection: sqlite3.Connection, project_id: str, most: int, baseline: str) -> list[str]:
    """The newest runs, and the baseline however old, which stands first."""
    sql = "SELECT id FROM run WHERE project_id = ? ORDER BY created_at DESC, rowid DESC LIMIT ?"
    newest = [row[0] for row in connection.execute(sql, (project_id, most))]
    return list(dict.fromkeys([*[baseline] * bool(baseline), *newest]))[:most]


def ids_json(connection: sqlite3.Connection, project_id: str) -> str:
    """The ids of all runs of a project as one JSON text, for a query that takes them so."""
    sql = "SELECT json_group_array(id) FROM run NOT INDEXED WHERE project_id = ?"
    return str(connection.execute(sql, (project_id,)).fetchone()[0])


def lately(
    connection: sqlite3.Connection, project_id: str, since: datetime, most_open: int, most_ended: int
) -> tuple[list[str], list[str]]:
    """(the runs that go on, those that began or ended since then), the newest of each first."""
    values = (project_id, *sorted(ENDED))
    ended = f"status IN ({', '.join('?' * len(ENDED))})"
    going_on = (
        f"SELECT id FROM run NOT INDEXED WHERE project_id = ? AND NOT {ended}"
        " ORDER BY started_at DESC, rowid DESC LIMIT ?"
    )
    over = (
        "SELECT id, max(started_at, coalesce(ended_at, '')) AS at FROM run NOT INDEXED"
        f" WHERE project_id = ? AND {ended} AND at > ? ORDER BY at DESC, rowid DESC LIMIT ?"
    )
    open_rows = connection.execute(going_on, (*values, most_open)).fetchall()
    ended_rows = connection.execute(over, (*values, stamp(since), most_ended)).fetchall()
    return [row[0] for row in open_rows], [row[0] for row in ended_rows]
