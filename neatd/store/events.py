"""Events and the snapshots they ask for, and how far each source is judged: one transaction for all three."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from neatd.models import Event, Run, Snapshot, Verdict
from neatd.redact import redact, redact_value
from neatd.store import requests
from neatd.store.alerts import ask_alert
from neatd.store.connection import transaction
from neatd.store.episodes import kept_key, note_episode
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import dump, float_text, to_model, to_models
from neatd.store.short import new_id


def judged_position(connection: sqlite3.Connection, run_id: str, source: str) -> tuple[str, int]:
    """(reading id, last judged line) of a source; ("", 0) when it was never judged."""
    sql = "SELECT reading_id, seq FROM judging WHERE run_id = ? AND source = ?"
    row = connection.execute(sql, (run_id, source)).fetchone()
    return (row[0], row[1]) if row else ("", 0)


def judged_state(connection: sqlite3.Connection, run_id: str, source: str) -> dict[str, Any] | None:
    """The detectors' state at the judged position; None when the source was never judged."""
    row = connection.execute("SELECT state FROM judging WHERE run_id = ? AND source = ?", (run_id, source)).fetchone()
    return json.loads(row[0]) if row else None


def write_judging(
    connection: sqlite3.Connection, run: Run, source: str, reading_id: str, seq: int, state: dict[str, Any],
    verdicts: Sequence[Verdict], seen_at: datetime,
) -> int:  # fmt: skip
    """Write the judged position, the detectors' state, the events and the snapshots they ask for.

    The caller holds the transaction, so that all of it is there or nothing. `seen_at` dates events whose line carries
    no time. Returns how many events are new.
    """
    new = sum(_add_verdict(connection, run, source, verdict, seen_at) for verdict in verdicts)
    connection.execute(
        "INSERT INTO judging (run_id, source, reading_id, seq, state) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (run_id, source) DO UPDATE SET reading_id = excluded.reading_id, seq = excluded.seq,"
        " state = excluded.state",
        (run.id, source, reading_id, seq, json.dumps(state)),
    )
    return new


def _add_verdict(connection: sqlite3.Connection, run: Run, source: str, verdict: Verdict, seen_at: datetime) -> bool:
    if verdict.episode is not None:
        rule = verdict.episode.rule or verdict.rule
        note_episode(connection, _dedupe(run, source, rule, *verdict.episode.begin), verdict)
        return False
    dedupe = _dedupe(run, source, verdict.rule, verdict.metric, verdict.step, verdict.value, verdict.time)
    at = _moment(verdict.time) or seen_at
    extra = {
        "window": verdict.window, "condition": verdict.condition, "goal": verdict.goal, "attempt": verdict.attempt,
        "snapshots_per_hour": verdict.snapshots_per_hour, "source": source, **verdict.details,
    }  # fmt: skip
    event = Event(
        id=new_id("event"), project_id=run.project_id, run_id=run.id, rule=verdict.rule, metric=verdict.metric,
        step=verdict.step, started_at=at, created_at=datetime.now(UTC), severity=verdict.severity, value=verdict.value,
        score=verdict.score, threshold=verdict.threshold, message=verdict.message, details=extra, dedupe=dedupe,
    )  # fmt: skip
    if not insert_event(connection, event):
        return False
    if verdict.wants_snapshot:
        _ask_snapshot(connection, event)
    if verdict.wants_alert or verdict.severity == "critical":
        ask_alert(connection, event)
    rest = [one for one in verdict.then if one not in ("event", "snapshot", "alert")]
    if rest or verdict.severity != "info":
        requests.put(connection, "consequences", event.project_id, {"event": event.id, "then": rest})
    return True


def write_verdict(connection: sqlite3.Connection, run: Run, source: str, verdict: Verdict, seen_at: datetime) -> bool:
    """Write the event of a verdict that no line of a source gave, with what follows from it. True when it is new."""
    with transaction(connection):
        return _add_verdict(connection, run, source, verdict, seen_at)


def steps_told(connection: sqlite3.Connection, run_id: str, rule: str) -> list[int]:
    """The steps at which a rule spoke of a run as a whole, and not of one of its series."""
    sql = "SELECT step FROM event WHERE run_id = ? AND rule = ? AND metric = '' AND step IS NOT NULL"
    return [row[0] for row in connection.execute(sql, (run_id, rule))]


def _dedupe(run: Run, source: str, rule: str, metric: str, step: int, value: float, time: float | None) -> str:
    """A file that is written anew with the same lines says the same thing again: one event, so the key holds what the
    line says (its time too, which tells a repeated NaN from an old one) and not which attempt it belongs to."""
    return f"{run.id}|{source}|{rule}|{metric}|{step}|{float_text(value)}|{time}"


def _moment(value: float | None) -> datetime | None:
    """A trainer's `time` as a date; None when it wrote none, or something that is no date of our era."""
    return datetime.fromtimestamp(value, UTC) if value is not None and 0 < value < 4e9 else None


def insert_event(connection: sqlite3.Connection, event: Event) -> bool:
    """Write an event unless one with its key is there, without the secrets that its texts hold. Caller holds the
    transaction."""
    numbers = [None if v is None else float_text(v) for v in (event.value, event.score, event.threshold)]
    cursor = connection.execute(
        "INSERT INTO event (id, project_id, run_id, rule, metric, step, started_at, created_at, severity, value, score,"
        " threshold, message, details, dedupe) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (dedupe) DO NOTHING",
        (event.id, event.project_id, event.run_id, redact(event.rule), redact(event.metric), event.step,
         stamp(event.started_at), stamp(event.created_at), event.severity, *numbers, redact(event.message),
         dump(redact_value(event.details)), kept_key(event.dedupe)),
    )  # fmt: skip
    return cursor.rowcount > 0


ALERTING = ("memory-warning",)  # of what is no anomaly these alert too


def add_mishap(
    connection: sqlite3.Connection, rule: str, message: str, dedupe: str, severity: str = "warning",
    project_id: str | None = None, run_id: str | None = None,
) -> bool:  # fmt: skip
    """Keep something that went wrong around a run (not in its numbers), once per `dedupe`. What is critical alerts."""
    now = datetime.now(UTC)
    message, dedupe = (
        text.encode("utf-8", "replace").decode() for text in (message, dedupe)
    )  # names on a disk may be no text
    event = Event.model_validate(
        {"id": new_id("event"), "project_id": project_id, "run_id": run_id, "rule": rule, "started_at": now,
         "created_at": now, "severity": severity, "message": message, "dedupe": dedupe}
    )  # fmt: skip
    with transaction(connection):
        is_new = insert_event(connection, event)
        if is_new and (severity == "critical" or rule in ALERTING):
            ask_alert(connection, event)
    return is_new


def _ask_snapshot(connection: sqlite3.Connection, event: Event) -> None:
    now = utc_now()
    connection.execute(
        "INSERT INTO snapshot (id, project_id, event_id, run_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (new_id("snapshot"), event.project_id, event.id, event.run_id, now, now),
    )


def events(
    connection: sqlite3.Connection, project_id: str | None = None, run_id: str | None = None, limit: int | None = None,
    besides: str = "", severities: Sequence[str] = (), after_row: int = 0,
) -> list[Event]:  # fmt: skip
    """Events, newest first; those of the rule `besides` are left out. Of these severities, where some are given, and those
    that were written after the row `after_row`."""
    wanted = [(name, value) for name, value in (("project_id", project_id), ("run_id", run_id)) if value]
    # What went wrong with no project in particular concerns all of them.
    tests = {"project_id": "(project_id = ? OR project_id IS NULL)", "run_id": "run_id = ?"}
    grave = [f"severity IN ({', '.join('?' * len(severities))})"] if severities else []
    where = " AND ".join(["rule != ?", *(tests[name] for name, _ in wanted), *grave, *["rowid > ?"] * bool(after_row)])
    order = "ORDER BY started_at DESC, rowid DESC"
    few = f"SELECT rowid FROM event WHERE {where} {order} LIMIT ?"  # details are long: only those of the few are read
    sql = f"SELECT * FROM event WHERE rowid IN ({few}) {order}"
    values: list[Any] = [besides, *(value for _, value in wanted), *severities, *[after_row] * bool(after_row)]
    return to_models(Event, connection.execute(sql, [*values, -1 if limit is None else limit]))


def add_details(connection: sqlite3.Connection, event_id: str, more: Mapping[str, Any]) -> None:
    """Write more into an event's details, without the secrets that texts hold."""
    if not more:
        return
    with transaction(connection):
        row = connection.execute("SELECT details FROM event WHERE id = ?", (event_id,)).fetchone()
        details = json.loads(row[0]) | redact_value(dict(more))
        connection.execute("UPDATE event SET details = ? WHERE id = ?", (dump(details), event_id))


def last_good_run(connection: sqlite3.Connection, run: Run) -> Run | None:
    """The newest earlier run of the project that finished without a warning; None when there is none."""
    sql = (
        "SELECT * FROM run WHERE project_id = ? AND id != ? AND status = 'finished' AND started_at <= ? AND NOT EXISTS"
        " (SELECT 1 FROM event WHERE run_id = run.id AND severity IN ('warning', 'critical'))"
        " ORDER BY started_at DESC, rowid DESC LIMIT 1"
    )
    found = to_models(Run, connection.execute(sql, (run.project_id, run.id, stamp(run.started_at))))
    return found[0] if found else None


NO_ANOMALY = (0, "")


def gravest(connection: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Run id -> (how many anomalies it had, the gravest of them: "critical non_finite at step 120")."""
    marks = ", ".join("?" * len(run_ids))
    sql = (
        "SELECT run_id, severity, rule, step, count(*) OVER (PARTITION BY run_id) FROM event"
        f" WHERE run_id IN ({marks}) AND severity IN ('warning', 'critical') ORDER BY severity = 'critical', rowid DESC"
    )
    return {
        run_id: (count, f"{severity} {rule}" + (f" at step {step}" if step is not None else ""))
        for run_id, severity, rule, step, count in connection.execute(sql, list(run_ids))
    }  # of each run the last row stays: the first critical one, else the first


def count_events(connection: sqlite3.Connection, project_id: str, besides: str = "") -> int:
    """How many events concern a project; those of the rule `besides` do not count."""
    sql = "SELECT count(*) FROM event WHERE (project_id = ? OR project_id IS NULL) AND rule != ?"
    return int(connection.execute(sql, (project_id, besides)).fetchone()[0])


def of_key(connection: sqlite3.Connection, dedupe: str) -> Event | None:
    """The event that was kept under a key; None where there is none."""
    row = connection.execute("SELECT * FROM event WHERE dedupe = ?", (kept_key(dedupe),)).fetchone()
    return to_model(Event, row) if row else None


def get_event(connection: sqlite3.Connection, event_id: str) -> Event:
    """One event by its whole id."""
    return to_model(Event, connection.execute("SELECT * FROM event WHERE id = ?", (event_id,)).fetchone())


def snapshots(
    connection: sqlite3.Connection, project_id: str | None = None, run_id: str | None = None, status: str | None = None
) -> list[Snapshot]:
    """Snapshots, newest first."""
    wanted = [(n, v) for n, v in (("project_id", project_id), ("run_id", run_id), ("status", status)) if v]
    where = " AND ".join(f"{name} = ?" for name, _ in wanted) or "1"
    sql = f"SELECT * FROM snapshot WHERE {where} ORDER BY created_at DESC, rowid DESC"
    return to_models(Snapshot, connection.execute(sql, [value for _, value in wanted]))


def snapshots_of(connection: sqlite3.Connection, event_ids: Iterable[str]) -> dict[str, Snapshot]:
    """Event id -> its snapshot, of the events that have one."""
    sql = "SELECT s.* FROM json_each(?) j CROSS JOIN snapshot s ON s.event_id = j.value"
    found = to_models(Snapshot, connection.execute(sql, (json.dumps(list(event_ids)),)))
    return {one.event_id: one for one in found}


def snapshots_taken(connection: sqlite3.Connection, event: Event, since: datetime) -> int:
    """How many folders an event's rule wrote for its run's events from `since` up to this one."""
    sql = (
        "SELECT count(*) FROM snapshot s JOIN event e ON e.id = s.event_id WHERE s.run_id = ? AND e.rule = ?"
        " AND s.status = 'done' AND s.path != '' AND e.created_at > ? AND e.created_at <= ?"
    )
    values = (event.run_id, event.rule, stamp(since), stamp(event.created_at))
    return int(connection.execute(sql, values).fetchone()[0])


def snapshot_bytes(connection: sqlite3.Connection, project_id: str) -> int:
    """What the snapshots of a project take on disk."""
    sql = "SELECT COALESCE(sum(size_bytes), 0) FROM snapshot WHERE project_id = ? AND status = 'done'"
    return int(connection.execute(sql, (project_id,)).fetchone()[0])


def set_snapshot(connection: sqlite3.Connection, snapshot_id: str, **fields: Any) -> None:
    """Set columns of a snapshot."""
    assignments = ", ".join(f"{name} = ?" for name in fields)
    with transaction(connection):
        connection.execute(
            f"UPDATE snapshot SET {assignments}, updated_at = ? WHERE id = ?",
            [*fields.values(), utc_now(), snapshot_id],
        )
