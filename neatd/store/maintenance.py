"""The jobs of maintenance as they ran: a row before, how it ended after, together with the event that tells of it.

Each run is an event, but for one of a job of every few minutes that ended as the run before: it names the event of that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from neatd.models import Event, Maintenance
from neatd.redact import redact, redact_value
from neatd.store.connection import transaction
from neatd.store.events import insert_event
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import dump, to_models
from neatd.store.short import new_id

RULE = "maintenance"  # of the events
MOST_RUNS = 1000  # of a job that are kept; the events stay
_ON_TIME = ("schedule", "missed")  # a run that was asked for, or that a full disk made, is always told
FRESH = timedelta(days=8)  # a weekly job has run again by then; of one that was taken out of the file nobody hears more
SEEN = "seen"  # a job was met for the first time: from then on it can be missed


def begin(connection: sqlite3.Connection, run_id: str, job: str, cause: str) -> None:
    """A job begins: `cause` is schedule, missed, asked or disk. Begun again under its id it begins anew."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO maintenance (id, job, cause, started_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " status = 'running', started_at = excluded.started_at, ended_at = NULL, summary = '', details = '{}'",
            (run_id, job, cause, utc_now()),
        )


def tell(connection: sqlite3.Connection, run_id: str, text: str) -> None:
    """How far a job that runs has come, for those who wait for it."""
    with transaction(connection):
        connection.execute("UPDATE maintenance SET summary = ? WHERE id = ?", (redact(text), run_id))


def end(
    connection: sqlite3.Connection, run_id: str, job: str, status: str, summary: str, details: Mapping[str, Any],
    is_frequent: bool = False,
) -> None:  # fmt: skip
    """A job has ended: done, failed or interrupted. Its row and its event are one transaction. `is_frequent`: no event of a
    run by the clock that ended as the one before."""
    now = datetime.now(UTC)
    clean, told = redact(summary), redact_value(dict(details))
    is_well = status == "done"
    event = Event(
        id=new_id("event"), rule=RULE, started_at=now, created_at=now, severity="info" if is_well else "warning",
        message=f"{job}: {summary}" if is_well else f"{job} {status}: {summary}", details={"job": job, **told},
        dedupe=_key(run_id, now),
    )  # fmt: skip
    with transaction(connection):
        before = _told_before(connection, run_id, status, clean, told) if is_frequent else None
        connection.execute(
            "UPDATE maintenance SET status = ?, ended_at = ?, summary = ?, details = ? WHERE id = ?",
            (status, stamp(now), clean, dump({**told, "event": before or event.id}), run_id),
        )
        if before is None:
            insert_event(connection, event)
        sql = "SELECT rowid FROM maintenance WHERE job = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?"
        connection.execute(f"DELETE FROM maintenance WHERE job = ? AND rowid <= ({sql})", (job, job, MOST_RUNS))


def _told_before(
    connection: sqlite3.Connection, run_id: str, status: str, summary: str, details: Mapping[str, Any]
) -> str | None:
    """The event that has told what this run by the clock would tell again; None when it is news, as is what was freed."""
    sql = (
        "SELECT b.status, b.summary, b.details FROM maintenance b JOIN maintenance a ON a.job = b.job AND b.rowid < a.rowid"
        " WHERE a.id = ? AND a.cause IN (?, ?) AND b.status != ? ORDER BY b.rowid DESC LIMIT 1"
    )
    row = connection.execute(sql, (run_id, *_ON_TIME, SEEN)).fetchone()
    if row is None or row[0] != status:
        return None
    before = json.loads(row[2])
    is_same = not details.get("freed_bytes") if status == "done" else _how(before, row[1]) == _how(details, summary)
    return before.get("event") if is_same else None


def _how(details: Mapping[str, Any], summary: str) -> object:
    """How a run went wrong: a command's last line may be another each time."""
    return details.get("exit_code", summary)


def settle_interrupted(connection: sqlite3.Connection) -> int:
    """Jobs that ran when the daemon died are interrupted; returns how many there were."""
    rows = connection.execute("SELECT id, job, summary FROM maintenance WHERE status = 'running'").fetchall()
    for run_id, job, summary in rows:
        end(connection, run_id, job, "interrupted", f"it did not end{f', at: {summary}' if summary else ''}", {})
    return len(rows)


def note_seen(connection: sqlite3.Connection, jobs: Iterable[str]) -> None:
    """Write down since when jobs are known that never ran."""
    with transaction(connection):
        connection.executemany(
            "INSERT INTO maintenance (id, job, cause, status, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?)",
            [(new_id("request"), job, SEEN, SEEN, utc_now(), utc_now()) for job in jobs],
        )


def last_runs(connection: sqlite3.Connection, repeatable: Iterable[str] = ()) -> dict[str, datetime]:
    """Job -> when it ran last, or since when it is known. Of `repeatable` ones an interrupted run does not count, unless
    the one before was interrupted too: what ends the daemon must not do so for ever."""
    wanted = set(repeatable)
    found: dict[str, datetime] = {}
    skipped: set[str] = set()
    for job, status, started_at in connection.execute(
        "SELECT job, status, started_at FROM (SELECT *, row_number() OVER (PARTITION BY job ORDER BY rowid DESC) AS place"
        " FROM maintenance) WHERE place <= 2 ORDER BY job, place"
    ):
        if job in found:
            continue
        if status == "interrupted" and job in wanted and job not in skipped:
            skipped.add(job)
            continue
        found[job] = datetime.fromisoformat(started_at)
    return found


def newest(connection: sqlite3.Connection) -> dict[str, Maintenance]:
    """Job -> its last run; those that never ran are not in it."""
    sql = "SELECT * FROM maintenance WHERE rowid IN (SELECT max(rowid) FROM maintenance WHERE status != ? GROUP BY job)"
    return {one.job: one for one in to_models(Maintenance, connection.execute(sql, (SEEN,)))}


def failures(connection: sqlite3.Connection) -> list[Event]:
    """The events of the jobs that failed when they ran last, in these days, newest first."""
    found: list[Event] = []
    since = datetime.now(UTC) - FRESH
    for one in newest(connection).values():
        if one.status in ("failed", "interrupted") and one.ended_at and one.ended_at > since:
            sql = "SELECT * FROM event WHERE dedupe = ? OR id = ?"  # rows of an older neat do not name it
            found += to_models(Event, connection.execute(sql, (_key(one.id, one.ended_at), one.details.get("event"))))
    return sorted(found, key=lambda event: event.started_at, reverse=True)


def _key(run_id: str, ended_at: datetime) -> str:
    return f"{RULE}|{run_id}|{stamp(ended_at)}"


def get(connection: sqlite3.Connection, run_id: str) -> Maintenance | None:
    """One run of a job by its id."""
    return next(
        iter(to_models(Maintenance, connection.execute("SELECT * FROM maintenance WHERE id = ?", (run_id,)))), None
    )


def history(connection: sqlite3.Connection, job: str, most: int = 100) -> list[Maintenance]:
    """The runs of a job, newest first."""
    sql = "SELECT * FROM maintenance WHERE job = ? AND status != ? ORDER BY rowid DESC LIMIT ?"
    return to_models(Maintenance, connection.execute(sql, (job, SEEN, most)))


def freed_since(connection: sqlite3.Connection, moment: datetime) -> int:
    """Bytes that jobs freed since then."""
    sql = "SELECT COALESCE(sum(json_extract(details, '$.freed_bytes')), 0) FROM maintenance WHERE ended_at > ?"
    return int(connection.execute(sql, (stamp(moment),)).fetchone()[0])
