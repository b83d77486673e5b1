"""Alerts: asked for in the transaction of their event, then a row for each channel that wants them, until they are sent.

A row is `sending` before its message leaves and `sent` after: one that is `sending` when the daemon begins was perhaps
sent, and is sent once more and no oftener.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from neatd.models import Alert, Event, Run
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import to_model, to_models

AGAIN = "neatd ended while it was being sent: it may come twice"


class Pending(NamedTuple):
    """An alert that waits to be sent, with what its turn depends on."""

    id: str
    event_id: str
    channel: str
    rule: str
    run_id: str
    severity: str
    tries: int
    next_at: datetime
    note: str
    created_at: datetime


def ask_alert(connection: sqlite3.Connection, event: Event) -> None:
    """Say that an event is to be told. Who is told is decided where the settings are; the caller holds the transaction."""
    _insert(connection, event.id, "", utc_now())


def asked(connection: sqlite3.Connection) -> list[Alert]:
    """The alerts whose channels are still to be found, in the order of their events."""
    return to_models(
        Alert, connection.execute("SELECT * FROM alert WHERE status = 'pending' AND channel = '' ORDER BY rowid")
    )


def pending(connection: sqlite3.Connection) -> list[Pending]:
    """The alerts that wait to be sent, in the order of their events; plain rows, of which a storm makes thousands."""
    sql = (
        "SELECT a.id, a.event_id, a.channel, e.rule, COALESCE(e.run_id, ''), e.severity, a.tries, a.next_at, a.note,"
        " a.created_at"
        " FROM alert a JOIN event e ON e.id = a.event_id WHERE a.status = 'pending' AND a.channel != '' ORDER BY a.rowid"
    )
    return [
        Pending(*row[:7], datetime.fromisoformat(row[7]), row[8], datetime.fromisoformat(row[9]))  # type: ignore[call-arg]
        for row in connection.execute(sql)
    ]


def quiet(connection: sqlite3.Connection, now: datetime) -> list[tuple[tuple[str, str, str], datetime]]:
    """((channel, rule, run), until when others of that kind are held back) by what was sent."""
    sql = (
        "SELECT a.channel, e.rule, COALESCE(e.run_id, ''), max(a.next_at) FROM alert a JOIN event e ON e.id = a.event_id"
        " WHERE a.status = 'sent' AND a.next_at > ? GROUP BY 1, 2, 3"
    )
    rows = connection.execute(sql, (stamp(now),)).fetchall()
    return [((row[0], row[1], row[2]), datetime.fromisoformat(row[3])) for row in rows]


def newest(connection: sqlite3.Connection, project_id: str, most: int) -> list[tuple[Alert, Event]]:
    """The last alerts of a project, and of no project in particular, newest first; without those that were passed on."""
    sql = (
        "SELECT a.* FROM alert a JOIN event e ON e.id = a.event_id WHERE a.status != 'passed'"
        " AND (e.project_id = ? OR e.project_id IS NULL) ORDER BY a.rowid DESC LIMIT ?"
    )
    found = to_models(Alert, connection.execute(sql, (project_id, most)))
    return [(one, event_of(connection, one.event_id)) for one in found]


def has_alert(connection: sqlite3.Connection, event_id: str) -> bool:
    """Whether an event alerts."""
    return connection.execute("SELECT 1 FROM alert WHERE event_id = ?", (event_id,)).fetchone() is not None


def event_of(connection: sqlite3.Connection, event_id: str) -> Event:
    """The event that an alert is about."""
    return to_model(Event, connection.execute("SELECT * FROM event WHERE id = ?", (event_id,)).fetchone())


def run_of(connection: sqlite3.Connection, event: Event) -> Run | None:
    """The run of an event; None for what belongs to no run."""
    row = connection.execute("SELECT * FROM run WHERE id = ?", (event.run_id,)).fetchone()
    return to_model(Run, row) if row else None


def project_name(connection: sqlite3.Connection, project_id: str | None) -> str:
    """What a project is called; "" for none."""
    row = connection.execute("SELECT name FROM project WHERE id = ?", (project_id,)).fetchone()
    return str(row[0]) if row else ""


def pass_on(
    connection: sqlite3.Connection, alert: Alert, channels: Sequence[str], note: str = "", is_logged: bool = False
) -> None:
    """Put a row for each channel in the place of the question. Without any the alert is logged alone, or skipped, and
    `note` says why.

    The caller holds the transaction.
    """
    for channel in channels:
        _insert(connection, alert.event_id, channel, stamp(alert.next_at))
    _set(connection, [alert.id], status="passed" if channels else "logged" if is_logged else "skipped", note=note)


def set_alerts(connection: sqlite3.Connection, ids: Sequence[str], **fields: Any) -> None:
    """Set columns of alerts, all of them or none."""
    with transaction(connection):
        _set(connection, ids, **fields)


def set_sent(connection: sqlite3.Connection, sent: str, told: Sequence[str], until: datetime) -> None:
    """One message was taken: by it `sent` is told, and `told` are counted in it. It holds back others of its kind."""
    with transaction(connection):
        _set(connection, [sent], status="sent", next_at=until, note="")
        _set(connection, told, status="told", note=f"counted in the message of {sent}")


def settle_interrupted(connection: sqlite3.Connection) -> int:
    """What was being sent when the daemon died is sent once more; what was that already has failed. Returns how many."""
    rows = to_models(Alert, connection.execute("SELECT * FROM alert WHERE status = 'sending'"))
    with transaction(connection):
        for one in rows:
            _set(
                connection, [one.id], status="failed" if one.note == AGAIN else "pending", next_at=utc_now(), note=AGAIN
            )
    return len(rows)


def _set(connection: sqlite3.Connection, ids: Sequence[str], **fields: Any) -> None:
    values = {name: stamp(value) if isinstance(value, datetime) else value for name, value in fields.items()}
    assignments = ", ".join(f"{name} = ?" for name in values)
    connection.executemany(
        f"UPDATE alert SET {assignments}, updated_at = ? WHERE id = ?",
        [(*values.values(), utc_now(), one) for one in ids],
    )


def _insert(connection: sqlite3.Connection, event_id: str, channel: str, next_at: str) -> None:
    now = utc_now()
    connection.execute(
        "INSERT INTO alert (id, event_id, channel, next_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (f"{event_id}:{channel}", event_id, channel, next_at, now, now),
    )
