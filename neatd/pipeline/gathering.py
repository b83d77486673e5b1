"""Gathers what the documents say, from the store and git: for the daemon's brief, `neat brief` and `neat handoff`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd import __version__
from neatd.assist.brief import brief
from neatd.assist.facts import EventFact, Facts, SavesFact
from neatd.assist.foremost import in_order
from neatd.config import ProjectConfig
from neatd.files import data_path
from neatd.kinds import KINDS
from neatd.knowledge import RECORD_KINDS, Record
from neatd.models import Event, Project, Run
from neatd.pipeline.choosing import choose
from neatd.pipeline.experiments import experiment_table
from neatd.pipeline.testing import own_paths
from neatd.pipeline.validity import stale_records
from neatd.private import without_private
from neatd.read.gitstate import git_state
from neatd.store import checkpoints, events, maintenance, pauses, projects, records, runs, standing

# What a document says of these kinds: only what still holds.
_OPEN_ONLY = {
    "notes": "note", "machines": "machine", "assessments": "assessment", "insights": "insight", "lessons": "lesson",
    "challenges": "challenge", "goals": "goal", "services": "service",
}  # fmt: skip
_IN_ORDER = {"preferences": "preference", "commands": "command", "styles": "style"}  # as they were said, oldest first
_PRIVATE = tuple(name for name, kind in KINDS.items() if any(field.is_private for field in kind.fields))
MOST_EVENTS = 60  # the gravest, then the newest; `neat events` has them all


def template_folders(root: Path) -> tuple[Path, ...]:
    """Where templates are looked for: the project's own come first."""
    return (root / ".neat" / "templates", data_path("templates"))


def gather(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, watching: str = ""
) -> Facts:
    """The facts of a project as they stand now."""
    baseline = projects.baseline(store, project.id)
    now = datetime.now(UTC)
    listed, metric, more_runs = choose(store, series, project, config, baseline, now)
    table = experiment_table(store, series, project, config, metric=metric, listed=listed, with_reported=False)
    found = standing.gravest_events(store, project.id, MOST_EVENTS, maintenance.RULE)
    found = [*maintenance.failures(store), *found]
    kept = (kind for kind in RECORD_KINDS if kind != "handoff")  # their texts are long, and in no other document
    kinds = {kind: records.list_records(store, kind, project.id) for kind in kept}
    names = {run.id: run.name for run in listed}
    shows_addresses = "addresses" in projects.consents(store, Path(project.root))
    if not shows_addresses:  # here and not in a template, because a project may bring its own
        kinds |= {kind: [without_private(kind, one) for one in kinds[kind]] for kind in _PRIVATE}
    ids = [one.id for some in kinds.values() for one in some]
    lasting = [one for some in kinds.values() for one in some if not one.is_closed]
    over = [one for some in kinds.values() for one in some if one.is_closed and one.evidence]
    return Facts(
        project=config.name or project.name, root=project.root, now=now,
        git=git_state(Path(project.root), own_paths(config)),
        phase=config.phase, metric=table.metric, goal=table.goal, baseline=names.get(baseline, ""),
        runs=in_order(table.rows, table.goal, now),
        events=_events(store, project, found),
        hypotheses=tuple(kinds["hypothesis"]),
        decisions=tuple(one for one in kinds["decision"] if not one.is_closed),
        bugs=tuple(sorted(kinds["bug"], key=lambda one: one.is_closed)),
        tasks=tuple(one for one in kinds["task"] if not one.is_closed),
        done=tuple(sorted((one for one in kinds["task"] if one.is_closed), key=lambda one: one.updated_at, reverse=True)),
        phases=tuple(sorted(kinds["phase"], key=lambda one: one.updated_at, reverse=True)),
        tests=tuple(kinds["test"]), data=tuple(kinds["data"]), experiments=tuple(kinds["experiment"]),
        changes=tuple(kinds["change"]), sessions=tuple(one for one in kinds["session"] if one.title),
        documents=tuple(kinds["document"]),
        **{name: _standing(kinds[kind]) for name, kind in _OPEN_ONLY.items()},
        **{name: _standing(reversed(kinds[kind])) for name, kind in _IN_ORDER.items()},
        stale=stale_records(store, Path(project.root), lasting, now, own_paths(config), series, over),
        shows_addresses=shows_addresses, saves=_saves(store, listed), shorts=records.unique_prefixes(ids),
        more_runs=more_runs,
        more_events=max(0, events.count_events(store, project.id, maintenance.RULE) - MOST_EVENTS),
        watching=watching, paused=pauses.why_paused(store, project.id), version=__version__,
    )  # fmt: skip


def _standing(some: Iterable[Record]) -> tuple[Any, ...]:
    """Those that are not over."""
    return tuple(one for one in some if not one.is_closed)


def _events(store: sqlite3.Connection, project: Project, found: list[Event]) -> tuple[EventFact, ...]:
    found = _telling(found)
    places = runs.places_of(store, {one.run_id for one in found if one.run_id})
    taken = {one.event_id: one for one in events.snapshots(store, project.id)}
    shorts = records.unique_prefixes([one.id for one in found])
    result = []
    for one in found:
        (folder, name), snapshot = places.get(one.run_id or "", ("", "")), taken.get(one.id)
        is_there = snapshot is not None and snapshot.path and snapshot.status != "expired"
        path = f"{folder}/{snapshot.path}".lstrip("/") if name and snapshot and is_there else ""
        mode = snapshot.mode if snapshot else ""
        result.append(EventFact(event=one, short=shorts[one.id], run=name, snapshot=path, snapshot_mode=mode))
    return tuple(result)


def _telling(found: list[Event]) -> list[Event]:
    """The gravest first, then the newest; of the best values of a series only the one that stands, behind all others."""
    grave = {"critical": 0, "warning": 1, "info": 2}
    seen: set[tuple[str | None, str]] = set()
    kept = []
    for event in found:
        is_best = event.details.get("condition") == "best"
        if is_best and (event.run_id, event.metric) in seen:
            continue
        if is_best:
            seen.add((event.run_id, event.metric))
        kept.append(event)
    return sorted(kept, key=lambda event: (grave[event.severity], event.details.get("condition") == "best"))


def _saves(store: sqlite3.Connection, listed: list[Run]) -> tuple[SavesFact, ...]:
    result = []
    for run in listed:
        catalogue = checkpoints.catalogue(store, run.id)
        here = [one.size_bytes for one in catalogue if one.status == "present"]
        away = [one.size_bytes for one in catalogue if one.status == "trashed"]
        if catalogue:
            result.append(
                SavesFact(
                    run=run.name, present=len(here), present_bytes=sum(here), trashed=len(away), trashed_bytes=sum(away)
                )
            )
    return tuple(result)


def brief_text(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig,
    budget: int | None = None, watching: str = "",
) -> str:  # fmt: skip
    """The project's brief now."""
    facts = gather(store, series, project, config, watching)
    return brief(facts, budget or config.brief.budget_bytes, template_folders(Path(project.root)))
