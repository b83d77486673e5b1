"""Rows of neat.db as lines, and lines as rows. Judges nothing: what is to be written was decided by `merge`.

A record's fields, history and links are one line, so they are written together: the caller holds the transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from neatd.kinds import JSON_FIELDS, KINDS
from neatd.private import private_text
from neatd.store.lines import TIME, TRAVELLING, as_text, clean, harmless, hidden, shape
from neatd.store.merge import Edit, Line, history, parted, settled
from neatd.store.moments import stamp

_TIMES = ("created_at", "updated_at", "deleted_at", "restored_at")
_DELETING = ("deleted_at", "restored_at")
_UNSAID = (None, "", "[]", "{}")  # what most columns of most rows hold
_decode = json.JSONDecoder(parse_constant=str).decode
_NEVER = "1970-01-01T00:00:00.000000+00:00"


class Held(NamedTuple):
    """What the store holds of a project, by id; `stale` are rows that do not yet stand as their line tells."""

    lines: dict[str, Line]
    stale: frozenset[str]


# An assistant's session in which nothing was done is of no interest elsewhere.
_DONE_SOMETHING = " AND (title != '' OR body != '' OR deleted_at != '')"


@contextmanager
def reading(store: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one state of the store, without keeping anybody from writing."""
    store.execute("BEGIN")
    try:
        yield
    finally:
        store.execute("COMMIT")


def read_rows(store: sqlite3.Connection, project_id: str, is_all: bool = False) -> Held:
    """A project's records as lines; with `is_all` the kinds and the fields that do not travel, too."""
    lines: dict[str, Line] = {}
    stale: set[str] = set()
    links = _links(store)
    for kind in KINDS if is_all else TRAVELLING:
        entries = _entries(store, kind, project_id, is_all)
        names = shape(kind, is_all)
        columns = ", ".join(f'"{name}"' for name in ("id", *_TIMES, "source", *names))
        rows = store.cursor()
        rows.row_factory = None  # plain tuples: 20,000 rows of 25 columns
        told = _DONE_SOMETHING if kind == "session" and not is_all else ""
        rows.execute(f"SELECT {columns} FROM {kind} WHERE project_id = ?{told}", (project_id,))
        for row, is_safe in _looked_at(rows):
            found = entries.get(row[0], [])
            line = _line(kind, row, names, found, is_safe)
            if row[0] in links:
                line = line._replace(links=links[row[0]])
            lines[line.id] = line
            if _is_stale(line, row[2], found):
                stale.add(line.id)
    return Held(lines, frozenset(stale))


def _looked_at(rows: sqlite3.Cursor) -> Iterator[tuple[Sequence[Any], bool]]:
    """Each row, and whether no text in it can hold a secret: looked for in many at once, which takes half the time."""
    while batch := rows.fetchmany(64):
        is_safe = harmless(value for row in batch for value in row[5:])
        for row in batch:
            yield row, is_safe or harmless(row[5:])


def _line(kind: str, row: Sequence[Any], names: Mapping[str, str], entries: list[Edit], is_safe: bool) -> Line:
    record_id, *times, source = row[:6]
    created_at, updated_at, deleted_at, restored_at = map(_moment, times)
    line = Line(record_id, kind, created_at, deleted_at=deleted_at, restored_at=restored_at)
    if entries:
        edits, lost = parted(entries)
        line = line._replace(edits=edits, lost=lost)
    if not source:  # of a record that came here deleted nothing else is known
        return line._replace(lost={})
    if deleted_at or restored_at:
        updated_at = _said_at(created_at, updated_at, line.edits)
    return settled(line._replace(updated_at=updated_at, fields=_fields(kind, names, row[6:], is_safe)))


def _fields(kind: str, names: Mapping[str, str], values: Sequence[Any], is_safe: bool) -> dict[str, str]:
    fields = {}
    for (name, default), value in zip(names.items(), values, strict=True):
        if value in _UNSAID:
            continue
        text = _text(kind, name, value, is_safe)
        if text not in (default, "null"):
            fields[name] = text
    return fields


def _is_stale(line: Line, updated_at: str, entries: list[Edit]) -> bool:
    """Whether the row is not as `update_line` would leave it."""
    if entries and entries != history(line):
        return True
    return bool(line.updated_at) and line.updated_at != updated_at and not line.is_deleted


def _said_at(created_at: str, updated_at: str, edits: Iterable[Edit]) -> str:
    """When the record said what it says: to delete and to restore it is not to say it anew."""
    return min(updated_at, max([created_at, *(edit.at for edit in edits if edit.field not in _DELETING)]))


def _moment(text: str) -> str:
    """A time in the one form that is compared as text; other forms came by an inbox."""
    if not text or TIME.fullmatch(text):
        return text
    try:
        return stamp(datetime.fromisoformat(text))
    except ValueError:
        return _NEVER


def _text(kind: str, name: str, value: Any, is_harmless: bool = False) -> str:
    """A column's value as a line has it: lists as lists, flags as true and false."""
    decoded = _decoded(value) if name in JSON_FIELDS and isinstance(value, str) else value
    return as_text(clean(kind, name, decoded, is_harmless))


def _decoded(text: str) -> Any:
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        return text


def _entries(store: sqlite3.Connection, kind: str, project_id: str, is_all: bool) -> dict[str, list[Edit]]:
    """The changes of a kind's records as they are kept, oldest first."""
    sql = (
        f"SELECT h.record_id, h.at, h.who, h.field, h.old, h.new FROM history h JOIN {kind} r ON r.id = h.record_id"
        " WHERE r.project_id = ? AND h.field != 'created' ORDER BY h.id"
    )
    carried = {*shape(kind, is_all), *_DELETING}
    found: dict[str, list[Edit]] = {}
    for record_id, at, who, field, old, new in store.execute(sql, (project_id,)):
        if field in carried:
            texts = (_text(kind, field, _decoded(value or "null")) for value in (old, new))
            found.setdefault(record_id, []).append(Edit(_moment(at), who, field, *texts))
    return found


def _links(store: sqlite3.Connection) -> dict[str, dict[tuple[str, str], tuple[str, str]]]:
    found: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
    for a, relation, b, created_at, removed_at in store.execute(
        "SELECT a, relation, b, created_at, removed_at FROM link"
    ):
        found.setdefault(a, {})[relation, b] = _moment(created_at), _moment(removed_at)
    return found


def is_elsewhere(store: sqlite3.Connection, line: Line, project_id: str) -> bool:
    """Whether another project has a record of this id."""
    row = store.execute(f"SELECT project_id FROM {line.kind} WHERE id = ?", (line.id,)).fetchone()
    return row is not None and row[0] != project_id


def insert_lines(store: sqlite3.Connection, project_id: str, lines: Iterable[Line]) -> None:
    """Write records that are not there yet. Caller holds the transaction."""
    by_kind: dict[str, list[Line]] = {}
    for line in lines:
        by_kind.setdefault(line.kind, []).append(line)
    for kind, ones in by_kind.items():
        names = ["id", "project_id", *_TIMES, *shape(kind)]
        columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        store.executemany(f"INSERT INTO {kind} ({columns}) VALUES ({marks})", (_row(one, project_id) for one in ones))
        _add_history(store, kind, (row for one in ones for row in _history_rows(one)))
        _set_links(store, ones)


def _row(line: Line, project_id: str) -> list[Any]:
    times = [line.created_at, line.updated_at or line.created_at, line.deleted_at, line.restored_at]
    return [line.id, project_id, *times, *_columns(line).values()]


def _columns(line: Line) -> dict[str, Any]:
    """Column -> value of every field that travels."""
    defaults = _default_columns(line.kind)
    return defaults | {name: _column(json.loads(text)) for name, text in line.fields.items() if name in defaults}


@cache
def _default_columns(kind: str) -> dict[str, Any]:
    return {name: _column(json.loads(text)) for name, text in shape(kind).items()}


def _column(value: Any) -> Any:
    """A value as `short.column` makes it, of which the secrets are out."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return int(value) if isinstance(value, bool) else value


def _history_rows(line: Line) -> list[tuple[Any, ...]]:
    """The history of a record that is new here: made when it was made, by whom it was made, as it was first called."""
    if not line.updated_at:
        return []
    first = {edit.field: edit.old for edit in sorted(line.edits, reverse=True)}
    said = [json.loads(first.get(name, line.fields.get(name, '""'))) for name in ("title", "body")]
    who = json.loads(line.fields["source"])
    created = (line.created_at, who, line.id, "created", "null", json.dumps(said[0] or said[1]))
    return [created, *(_history_row(line, edit) for edit in history(line))]


def _history_row(line: Line, edit: Edit) -> tuple[Any, ...]:
    """A change as `set_field` keeps it: the values as their columns hold them."""
    old, new = (json.dumps(_column(json.loads(text))) for text in (edit.old, edit.new))
    return edit.at, edit.who, line.id, edit.field, old, new


def _add_history(store: sqlite3.Connection, kind: str, rows: Iterable[tuple[Any, ...]]) -> None:
    store.executemany(
        f"INSERT INTO history (at, who, kind, record_id, field, old, new) VALUES (?, ?, '{kind}', ?, ?, ?, ?)", rows
    )


def _set_links(store: sqlite3.Connection, lines: Iterable[Line]) -> None:
    store.executemany(
        "INSERT INTO link (a, relation, b, created_at, removed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (a, relation, b)"
        " DO UPDATE SET created_at = excluded.created_at, removed_at = excluded.removed_at",
        ((line.id, *key, *times) for line in lines for key, times in line.links.items()),
    )


def update_line(store: sqlite3.Connection, line: Line) -> None:
    """Make a record's row, history and links what `line` tells; what does not travel stays. Caller holds the
    transaction."""
    row = store.execute(f"SELECT * FROM {line.kind} WHERE id = ?", (line.id,)).fetchone()
    wanted: dict[str, Any] = {name: getattr(line, name) for name in ("created_at", *_DELETING)}
    if line.updated_at:
        wanted |= {"updated_at": line.updated_at, **_columns(line)}
    changed = {name: value for name, value in wanted.items() if row[name] != value and _public(row, name) != value}
    if changed:
        places = ", ".join(f'"{name}" = ?' for name in changed)
        store.execute(f"UPDATE {line.kind} SET {places} WHERE id = ?", [*changed.values(), line.id])
    if line.updated_at:
        _rewrite_history(store, line)
        _set_links(store, [line])


def _public(row: sqlite3.Row, name: str) -> Any:
    """A column as it travels: what is here with its address is not replaced by the same without."""
    value = row[name]
    if not isinstance(value, str):
        return value
    return _column(json.loads(hidden(value))) if name in JSON_FIELDS else private_text(value)


def _rewrite_history(store: sqlite3.Connection, line: Line) -> None:
    """All changes anew in their order; the line that tells of the making, and what does not travel, as they are."""
    carried = {*shape(line.kind), *_DELETING}
    sql = "SELECT at, who, record_id, field, old, new FROM history WHERE record_id = ? AND field != 'created'"
    rows = [tuple(row) for row in store.execute(sql, (line.id,)) if row["field"] not in carried]
    rows += [_history_row(line, edit) for edit in history(line)]
    store.execute("DELETE FROM history WHERE record_id = ? AND field != 'created'", (line.id,))
    _add_history(store, line.kind, sorted(rows, key=lambda row: row[0]))
