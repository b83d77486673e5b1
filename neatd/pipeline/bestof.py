"""A run's best checkpoint by each metric that judges it: which one, where it is kept, and how it is loaded."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from neatd.assist.loading import how_to_load
from neatd.config import ProjectConfig
from neatd.models import Checkpoint, Goal, Run
from neatd.pipeline.protecting import as_on_disk, values_of, wanted_metrics
from neatd.rules.goals import best_value
from neatd.store import checkpoints, points, vaults


class _Held(NamedTuple):
    """Weights that are on the disk, and what they scored."""

    value: float
    step: int | None
    path: str  # relative to the run's folder
    kept_by: str  # neat, trainer


def best_checkpoints(
    store: sqlite3.Connection, series: sqlite3.Connection, run: Run, config: ProjectConfig
) -> list[dict[str, Any]]:
    """One for each metric that the run's checkpoints are judged by; [] where nothing is kept. `is_best` is false where the
    weights of the best value itself were never saved."""
    catalogue = as_on_disk(run, checkpoints.catalogue(store, run.id))
    kept = vaults.copies(store, run.id)
    facts = {fact.name: fact for fact in points.series_of(series, run.id)}
    values = values_of(series, run, config, catalogue)
    found = []
    for metric, goal in wanted_metrics(list(facts), config).items():
        held = [*_own(catalogue, values[metric][1]), *_copies(run, kept, catalogue, metric)]
        best = min(held, key=lambda one: (one.value if goal == "min" else -one.value, one.kept_by), default=None)
        if best:
            found.append(_shape(run, metric, goal, best, best_value(facts[metric], goal)[0]))
    return found


def _own(catalogue: list[Checkpoint], by_id: Any) -> Iterator[_Held]:
    """The trainer's own saves that are there."""
    for one in catalogue:
        value = by_id.get(one.id, math.nan)
        if one.status == "present" and math.isfinite(value):
            yield _Held(value, one.step, one.path, "trainer")


def _copies(run: Run, kept: list[vaults.Copy], catalogue: list[Checkpoint], metric: str) -> Iterator[_Held]:
    """neat's copies that are there."""
    sources = {one.id: one for one in catalogue}
    for copy in kept:
        source = sources.get(copy.checkpoint_id)
        if source is None or metric not in copy.best:
            continue
        path = f"{copy.path}/{Path(source.path).name}"
        if (Path(run.root) / run.folder / path).exists():
            step = source.step if source.step is not None else copy.ordinal
            yield _Held(copy.best[metric][1], step, path, "neat")


def _shape(run: Run, metric: str, goal: Goal, held: _Held, best: float | None) -> dict[str, Any]:
    place = Path(run.folder) / held.path
    return {
        "metric": metric, "goal": goal, "value": held.value, "step": held.step, "path": place.as_posix(),
        "kept_by": held.kept_by, "is_best": best is None or held.value == best, "best_value": best,
        "load": how_to_load(place.as_posix(), _names(Path(run.root) / place)),
    }  # fmt: skip


def _names(place: Path) -> list[str]:
    try:
        return [one.name for one in place.iterdir()] if place.is_dir() else []
    except OSError:
        return []
