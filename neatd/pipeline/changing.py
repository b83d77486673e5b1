"""Records changed: fields, ends, links. A change is FIELD=VALUE as somebody types it; the old values stay in the history."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.kinds import FIELDS, KINDS
from neatd.knowledge import RECORD_KINDS, Record
from neatd.pipeline.keeping import checked, parameter
from neatd.pipeline.vouched import conditions, evidence
from neatd.place import Place
from neatd.rules.hypothesis import parse_prediction
from neatd.store import links, records
from neatd.store.links import Link
from neatd.store.short import resolve_in

_TRUE, _FALSE = ("yes", "true", "1", "on"), ("no", "false", "0", "off", "")
_VOUCHED = ("evidence", "valid_while")


class Edited(NamedTuple):
    """A record after its change, and the names of the fields that are others now."""

    kind: str
    record: Record
    changed: tuple[str, ...]


def record_of(store: sqlite3.Connection, word: str) -> tuple[str, str]:
    """(kind, id) of a record that people change; raises NeatError for a run, an event, a job …"""
    kind, full = records.resolve(store, word)
    if kind not in RECORD_KINDS:
        raise NeatError(f"a {kind} is not changed by hand", "records that `neat list` shows are")
    return kind, full


def edit(
    store: sqlite3.Connection, home: Path, place: Place, kind: str, full: str, changes: Sequence[str], who: str
) -> Edited:
    """Change fields of a record, each change FIELD=VALUE; what is a list may be given again."""
    fields = _fields(home, place, kind, changes)
    for name in ("parent", "after"):
        if kind == "task" and fields.get(name):
            fields[name] = resolve_in(store, "task", fields[name])
    if kind == "hypothesis" and {"predict", "run", "study", "experiment"} & set(fields):  # judged anew
        fields = {"verdict": "", "verdict_reason": "", "evidence": [], "status": "open"} | fields
    if kind == "decision" and fields.get("supersedes"):
        fields["supersedes"] = resolve_in(store, "decision", fields["supersedes"])
        no_circle(store, full, fields["supersedes"])
    before = records.get(store, kind, full)
    records.change(store, kind, full, fields, who)
    if kind == "decision" and fields.get("supersedes"):  # as when it is said at the beginning
        records.change(store, kind, fields["supersedes"], {"status": "superseded"}, who)
    after = records.get(store, kind, full)
    return Edited(kind, after, tuple(name for name in fields if getattr(before, name) != getattr(after, name)))


def _fields(home: Path, place: Place, kind: str, changes: Sequence[str]) -> dict[str, Any]:
    """The fields that change, as their columns take them; what is given again is one list."""
    fields: dict[str, Any] = {}
    for name, value in (_field(home, place, kind, change) for change in changes):
        several = fields.get(name)
        if isinstance(several, list):
            value = [*several, *value]
        fields[name] = several | value if isinstance(several, dict) else value
    return fields


def as_changes(name: str, value: Any) -> list[str]:
    """A value of JSON as FIELD=VALUE, once for each of a list; an empty list empties the field."""
    if isinstance(value, dict):
        return [f"{name}={key}={one}" for key, one in value.items()] or [f"{name}="]
    if isinstance(value, list):
        each = [",".join(map(str, value))] if name == "tags" else value
        return [f"{name}={one}" for one in each] or [f"{name}="]
    return [f"{name}={'' if value is None else value}"]


def _field(home: Path, place: Place, kind: str, change: str) -> tuple[str, Any]:
    """(field, value as its column takes it) of FIELD=VALUE; raises NeatError for what the kind has not."""
    name, equals, value = change.partition("=")
    name = name.replace("-", "_")
    if not equals or name not in (*FIELDS[kind], *_VOUCHED):
        raise NeatError(
            f"not a field of a {kind}: {change!r}",
            f"write FIELD=VALUE with one of {', '.join((*FIELDS[kind], *_VOUCHED))}",
        )
    if name == "tags":
        return name, [one.strip() for one in value.split(",") if one.strip()]
    if name in _VOUCHED:
        return name, (evidence if name == "evidence" else conditions)(home, place, [value] if value else [])
    if name == "predict" and value:
        parse_prediction(value)
    if name in ("status", "title") and not value.strip():
        raise NeatError(
            f"a {kind} without a {name}", f"a {name} may be changed, not emptied; `neat close` ends a record"
        )
    return name, _typed(kind, name, checked(kind, name, value))


def _typed(kind: str, name: str, value: str) -> Any:
    type_ = next((field.type for field in KINDS[kind].fields if field.name == name), "text")
    if type_ == "list":
        return [value] if value else []
    if type_ == "json":
        return dict([parameter(value)]) if value else {}
    if type_ == "flag" and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    if type_ in ("flag", "number"):
        return _number(name, value)
    return value


def _number(name: str, value: str) -> float | None:
    if not value and name != "position":
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise NeatError(f"not a number: '{name}={value}'", f"write {name}=1.5, or yes and no where it is a choice")
    return int(number) if number.is_integer() and name != "position" else number


def relate(store: sqlite3.Connection, a: tuple[str, str], relation: str, b: tuple[str, str], who: str) -> bool:
    """Keep that `a` stands in `relation` to `b`, each (kind, id); False when it was kept before."""
    tie = link_of(a, relation, b)
    if tie.relation == links.SUPERSEDES:
        no_circle(store, tie.a, tie.b)
    return links.add_link(store, a[0], tie, b[0], who)


def unrelate(store: sqlite3.Connection, a: tuple[str, str], relation: str, b: tuple[str, str], who: str) -> bool:
    """Take a relation back; False when there is none."""
    return links.remove_link(store, a[0], link_of(a, relation, b), b[0], who)


def link_of(a: tuple[str, str], relation: str, b: tuple[str, str]) -> Link:
    """The link of two records, runs or events, each (kind, id); raises NeatError for what can be none."""
    word = "-".join(relation.split())
    if a[1] == b[1] or not word:
        raise NeatError(
            f"no link: {a[1][:9]} {relation} {b[1][:9]}", "name two different records and a word between them"
        )
    if word == links.SUPERSEDES and b[0] not in RECORD_KINDS:
        raise NeatError(f"a {b[0]} is not superseded", "records that `neat list` shows are")
    return Link(a[1], word, b[1])


def no_circle(store: sqlite3.Connection, a: str, b: str) -> None:
    """Raises NeatError where "a supersedes b" would close a circle."""
    path = links.circle(store, a, b)
    if path:
        said = " supersedes ".join(one[:9] for one in path)
        raise NeatError(
            f"{a[:9]} cannot supersede {b[:9]}: {said} already",
            f"`neat link {path[0][:9]} supersedes {path[1][:9]} --remove` takes that back first",
        )
