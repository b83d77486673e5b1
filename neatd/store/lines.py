"""A line of knowledge.jsonl: what it may hold, JSON to `Line` and back. Opens nothing.

It comes from other people's clones and from git, so it is believed only when it reads back as a record of its kind, with
the times and numbers that the store can hold.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from json.encoder import encode_basestring
from typing import Any

from neatd.kinds import JSON_FIELDS, KINDS
from neatd.knowledge import RECORD_KINDS
from neatd.private import might_hold_address, private_text
from neatd.redact import might_hold_secret, redact, redact_value
from neatd.store.merge import Edit, Line, history, parted, settled

TRAVELLING = tuple(name for name, kind in KINDS.items() if kind.travels)
_APART = {"id", "project_id", "worktree", "created_at", "updated_at", "deleted_at", "restored_at"}
_EMPTY = frozenset({"id", "kind", "project_id", "created_at", "deleted_at", "restored_at"})  # all a deleted one has
_KEYS = _EMPTY | {"updated_at", "history", "links"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
ID = re.compile(r"[a-z]{1,2}-[0-9a-hjkmnp-tv-z]{16}")
_DEEPEST = 20  # lists in lists of a value; evidence and parameters have two or three
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def as_text(value: Any) -> str:
    """A value as it stands in a line: one text for one value, whatever the order of its keys."""
    return encode_basestring(value) if isinstance(value, str) else _encode(value)


@cache
def shape(kind: str, is_all: bool = False) -> dict[str, str]:
    """Field -> its default as JSON text, in the order of a line. Private fields stay on this machine, but for `is_all`."""
    private = {field.name for field in KINDS[kind].fields if field.is_private and not is_all}
    fields = RECORD_KINDS[kind].model_fields
    defaults = {
        name: as_text(fields[name].get_default(call_default_factory=True))
        for name in fields
        if name not in _APART | private
    }
    return defaults | {"status": '""', "source": '""'}  # always written out: who, and how it stands


@cache
def _types(kind: str) -> dict[str, str]:
    """Field -> text, json, flag or number."""
    own = {field.name: field.type for field in KINDS[kind].fields}
    return {name: "json" if name in JSON_FIELDS else own.get(name, "text") for name in shape(kind, True)}


def clean(kind: str, field: str, value: Any, is_harmless: bool = False) -> Any:
    """A value as a line has it: without secrets, and of its field's type, which old history is not always.

    `is_harmless`: the text was looked at already (`harmless`).
    """
    type_ = _types(kind).get(field, "text")
    if value is None:
        return None
    if type_ == "text":
        text = value if isinstance(value, str) else as_text(value)
        return text if is_harmless else redact(text)
    if type_ == "json":
        return redact_value(value if isinstance(value, list | tuple | dict) else [value])
    if type_ == "flag":
        return bool(value)
    return value + 0 if isinstance(value, int | float) and _fits(value) else None  # + 0: the store knows no -0.0


def _fits(value: float) -> bool:
    """Whether the store can hold a number, and JSON."""
    return abs(value) < 2**63 if isinstance(value, int) else math.isfinite(value)


def harmless(values: Iterable[Any]) -> bool:
    """Whether no text among the values can hold a secret: one look for all of a record's."""
    return not might_hold_secret("\n".join(value for value in values if isinstance(value, str)))


def line_text(line: Line) -> str:
    """A line as the file has it. Of a deleted record only that it is deleted: what it said is not carried on."""
    values = {"id": as_text(line.id), "kind": as_text(line.kind), "created_at": as_text(line.created_at)}
    has_content = bool(line.updated_at) and not line.is_deleted
    if has_content:
        values["updated_at"] = as_text(line.updated_at)
        values |= {name: line.fields[name] for name in shape(line.kind, True) if name in line.fields}
    values |= {name: as_text(at) for name in ("deleted_at", "restored_at") if (at := getattr(line, name))}
    if has_content and (line.edits or line.lost):
        entries = (f"{_texts(one.at, one.who, one.field)}, {one.old}, {one.new}" for one in history(line))
        values["history"] = "[" + ", ".join(f"[{entry}]" for entry in entries) + "]"
    if has_content and line.links:
        values["links"] = as_text([[*key, *times] for key, times in sorted(line.links.items())])
    return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"


def _texts(*texts: str) -> str:
    return ", ".join(map(as_text, texts))


def read_line(data: Any, project_id: str, latest: str) -> Line:
    """One line's JSON as what is known of a record, secrets taken out. Raises ValueError saying what is wrong."""
    if not isinstance(data, dict):
        raise ValueError("not an object")
    _check_plain(data, _DEEPEST)
    kind = data.get("kind")
    if kind not in TRAVELLING:
        raise ValueError(f"unknown kind {kind!r}")
    if not is_like(data.get("id"), ID) or data["id"].partition("-")[0] != KINDS[kind].letters:
        raise ValueError(f"not the id of a {kind}: {data.get('id')!r}")
    if data.get("project_id", project_id) != project_id or data.get("project_id") == "":
        raise ValueError(f"of another project: {data['project_id']}")
    unknown = sorted(set(data) - _KEYS - set(shape(kind)))
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown)}")
    created_at, deleted_at, restored_at = (
        _time(data.get(name, ""), latest) for name in ("created_at", "deleted_at", "restored_at")
    )
    if not created_at:
        raise ValueError("no created_at")
    line = Line(data["id"], kind, created_at, deleted_at=deleted_at, restored_at=restored_at)
    if set(data) <= _EMPTY and line.deleted_at:
        return line
    return _with_content(line, data, latest)


def _with_content(line: Line, data: dict[str, Any], latest: str) -> Line:
    updated_at = _time(data.get("updated_at", ""), latest)
    if not updated_at:
        raise ValueError("no updated_at")
    names = [name for name in shape(line.kind) if name in data]
    said = {name: data[name] for name in ("id", "created_at", "updated_at", *names)}
    model = RECORD_KINDS[line.kind].model_validate_json(_encode(said), strict=True)
    is_safe = harmless(map(data.get, names))
    values = {name: as_text(clean(line.kind, name, getattr(model, name), is_safe)) for name in names}
    if values.get("source") in (None, '""'):
        raise ValueError("no source")
    edits, lost = parted(_edits(line.kind, data.get("history", []), latest))
    return settled(
        line._replace(
            updated_at=updated_at,
            fields={name: value for name, value in values.items() if value != shape(line.kind)[name]},
            edits=edits,
            lost=lost,
            links=_links(data.get("links", []), latest),
        )
    )


def _edits(kind: str, rows: Any, latest: str) -> list[Edit]:
    edits = []
    for row in _rows(rows, 5, "history"):
        at, who, field, old, new = row
        if not (_time(at, latest) and isinstance(who, str) and who and isinstance(field, str)):
            raise ValueError("history: not [at, who, field, old, new]")
        if field not in shape(kind) and field not in ("deleted_at", "restored_at"):
            raise ValueError(f"history: unknown field {field!r}")
        edits.append(Edit(at, who, field, as_text(clean(kind, field, old)), as_text(clean(kind, field, new))))
    return edits


def _links(rows: Any, latest: str) -> dict[tuple[str, str], tuple[str, str]]:
    links = {}
    for relation, other, created_at, removed_at in _rows(rows, 4, "links"):
        if not (isinstance(relation, str) and relation and is_like(other, ID) and _time(created_at, latest)):
            raise ValueError("links: not [relation, id, created_at, removed_at]")
        links[str(redact_value(relation)), other] = created_at, _time(removed_at, latest)
    return links


def _rows(rows: Any, width: int, name: str) -> list[list[Any]]:
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != width for row in rows):
        raise ValueError(f"{name}: not a list of lists of {width}")
    return rows


def _time(text: Any, latest: str) -> str:
    """A time as the store writes it, or "". Its text order is the order of time, so no other form will do."""
    if text == "":
        return ""
    if not is_like(text, TIME):
        raise ValueError(f"not a time as neat writes it: {text!r}")
    datetime.fromisoformat(text)
    if text > latest:
        raise ValueError(f"{text} lies in the future")
    return str(text)


def is_like(value: Any, pattern: re.Pattern[str]) -> bool:
    """Whether `value` is text of this form."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _check_plain(value: Any, depth: int) -> None:
    """Raises ValueError for what the store cannot hold, or what would make reading it back fail."""
    if isinstance(value, str):
        if not value.isascii():
            value.encode()  # raises for half characters, and for bytes that are not UTF-8
        if "\0" in value:
            raise ValueError("a NUL character")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValueError("nested too deeply")
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_plain(one, depth - 1)
    elif isinstance(value, int | float) and not _fits(value):
        raise ValueError("a number that is too large")


def without_addresses(line: Line) -> Line:
    """The line with hosts, ssh commands and paths of keys hidden in all its texts: what travels may be published."""
    told = [*line.fields.values(), *(text for edit in line.edits for text in (edit.old, edit.new))]
    told += [text for _, text in line.lost]
    words = "\n".join(told).replace("\\n", "\n")
    if not might_hold_address(words):
        return line
    return line._replace(
        fields={name: hidden(text) for name, text in line.fields.items()},
        edits=frozenset(edit._replace(old=hidden(edit.old), new=hidden(edit.new)) for edit in line.edits),
        lost={(name, hidden(text)): at for (name, text), at in line.lost.items()},
    )


def hidden(text: str) -> str:
    """A value's JSON text without addresses."""
    return as_text(_hide(json.loads(text)))


def _hide(value: Any) -> Any:
    if isinstance(value, str):
        return private_text(value)
    if isinstance(value, list):
        return [_hide(one) for one in value]
    return {name: _hide(one) for name, one in value.items()} if isinstance(value, dict) else value
