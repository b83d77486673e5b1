"""The short path into neat.db: write a record with its history, in plain rows. Stdlib only.

`neat note` must cost less than three imports of click, so this module knows the columns by name and no pydantic, no
sqlite_utils is loaded; a test holds the names against the models. Every write here is one `BEGIN IMMEDIATE`
transaction: a record and its history are both there or neither is.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.kinds import FIELDS, KINDS
from neatd.place import Place
from neatd.redact_own import Patterns, patterns_of, redact_value_with
from neatd.store.belonging import session_of
from neatd.store.connection import transaction
from neatd.store.moments import later_than, utc_now
from neatd.store.opening import OutOfReachError, connect
from neatd.who import told_session

LETTERS = {name: kind.letters for name, kind in KINDS.items()} | {
    "run": "r", "event": "e", "snapshot": "s", "checkpoint": "c", "job": "j", "request": "q", "deletion": "x",
    "study": "st",
}  # fmt: skip
_FILLED = frozenset({"evidence", "valid_while", "origin"})  # what may come with a record besides its kind's fields
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread


def new_id(kind: str) -> str:
    """A fresh id: the kind's letter and 80 random bits, e.g. `d-7k2q…` (16 characters)."""
    return f"{LETTERS[kind]}-{base32(int.from_bytes(os.urandom(10), 'big'))}"


def base32(number: int) -> str:
    """80 bits as sixteen characters."""
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(75, -1, -5))


def ensure_project(connection: sqlite3.Connection, place: Place) -> None:
    """Register the project and this folder of it; harmless when known. Caller holds the transaction."""
    now = utc_now()
    connection.execute(
        "INSERT INTO project (id, name, created_at, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (place.project_id, place.name, now, now),
    )
    connection.execute(
        "INSERT INTO root (path, project_id, created_at) VALUES (?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET project_id = excluded.project_id WHERE project_id != excluded.project_id",
        (str(place.root), place.project_id, now),
    )


def record_row(kind: str, place: Place, fields: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A whole row of `kind` from what the person said and where they stand. Unknown fields are a programming error."""
    unknown = set(fields) - set(FIELDS[kind]) - _FILLED
    if unknown:
        raise KeyError(f"{kind} has no field {sorted(unknown)}")
    now = utc_now()
    row = {"id": new_id(kind), "project_id": place.project_id, "created_at": now, "updated_at": now, "source": source}
    row |= {"worktree": str(place.root), "branch": place.branch, "commit": place.commit}
    patterns = patterns_of(place.root)
    for name, value in fields.items():
        row[name] = column(value, patterns)
    return row


def column(value: object, patterns: Patterns = ()) -> Any:
    """A value as its column holds it: secrets taken out (a project's own `patterns` too), lists and objects as JSON, flags
    as 0 or 1."""
    clean = redact_value_with(patterns, value)
    if isinstance(clean, list | dict):
        clean = json.dumps(clean, ensure_ascii=False)
    if isinstance(clean, str):
        # An argument that is not UTF-8 reaches Python as lone surrogates, which SQLite refuses.
        return clean.encode("utf-8", "replace").decode()
    return int(clean) if isinstance(clean, bool) else clean


def insert_record(connection: sqlite3.Connection, kind: str, row: Mapping[str, Any]) -> bool:
    """Write a row and the first line of its history; False when a row with this id is there already."""
    columns = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    sql = f"INSERT INTO {kind} ({columns}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING"
    if connection.execute(sql, list(row.values())).rowcount == 0:
        return False
    add_history(
        connection, kind, str(row["id"]), str(row["source"]), "created", None, row.get("title") or row.get("body")
    )
    return True


def add_history(
    connection: sqlite3.Connection, kind: str, record_id: str, who: str, field: str, old: object, new: object
) -> None:
    """One line of history, with the assistant's session in which it was written. Caller holds the transaction."""
    session = session_of(connection, kind, record_id)
    connection.execute(
        "INSERT INTO history (at, who, kind, record_id, field, old, new, session) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (utc_now(), who, kind, record_id, field, json.dumps(old), json.dumps(new), session),
    )


def add_record(home: Path, place: Place, kind: str, fields: Mapping[str, Any], source: str) -> tuple[str, Path | None]:
    """Keep a record; returns (id, None), or (id, inbox file) when the store is out of reach, as in a sandbox.

    Raises StoreError when the store is there but unreadable: a record must not hide that.
    """
    row = record_row(kind, place, fields, source)
    try:
        connection = connect(home)
        try:
            with transaction(connection):
                ensure_project(connection, place)
                prepare(connection, kind, row)
                known = _same_phase(connection, row) if kind == "phase" else None
                if known:
                    return known, None
                insert_record(connection, kind, row)
        finally:
            connection.close()
    except (OutOfReachError, OSError, sqlite3.OperationalError) as error:
        if not is_out_of_reach(error):
            raise
        return str(row["id"]), leave_in_inbox(place.root, kind, row)
    return str(row["id"]), None


def _same_phase(connection: sqlite3.Connection, row: Mapping[str, Any]) -> str | None:
    """The phase of this name, with what is said of it now; None when it is a new one."""
    sql = "SELECT id FROM phase WHERE project_id = ? AND title = ? AND deleted_at <= restored_at"
    found = connection.execute(sql, (row["project_id"], row["title"])).fetchone()
    if found is None:
        return None
    for field in ("status", "body"):
        if row.get(field):
            set_field(connection, "phase", found[0], field, row[field], str(row["source"]))
    connection.execute("UPDATE phase SET updated_at = ? WHERE id = ?", (row["updated_at"], found[0]))
    return str(found[0])


def is_out_of_reach(error: Exception) -> bool:
    """Whether the place itself was refused (sandbox, read-only disk), rather than busy, full or broken."""
    if isinstance(error, OSError):
        return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    if not isinstance(error, sqlite3.OperationalError):
        return isinstance(error, OutOfReachError)
    return any(words in str(error) for words in ("readonly", "unable to open", "permission denied"))


def leave_in_inbox(root: Path, kind: str, row: Mapping[str, Any]) -> Path:
    """Leave a record as a file for the daemon to take in; whole or not at all."""
    from neatd.files import write_atomic

    path = root / ".neat" / "inbox" / f"{row['id']}.json"
    session = told_session()
    told = {"session": session} if session else {}
    write_atomic(path, json.dumps({"kind": kind, "row": dict(row), **told}, ensure_ascii=False).encode())
    return path


def prepare(connection: sqlite3.Connection, kind: str, row: dict[str, Any]) -> None:
    """What a kind needs besides its own row: a task its place in the order, a decision its predecessor's end."""
    if kind == "task":
        row["position"] = _next_position(connection, row)
        if row.get("parent"):
            row["parent"] = resolve_in(connection, "task", str(row["parent"]))
    if kind == "decision" and row.get("supersedes"):
        row["supersedes"] = resolve_in(connection, "decision", str(row["supersedes"]))
        set_field(connection, "decision", row["supersedes"], "status", "superseded", str(row["source"]))


def _next_position(connection: sqlite3.Connection, row: dict[str, Any]) -> float:
    """Where a task goes in its project's order: `position` "top", after another, else last."""
    project_id = row["project_id"]
    if row.get("position") == "top":
        first = connection.execute("SELECT min(position) FROM task WHERE project_id = ?", (project_id,)).fetchone()[0]
        return 0.0 if first is None else float(first) - 1
    if row.get("after"):
        before = row["after"] = resolve_in(connection, "task", row["after"])
        start = float(connection.execute("SELECT position FROM task WHERE id = ?", (before,)).fetchone()[0])
        following = connection.execute(
            "SELECT min(position) FROM task WHERE project_id = ? AND position > ?", (project_id, start)
        ).fetchone()[0]
        return start + 1 if following is None else (start + following) / 2
    last = connection.execute("SELECT max(position) FROM task WHERE project_id = ?", (project_id,)).fetchone()[0]
    return 0.0 if last is None else float(last) + 1


def resolve_in(connection: sqlite3.Connection, kind: str, prefix: str) -> str:
    """The one id of `kind` that begins with `prefix`; raises NeatError when none or several do."""
    pattern = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found = [r[0] for r in connection.execute(f"SELECT id FROM {kind} WHERE id LIKE ? ESCAPE '\\' LIMIT 5", (pattern,))]
    if len(found) == 1:
        return str(found[0])
    if prefix in found:
        return prefix
    if not found:
        raise NeatError(f"no {kind} with the id {prefix!r}", f"`neat list {kind}` shows the ids")
    raise NeatError(f"{prefix!r} begins several ids: {', '.join(found)}", "type more of the id")


def set_field(connection: sqlite3.Connection, kind: str, record_id: str, field: str, value: object, who: str) -> None:
    """Change one field of a record and keep the old value in history. Caller holds the transaction."""
    sql = f'SELECT "{field}", updated_at FROM {kind} WHERE id = ?'
    old, updated_at = connection.execute(sql, (record_id,)).fetchone()
    if old == value:
        return
    sql = f'UPDATE {kind} SET "{field}" = ?, updated_at = ? WHERE id = ?'
    connection.execute(sql, (value, later_than(updated_at), record_id))
    add_history(connection, kind, record_id, who, field, old, value)
