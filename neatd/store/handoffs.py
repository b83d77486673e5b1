"""The handoffs that were kept, and what was made and changed between them, told by the history of the records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from neatd.kinds import KINDS
from neatd.knowledge import Handoff
from neatd.store.connection import transaction
from neatd.store.rows import to_model
from neatd.store.short import insert_record

_PLAIN = frozenset({"status", "about", "horizon", "phase", "component", "verdict", "position"})  # told with old and new
_AT_ONCE = 500  # ids in one query


class Touched(NamedTuple):
    """A record that was made or changed in a stretch of history."""

    id: str
    kind: str
    how: str  # created, changed, deleted
    title: str  # "" of a deleted one
    status: str
    changed: tuple[str, ...]
    who: str  # who did it last


def latest(connection: sqlite3.Connection, project_id: str, template: str) -> Handoff | None:
    """The handoff made last from a template."""
    row = connection.execute(
        "SELECT * FROM handoff WHERE project_id = ? AND template = ? AND deleted_at <= restored_at"
        " ORDER BY created_at DESC, rowno DESC LIMIT 1",
        (project_id, template),
    ).fetchone()
    return to_model(Handoff, row) if row else None


def known(connection: sqlite3.Connection, handoff_id: str) -> Handoff | None:
    """A handoff by its whole id, deleted or not; None when the store has none of it, as after a restored backup."""
    row = connection.execute("SELECT * FROM handoff WHERE id = ?", (handoff_id,)).fetchone()
    return to_model(Handoff, row) if row else None


def keep(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Keep a handoff."""
    with transaction(connection):
        insert_record(connection, "handoff", row)


def place_in_history(connection: sqlite3.Connection, handoff: Handoff | None) -> int:
    """The line of history that a handoff begins with: what was done after it has a greater number. 0 for none."""
    if handoff is None:
        return 0
    row = connection.execute("SELECT min(id) FROM history WHERE record_id = ?", (handoff.id,)).fetchone()
    return int(row[0] or 0)


def session_start(connection: sqlite3.Connection, handoff: Handoff) -> Handoff | None:
    """The handoff that the session of `handoff` began with: the last one before it after which a record was changed."""
    end = place_in_history(connection, handoff)
    before = known(connection, handoff.previous)
    seen = {handoff.id}
    while before and before.id not in seen:
        if touched(connection, str(handoff.project_id), place_in_history(connection, before), end):
            return before
        seen.add(before.id)
        before = known(connection, before.previous)
    return None


def touched(
    connection: sqlite3.Connection, project_id: str, after: int, until: int | None = None
) -> tuple[Touched, ...]:
    """The records made and changed after a line of history (and before another), each once, in the order in which they
    first were. Handoffs themselves are none of them, nor are an assistant's sessions in which nothing was done."""
    lines: dict[tuple[str, str], list[sqlite3.Row]] = {}
    sql = "SELECT * FROM history WHERE id > ? AND id < ? AND kind != 'handoff' ORDER BY id"
    for line in connection.execute(sql, (after, until if until is not None else 1 << 62)):
        if line["kind"] in KINDS:
            lines.setdefault((line["kind"], line["record_id"]), []).append(line)
    ids: dict[str, list[str]] = {}
    for kind, record_id in lines:
        ids.setdefault(kind, []).append(record_id)
    rows = {row["id"]: row for kind, some in ids.items() for row in _rows(connection, kind, some, project_id)}
    told = ((kind, rows[one], of) for (kind, one), of in lines.items() if one in rows)
    return tuple(_touched(row, kind, of) for kind, row, of in told if kind != "session" or row["title"] or row["body"])


def _rows(connection: sqlite3.Connection, kind: str, ids: list[str], project_id: str) -> Iterator[sqlite3.Row]:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        yield from connection.execute(
            f"SELECT id, title, body, status, deleted_at > restored_at AS gone FROM {kind}"
            f" WHERE project_id = ? AND id IN ({', '.join('?' * len(some))})",
            (project_id, *some),
        )


def _touched(row: sqlite3.Row, kind: str, lines: list[sqlite3.Row]) -> Touched:
    is_new = any(line["field"] == "created" for line in lines)
    how = "deleted" if row["gone"] else "created" if is_new else "changed"
    changed = () if is_new or row["gone"] else tuple(dict.fromkeys(map(_change, lines)))
    title = "" if row["gone"] else row["title"] or row["body"]
    return Touched(row["id"], kind, how, title, row["status"], changed, lines[-1]["who"])


def _change(line: sqlite3.Row) -> str:
    """A line of history in words: short values with old and new, of longer ones the field's name."""
    old, new = (json.loads(line[name]) if line[name] else None for name in ("old", "new"))
    return f"{line['field']}: {old} -> {new}" if line["field"] in _PLAIN else str(line["field"])
