"""How the runs of a project, or of all, stand: counted by status, the few that go on, the few that ended last. Reads only.

Bounded: of ten thousand runs no more are read as models than are shown.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from neatd.models import ENDED, Event, Run
from neatd.store.rows import to_models

Projects = Mapping[str, tuple[str, tuple[str, ...]]]  # id -> (name, the folders in which it stands)
_OPEN = f"status NOT IN ({', '.join(repr(one) for one in sorted(ENDED))})"


def counts(records: sqlite3.Connection, project_id: str | None = None) -> dict[str, int]:
    """Status -> how many runs stand so."""
    where, values = _of(project_id)
    rows = records.execute(f"SELECT status, count(*) FROM run NOT INDEXED WHERE {where} GROUP BY status", values)
    return {row[0]: row[1] for row in rows}


def counts_by_project(records: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """(project's id, status) -> how many runs stand so."""
    rows = records.execute("SELECT project_id, status, count(*) FROM run NOT INDEXED GROUP BY project_id, status")
    return {(row[0], row[1]): row[2] for row in rows}


def going_on(records: sqlite3.Connection, project_id: str | None, most: int) -> list[Run]:
    """The runs that go on, those that began last first."""
    where, values = _of(project_id)
    sql = f"SELECT * FROM run NOT INDEXED WHERE {where} AND {_OPEN} ORDER BY started_at DESC, rowid DESC LIMIT ?"
    return to_models(Run, records.execute(sql, (*values, most)))


def ended_last(records: sqlite3.Connection, project_id: str | None, most: int) -> list[Run]:
    """The runs that have ended, the newest end first."""
    where, values = _of(project_id)
    newest = (
        f"SELECT rowid FROM run NOT INDEXED WHERE {where} AND NOT {_OPEN}"
        " ORDER BY COALESCE(ended_at, updated_at) DESC, rowid DESC LIMIT ?"
    )
    sql = f"SELECT * FROM run WHERE rowid IN ({newest}) ORDER BY COALESCE(ended_at, updated_at) DESC, rowid DESC"
    return to_models(Run, records.execute(sql, (*values, most)))


def newest_events(records: sqlite3.Connection, project_id: str | None, most: int) -> list[Event]:
    """The events that were written last, newest first, of a project with those of none in particular. Maintenance that went
    well is no news."""
    where = "(project_id = ? OR project_id IS NULL)" if project_id else "1"
    sql = (
        f"SELECT * FROM event WHERE {where} AND NOT (rule = 'maintenance' AND severity = 'info')"
        " ORDER BY rowid DESC LIMIT ?"
    )
    return to_models(Event, records.execute(sql, (*_of(project_id)[1], most)))


def gravest_events(records: sqlite3.Connection, project_id: str, most: int, besides: str) -> list[Event]:
    """The gravest events of a project, and of none in particular, then the newest; infos of best values, which most runs
    have many of, last. Those of the rule `besides` are left out."""
    where = "(project_id = ? OR project_id IS NULL) AND rule != ? AND severity"
    order = "started_at DESC, rowid DESC"
    grave = f"SELECT rowid FROM event WHERE {where} != 'info' ORDER BY severity = 'warning', {order} LIMIT ?"
    rows = [row[0] for row in records.execute(grave, (project_id, besides, most))]
    if len(rows) < most:
        is_best = "json_extract(details, '$.condition') IS 'best'"
        light = f"SELECT rowid FROM event WHERE {where} = 'info' ORDER BY {is_best}, {order} LIMIT ?"
        rows += [row[0] for row in records.execute(light, (project_id, besides, most - len(rows)))]
    few = "SELECT e.* FROM json_each(?) j CROSS JOIN event e ON e.rowid = j.value ORDER BY j.key"
    return to_models(Event, records.execute(few, (json.dumps(rows),)))


def events_by_severity(records: sqlite3.Connection) -> dict[str, int]:
    """Severity -> how many events there are."""
    return dict(records.execute("SELECT severity, count(*) FROM event GROUP BY severity").fetchall())


def last_values(
    points: sqlite3.Connection, run_ids: Iterable[str]
) -> dict[str, dict[str, tuple[float | None, int | None]]]:
    """Run id -> series -> (its last value, None for NaN, its step), of every series of these runs, the machine's too. Of a
    name in several streams the one of lowest rank. No point is touched."""
    sql = (
        "SELECT s.run_id, s.name, s.last, s.last_step FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value"
        " WHERE s.points > 0 ORDER BY s.rank DESC, s.source DESC"
    )
    found: dict[str, dict[str, tuple[float | None, int | None]]] = {}
    for run_id, name, value, step in points.execute(sql, (json.dumps(list(run_ids)),)):
        found.setdefault(run_id, {})[name] = (value, step)
    return found


class SeriesEnds(NamedTuple):
    """A series' last value and its extremes, each with its step; None for a last value that is NaN, and where there is none."""

    run_id: str
    name: str
    rank: int
    source: str
    last: float | None
    last_step: int | None
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None


def ends_of(
    points: sqlite3.Connection, run_ids: Iterable[str], names: Iterable[str] | None = None
) -> Iterator[SeriesEnds]:
    """The series of these runs, those of the names where such are given, else all but what was sampled of the machine. No
    point is touched: one series each of 10,000 runs takes 0.1 s, five 0.3 s."""
    which = "s.source != 'system'" if names is None else "s.name IN (SELECT value FROM json_each(?))"
    sql = (
        "SELECT s.run_id, s.name, s.rank, s.source, s.last, s.last_step, s.min, s.min_step, s.max, s.max_step"
        f" FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value WHERE s.points > 0 AND {which}"
    )
    given = [list(run_ids), *([] if names is None else [list(names)])]
    return map(SeriesEnds._make, points.execute(sql, [json.dumps(one) for one in given]))


def furthest_steps(points: sqlite3.Connection) -> dict[str, int]:
    """Run id -> the furthest step of its current attempt, of every run that has a line. 0.1 s of 10,000 runs."""
    sql = "SELECT run_id, max(last_step) FROM series WHERE points > 0 AND source != 'system' GROUP BY run_id"
    return {run_id: step for run_id, step in points.execute(sql) if step is not None}


def projects_of(records: sqlite3.Connection, project_id: str | None = None) -> Projects:
    """Project id -> (its name, the folders in which it stands, the first one first)."""
    sql = (
        "SELECT p.id, p.name, r.path FROM project p LEFT JOIN root r ON r.project_id = p.id"
        " WHERE (? IS NULL OR p.id = ?) ORDER BY r.created_at, r.path"
    )
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for key, name, path in records.execute(sql, (project_id, project_id)):
        found[key] = (name, (*found.get(key, ("", ()))[1], *([path] if path else [])))
    return found


def _of(project_id: str | None) -> tuple[str, tuple[Any, ...]]:
    return ("project_id = ?", (project_id,)) if project_id else ("1", ())
