"""Studies for their analysis: those of the store, and those that others made, from a file. Reads only.

Invariant: every trial is here with all that is known of it; curves are read trial by trial, when somebody asks.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from neatd.errors import NeatError
from neatd.models import Study, Trial
from neatd.pipeline import trials as trialwork
from neatd.read.otherstudies import studies_of
from neatd.read.othertrials import OtherStudy, OtherTrial
from neatd.redact import redact, redact_value
from neatd.store import events, runs, studies, window
from neatd.studies.curves import Curve
from neatd.studies.grouping import is_number
from neatd.studies.parameters import Parameter
from neatd.studies.spec import StudyFile
from neatd.studies.tried import Searched, Tried

GOALS: tuple[Literal["min", "max"], ...] = ("min", "max")
_DIVERGING = frozenset({"diverging", "non_finite"})  # conditions of rules
_ENDED_BADLY = frozenset({"failed", "cancelled"})


class Loaded(NamedTuple):
    """A study and its curves: of a trial, by the name of the metric ("" is the goal's); [] where there is none."""

    searched: Searched
    curve: Callable[[Tried, str], Curve]
    metrics: Callable[[Tried], Sequence[str]]  # the names of the curves that a trial has besides the goal's


# ---- the store's ----


def of_store(records: sqlite3.Connection, points: sqlite3.Connection, study: Study) -> Loaded:
    """A study that neat ran."""
    spec = StudyFile.model_validate(study.spec)
    space = {name: _distribution(one) for name, one in spec.space.items()}
    found = tuple(_of_trial(records, study, one, space) for one in studies.trials(records, study.id))
    repeats = len(spec.repeats.values) if spec.repeats else 1
    searched = Searched(
        study.name, "neat", spec.goal.metric, spec.goal.goal, found, study.trials * repeats, _budget(spec),
        redact_value(study.spec),
    )  # fmt: skip

    def curve(trial: Tried, metric: str) -> Curve:
        if not trial.run:
            return []
        return [(step, value) for step, value, _ in window.points_of(points, trial.run, metric or spec.goal.metric)]

    return Loaded(searched, curve, lambda trial: ())


def _of_trial(records: sqlite3.Connection, study: Study, one: Trial, space: Mapping[str, str]) -> Tried:
    run_id = one.run_id or ""
    if not run_id and one.job_id is not None:
        run = runs.by_folder(records, study.root, trialwork.run_folder(study.name, one.number))
        run_id = run.id if run else ""
    seconds = (one.ended_at - one.started_at).total_seconds() if one.ended_at and one.started_at else None
    return Tried(
        one.number, one.status, redact_value(one.params), redact_value(one.derived), one.value, one.value_step,
        _why_diverged(records, one, run_id), one.reason, seconds, one.started_at, one.ended_at, one.chosen_by, one.retry_of,
        one.why, run_id, one.job_id or "", {"last_step": one.last_step, "pruned_step": one.pruned_step}, space,
    )  # fmt: skip


def _why_diverged(records: sqlite3.Connection, one: Trial, run_id: str) -> str:
    """Its metric was not finite; or it failed, or was stopped, and a rule had told of diverging."""
    if one.diverged:
        return "the goal's metric was not finite"
    if one.status not in _ENDED_BADLY or not run_id:
        return ""
    told = [event for event in events.events(records, run_id=run_id) if event.details.get("condition") in _DIVERGING]
    return f"rule {told[-1].rule} at step {told[-1].step}" if told else ""


def _budget(spec: StudyFile) -> str:
    """What limits the points besides their ranges."""
    told = []
    if spec.budget:
        told.append(f"a budget ({spec.budget.parameters:,.0f} parameters give or take {spec.budget.tolerance:.0%})")
    if spec.constraints:
        told.append(f"constraints ({'; '.join(spec.constraints)})")
    return " and ".join(told)


def _distribution(one: Parameter) -> str:
    """A parameter's range as Optuna writes it."""
    if one.type == "categorical":
        attributes: dict[str, Any] = {"choices": list(one.choices)}
        return json.dumps({"name": "CategoricalDistribution", "attributes": redact_value(attributes)})
    low, high, step = one.low or 0.0, one.high or 0.0, one.step
    if one.count is not None and one.step:
        high = float(one.value(one.count - 1))
    if one.type == "int":
        attributes = {"log": one.log, "step": int(step or 1), "low": int(low), "high": int(high)}
        return json.dumps({"name": "IntDistribution", "attributes": attributes})
    return json.dumps(
        {"name": "FloatDistribution", "attributes": {"log": one.log, "step": step, "low": low, "high": high}}
    )


# ---- others' ----


def of_file(path: Path, goal: str | None = None, metric: str = "", names: Sequence[str] = ()) -> list[Loaded]:
    """The studies of an Optuna database, its journal, or a JSON file; of several only those of `names`, where there are any.

    `goal` is min or max, for a file that does not say. Raises NeatError for what is none of these.
    """
    found = studies_of(path, metric)
    known = [one.name for one in found]
    if missing := [name for name in names if name not in known]:
        raise NeatError(f"{path} has no study {missing[0]!r}", f"it has {', '.join(known) or 'none'}")
    if not found:
        raise NeatError(f"{path} has no study", "name another file")
    return [_of_other(one, path, goal) for one in found if not names or one.name in names]


def _of_other(study: OtherStudy, path: Path, goal: str | None) -> Loaded:
    notes = list(study.notes)
    told = goal or (study.directions[0] if study.directions else None)
    if told is None:
        notes.append("the file does not say whether less is better: taken so; --goal max says otherwise")
    if len(study.directions) > 1:
        notes.append(f"it has {len(study.directions)} objectives: compared by the first")
    found = tuple(_of_other_trial(one) for one in study.trials)
    budget = study.attributes.get("budget")
    searched = Searched(
        redact(study.name), str(path), study.metric, "max" if told == "max" else "min", found, None,
        redact(budget) if isinstance(budget, str) else "", study.attributes, tuple(notes),
    )  # fmt: skip
    curves = {one.number: one.curves for one in study.trials}

    def curve(trial: Tried, name: str) -> Curve:
        known = curves[trial.number]
        return list(known.get(name or _own(known, study.metric), ()))

    def metrics(trial: Tried) -> Sequence[str]:
        own = _own(curves[trial.number], study.metric)
        return [name for name in curves[trial.number] if name != own]

    return Loaded(searched, curve, metrics)


def _own(curves: Mapping[str, Any], metric: str) -> str:
    """The name of the goal's curve: the metric's own, or the first."""
    return metric if metric in curves else next(iter(curves), "")


def _of_other_trial(one: OtherTrial) -> Tried:
    value = one.values[0] if one.values else None
    more = dict(one.more)
    if len(one.values) > 1:
        more["values"] = list(one.values)
    diverged = redact(one.diverged) or _not_finite(one, value)
    kept = {
        name: more.pop(name) for name in ("chosen_by", "why", "run", "job", "reason") if isinstance(more.get(name), str)
    }
    retry_of, value_step = more.pop("retry_of", None), more.pop("value_step", None)
    seconds = one.seconds
    if seconds is None and one.started is not None and one.ended is not None:
        seconds = one.ended - one.started
    # A number that the file itself says is of a diverged trial measures nothing.
    status = "failed" if one.diverged and one.status == "finished" and not _is_ours(kept) else one.status
    return Tried(
        one.number, status, one.params, one.attributes, value, value_step if isinstance(value_step, int) else None, diverged,
        seconds=seconds, started_at=_moment(one.started), ended_at=_moment(one.ended),
        retry_of=retry_of if isinstance(retry_of, int) else None, more=more, space=one.distributions, **kept,
    )  # fmt: skip


def _is_ours(kept: Mapping[str, str]) -> bool:
    """Whether neat's own export told it, whose status says whether the value counts."""
    return bool(kept.get("chosen_by"))


def _not_finite(one: OtherTrial, value: float | None) -> str:
    """A value that is not finite; or none, after a curve that ended so."""
    if value is not None and not math.isfinite(value):
        return f"its value is {value:g}"
    if value is None and one.status == "failed":
        for name, curve in one.curves.items():
            if curve and not is_number(curve[-1][1]):
                return f"{name} ended at {curve[-1][1]:g}, step {curve[-1][0]}"
    return ""


def _moment(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
