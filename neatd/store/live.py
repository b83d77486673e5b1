"""What stands now, read in plain rows: the runs that go on with their last values, the next tasks, what changed since a
moment, what an open session was not told. Stdlib only, for the hooks.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from neatd.kinds import CLOSED, KINDS
from neatd.now import MOST_COUNTED, Happened, News, RunNow, Said, Value, is_system, telling
from neatd.store.moments import stamp, utc_now
from neatd.store.presence import Attendance

MOST_RUNS, MOST_TASKS, MOST_VALUES, MOST_SINCE, MOST_NEWS = 6, 5, 8, 40, 10
GOING_ON = ("starting", "running", "stalled")
_GRAVE = ("warning", "critical")
# What changed is told in this order of kinds, of each the newest first: when there is no brief, this is all there is.
_ORDER = (
    "preference", "phase", "decision", "hypothesis", "task", "bug", "test", "experiment", "insight", "lesson", "data", "change",
    "challenge", "goal", "assessment", "command", "machine", "style", "document", "service", "note",
)  # fmt: skip
_TITLED = frozenset({"preference"})  # told whole: it is authoritative


def runs_now(
    records: sqlite3.Connection, points: sqlite3.Connection | None, project_id: str, root: str, since: str
) -> tuple[RunNow, ...]:
    """The runs that go on and those that ended after `since`, the former and those of the worktree `root` first."""
    marks = ", ".join("?" * len(GOING_ON))
    rows = records.execute(
        "SELECT id, name, status, reason, planned_steps, started_at FROM run NOT INDEXED WHERE project_id = ?"
        f" AND (status IN ({marks}) OR ended_at > ?)"
        f" ORDER BY status IN ({marks}) DESC, root = ? DESC, COALESCE(ended_at, started_at) DESC LIMIT ?",
        (project_id, *GOING_ON, since, *GOING_ON, root, MOST_RUNS),
    ).fetchall()
    return tuple(_run(points, *row) for row in rows)


def _run(
    points: sqlite3.Connection | None,
    run_id: str,
    name: str,
    status: str,
    reason: str,
    planned: int | None,
    started: str,
) -> RunNow:
    values, line_at = _values(points, run_id) if points else ((), None)
    step = max((one.step for one in values if one.step is not None), default=None)
    began = datetime.fromisoformat(started).timestamp()
    return RunNow(run_id, name, status, reason, step, planned, began, line_at, values[:MOST_VALUES])


def _values(points: sqlite3.Connection, run_id: str) -> tuple[tuple[Value, ...], float | None]:
    rows = points.execute(
        "SELECT name, last, last_step FROM series WHERE run_id = ? AND points > 0", (run_id,)
    ).fetchall()
    sql = "SELECT max(updated_at) FROM reading WHERE run_id = ? AND updated_at > 0"
    line_at = points.execute(sql, (run_id,)).fetchone()[0]
    values = (Value(*row) for row in rows if not is_system(row["name"]))
    return tuple(sorted(values, key=lambda one: telling(one.metric))), line_at


def next_tasks(connection: sqlite3.Connection, project_id: str) -> tuple[Said, ...]:
    """The open tasks that come first; parts come with their whole."""
    marks = ", ".join("?" * len(CLOSED))
    rows = connection.execute(
        "SELECT id, title, body, status FROM task NOT INDEXED WHERE project_id = ? AND deleted_at <= restored_at"
        f" AND parent = '' AND status NOT IN ({marks}) ORDER BY position, created_at LIMIT ?",
        (project_id, *CLOSED, MOST_TASKS),
    )
    return tuple(Said("task", row[0], row[1] or row[2], row[3]) for row in rows)


def changed_since(connection: sqlite3.Connection, project_id: str, moment: str) -> tuple[tuple[Said, ...], int]:
    """(the records that were made or changed after `moment`, how many more there are, as far as they are counted).

    No index leads to the time of a change, and one that leads elsewhere makes looking at all of them five times slower.
    """
    found: list[Said] = []
    count = 0
    for kind in _ORDER:
        if count >= MOST_SINCE + MOST_COUNTED:
            break
        some, number = _changed(connection, kind, project_id, moment, MOST_SINCE - len(found))
        found += some
        count += number
    return tuple(found), min(max(0, count - MOST_SINCE), MOST_COUNTED)


def _changed(
    connection: sqlite3.Connection, kind: str, project_id: str, moment: str, most: int
) -> tuple[list[Said], int]:
    closed = "" if moment else f" AND status NOT IN ({', '.join('?' * len(CLOSED))})"
    values: list[Any] = [project_id, moment, *(() if moment else CLOSED)]
    where = f"WHERE project_id = ? AND updated_at > ? AND deleted_at <= restored_at{closed}"
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {kind} NOT INDEXED {where} LIMIT {MOST_SINCE + MOST_COUNTED})"
    count = connection.execute(sql, values).fetchone()[0]
    if count == 0 or most == 0:
        return [], count
    why = "why" if "why" in {field.name for field in KINDS[kind].fields} else "''"
    body = "title || char(10) || body" if kind in _TITLED else "CASE title WHEN '' THEN body ELSE title END"
    how = "NOT INDEXED" if count < MOST_COUNTED else ""  # where most of them changed, the newest ones come first
    sql = f"SELECT id, {body}, status, {why}, created_at > ? FROM {kind} {how} {where} ORDER BY created_at DESC LIMIT ?"
    rows = connection.execute(sql, [moment, *values, most]).fetchall()
    return [Said(kind, row[0], row[1].strip(), row[2], row[3], bool(row[4])) for row in rows], count


def news_of(connection: sqlite3.Connection, known: Attendance) -> News:
    """What happened in the project since the session was told last: anomalies, ends of runs, verdicts on hypotheses.

    Whoever goes on from here asks in the transaction that writes it down: what another one is writing meanwhile would be
    passed over.

    A run's end is news when it was written, which may be long after; but not one from before the session.
    """
    newest, now = mark(connection)
    events = connection.execute(
        "SELECT e.id, e.severity || ' ' || e.rule, COALESCE(r.name, ''), e.message"
        " FROM event e LEFT JOIN run r ON r.id = e.run_id"
        " WHERE e.rowid > ? AND (e.project_id = ? OR e.project_id IS NULL) AND e.severity IN (?, ?) ORDER BY e.rowid",
        (known.told, known.project_id, *_GRAVE),
    ).fetchall()
    ends = connection.execute(
        "SELECT id, 'run ' || status, name, reason FROM run WHERE project_id = ? AND ended_at > ? AND updated_at > ?"
        " ORDER BY updated_at",
        (known.project_id, known.started_at, known.told_at),
    ).fetchall()
    verdicts = connection.execute(
        "SELECT id, 'hypothesis ' || verdict, run, title || ': ' || verdict_reason FROM hypothesis WHERE project_id = ?"
        " AND updated_at > ? AND verdict NOT IN ('', 'undecided') AND deleted_at <= restored_at ORDER BY updated_at",
        (known.project_id, known.told_at),
    ).fetchall()
    every = (events, ends, verdicts)
    happened = tuple(Happened(*row) for some in every for row in some[-MOST_NEWS:])
    return News(happened, newest, now, sum(map(len, every)) - len(happened))


def mark(connection: sqlite3.Connection) -> tuple[int, str]:
    """Where news begin for who knows all that happened until now: the last event's row, and the moment."""
    now = utc_now()
    return connection.execute("SELECT max(rowid) FROM event").fetchone()[0] or 0, now


def anomalies_since(connection: sqlite3.Connection, project_id: str, moment: str) -> tuple[Happened, ...]:
    """The last anomalies of a project after `moment`."""
    rows = connection.execute(
        "SELECT e.id, e.severity || ' ' || e.rule, COALESCE(r.name, ''), e.message FROM event e"
        " LEFT JOIN run r ON r.id = e.run_id WHERE e.project_id = ? AND e.created_at > ? AND e.severity IN (?, ?)"
        " ORDER BY e.created_at DESC LIMIT ?",
        (project_id, moment, *_GRAVE, MOST_NEWS),
    ).fetchall()
    return tuple(Happened(*row) for row in reversed(rows))


def ago(seconds: float) -> str:
    """A moment that many seconds back, as the store writes it."""
    return stamp(datetime.fromtimestamp(datetime.now(UTC).timestamp() - seconds, UTC))
