"""Gathers what the documents say, from the store and git: for the daemon's brief, `neat brief` and `neat handoff`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from neatd import __version__
from neatd.assist.brief import brief
from neatd.assist.facts import EventFact, Facts, RunFact, SavesFact
from neatd.assist.render import render
from neatd.config import ProjectConfig
from neatd.files import data_path
from neatd.models import Event, Goal, Project, Run, SeriesFact
from neatd.read.gitstate import git_state
from neatd.rules.goals import best_value, goal_of, is_evaluation, judged_metrics
from neatd.store import checkpoints, events, points, projects, records, runs

MOST_RUNS = 200  # the newest, and the baseline; `neat runs` has them all
MOST_EVENTS = 60  # newest first; `neat events` has them all


def template_folders(root: Path) -> tuple[Path, ...]:
    """Where templates are looked for: the project's own come first."""
    return (root / ".neat" / "templates", data_path("templates"))


def gather(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, watching: str = ""
) -> Facts:
    """The facts of a project as they stand now."""
    baseline = projects.baseline(store, project.id)
    listed = runs.newest_runs(store, project.id, MOST_RUNS, baseline)
    facts_of = {run.id: {fact.name: fact for fact in points.series_of(series, run.id)} for run in listed}
    metric, goal = primary_metric(config, facts_of, baseline)
    found = events.events(store, project.id, limit=MOST_EVENTS)
    kinds = {kind: records.list_records(store, kind, project.id) for kind in records.RECORD_KINDS}
    names = {run.id: run.name for run in listed}
    ids = [one.id for some in kinds.values() for one in some]
    return Facts(
        project=config.name or project.name, root=project.root, now=datetime.now(UTC), git=git_state(Path(project.root)),
        phase=config.phase, metric=metric, goal=goal, baseline=names.get(baseline, ""),
        runs=run_facts(listed, facts_of, metric, goal, baseline, series),
        events=_events(store, project, found, listed),
        hypotheses=tuple(kinds["hypothesis"]),
        decisions=tuple(one for one in kinds["decision"] if one.status not in records.CLOSED),
        bugs=tuple(sorted(kinds["bug"], key=lambda one: one.status in records.CLOSED)),
        tasks=tuple(one for one in kinds["task"] if one.status not in records.CLOSED),
        notes=tuple(one for one in kinds["note"] if one.status not in records.CLOSED),
        saves=_saves(store, listed), shorts=records.unique_prefixes(ids), watching=watching, version=__version__,
    )  # fmt: skip


def primary_metric(
    config: ProjectConfig, facts_of: Mapping[str, Mapping[str, SeriesFact]], baseline: str
) -> tuple[str, Goal | None]:
    """What experiments are compared by: neat.yaml's, else the baseline's evaluation, else the commonest one; a loss
    before a score. `facts_of` is by run id."""
    if config.primary:
        return config.primary.metric, config.primary.goal
    counts: dict[str, int] = {}
    for facts in [facts_of[baseline]] if facts_of.get(baseline) else facts_of.values():
        for name in judged_metrics(facts, None):
            counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: (not is_evaluation(name), -counts[name], "loss" not in name, name))
    return (ranked[0], goal_of(ranked[0])) if ranked else ("", None)


def run_facts(
    listed: list[Run], facts_of: dict[str, dict[str, SeriesFact]], metric: str, goal: Goal | None, baseline: str,
    series: sqlite3.Connection,
) -> tuple[RunFact, ...]:  # fmt: skip
    """The experiment table: the baseline first, then the newest."""
    shorts = records.unique_prefixes([run.id for run in listed])
    base = next((run for run in listed if run.id == baseline), None)
    base_value = _best(facts_of.get(baseline, {}), metric, goal)[0]
    ordered = sorted(listed, key=lambda run: run.id != baseline)
    progress = runs.progress(series)
    result = []
    for run in ordered:
        value, value_step = _best(facts_of[run.id], metric, goal)
        delta = value - base_value if value is not None and base_value is not None and run is not base else None
        step, at = progress.get(run.id, (None, run.updated_at))
        result.append(
            RunFact(
                id=run.id, short=shorts[run.id], name=run.name, status=run.status, reason=run.reason, step=step,
                planned_steps=run.planned_steps, metric=metric, value=value, value_step=value_step, delta=delta,
                is_baseline=run is base, is_better=_is_better(delta, goal), changed=_changed(base, run),
                commit=run.git.commit, is_dirty=bool(run.git.dirty), started_at=run.started_at,
                hours=max(0.0, (at - run.started_at).total_seconds() / 3600), accuracy=_accuracy(series, run.id),
            )
        )  # fmt: skip
    return tuple(result)


def _best(facts: dict[str, SeriesFact], metric: str, goal: Goal | None) -> tuple[float | None, int | None]:
    return best_value(facts[metric], goal) if metric in facts else (None, None)


def _is_better(delta: float | None, goal: Goal | None) -> bool | None:
    if delta is None or delta == 0 or goal is None:
        return None
    return (delta < 0) == (goal == "min")


def _changed(base: Run | None, run: Run) -> tuple[str, ...]:
    """Parameters that differ from the baseline's. What differs between any two runs (folders, times) says nothing."""
    if base is None or base is run or not base.config or not run.config:
        return ()
    ignored = {
        "out",
        "output",
        "output_dir",
        "out_dir",
        "name",
        "run_name",
        "started_at",
        "time",
        "save_dir",
        "log_dir",
    }
    keys = [key for key in {**base.config, **run.config} if key not in ignored]
    missing = "(none)"
    return tuple(
        f"{key} {base.config.get(key, missing)} -> {run.config.get(key, missing)}"
        for key in keys
        if base.config.get(key, missing) != run.config.get(key, missing)
    )


def _accuracy(series: sqlite3.Connection, run_id: str) -> str:
    summary = points.prediction_summary(series, run_id)
    return f"{summary['correct']} of {summary['examples']} correct at step {summary['step']}" if summary else ""


def _events(
    store: sqlite3.Connection, project: Project, found: list[Event], listed: list[Run]
) -> tuple[EventFact, ...]:
    found = _telling(found)
    by_run = {run.id: run for run in listed}
    taken = {one.event_id: one for one in events.snapshots(store, project.id)}
    shorts = records.unique_prefixes([one.id for one in found])
    result = []
    for one in found:
        run, snapshot = by_run.get(one.run_id or ""), taken.get(one.id)
        path = f"{run.folder}/{snapshot.path}".lstrip("/") if run and snapshot and snapshot.path else ""
        mode = snapshot.mode if snapshot else ""
        result.append(
            EventFact(event=one, short=shorts[one.id], run=run.name if run else "", snapshot=path, snapshot_mode=mode)
        )
    return tuple(result)


def _telling(found: list[Event]) -> list[Event]:
    """The gravest first, then the newest; of the best values of a series only the one that stands."""
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
    return sorted(kept, key=lambda event: grave[event.severity])


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


def handoff_text(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig,
    template: str = "handoff", watching: str = "",
) -> str:  # fmt: skip
    """The project's handoff now, by template name."""
    facts = gather(store, series, project, config, watching)
    return render(f"{template}.md.j2", facts, template_folders(Path(project.root)))
