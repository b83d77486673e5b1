"""A mistake that pydantic found in a configuration, in plain words: what the field takes, and which name was meant.

Pure. The words come from the field itself, so that a new field needs none; values are shown shortened.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

UNKNOWN = "extra_forbidden"
_BEGUN = 3  # letters of a beginning
_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother = 2, 80, 80
_PLAIN = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong with a field of `model`, with the value that stands there."""
    kind = error["type"]
    if kind == "missing":
        return "is missing"
    if kind == UNKNOWN:
        return "unknown field" + _meant(str(error["loc"][-1]), _fields(model, error["loc"][:-1]))
    shown = f" (value: {_short.repr(error['input'])})"
    if kind == "value_error":
        return f"{error['ctx']['error']}{shown}"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if not error["loc"]:
        return f"must hold fields, `name: value`{shown}"
    wanted = _wanted(*_place(model, error["loc"]))
    return f"must be {wanted}{shown}" if wanted else f"{error['msg'][:1].lower()}{error['msg'][1:]}{shown}"


def known_fields(error: ErrorDetails, model: type[BaseModel]) -> list[str]:
    """The fields that may stand where the mistake does."""
    return _fields(model, error["loc"][:-1])


def _meant(word: str, choices: list[str]) -> str:
    close = nearest(word, choices)
    return f" (did you mean {close}?)" if close else ""


def nearest(word: str, choices: Sequence[str], likeness: float = 0.6) -> str:
    """The choice that was meant, perhaps: one letter off, or the beginning of one alone; "" for none."""
    by_lower = {choice.lower(): choice for choice in reversed(choices)}
    begun = [choice for choice in by_lower if len(word) >= _BEGUN and choice.startswith(word.lower())]
    close = begun if len(begun) == 1 else get_close_matches(word.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[close[0]] if close else ""


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    inner = _place(model, loc)[0] if loc else model
    return list(inner.model_fields) if _is_model(inner) else []


def _place(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[Any, FieldInfo | None]:
    """(type, field) of what stands at `loc`; no field for an item of a list or a mapping. (None, None): not known."""
    kind: Any = model
    field: FieldInfo | None = None
    for part in loc:
        if _is_model(kind) and part in kind.model_fields:
            field = kind.model_fields[part]
            kind = _bare(field.annotation)
        elif get_origin(kind) in (tuple, list):
            kind, field = _bare(get_args(kind)[0]), None
        elif get_origin(kind) is dict:
            kind, field = _bare(get_args(kind)[1]), None
        else:
            return None, None
    return kind, field


def _bare(kind: Any) -> Any:
    """A type without its None."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [one for one in get_args(kind) if one is not type(None)]
        return kinds[0] if len(kinds) == 1 else kind
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _wanted(kind: Any, field: FieldInfo | None) -> str:
    """What a field takes: "a whole number of at least 500", "one of: min, max"; "" where there are no words for it."""
    if get_origin(kind) is Literal:
        return f"one of: {', '.join(map(str, get_args(kind)))}"
    if get_origin(kind) in (tuple, list):
        return "a list"
    if get_origin(kind) is dict:
        return "a mapping, `name: value`"
    if _is_model(kind):
        return f"a mapping with the fields {', '.join(kind.model_fields)}"
    return f"{_PLAIN[kind]}{_bounds(field)}" if kind in _PLAIN else ""


def _bounds(field: FieldInfo | None) -> str:
    limits: dict[str, Any] = {}
    for one in field.metadata if field else ():
        limits |= {
            name: getattr(one, name) for name in ("ge", "gt", "le", "lt") if getattr(one, name, None) is not None
        }
    words = {"ge": "of at least", "gt": "above", "le": "up to", "lt": "below"}
    said = [f"{words[name]} {limit:,}" for name, limit in limits.items()]
    return f" {' and '.join(said)}" if said else ""
