"""The runs of a project, or of all, a page at a time: the shapes that commands print, each with the value people look at
first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from neatd.models import Project, Run
from neatd.pipeline.firstseries import First, PrimaryOf, by_value, first_series
from neatd.pipeline.showing import run_shapes
from neatd.store.events import NO_ANOMALY, gravest
from neatd.store.runpage import matching_ids, run_page, runs_of
from neatd.store.standing import furthest_steps, projects_of


def run_list(
    records: sqlite3.Connection, points: sqlite3.Connection, primary_of: PrimaryOf, project_id: str | None, part: str = "",
    order: str = "-started", most: int = 100, offset: int = 0,
) -> tuple[list[dict[str, Any]], int]:  # fmt: skip
    """(what `neat runs --json` has of each, with `project_id`, `ended_at`, `primary` and the gravest of its events; how many
    there are on all pages)."""
    if order.removeprefix("-") in ("step", "value", "best"):
        found, total = _page_by_points(records, points, primary_of, project_id, part, order, most, offset)
    else:
        found, total = run_page(records, project_id, part, order, most, offset)
    names = {key: name for key, (name, _) in projects_of(records).items()}
    shapes = run_shapes(points, Project(id="", name="", root=""), found)
    first = primary_values(points, ((run.id, run.project_id) for run in found), primary_of)
    grave = gravest(records, [run.id for run in found])
    return [
        {**shape, "project": names.get(run.project_id, ""), "project_id": run.project_id, "ended_at": run.ended_at,
         "primary": first[run.id], **anomalies_of(grave, run.id)}
        for run, shape in zip(found, shapes, strict=True)
    ], total  # fmt: skip


def _page_by_points(
    records: sqlite3.Connection, points: sqlite3.Connection, primary_of: PrimaryOf, project_id: str | None, part: str,
    order: str, most: int, offset: int,
) -> tuple[list[Run], int]:  # fmt: skip
    """A page in an order that the other database knows: of every run that the filter means a few numbers are read."""
    every = matching_ids(records, project_id, part)
    what, is_turned = order.removeprefix("-"), order.startswith("-")
    if what == "step":
        found = {one: First("", step, step, None, None, None) for one, step in furthest_steps(points).items()}
    else:
        found = first_series(points, every, primary_of)
    ids = sorted((run_id for run_id, _ in every), key=by_value(found, what == "best", is_turned))
    return runs_of(records, ids[offset : offset + most]), len(ids)


def primary_values(
    points: sqlite3.Connection, found: Iterable[tuple[str, str]], primary_of: PrimaryOf
) -> dict[str, dict[str, Any] | None]:
    """Run id -> {name, value, step, goal, best, best_step} of its project's primary metric, else of the series people look
    at first; None without any. `found`: (run's id, its project's)."""
    every = list(found)
    first = first_series(points, every, primary_of)
    return {run_id: first[run_id]._asdict() if run_id in first else None for run_id, _ in every}


def anomalies_of(grave: Mapping[str, tuple[int, str]], run_id: str) -> dict[str, Any]:
    """{anomalies, gravest} of a run, of what `gravest` found."""
    count, worst = grave.get(run_id, NO_ANOMALY)
    return {"anomalies": count, "gravest": worst}
