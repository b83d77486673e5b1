"""The fields of a record as an assistant writes them in JSON, made what keeping it takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neatd.errors import NeatError
from neatd.kinds import FIELDS, KINDS
from neatd.pipeline.keeping import FOUND_OUT

_LISTS = ("tags", "evidence", "valid_while")


def fields_of(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, each of its column's type. Raises NeatError naming one that the kind has not, or that is of another type."""
    known = [name for name in (*FIELDS[kind], "evidence", "valid_while", *(["top"] if kind == "task" else []))
             if name not in FOUND_OUT and name != "title"]  # fmt: skip
    found = {}
    for said, value in given.items():
        name = said.replace("-", "_")
        if name not in known:
            raise NeatError(f"a {kind} has no field {said!r}", f"it has {', '.join(known)}")
        found[name] = _value(kind, name, _type(kind, name), value)
    return found


def check_shapes(kind: str, given: Mapping[str, Any]) -> None:
    """Raises NeatError for a list or an object where a field of the kind holds one value. Its name is checked elsewhere."""
    for name, value in given.items():
        type_ = _type(kind, name.replace("-", "_"))
        is_list = isinstance(value, list) and (type_ != "list" or not all(isinstance(one, str) for one in value))
        if is_list or (isinstance(value, dict) and type_ != "json"):
            raise _misshapen(kind, name, type_, value)


def _type(kind: str, name: str) -> str:
    if name in _LISTS:
        return "list"
    return "flag" if name == "top" else next((one.type for one in KINDS[kind].fields if one.name == name), "text")


def _value(kind: str, name: str, type_: str, value: Any) -> Any:
    if value is None:
        return None
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    if type_ == "list" and (plain or (isinstance(value, list) and all(isinstance(one, str) for one in value))):
        return tuple(value) if isinstance(value, list) else (str(value),)
    if type_ == "json" and isinstance(value, dict):
        return tuple(f"{key}={one}" for key, one in value.items())
    if type_ == "flag" and isinstance(value, bool):
        return value
    if type_ == "number" and isinstance(value, int | float) and plain:
        return float(value)
    if type_ == "text" and plain:
        return str(value)
    raise _misshapen(kind, name, type_, value)


def _misshapen(kind: str, name: str, type_: str, value: Any) -> NeatError:
    return NeatError(f"{name} of a {kind} is {_SHAPES[type_]}, not {str(value)[:60]!r}", "write it so, or leave it out")


_SHAPES = {
    "text": "a text", "list": "a list of texts", "json": "an object of names and values", "flag": "true or false",
    "number": "a number",
}  # fmt: skip
