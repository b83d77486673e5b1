"""Rows become models here, and nowhere else. JSON columns are decoded, booleans and times left to pydantic."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from neatd.kinds import JSON_FIELDS
from neatd.models import Checkpoint, Deletion, Job, Model, Study, Trial

T = TypeVar("T", bound=Model)
_JSON = JSON_FIELDS | {"facts", "config", "git", "process", "details", "payload", "result"}
_JSON_OF: dict[type[Model], frozenset[str]] = {
    Job: frozenset({"command", "after", "devices", "params"}),  # of words; a test's is a line
    Study: frozenset({"spec"}),
    Trial: frozenset({"params", "derived"}),
    **dict.fromkeys((Checkpoint, Deletion), frozenset({"parts"})),
}


def to_model(model: type[T], row: sqlite3.Row | Mapping[str, Any], is_strict: bool = False) -> T:
    """One row as `model`. Columns the model does not have (such as rowno) are left out, or refused by `is_strict`."""
    values: dict[str, Any] = {}
    encoded = _JSON | _JSON_OF.get(model, frozenset())
    for key in row.keys():  # noqa: SIM118 - iterating a Row gives values
        if is_strict or key in model.model_fields:
            value = row[key]
            values[key] = json.loads(value) if key in encoded and isinstance(value, str) else value
    return model.model_validate(values)


def to_models(model: type[T], rows: Iterable[sqlite3.Row]) -> list[T]:
    """Rows of one query as models, in order. What each column needs is worked out once: there may be thousands of rows."""
    encoded = _JSON | _JSON_OF.get(model, frozenset())
    columns: list[tuple[int, str, bool]] = []
    made = []
    for row in rows:
        if not columns:
            named = enumerate(row.keys())
            columns = [(place, name, name in encoded) for place, name in named if name in model.model_fields]
        values = {}
        for place, name, is_json in columns:
            value = row[place]
            if is_json and isinstance(value, str):
                value = [] if value == "[]" else json.loads(value)
            values[name] = value
        made.append(model.model_validate(values))
    return made


def dump(value: object) -> str:
    """A value as a JSON column holds it. Non-finite floats become strings, since JSON has none."""
    return json.dumps(finite_json(value), ensure_ascii=False)


def finite_json(value: Any) -> Any:
    """`value` with NaN and infinities as the strings NaN, Infinity, -Infinity, and tuples as lists."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else float_text(value)
    if isinstance(value, dict):
        return {str(k): finite_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(v) for v in value]
    return value


def float_text(value: float) -> str:
    """A float as text that reads back exactly; non-finite ones by their JSON-like names."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)
