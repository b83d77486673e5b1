"""Studies in a JSON file that somebody's own program wrote: a list of trials, or objects that hold one. Pure.

Every trial is kept, one without an architecture too, and every field of it: what was chosen as parameters, the rest as
attributes, or as `more` where it tells of the result. Known shapes: flat trials (`{"value": 0.31, "d_model": 768}`), those
with `params`, Optuna's own (`trials -f json`, a dataframe's records), and neat's own export.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from neatd.errors import NeatError
from neatd.read.metrics import as_step
from neatd.read.othertrials import INTERMEDIATE, STATES, OtherStudy, OtherTrial, clean, distribution, number, report
from neatd.read.trials import unix_seconds

NUMBER = ("number", "trial", "trial_number", "trial_id", "id", "index")
VALUE = ("value", "values", "values_0", "objective", "objective_value", "best_val_loss", "val_loss", "loss", "score")
STATE = ("state", "status")
PARAMS = ("params", "parameters", "hyperparameters", "hparams", "config", "architecture", "arch")
ATTRIBUTES = ("derived", "user_attrs", "attributes")
CURVES = ("curves", "intermediate_values", "learning_curve", "learning_curves", "curve", "history")
BEGAN, ENDED = ("started_at", "datetime_start", "start_time"), ("ended_at", "datetime_complete", "end_time")
LASTED = ("seconds", "duration", "duration_s", "duration_seconds")
DIVERGED = ("diverged", "is_diverged")
NAME = ("name", "study_name", "study", "experiment")
OWN = frozenset(
    {*NUMBER, *VALUE, *STATE, *PARAMS, *ATTRIBUTES, *CURVES, *BEGAN, *ENDED, *LASTED, *DIVERGED, "kind", "more"}
)
_RESULT = re.compile(
    r"^(best|val|system_attrs)_"
    r"|(^|_)(loss|acc|accuracy|auc|f1|score|time|seconds|path|date|reason|why|error|run|job|chosen_by|retry_of|value_step)$"
)
_STATES = {
    **{name.lower(): status for name, status in STATES.items()}, **{one: one for one in STATES.values()},
    **dict.fromkeys(("completed", "done", "ok", "success", "succeeded"), "finished"),
    **dict.fromkeys(("error", "crashed", "lost", "diverged"), "failed"),
    "cancelled": "cancelled", "planned": "queued", "0": "running", "1": "finished", "2": "pruned", "3": "failed", "4": "queued",
}  # fmt: skip
_DURATION = re.compile(r"(?:(\d+) days?,? )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
HINT = "neat reads a list of trials, or an object with `trials`; each trial an object with a value and its parameters"


def studies_in(data: object, name: str, metric: str = "") -> list[OtherStudy]:
    """The studies of a decoded JSON document. `name` is for one that has none; `metric` the field that is the value.

    Raises NeatError when there is none.
    """
    if isinstance(data, Mapping) and isinstance(data.get("studies"), Sequence):
        return [_study(one, name, metric) for one in data["studies"]]
    return [_study(data, name, metric)]


def _study(data: object, name: str, metric: str) -> OtherStudy:
    head: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    rows = head.get("trials") if head else data
    if isinstance(rows, Mapping):  # by number
        rows = [{"number": key, **row} for key, row in rows.items() if isinstance(row, Mapping)]
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise NeatError("no list of trials is in it", HINT)
    key = metric or _value_key(rows)
    has_params = any(isinstance(row.get(one), Mapping) for row in rows for one in PARAMS)
    space = _space(head)
    trials = [_trial(row, key, has_params, place) for place, row in enumerate(rows)]
    trials = [one._replace(distributions={name: space[name] for name in one.params if name in space}) for one in trials]
    attributes = {one: value for one, value in head.items() if one != "trials"}
    told = _first(head, NAME)
    shown = str(head.get("metric") or ("value" if key in ("values", "values_0") else key))
    directions, notes = _directions(head, trials)
    return OtherStudy(str(told or name), directions, _numbered(trials), shown, clean(attributes), notes)


def _space(head: Mapping[str, Any]) -> dict[str, str]:
    """The ranges of the parameters, where the file tells them as Optuna does."""
    told = head.get("space")
    found = (
        {name: distribution(str(name), json.dumps(one)) for name, one in told.items()}
        if isinstance(told, Mapping)
        else {}
    )
    return {str(name): text for name, text in found.items() if text}


def _value_key(rows: Sequence[Mapping[str, Any]]) -> str:
    found = next((one for one in VALUE if any(one in row for row in rows)), None)
    if found is None and rows:
        known = sorted({name for row in rows[:100] for name in row})
        raise NeatError("no trial has a value", f"--metric NAME says which field it is: {', '.join(known[:20])}")
    return found or "value"


def _trial(row: Mapping[str, Any], key: str, has_params: bool, place: int) -> OtherTrial:
    params, attributes, more = _parts(row, key, has_params)
    raw = row.get(key)
    values = tuple(number(one) for one in (raw if isinstance(raw, list) else [raw]))
    status = _status(row, values)
    flagged, said = _first(row, DIVERGED), str(_first(row, STATE) or "").lower() == "diverged"
    diverged = "the file says so" if flagged is True or str(flagged).lower() == "true" or said else ""
    diverged = flagged if isinstance(flagged, str) and flagged.lower() not in ("true", "false", "") else diverged
    seconds = _first(row, LASTED)
    return OtherTrial(
        _number(row, place), status, clean(params), clean(attributes), values, _curves(row, key), _time(row, BEGAN),
        _time(row, ENDED), number(seconds) if not isinstance(seconds, str) else _lasted(seconds), diverged, clean(more),
    )  # fmt: skip


def _parts(row: Mapping[str, Any], key: str, has_params: bool) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(parameters, attributes, whatever else) of a trial."""
    params: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    more: dict[str, Any] = dict(row["more"]) if isinstance(row.get("more"), Mapping) else {}
    for name, value in row.items():
        if name in PARAMS and isinstance(value, Mapping):
            params |= value
        elif name in ATTRIBUTES and isinstance(value, Mapping):
            attributes |= value
        elif name.startswith("params_"):
            params[name.removeprefix("params_")] = value
        elif name.startswith("user_attrs_"):
            attributes[name.removeprefix("user_attrs_")] = value
        elif name == key or (name in OWN and name not in PARAMS):
            continue
        elif isinstance(value, Mapping | list) or _RESULT.search(name):
            more[name] = value
        else:
            (attributes if has_params else params)[name] = value
    if any(name.startswith("params_") for name in row):  # a dataframe has a column for what only others have
        params = {name: value for name, value in params.items() if value is not None and value == value}
    return params, attributes, more


def _status(row: Mapping[str, Any], values: Sequence[float | None]) -> str:
    told = _first(row, STATE)
    if told is not None:
        found = _STATES.get(str(told).rpartition(".")[2].lower())
        if found is not None:
            return found
    return "finished" if values and values[0] is not None else "failed"


def _numbered(trials: Sequence[OtherTrial]) -> tuple[OtherTrial, ...]:
    """As they are numbered; by place where numbers are missing or not one each."""
    numbers = [one.number for one in trials]
    if len(set(numbers)) == len(numbers):
        return tuple(trials)
    return tuple(one._replace(number=place) for place, one in enumerate(trials))


def _number(row: Mapping[str, Any], place: int) -> int:
    for key in NUMBER:
        raw = row.get(key)
        step = as_step(int(raw) if isinstance(raw, str) and raw.isdecimal() and len(raw) < 16 else raw)
        if step is not None:
            return step
    return place


def _directions(head: Mapping[str, Any], trials: Sequence[OtherTrial]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the file says, or what its best value tells; () where neither does."""
    told = _first(head, ("directions", "direction", "goal", "mode"))
    words = [str(one).rpartition(".")[2].lower() for one in (told if isinstance(told, list) else [told])]
    if all(one[:3] in ("min", "max") for one in words):
        return tuple(one[:3] for one in words), ()
    best = number(_first(head, ("best_value", "best_loss", "best_score")))
    values = [one.values[0] for one in trials if one.values and one.values[0] is not None]
    finite = [one for one in values if one is not None and math.isfinite(one)]
    if best is not None and finite and min(finite) < max(finite) and best in (min(finite), max(finite)):
        goal = "min" if best == min(finite) else "max"
        return (goal,), (f"its best value is its {'least' if goal == 'min' else 'largest'}: goal {goal}",)
    return (), ()


def _curves(row: Mapping[str, Any], key: str) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for name in CURVES:
        raw = row.get(name)
        if isinstance(raw, Mapping) and any(isinstance(one, list) for one in raw.values()):
            found |= {str(series): list(_points(one)) for series, one in raw.items() if isinstance(one, list)}
        elif isinstance(raw, list | Mapping):
            points = sorted(_points(raw), key=lambda one: one[0])
            if points:
                found[INTERMEDIATE if name == "intermediate_values" else key] = points
    return found


def _points(raw: Sequence[Any] | Mapping[Any, Any]) -> Iterator[tuple[int, float]]:
    """Values by step, pairs of step and value, or values alone, which are at steps 0, 1, 2 …"""
    pairs = raw.items() if isinstance(raw, Mapping) else enumerate(raw)
    for place, one in pairs:
        if isinstance(one, list) and len(one) == 2:
            place, one = one
        step = as_step(int(place) if isinstance(place, str) and place.isdecimal() and len(place) < 16 else place)
        if step is not None and not isinstance(one, list | Mapping):
            yield step, report(one)


def _time(row: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    """Unix seconds: of a text with a date, of seconds, or of milliseconds as pandas writes them."""
    raw = _first(row, keys)
    if isinstance(raw, str):
        return unix_seconds(raw, is_utc=True)
    found = number(raw)
    return found / 1000 if found is not None and found > 1e11 else found


def _lasted(text: str) -> float | None:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return number(text)
    return int(match[1] or 0) * 86400.0 + int(match[2]) * 3600 + int(match[3]) * 60 + float(match[4])


def _first(row: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)
