"""Studies that others made, as they are read whole: every trial with its parameters, attributes and values on the way.

Values are as the objective got them: a choice is the choice, not its number. Secrets among them are taken out here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from neatd.redact import redact_value

INTERMEDIATE = "intermediate"
STATES = {"RUNNING": "running", "COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "WAITING": "queued"}
_LEGACY: dict[str, tuple[str, dict[str, Any]]] = {  # of Optuna before version 3
    "UniformDistribution": ("FloatDistribution", {"log": False, "step": None}),
    "LogUniformDistribution": ("FloatDistribution", {"log": True, "step": None}),
    "DiscreteUniformDistribution": ("FloatDistribution", {"log": False}),
    "IntUniformDistribution": ("IntDistribution", {"log": False}),
    "IntLogUniformDistribution": ("IntDistribution", {"log": True}),
}


class OtherTrial(NamedTuple):
    """A trial of a study that neat did not run."""

    number: int
    status: str  # one of the values of STATES, or cancelled
    params: dict[str, Any]
    attributes: dict[str, Any]
    values: tuple[float | None, ...] = ()  # one for each objective
    curves: Mapping[str, Sequence[tuple[int, float]]] = {}
    started: float | None = None  # unix seconds
    ended: float | None = None
    seconds: float | None = None
    diverged: str = ""  # why, where the file says that it has
    more: Mapping[str, Any] = {}
    distributions: Mapping[str, str] = {}


class OtherStudy(NamedTuple):
    """`directions` are min or max, one for each objective; empty where the file does not say."""

    name: str
    directions: tuple[str, ...]
    trials: tuple[OtherTrial, ...]
    metric: str = "value"
    attributes: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def distribution(name: str, text: str) -> str:
    """A parameter's distribution as Optuna writes it today, the secrets among its choices taken out."""
    try:
        data = json.loads(text)
        kind, attributes = str(data["name"]), dict(data["attributes"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    if kind in _LEGACY:
        kind, more = _LEGACY[kind]
        attributes = {**more, **attributes}
        if "q" in attributes:
            attributes["step"] = attributes.pop("q")
    if "choices" in attributes:
        attributes["choices"] = [redact_value({name: one})[name] for one in attributes["choices"]]
    return json.dumps({"name": kind, "attributes": attributes})


def external(internal: object, text: str) -> Any:
    """The value that the objective got, of the number that Optuna keeps."""
    try:
        data = json.loads(text)
        if "choices" in data["attributes"]:
            return data["attributes"]["choices"][int(internal)]  # type: ignore[call-overload]
        return int(internal) if data["name"].startswith("Int") else float(internal)  # type: ignore[call-overload,arg-type]
    except (ValueError, TypeError, LookupError, OverflowError):
        return internal


def number(value: object) -> float | None:
    """A value as a float, by its text too: NaN, Infinity. None for what is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def report(value: object) -> float:
    """A value on the way; Optuna keeps NaN as null."""
    found = number(value)
    return math.nan if found is None else found


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the secrets that texts hold."""
    found: dict[str, Any] = redact_value(dict(values))
    return found
