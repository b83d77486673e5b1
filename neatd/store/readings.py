"""points.db: how far each source of a run is read. A cursor is committed together with the rows that it counts."""

from __future__ import annotations

import json
import secrets
import sqlite3

from neatd.models import Cursor

_JSON = ("state", "told", "chain", "replay")
_PLAIN = tuple(name for name in Cursor.model_fields if name not in _JSON)
_COLUMNS = ", ".join(f'"{name}"' for name in (*_PLAIN, *_JSON))
_UPDATES = ", ".join(f'"{name}" = excluded."{name}"' for name in (*_PLAIN, *_JSON))


def cursor(points: sqlite3.Connection, run_id: str, source: str) -> Cursor:
    """Where reading of a source stands; a fresh cursor with a new reading id when it was never read."""
    row = points.execute("SELECT * FROM reading WHERE run_id = ? AND source = ?", (run_id, source)).fetchone()
    return Cursor(reading_id=secrets.token_hex(8)) if row is None else _to_cursor(row)


def readings(points: sqlite3.Connection, run_id: str) -> dict[str, Cursor]:
    """Source -> cursor of everything read of a run; of files that go on from each other the oldest first."""
    rows = points.execute("SELECT * FROM reading WHERE run_id = ? ORDER BY generation, source", (run_id,))
    return {row["source"]: _to_cursor(row) for row in rows}


def _to_cursor(row: sqlite3.Row) -> Cursor:
    values = {name: row[name] for name in _PLAIN} | {name: json.loads(row[name]) for name in _JSON}
    return Cursor.model_validate(values)


def save_cursor(
    points: sqlite3.Connection, run_id: str, source: str, after: Cursor, last_step: int | None, seen_at: float
) -> None:
    """Write a cursor; the caller holds the transaction. `seen_at` counts when the cursor has moved on."""
    values = [getattr(after, name) for name in _PLAIN] + [json.dumps(getattr(after, name)) for name in _JSON]
    points.execute(
        f"INSERT INTO reading (run_id, source, {_COLUMNS}, last_step, updated_at)"
        f" VALUES (?, ?, {', '.join('?' * len(values))}, ?, ?) ON CONFLICT (run_id, source) DO UPDATE SET {_UPDATES},"
        " last_step = COALESCE(excluded.last_step, last_step),"
        " updated_at = CASE WHEN excluded.seq > seq THEN excluded.updated_at ELSE updated_at END",
        (run_id, source, *values, last_step, seen_at),
    )


def mark_missing(points: sqlite3.Connection, run_id: str, source: str) -> None:
    """Note that a source is not there now. What was read of it stays, and so does the time of its last line."""
    points.execute("UPDATE reading SET is_missing = 1 WHERE run_id = ? AND source = ?", (run_id, source))
