"""What the parsers hand on: a record found in a file, and the file as a whole. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from neatd.assist.notes.plain import cut, says_more
from neatd.kinds import FIELDS, KINDS, LISTS

_TYPES = {(kind, one.name): one.type for kind, value in KINDS.items() for one in value.fields}
TITLE_MAX = 500  # a command's line is its title; everything else is cut at 120 before
LIST_MAX = 500


class Parsed(NamedTuple):
    """One record found: its kind and fields, the lines it accounts for, the headings above it, its identity in the file.

    `cites` are the lines it is written on; they are its `lines` but for a cell of a table, whose line counts once, for
    the first record of the row. `parent` is the key of the record that this one is a part of (a sub-task). `said_at` is
    when it was written, an ISO date or time; "" when the text does not tell.
    """

    kind: str
    fields: dict[str, object]
    lines: tuple[int, ...]
    section: str
    key: str
    cites: tuple[int, ...] = ()
    parent: str = ""
    said_at: str = ""


class Notes(NamedTuple):
    """A file: its records in order, its lines that are in none, and how many lines are not blank."""

    records: tuple[Parsed, ...]
    unplaced: tuple[tuple[int, str], ...]
    lines: int


@dataclass(eq=False)
class Draft:
    """A record in the making; the walk may still add lines to it."""

    kind: str
    fields: dict[str, object]
    lines: list[int] = field(default_factory=list)
    section: str = ""
    cites: tuple[int, ...] = ()
    parent: Draft | None = None
    said_at: str = ""


def draft(kind: str, title: str, body: str, lines: Iterable[int], **fields: object) -> Draft:
    """A record of this kind with the fields the kind has, each in its type; empty ones are left out, and the body where
    it says no more than the title."""
    made: dict[str, object] = {"title": cut(" ".join(title.split()), TITLE_MAX) or cut(" ".join(body.split())) or "—"}
    body = body.strip("\n")
    if body.strip() and says_more(body, title):
        made["body"] = body
    for name, value in fields.items():
        if name in FIELDS[kind] and (typed := _typed(kind, name, value)) is not None:
            made[name] = typed
    return Draft(kind, made, list(lines))


def _typed(kind: str, name: str, value: object) -> object:
    """`value` in the field's type; None when nothing is left of it."""
    if name in LISTS:
        values = (value,) if isinstance(value, str) else tuple(value or ())  # type: ignore[arg-type]
        return tuple(dict.fromkeys(str(one).strip() for one in values if str(one).strip()))[:LIST_MAX] or None
    wanted = _TYPES.get((kind, name), "text")
    if wanted == "json":
        return value if isinstance(value, dict) and value else None
    if wanted == "number":
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if wanted == "flag":
        return True if value is True else None
    return (str(value).strip() or None) if value is not None else None
