"""The queue's pauses: a rule asked that no job of its project is begun until a person lets them go on."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from neatd.redact import redact
from neatd.store.connection import transaction
from neatd.store.moments import utc_now

_OPEN = (
    "SELECT p.event_id, e.project_id, e.rule, p.reason, p.created_at FROM pause p JOIN event e ON e.id = p.event_id"
    " WHERE p.ended_at IS NULL"
)


class Pause(NamedTuple):
    """A pause that goes on: the event whose rule asked for it, and why."""

    event: str
    project_id: str
    rule: str
    reason: str
    since: datetime


def pause(connection: sqlite3.Connection, event_id: str, reason: str) -> None:
    """Pause the queue for an event, once for each: one that was let go on is not paused again by the same."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO pause (event_id, reason, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (event_id, redact(reason), utc_now()),
        )


def paused(connection: sqlite3.Connection, project_id: str | None = None) -> list[Pause]:
    """The pauses that go on, of a project or of all, oldest first."""
    sql = f"{_OPEN} AND (e.project_id = ? OR ? IS NULL) ORDER BY p.created_at, p.rowid"
    rows = connection.execute(sql, (project_id, project_id))
    return [Pause(event, project, rule, why, datetime.fromisoformat(at)) for event, project, rule, why, at in rows]


def why_paused(connection: sqlite3.Connection, project_id: str | None) -> str:
    """The reason of a project's newest pause; "" where its queue goes on."""
    found = paused(connection, project_id) if project_id else []
    return found[-1].reason if found else ""


def go_on(connection: sqlite3.Connection, project_id: str) -> list[Pause]:
    """End a project's pauses; what they were, oldest first."""
    with transaction(connection):
        found = paused(connection, project_id)
        connection.executemany(
            "UPDATE pause SET ended_at = ? WHERE event_id = ?", [(utc_now(), one.event) for one in found]
        )
    return found
