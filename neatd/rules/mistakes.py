"""A mistake that pydantic found in a rule, in words: which field, which value, what is wrong, what was meant.

Pure. Values are shown shortened: a rule file may come from anywhere.
"""

from __future__ import annotations

import reprlib
from typing import Any, get_args

from pydantic_core import ErrorDetails

from neatd.models import Model
from neatd.rules.conditions import When
from neatd.rules.schema import Budget, Guard, Rule
from neatd.wording import nearest
from neatd.yamlplaces import Place

_FIELDS = {
    name: list(one.model_fields)
    for one in get_args(When)
    for name in get_args(one.model_fields["condition"].annotation)
}
_PARTS: dict[str, type[Model]] = {"guard": Guard, "budget": Budget}
_LIKE_ENOUGH = 0.8  # to a key of another part of the rule, of which there are many
_NOT_A = {
    "float_type": "not a number",
    "int_type": "not a whole number",
    "bool_type": "not true or false",
    "string_type": "not text",
    "tuple_type": "not a list",
    "model_type": "not a mapping of keys to values",
    "model_attributes_type": "not a mapping of keys to values",
    "finite_number": "not a finite number",
}

_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother = 2, 60, 60


def explain(error: ErrorDetails) -> tuple[Place, str]:
    """(place in the document, what is wrong there). The place of the whole document is ()."""
    place = _place(error["loc"])
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "union_tag_not_found":
        return (*place, "condition"), "is missing" + _misspelt(value, "condition")
    if kind == "union_tag_invalid":
        return (*place, "condition"), _no_choice(context["tag"], list(_FIELDS))
    if kind == "missing":
        return place, "is missing" + (_misspelt(value, str(place[-1])) if place else "")
    if kind in ("extra_forbidden", "invalid_key"):
        return (*place[:-1], str(place[-1])), "is no known key" + _meant(str(place[-1]), error["loc"])
    if kind == "literal_error":
        return place, _no_choice(
            value, [part.strip("' ") for part in context["expected"].replace(" or ", ",").split(",")]
        )
    if kind == "value_error":
        return place, str(context["error"])
    return place, f"{_short.repr(value)} {_is_wrong(error)}"


def _is_wrong(error: ErrorDetails) -> str:
    if error["type"] in _NOT_A:
        return f"is {_NOT_A[error['type']]}"
    if error["type"] == "string_pattern_mismatch":
        return "may hold only a to z, 0 to 9 and -"
    subject, _, rest = error["msg"].partition(" should ")
    return f"should {rest}" if rest else f"is wrong: {subject}"


def _place(loc: Place) -> Place:
    """`loc` without the name of the condition, which pydantic puts after `when` though no such key is in the file."""
    return loc[:1] + loc[2:] if loc[:1] == ("when",) and len(loc) > 1 else loc


def _siblings(loc: Place) -> list[str]:
    if len(loc) > 2 and loc[0] == "when":
        return _FIELDS[loc[1]]
    return list(_PARTS.get(str(loc[0]), Rule).model_fields) if len(loc) > 1 else list(Rule.model_fields)


def _misspelt(value: Any, name: str) -> str:
    """What stands there in the place of the missing `name`."""
    keys = [key for key in value if isinstance(key, str)] if isinstance(value, dict) else []
    found = next((key for key in keys if nearest(key, [name])), "")
    return f"; is {_short.repr(found)} meant for it?" if found else ""


def _meant(word: str, loc: Place) -> str:
    """The key that was meant: one of those that may stand there, else one of another part of the rule."""
    siblings = _siblings(loc)
    if close := nearest(word, siblings):
        return f"; did you mean {close!r}?"
    elsewhere = {**{f"{part}.{name}": name for part, model in _PARTS.items() for name in model.model_fields},
                 **{f"when.{name}": name for names in _FIELDS.values() for name in names},
                 **{name: name for name in Rule.model_fields}}  # fmt: skip
    close = nearest(word, list(elsewhere.values()), _LIKE_ENOUGH)
    place = next((place for place, name in elsewhere.items() if name == close), "")
    return f"; did you mean {place!r}?" if place else f"; known here: {', '.join(siblings)}"


def _no_choice(value: Any, choices: list[str]) -> str:
    return f"{_short.repr(value)} is not one of {', '.join(choices)}" + _suggest(str(value)[:80], choices)


def _suggest(word: str, choices: list[str]) -> str:
    close = nearest(word, choices)
    return f"; did you mean {close!r}?" if close else f"; known here: {', '.join(choices)}"
