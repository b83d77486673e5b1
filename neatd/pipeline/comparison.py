"""Runs side by side: how each ended, the series they share, the parameters and the code in which they differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from neatd.assist.facts import RunFact
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.models import Goal, Model, Project, Run, SeriesFact
from neatd.now import is_system
from neatd.pipeline.experiments import SAYS_NOTHING, experiment_table
from neatd.rules.commandline import flat
from neatd.rules.goals import best_value, goal_of
from neatd.store import points, runs
from neatd.store.evidence import near_hint


class Side(Model):
    """A run of a comparison. `delta`, `code` and `not_comparable` are against the first one."""

    id: str
    name: str
    status: str
    reason: str
    step: int | None
    planned_steps: int | None
    started_at: datetime
    hours: float | None
    attempt: int
    value: float | None  # the best of the metric that the project compares by
    value_step: int | None
    delta: float | None
    is_comparable: bool | None
    not_comparable: tuple[str, ...]
    commit: str
    is_dirty: bool
    code: str
    data: str
    params: int | None  # of the model
    accuracy: str


class SharedSeries(Model):
    """A series that at least two of the runs have: one value for each run, None where it has none."""

    name: str
    goal: Goal | None
    last: tuple[float | None, ...]
    last_step: tuple[int | None, ...]
    best: tuple[float | None, ...]  # None without a goal too
    best_step: tuple[int | None, ...]


class Comparison(Model):
    """Runs side by side, in the order in which they were named."""

    metric: str
    goal: Goal | None
    runs: tuple[Side, ...]
    series: tuple[SharedSeries, ...]
    parameters: dict[str, tuple[Any, ...]]  # those that differ; None where a run does not name it


def compare_runs(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, words: Sequence[str],
    home: Path, metrics: Sequence[str] = (),
) -> Comparison:  # fmt: skip
    """The runs that `words` name, ids or names. `metrics` are the series to show, else those of the training that at least
    two have. Raises NeatError for fewer than two runs, and for a series that none of them has."""
    named = [runs.find_run(store, word, project.id) for word in words]
    listed = list({run.id: run for run in named}.values())
    if len(listed) < 2:
        raise NeatError("one run is no comparison", "name two runs or more: `neat runs` shows them")
    table = experiment_table(
        store, series, project, config, listed=listed, home=home, with_reported=False, against=listed[0].id
    )
    rows = {row.id: row for row in table.rows}
    facts = [{fact.name: fact for fact in points.series_of(series, run.id)} for run in listed]
    return Comparison(
        metric=table.metric, goal=table.goal, runs=tuple(_side(rows[run.id]) for run in listed),
        series=tuple(_shared(name, facts) for name in _named(metrics, facts) or _shared_names(facts)),
        parameters=_differing(listed),
    )  # fmt: skip


def _side(row: RunFact) -> Side:
    return Side.model_validate({name: getattr(row, name) for name in Side.model_fields})


def _named(metrics: Sequence[str], facts: Sequence[Mapping[str, SeriesFact]]) -> list[str]:
    known = sorted({name for one in facts for name in one}, key=lambda name: (is_system(name), name))
    for metric in metrics:
        if metric not in known:
            raise NeatError(f"none of the runs has {metric!r}", near_hint(metric, known, "they have"))
    return list(dict.fromkeys(metrics))


def _shared_names(facts: Sequence[Mapping[str, SeriesFact]]) -> list[str]:
    counted = [name for one in facts for name in one if not is_system(name)]
    return sorted(name for name in set(counted) if counted.count(name) > 1)


def _shared(name: str, facts: Sequence[Mapping[str, SeriesFact]]) -> SharedSeries:
    goal = goal_of(name)
    found = [one.get(name) for one in facts]
    best = [best_value(fact, goal) if fact else (None, None) for fact in found]
    return SharedSeries(
        name=name, goal=goal,
        last=tuple(_last(fact) if fact else None for fact in found),
        last_step=tuple(fact.last_step if fact else None for fact in found),
        best=tuple(value for value, _ in best), best_step=tuple(step for _, step in best),
    )  # fmt: skip


def _last(fact: SeriesFact) -> float:
    return float("nan") if fact.last is None else fact.last


def _differing(listed: Sequence[Run]) -> dict[str, tuple[Any, ...]]:
    """Parameter -> its value in each run, of those that are not the same in all."""
    configs = [flat(run.config) for run in listed]
    names = dict.fromkeys(name for config in configs for name in config if name not in SAYS_NOTHING)
    values = {name: tuple(config.get(name) for config in configs) for name in names}
    return {name: several for name, several in values.items() if any(one != several[0] for one in several)}
