"""Events as `neat events` lists them and the page shows them: of a project, a run, a severity or graver, since another one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from neatd.models import Event
from neatd.pipeline.showing import shapes_of
from neatd.store import eventlog, events, runs
from neatd.store.eventlog import Mark

GRAVE = ("info", "warning", "critical")


def graver(severity: str) -> tuple[str, ...]:
    """This severity and those above it."""
    return GRAVE[GRAVE.index(severity) :]


def event_list(
    records: sqlite3.Connection, project_id: str | None, run_id: str | None = None, severity: str = "info",
    since: str | Mark | None = None, most: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """What `neat events --json` prints: newest first, the newest `most`, of one project with those of no project in
    particular, or of all. `since` is an event, or the beginning of its id: only those that were written after it."""
    return shapes_of(records, _found(records, project_id, run_id, severity, since, most))


def event_rows(
    records: sqlite3.Connection, project_id: str | None, run_id: str | None = None, severity: str = "info",
    since: str | Mark | None = None, most: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The same, each with `run_name` ("" without a run), `project` (an id, or null) and `written_at`."""
    found = _found(records, project_id, run_id, severity, since, most)
    return named(records, found, shapes_of(records, found))


def named(
    records: sqlite3.Connection, found: Sequence[Event], shapes: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The shapes of these events with the names of their runs."""
    places = runs.places_of(records, {one.run_id for one in found if one.run_id})
    return [
        {**shape, "run_name": places.get(one.run_id or "", ("", ""))[1], "project": one.project_id,
         "written_at": one.created_at}
        for one, shape in zip(found, shapes, strict=True)
    ]  # fmt: skip


def _found(
    records: sqlite3.Connection, project_id: str | None, run_id: str | None, severity: str, since: str | Mark | None,
    most: int | None,
) -> list[Event]:  # fmt: skip
    mark = eventlog.place_of(records, since) if isinstance(since, str) else since
    return events.events(
        records, project_id, run_id, most, severities=() if severity == GRAVE[0] else graver(severity),
        after_row=mark.rowid if mark else 0,
    )  # fmt: skip
