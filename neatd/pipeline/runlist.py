"""The runs of a project, or of all, a page at a time: the shapes that commands print, each with the value people look at
first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from neatd.models import Project
from neatd.pipeline.lastvalues import Last, values_of
from neatd.pipeline.showing import run_shapes
from neatd.store.runpage import run_page
from neatd.store.standing import last_values, projects_of

MetricOf = Callable[[str], str]  # a project's id -> its primary metric, "" where none is named


def run_list(
    records: sqlite3.Connection, points: sqlite3.Connection, metric_of: MetricOf, project_id: str | None, part: str = "",
    order: str = "-started", most: int = 100, offset: int = 0,
) -> tuple[list[dict[str, Any]], int]:  # fmt: skip
    """(what `neat runs --json` has of each, with `project_id`, `ended_at` and `primary`; how many there are on all pages)."""
    found, total = run_page(records, project_id, part, order, most, offset)
    names = {key: name for key, (name, _) in projects_of(records).items()}
    shapes = run_shapes(points, Project(id="", name="", root=""), found)
    first = primary_values(points, ((run.id, run.project_id) for run in found), metric_of)
    return [
        {**shape, "project": names.get(run.project_id, ""), "project_id": run.project_id, "ended_at": run.ended_at,
         "primary": first[run.id]}
        for run, shape in zip(found, shapes, strict=True)
    ], total  # fmt: skip


def primary_values(
    points: sqlite3.Connection, found: Iterable[tuple[str, str]], metric_of: MetricOf
) -> dict[str, dict[str, Any] | None]:
    """Run id -> {name, value, step} of its project's primary metric, else of the series people look at first; None without
    any. `found`: (run's id, its project's)."""
    projects = dict(found)
    metrics = {one: metric_of(one) for one in set(projects.values())}
    last = last_values(points, projects)
    return {run_id: _first(last.get(run_id, {}), metrics[of]) for run_id, of in projects.items()}


def _first(last: Last, metric: str) -> dict[str, Any] | None:
    told = {metric: last[metric]} if metric in last else last
    return next(iter(values_of(told, 1)), None)
