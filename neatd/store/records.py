"""The records of people and assistants: listing, finding, changing, closing, each change kept as history."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.files import is_text, read_small
from neatd.kinds import FIELDS, KINDS
from neatd.knowledge import RECORD_KINDS, Record
from neatd.models import Change, Event, Model, Run, Snapshot
from neatd.redact import redact_value
from neatd.redact_own import patterns_of
from neatd.store.connection import transaction
from neatd.store.moments import later_than
from neatd.store.rows import to_model, to_models
from neatd.store.short import LETTERS, column, insert_record, prepare, resolve_in, set_field

SHOWN_ID = 9  # characters of an id in lists and messages
_TABLES = {LETTERS[kind]: kind for kind in (*RECORD_KINDS, "run", "event", "snapshot", "checkpoint", "job")}


def list_records(
    connection: sqlite3.Connection, kind: str, project_id: str | None = None, is_deleted: bool = False
) -> list[Any]:
    """The records of a kind, of every status: tasks in their order, the others newest first. Without the deleted ones,
    or nothing but them."""
    order = "position, created_at" if kind == "task" else "created_at DESC, rowno DESC"
    where, values = ("AND project_id = ?", [project_id]) if project_id else ("", [])
    gone = ">" if is_deleted else "<="
    rows = connection.execute(
        f"SELECT * FROM {kind} WHERE deleted_at {gone} restored_at {where} ORDER BY {order}", values
    )
    return to_models(RECORD_KINDS[kind], rows)


def resolve(connection: sqlite3.Connection, prefix: str) -> tuple[str, str]:
    """(kind, id) of the one record whose id begins with `prefix`; raises NeatError when none or several."""
    letters, dash, _ = prefix.partition("-")
    kind = _TABLES.get(letters) if dash else None
    if kind is None:
        raise NeatError(
            f"{prefix!r} is not an id", "an id is a letter, a dash and characters, as in `neat list` (d-7k2q)"
        )
    return kind, resolve_in(connection, kind, prefix)


def get(connection: sqlite3.Connection, kind: str, record_id: str) -> Record:
    """One record by its whole id."""
    row = connection.execute(f"SELECT * FROM {kind} WHERE id = ?", (record_id,)).fetchone()
    return to_model(RECORD_KINDS[kind], row)


def get_any(connection: sqlite3.Connection, kind: str, record_id: str) -> Any:
    """A record, run, event or snapshot by its whole id."""
    if kind in RECORD_KINDS:
        return get(connection, kind, record_id)
    models: dict[str, type[Model]] = {"run": Run, "event": Event, "snapshot": Snapshot}
    model = models.get(kind)
    if model is None:
        raise NeatError(f"{record_id} is a {kind}", "`neat logs` shows a job, `neat checkpoints` a checkpoint")
    return to_model(model, connection.execute(f"SELECT * FROM {kind} WHERE id = ?", (record_id,)).fetchone())


def change(
    connection: sqlite3.Connection, kind: str, record_id: str, fields: dict[str, Any], who: str = "person"
) -> None:
    """Set fields of a record in one transaction, the old values kept in history."""
    with transaction(connection):
        root = connection.execute(f"SELECT worktree FROM {kind} WHERE id = ?", (record_id,)).fetchone()
        patterns = patterns_of(Path(root[0])) if root and root[0] else ()
        for name, value in fields.items():
            set_field(connection, kind, record_id, name, column(value, patterns), who)


def close(connection: sqlite3.Connection, kind: str, record_id: str, outcome: str, who: str = "person") -> str:
    """End a record as its kind ends (a task is done); the outcome is added to the body. Returns the new status.

    One that is superseded stays so: that says more than closed.
    """
    record = get(connection, kind, record_id)
    body = record.body
    status = record.status if record.status == "superseded" else KINDS[kind].ends_as
    fields: dict[str, Any] = {"status": status}
    if outcome:
        fields["body"] = f"{body}\n{outcome}".strip()
    change(connection, kind, record_id, fields, who)
    return status


def delete(connection: sqlite3.Connection, kind: str, record_id: str, who: str = "person") -> bool:
    """Take a record out of every list, search and document; it stays in the store with its history. False: it was."""
    record = get(connection, kind, record_id)
    if record.is_deleted:
        return False
    change(connection, kind, record_id, {"deleted_at": later_than(record.restored_at)}, who)
    return True


def restore(connection: sqlite3.Connection, kind: str, record_id: str, who: str = "person") -> bool:
    """Bring a deleted record back. False when it was not deleted."""
    record = get(connection, kind, record_id)
    if not record.is_deleted:
        return False
    change(connection, kind, record_id, {"restored_at": later_than(record.deleted_at)}, who)
    return True


def history(connection: sqlite3.Connection, record_id: str) -> list[Change]:
    """Every change of a record, oldest first."""
    rows = connection.execute("SELECT * FROM history WHERE record_id = ? ORDER BY id", (record_id,))
    return [
        Change(
            at=row["at"],
            who=row["who"],
            kind=row["kind"],
            record_id=row["record_id"],
            field=row["field"],
            old=json.loads(row["old"]),
            new=json.loads(row["new"]),
        )
        for row in rows
    ]


def set_verdict(
    connection: sqlite3.Connection, hypothesis_id: str, verdict: str, reason: str, evidence: list[dict[str, Any]]
) -> None:
    """Write what the run said of a hypothesis. An undecided one stays open, so that a later run may decide it."""
    status = "open" if verdict == "undecided" else verdict
    fields = {"verdict": verdict, "verdict_reason": reason, "evidence": evidence, "status": status}
    change(connection, "hypothesis", hypothesis_id, fields, "daemon")


def take_from_inbox(connection: sqlite3.Connection, path: Path, project_id: str) -> bool:
    """Take a record left by a sandboxed command into the store, once, however often the file is met.

    Only what reads back as a record of its kind is accepted, and only for the project whose inbox it is: a clone may
    bring files, and one bad row would spoil every listing. Returns False when the file is not such a record.
    """
    try:
        data = json.loads(read_small(path, 1 << 20))
        kind, row = str(data["kind"]), {**data["row"], "project_id": project_id}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    if not _is_record(kind, row):
        return False
    patterns = patterns_of(path.parent.parent.parent)
    row = {
        name: column(value, patterns) if name in FIELDS[kind] else redact_value(value) for name, value in row.items()
    }
    with transaction(connection):
        if not connection.execute(f"SELECT 1 FROM {kind} WHERE id = ?", (row["id"],)).fetchone():
            _prepare(connection, kind, row)
            insert_record(connection, kind, row)
    return True


def _is_record(kind: str, row: dict[str, Any]) -> bool:
    """Whether `row` is what `record_row` makes: text columns that a model of this kind accepts, and an id of ours."""
    is_plain = all(
        is_text(value) if isinstance(value, str) else isinstance(value, int | float) for value in row.values()
    )
    if kind not in RECORD_KINDS or not is_plain or not row.get("source"):
        return False
    plain = {name: value for name, value in row.items() if (name, value) != ("position", "top")}
    try:
        record = to_model(RECORD_KINDS[kind], plain, is_strict=True)
    except (ValueError, RecursionError):
        return False
    is_dated = record.created_at.tzinfo is not None and record.updated_at.tzinfo is not None
    return is_dated and re.fullmatch(f"{KINDS[kind].letters}-[0-9a-hjkmnp-tv-z]{{16}}", record.id) is not None


def _prepare(connection: sqlite3.Connection, kind: str, row: dict[str, Any]) -> None:
    """As for any record; where what it refers to is not in this store, the record itself must not be lost."""
    try:
        prepare(connection, kind, row)
    except NeatError:
        if kind == "task":
            del row["after"]
            prepare(connection, kind, row)


def shown_ids(ids: list[str]) -> dict[str, str]:
    """Each id as people read it in lists: nine characters, more only where another of `ids` begins with the same."""
    return {one: one[: max(SHOWN_ID, len(short))] for one, short in unique_prefixes(ids).items()}


def unique_prefixes(ids: list[str]) -> dict[str, str]:
    """Each id's shortest prefix (at least 4 characters after the dash) that no other of `ids` begins with."""
    ordered = sorted(set(ids))
    result = {}
    for index, one in enumerate(ordered):
        neighbours = ordered[max(0, index - 1) : index] + ordered[index + 1 : index + 2]
        length = one.find("-") + 5
        while length < len(one) and any(other.startswith(one[:length]) for other in neighbours):
            length += 1
        result[one] = one[:length]
    return result
