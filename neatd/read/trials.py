"""Trials of an Optuna study as rows and facts, whichever storage they were in. Pure.

A study is a run and a finished trial a row; its step is the trial's number, which goes back when trials run side by
side. Series of a row: `value` (`value/0`, `value/1` with several objectives), `params/<name>`, `state` (Optuna's
number: 1 complete, 2 pruned, 3 failed), `duration_s`, and `best`, the best complete value so far (one objective).
What a trial reports on its way is a row too: `intermediate`, and `intermediate/step` says at which of the trial's
steps. Two series however many trials there are, and nothing left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from neatd.read.metrics import as_number, as_step
from neatd.read.rows import Parsed, Told
from neatd.redact import redact_value

FINISHED = {"COMPLETE": 1, "PRUNED": 2, "FAIL": 3}
MOST_NAMES = 1000  # parameters of a study that its facts describe
Params = dict[str, tuple[float, str]]  # name -> (Optuna's internal number, its distribution as JSON)


class Trial(NamedTuple):
    """A finished trial."""

    number: int
    state: str  # one of FINISHED
    started: float | None  # unix seconds
    ended: float | None
    values: Sequence[float | None]  # one for each objective, or none
    params: Params


def new_study(name: str, directions: Sequence[str]) -> dict[str, Any]:
    """What is kept of a study between feeds, in JSON's types; `directions` are MINIMIZE or MAXIMIZE."""
    counts = dict.fromkeys(FINISHED, 0)
    return {"name": name, "directions": list(directions), "counts": counts, "best": None, "started": None, "space": {}}


def trial_row(study: dict[str, Any], trial: Trial, seq: int, prefix: str = "") -> Parsed:
    """The trial's row. `study` is brought forward in place."""
    study["counts"][trial.state] += 1
    for name, (_, distribution) in trial.params.items():
        if name in study["space"] or len(study["space"]) < MOST_NAMES:
            study["space"][name] = distribution
    begin_study(study, trial.started)
    values = _values(study, trial)
    return Parsed(seq, _step(trial.number, seq), trial.ended, {prefix + name: one for name, one in values.items()})


def _values(study: dict[str, Any], trial: Trial) -> dict[str, float]:
    numbers = [as_number(value) for value in trial.values]
    is_single = len(study["directions"]) < 2
    found = {"value" if is_single else f"value/{place}": one for place, one in enumerate(numbers) if one is not None}
    if is_single and trial.state == "COMPLETE" and "value" in found:
        found["best"] = _best(study, trial, found["value"])
    for name, (internal, distribution) in trial.params.items():
        if (number := _shown(internal, distribution)) is not None:
            found[f"params/{name}"] = number
    found["state"] = float(FINISHED[trial.state])
    if trial.started is not None and trial.ended is not None:
        found["duration_s"] = trial.ended - trial.started
    return found


def _best(study: dict[str, Any], trial: Trial, value: float) -> float:
    """The best value with this trial's; of equal ones the first stays."""
    best = study["best"]
    sign = -1 if study["directions"] == ["MAXIMIZE"] else 1
    if best is None or sign * value < sign * best["value"]:
        params = {name: _external(*pair) for name, pair in trial.params.items()}
        study["best"] = best = {"value": value, "trial": trial.number, "params": params}
    return float(best["value"])


def report_row(number: int, step: object, value: object, seq: int, prefix: str = "") -> Parsed:
    """What a trial reported at one of its own steps; Optuna keeps NaN as null."""
    shown = as_number(value)
    values = {"intermediate": math.nan if shown is None else shown, "intermediate/step": as_number(step)}
    found = {prefix + name: one for name, one in values.items() if one is not None}
    return Parsed(seq, _step(number, seq), None, found)


def _step(number: object, seq: int) -> int:
    step = as_step(number)
    return seq if step is None else step


def begin_study(study: dict[str, Any], at: float | None) -> None:
    """The earliest start of its trials is the study's."""
    if at is not None:
        study["started"] = at if study["started"] is None else min(at, study["started"])


def study_told(study: dict[str, Any], running: int, waiting: int) -> Told:
    """A study has no end of its own and does not say how many trials it will have: neither is told."""
    told = Told(name=study["name"], config=study_config(study, running, waiting))
    if study["started"] is not None:
        told["started_at"] = study["started"]
    return told


def study_config(study: dict[str, Any], running: int, waiting: int) -> dict[str, Any]:
    """The study's own facts: counts of trials, the search space, the best trial. Not a trial's parameters."""
    counts = study["counts"]
    config: dict[str, Any] = {
        "study": study["name"],
        "directions": [one.lower() for one in study["directions"]],
        "trials": {
            "complete": counts["COMPLETE"], "pruned": counts["PRUNED"], "failed": counts["FAIL"],
            "running": running, "waiting": waiting,
        },
        "search_space": {name: dict(_distribution(text)) for name, text in study["space"].items()},
    }  # fmt: skip
    if best := study["best"]:
        config |= {"best_trial": best["trial"], "best_params": best["params"]}
        config |= {"best_value": best["value"]} if math.isfinite(best["value"]) else {}  # JSON knows no infinity
    return config


@lru_cache(maxsize=4096)
def _distribution(text: str) -> dict[str, Any]:
    """Its name and attributes; {} for what is none. Never changed by whoever gets it."""
    try:
        data = json.loads(text)
        kind = str(data["name"]).removesuffix("Distribution").lower()
        return {**data["attributes"], "distribution": kind}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def hidden_choices(name: str, distribution: str, clean: Callable[[Any], Any]) -> str:
    """A parameter's distribution without the secrets among its choices; each stays where it is, as the value is its place."""
    if not isinstance(distribution, str) or "choices" not in distribution:
        return distribution
    try:
        data = json.loads(distribution)
        choices = data["attributes"]["choices"]
        cleaned = [clean({name: one}) if isinstance(one, str) else {name: one} for one in choices]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "{}"
    shown = [next(iter(one.values())) for one in cleaned]
    if shown == choices:
        return distribution
    data["attributes"]["choices"] = shown
    return json.dumps(data)


@lru_cache(maxsize=4096)
def shown_distribution(name: str, distribution: str) -> str:
    """It without the known secrets."""
    return hidden_choices(name, distribution, redact_value)


def _external(internal: float, distribution: str) -> Any:
    """The value the objective got."""
    known = _distribution(distribution)
    try:
        if "choices" in known:
            return known["choices"][int(internal)]
        return int(internal) if known.get("distribution", "").startswith("int") else internal
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _shown(internal: float, distribution: str) -> float | None:
    """A number of every value: numbers as they are, true and false as 1 and 0, of other choices which one it is (from
    0; `search_space` names them)."""
    choices = _distribution(distribution).get("choices", ())
    value = _external(internal, distribution)
    if all(isinstance(one, bool) for one in choices) and isinstance(value, bool):
        return float(value)
    if all(as_number(one) is not None and not isinstance(one, str) for one in choices):
        return as_number(value)
    return as_number(internal)


def unix_seconds(text: object, is_utc: bool) -> float | None:
    """A time of Optuna's; one that names no zone is UTC's or local."""
    try:
        at = datetime.fromisoformat(str(text))
        return (at.replace(tzinfo=UTC) if is_utc and at.tzinfo is None else at).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
