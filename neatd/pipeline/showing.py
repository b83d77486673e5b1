"""Records, runs and events as other programs rely on them: the shapes that commands print and an assistant's tools give."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.models import Change, Event, Model, Project, Run, Snapshot
from neatd.now import is_system
from neatd.pipeline.bestof import best_checkpoints
from neatd.pipeline.predicted import prediction_shape
from neatd.pipeline.profile import profile_of, profiles, start_shape
from neatd.pipeline.results import results_of
from neatd.pipeline.trialruns import trial_shape
from neatd.rules.goals import best_value, goal_of
from neatd.store import checkpoints, events, links, points, readings, records, runs, tabled
from neatd.store.links import Link
from neatd.store.rows import finite_json

_MORE = ("episode", "also", "against", "examples", "stop", "done")  # of an event's details
_RUN = ("id", "name", "status", "reason", "project", "folder", "step", "started_at", "updated_at")


class Shown(NamedTuple):
    """A record, run, event or snapshot with what is tied to it and what became of it."""

    kind: str
    found: Any
    links: list[Link]
    history: list[Change]


def json_text(value: Any) -> str:
    """A value as JSON: models as objects, times as UTC text, non-finite numbers as strings."""
    return json.dumps(finite_json(_plain(value)), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return _plain(value.model_dump())
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def resolve_any(store: sqlite3.Connection, project_id: str, word: str) -> tuple[str, str]:
    """(kind, id) of an id's beginning, or of a run's name."""
    try:
        return records.resolve(store, word)
    except NeatError:
        if runs.named(runs.all_runs(store, project_id), word) is None:
            raise
        return "run", runs.find_run(store, word, project_id).id


def find(store: sqlite3.Connection, project_id: str, word: str) -> Shown:
    """What an id's beginning or a run's name means, with its links and history."""
    kind, full = resolve_any(store, project_id, word)
    found = records.get_any(store, kind, full)
    return Shown(kind, found, links.links_of(store, full), records.history(store, full))


def record_shape(shown: Shown) -> dict[str, Any]:
    """A record, run, event or snapshot with its links and history."""
    return {
        "kind": shown.kind, **shown.found.model_dump(), "links": [one._asdict() for one in shown.links],
        "history": [change.model_dump() for change in shown.history],
    }  # fmt: skip


def matching(store: sqlite3.Connection, project_id: str, part: str, most: int | None = None) -> list[Run]:
    """The project's runs whose name or status contains `part`, newest first; the newest `most` and those that go on."""
    return runs.matching_runs(store, project_id, part, most)


def run_shapes(series: sqlite3.Connection, project: Project, found: Sequence[Run]) -> list[dict[str, Any]]:
    """Runs in short, each with the step it has reached, its plan and its pace. Points are touched of those that go on."""
    progress, more = tabled.progress(series, [run.id for run in found]), profiles(series, found)
    return [_run_shape(run, project.name, progress) | more[run.id] for run in found]


def _run_shape(run: Run, project: str, progress: Mapping[str, Any]) -> dict[str, Any]:
    step, at = progress.get(run.id, (None, run.updated_at))
    values = {**run.model_dump(), "project": project, "step": step, "updated_at": at}
    return {name: values[name] for name in _RUN}


def run_detail(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, found: Run, most_events: int | None = None
) -> dict[str, Any]:
    """A run with its series (those of the machine by themselves), checkpoints, events (the newest), configuration, git, plan
    and pace, machine, process, the trial of a study that it is, and the code it started from."""
    cursors = readings.readings(series, found.id)
    read = cursors.values()
    facts = points.series_of(series, found.id)
    return {
        **_run_shape(found, project.name, tabled.progress(series, [found.id])),
        **profile_of(series, found),
        "series": {fact.name: _series_shape(fact) for fact in facts if not is_system(fact.name)},
        "system": {fact.name: _series_shape(fact) for fact in facts if is_system(fact.name)},
        "checkpoints": [one.model_dump() for one in checkpoints.catalogue(store, found.id)],
        "events": shapes_of(store, events.events(store, project.id, found.id, most_events)),
        "config": found.config,
        "study": trial_shape(store, found),
        "git": found.git.model_dump(),
        "process": found.process.model_dump() if found.process else None,
        "attempt": max((cursor.attempt for cursor in read), default=1),
        "bad_lines": sum(cursor.bad_lines for cursor in read),
        "unreadable": {
            name: {"lines": one.bad_lines, "first": one.first_bad} for name, one in cursors.items() if one.bad_lines
        },
        "predictions": prediction_shape(series, found.id),
        "start": start_shape(store, found),
        "facts": found.facts,
    }


def whole_detail(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, found: Run,
    most_events: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The same with what the project's configuration decides: the best checkpoints; and what evaluations measured."""
    return run_detail(store, series, project, found, most_events) | {
        "best_checkpoints": best_checkpoints(store, series, found, config),
        "measured": results_of(store, found.id),
    }


def _series_shape(fact: points.SeriesFact) -> dict[str, Any]:
    """best follows the metric's goal; it is null when the name tells no goal."""
    value, step = best_value(fact, goal_of(fact.name))
    last = float("nan") if fact.last is None else fact.last
    return {
        "points": fact.points, "first_step": fact.first_step, "last_step": fact.last_step, "last": last, "best": value,
        "best_step": step, "min": fact.min, "max": fact.max, "nonfinite": fact.nonfinite,
    }  # fmt: skip


def event_shapes(store: sqlite3.Connection, project_id: str, run_id: str | None = None) -> list[dict[str, Any]]:
    """Events, newest first; `snapshot` is its folder relative to the project, or null."""
    return shapes_of(store, events.events(store, project_id, run_id))


def shapes_of(store: sqlite3.Connection, found: Sequence[Event]) -> list[dict[str, Any]]:
    """The same of these events, in their order. What belongs to others is not read."""
    places = runs.places_of(store, {one.run_id for one in found if one.run_id})
    taken = events.snapshots_of(store, [one.id for one in found])
    return [event_shape(one, taken.get(one.id), places.get(one.run_id or "", ("", ""))[0]) for one in found]


def event_shape(event: Event, snapshot: Snapshot | None, folder: str) -> dict[str, Any]:
    """One event; `folder` is its run's, relative to the project."""
    is_there = snapshot is not None and snapshot.path and snapshot.status != "expired"
    path = f"{folder}/{snapshot.path}".lstrip("/") if snapshot and is_there else None
    return {
        "id": event.id, "run": event.run_id, "rule": event.rule, "metric": event.metric, "step": event.step,
        "started_at": event.started_at, "severity": event.severity, "value": event.value, "score": event.score,
        "snapshot": path, "snapshot_mode": snapshot.mode if snapshot else None, "threshold": event.threshold,
        "message": event.message,
        **{name: event.details[name] for name in _MORE if name in event.details},
    }  # fmt: skip
