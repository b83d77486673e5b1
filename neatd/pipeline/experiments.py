"""The experiment table: runs compared by one metric, the baseline first. Reads series and progress; writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from neatd.assist.facts import RunFact
from neatd.config import ProjectConfig
from neatd.models import Goal, Run, SeriesFact
from neatd.rules.goals import best_value, goal_of, is_evaluation, judged_metrics
from neatd.store import points, records, runs


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
