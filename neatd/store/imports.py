"""Records that come from files of notes: made once, updated when the file is, never doubled.

What the file said last is kept beside the record, so that an edit of the file is told from a change a person made here:
only what the file changed is changed. Ids follow from project, file and place in it, so that two clones that read the
same file make the same records.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.kinds import KINDS, LISTS
from neatd.place import Place
from neatd.redact_own import patterns_of
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.short import add_history, base32, column, ensure_project, insert_record, prepare, record_row, set_field


class Item(NamedTuple):
    """One thing a file says: its key in the file, and what it says as fields of a kind."""

    key: str
    kind: str
    fields: Mapping[str, Any]
    origin: str  # "notes/log.md:12-15"
    parent: str = ""  # of a task: the key of the item it is a part of, which comes before it
    said_at: str = ""  # when the file says that it was said: an ISO date or time, "" where it does not


class Outcome(NamedTuple):
    """What became of one item: added, updated, unchanged or removed."""

    record_id: str
    key: str
    action: str


# (key, kind, title) of what is no longer there by its key, and the new items: new key -> old key of edited ones.
Matcher = Callable[[Sequence[tuple[str, str, str]], Sequence[Item]], Mapping[str, str]]


def known_digest(connection: sqlite3.Connection, place: Place, digest: str) -> str | None:
    """The file under whose name exactly these bytes were read before."""
    sql = "SELECT file FROM imported_file WHERE project_id = ? AND root = ? AND digest = ? ORDER BY file LIMIT 1"
    row = connection.execute(sql, (place.project_id, str(place.root), digest)).fetchone()
    return str(row[0]) if row else None


def last_digest(connection: sqlite3.Connection, place: Place, file: str) -> str:
    """The hash of a file's bytes when it was last read; "" before."""
    sql = "SELECT digest FROM imported_file WHERE project_id = ? AND root = ? AND file = ?"
    row = connection.execute(sql, (place.project_id, str(place.root), file)).fetchone()
    return str(row[0]) if row else ""


def apply(
    connection: sqlite3.Connection, place: Place, file: str, digest: str, items: Sequence[Item], match: Matcher,
    gone: str = "deleted", is_dry_run: bool = False, is_pruning: bool = False,
) -> list[Outcome]:  # fmt: skip
    """Bring the records of one file to what it says now, in one transaction, which a dry run takes back.

    What vanished from the file is deleted (or gets the status `gone`), unless a person has changed it since, or another
    worktree's file still says it. When more than half vanished at once, the file was emptied, cut off or broken rather
    than edited: nothing is taken away then, but with `is_pruning`.
    """
    outcomes: list[Outcome] = []
    try:
        with transaction(connection):
            outcomes = _apply(connection, place, file, items, match, gone, is_pruning)
            connection.execute(
                "INSERT INTO imported_file (project_id, root, file, digest, read_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET digest = excluded.digest, read_at = excluded.read_at",
                (place.project_id, str(place.root), file, digest, utc_now()),
            )
            if is_dry_run:
                raise _TakenBackError
    except _TakenBackError:
        pass
    return outcomes


FEW = 3  # records that may vanish from a file at once, however few it held


class _TakenBackError(Exception):
    """Ends the transaction of a dry run."""


def _apply(
    connection: sqlite3.Connection, place: Place, file: str, items: Sequence[Item], match: Matcher, gone: str,
    is_pruning: bool,
) -> list[Outcome]:  # fmt: skip
    ensure_project(connection, place)
    known = _known(connection, place, file)
    before = len(known)
    _follow_edits(connection, place, file, known, items, match)
    ids: dict[str, str] = {}
    outcomes = []
    for one in items:
        if one.parent:
            one = one._replace(fields={**one.fields, "parent": ids[one.parent]})
        outcomes.append(_take(connection, place, file, known.pop(one.key, None), one))
        ids[one.key] = outcomes[-1].record_id
    if len(known) > max(FEW, before // 2) and not is_pruning:
        return outcomes + [Outcome(old.record_id, key, "kept") for key, old in known.items()]
    return outcomes + [_drop(connection, place, file, key, old, gone) for key, old in known.items()]


class _Known(NamedTuple):
    record_id: str
    kind: str
    fields: dict[str, Any]  # as columns hold them


def _known(connection: sqlite3.Connection, place: Place, file: str) -> dict[str, _Known]:
    sql = "SELECT key, record_id, kind, fields FROM imported WHERE project_id = ? AND root = ? AND file = ?"
    rows = connection.execute(sql, (place.project_id, str(place.root), file))
    return {row[0]: _Known(row[1], row[2], json.loads(row[3])) for row in rows}


def _follow_edits(
    connection: sqlite3.Connection, place: Place, file: str, known: dict[str, _Known], items: Sequence[Item],
    match: Matcher,
) -> None:  # fmt: skip
    """Give an item whose words were edited the record it had under its old key."""
    here = {one.key for one in items}
    old = [(key, one.kind, str(one.fields.get("title", ""))) for key, one in known.items() if key not in here]
    new = [one for one in items if one.key not in known]
    kinds = {one.key: one.kind for one in new}
    for new_key, old_key in (match(old, new) if old and new else {}).items():
        if old_key in known and known[old_key].kind == kinds[new_key]:
            known[new_key] = known.pop(old_key)
            sql = "UPDATE imported SET key = ? WHERE project_id = ? AND root = ? AND file = ? AND key = ?"
            connection.execute(sql, (new_key, place.project_id, str(place.root), file, old_key))


def _take(connection: sqlite3.Connection, place: Place, file: str, old: _Known | None, item: Item) -> Outcome:
    patterns = patterns_of(place.root)
    fields = {name: column(value, patterns) for name, value in item.fields.items()}
    if old is not None and old.kind != item.kind:  # it became another kind: the old record goes, a new one comes
        _drop(connection, place, file, item.key, old, "deleted")
        old = None
    if old is None:
        record_id, action = _add(connection, place, file, item, fields)
    else:
        record_id, action = old.record_id, _update(connection, item, old, fields)
    _set_origin(connection, item, record_id)
    connection.execute(
        "INSERT INTO imported (project_id, root, file, key, record_id, kind, fields, seen)"
        f" VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT status FROM {item.kind} WHERE id = ?))"
        " ON CONFLICT DO UPDATE SET record_id = excluded.record_id, kind = excluded.kind, fields = excluded.fields,"
        " seen = excluded.seen",
        (
            place.project_id, str(place.root), file, item.key, record_id, item.kind,
            json.dumps(fields, ensure_ascii=False), record_id,
        ),
    )  # fmt: skip
    return Outcome(record_id, item.key, action)


def _add(
    connection: sqlite3.Connection, place: Place, file: str, item: Item, fields: dict[str, Any]
) -> tuple[str, str]:
    """A new record; one that another clone made of the same place in the same file is taken as it is."""
    row = record_row(item.kind, place, fields, "import")
    row["id"] = item_id(place.project_id, file, item.key, item.kind)
    row["created_at"] = _said(item.said_at, row["created_at"])
    with suppress(NeatError):  # a reference in the file's own words, which are kept as they are
        prepare(connection, item.kind, row)
    if insert_record(connection, item.kind, row):
        return row["id"], "added"
    is_back = _bring_back(connection, item.kind, row["id"], str(row.get("status", "open")))
    return row["id"], "restored" if is_back else "unchanged"


def _bring_back(connection: sqlite3.Connection, kind: str, record_id: str, status: str) -> bool:
    """Restore what was deleted or dropped because the file no longer said it; what a person ended stays ended."""
    row = connection.execute(
        f"SELECT status, deleted_at, restored_at FROM {kind} WHERE id = ?", (record_id,)
    ).fetchone()
    sql = "SELECT field, who FROM history WHERE record_id = ? AND field IN ('deleted_at', 'status') ORDER BY id"
    last = dict(connection.execute(sql, (record_id,)).fetchall())
    is_back = False
    if row["deleted_at"] > row["restored_at"] and last.get("deleted_at") == "import":
        set_field(connection, kind, record_id, "restored_at", utc_now(), "import")
        is_back = True
    if row["status"] == "dropped" and last.get("status") == "import":
        set_field(connection, kind, record_id, "status", status, "import")
        is_back = True
    return is_back


def _said(said_at: str, now: str) -> str:
    """When a file says that something was said, a time without zone being local; `now` where it says nothing or the future."""
    try:
        moment = stamp(datetime.fromisoformat(said_at).astimezone(UTC)) if said_at else now
    except (ValueError, OverflowError):
        return now
    return min(moment, now)


def decision_named(connection: sqlite3.Connection, project_id: str, name: str, but: str) -> str | None:
    """The one other decision whose title or file bears a name such as "ADR-0005"; None when none or several do."""
    number = re.search(r"\d+", name)
    words = re.sub(r"^\W*(?:adr[-\s]*)?\d*[.:)\s]*", "", name, flags=re.IGNORECASE).strip()
    patterns = [name, words, *([f"/{number[0].zfill(4)}-", f"adr-{number[0].zfill(4)}"] if number else [])]
    sql = (
        "SELECT id FROM decision WHERE project_id = ? AND id != ? AND deleted_at <= restored_at"
        " AND (instr(lower(title), lower(?)) OR instr(lower(origin), lower(?))) LIMIT 2"
    )
    for pattern in filter(None, patterns):
        found = connection.execute(sql, (project_id, but, pattern, pattern)).fetchall()
        if len(found) == 1:
            return str(found[0][0])
    return None


def item_id(project_id: str, file: str, key: str, kind: str) -> str:
    """The id that a record gets from where it is written."""
    digest = hashlib.sha256("\0".join((project_id, file, key)).encode()).digest()
    return f"{KINDS[kind].letters}-{base32(int.from_bytes(digest[:10], 'big'))}"


def _update(connection: sqlite3.Connection, item: Item, old: _Known, fields: dict[str, Any]) -> str:
    changed = [name for name in {**old.fields, **fields} if old.fields.get(name) != fields.get(name)]
    for name in changed:
        value = fields.get(name)
        set_field(
            connection, item.kind, old.record_id, name, _empty(item.kind, name) if value is None else value, "import"
        )
    return "updated" if changed else "unchanged"


def _empty(kind: str, name: str) -> object:
    """What a column holds when nothing is said."""
    if name in LISTS or name == "status":
        return "[]" if name in LISTS else "open"
    type_ = next((field.type for field in KINDS[kind].fields if field.name == name), "text")
    return {"json": "{}", "number": None, "flag": 0}.get(type_, "")


def _set_origin(connection: sqlite3.Connection, item: Item, record_id: str) -> None:
    """Where it stands moves with every line that is written above it: no change of the record."""
    origin = json.dumps([item.origin], ensure_ascii=False)
    sql = f"UPDATE {item.kind} SET origin = ? WHERE id = ? AND origin != ?"
    connection.execute(sql, (origin, record_id, origin))


def _drop(connection: sqlite3.Connection, place: Place, file: str, key: str, old: _Known, gone: str) -> Outcome:
    """What the file no longer says: deleted, or given a status; what a person changed here stays as it is, and so does
    what the same file says in another worktree."""
    sql = "DELETE FROM imported WHERE project_id = ? AND root = ? AND file = ? AND key = ?"
    connection.execute(sql, (place.project_id, str(place.root), file, key))
    if connection.execute("SELECT 1 FROM imported WHERE record_id = ?", (old.record_id,)).fetchone():
        return Outcome(old.record_id, key, "kept")
    row = connection.execute(f"SELECT * FROM {old.kind} WHERE id = ?", (old.record_id,)).fetchone()
    if row is None or row["deleted_at"] > row["restored_at"]:
        return Outcome(old.record_id, key, "unchanged")
    if any(row[name] != value for name, value in old.fields.items() if name != "position"):
        add_history(connection, old.kind, old.record_id, "import", "origin", row["origin"], None)
        return Outcome(old.record_id, key, "kept")
    if gone == "deleted":
        set_field(connection, old.kind, old.record_id, "deleted_at", utc_now(), "import")
    elif row["status"] == "open":
        set_field(connection, old.kind, old.record_id, "status", gone, "import")
    return Outcome(old.record_id, key, "removed")
