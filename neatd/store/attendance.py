"""The sessions of assistants on this machine: begun, seen, ended, and what each of them knows already.

A session is a record of its kind, which travels; the row in `attendance` ties it to the assistant's own name for it and to
the assistant's process. One assistant's session in two projects is two records. Plain rows, stdlib only, for the hooks.
The caller holds the transaction in every function that writes.
"""

from __future__ import annotations

import sqlite3

from neatd.lineage import Ancestor
from neatd.place import Place
from neatd.store.moments import utc_now
from neatd.store.presence import Attendance, find, get
from neatd.store.short import insert_record, record_row, set_field
from neatd.who import CLAUDE

GONE = "gone"  # the event of an end that nobody told
SERVER = "mcp"  # the event by which the assistant's server tells of its session


def see(
    connection: sqlite3.Connection, place: Place, assistant: str, key: str, event: str, process: Ancestor | None
) -> tuple[Attendance, bool]:
    """The session that an event tells of, as seen now in `place`: begun, or open again when it had ended. Returns it, and
    whether it is new here."""
    known = find(connection, assistant, key, place.project_id) or _adopted(connection, place, assistant, key, process)
    now = utc_now()
    if known is None:
        session_id = _begin(connection, place, assistant, key, now)
    else:
        session_id = known.session_id
        if known.ended_at:
            _reopen(connection, known)
            if not _was_there(known, process):
                _begin_stay(connection, session_id, now)
        if assistant not in (known.assistant, CLAUDE):  # which stands for what does not tell
            _name(connection, session_id, assistant, key)
    values: dict[str, object] = {"root": str(place.root), "seen_at": now, "event": event, "ended_at": ""}
    if process is not None:
        values |= {"pid": process.pid, "born": process.born}
    _set(connection, session_id, **values)
    _attend(connection, session_id, str(place.root), now)
    found = get(connection, session_id)
    assert found is not None
    return found, known is None


def _adopted(
    connection: sqlite3.Connection, place: Place, assistant: str, key: str, process: Ancestor | None
) -> Attendance | None:
    """The session that the assistant's server began before a hook told of it: the same one, which has its name now."""
    if process is None:
        return None
    row = connection.execute(
        "SELECT session_id FROM attendance WHERE project_id = ? AND pid = ? AND born = ? AND event = ? AND ended_at = ''",
        (place.project_id, process.pid, process.born, SERVER),
    ).fetchone()
    if row is None:
        return None
    _name(connection, row[0], assistant, key)
    return get(connection, row[0])


def _name(connection: sqlite3.Connection, session_id: str, assistant: str, key: str) -> None:
    connection.execute(
        "UPDATE attendance SET assistant = ?, key = ? WHERE session_id = ?", (assistant, key, session_id)
    )
    connection.execute("UPDATE session SET assistant = ? WHERE id = ?", (assistant, session_id))


def _begin(connection: sqlite3.Connection, place: Place, assistant: str, key: str, now: str) -> str:
    row = record_row("session", place, {"assistant": assistant, "started": now[:19] + "+00:00"}, assistant)
    row |= {"created_at": now, "updated_at": now}
    insert_record(connection, "session", row)
    told = connection.execute("SELECT max(rowid) FROM event").fetchone()[0] or 0
    connection.execute(
        "INSERT INTO attendance (session_id, assistant, key, project_id, root, started_at, seen_at, told, told_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row["id"], assistant, key, place.project_id, str(place.root), now, now, told, now),
    )
    return str(row["id"])


def _reopen(connection: sqlite3.Connection, known: Attendance) -> None:
    set_field(connection, "session", known.session_id, "status", "open", known.assistant)
    connection.execute("UPDATE session SET ended = '' WHERE id = ?", (known.session_id,))


def _was_there(known: Attendance, process: Ancestor | None) -> bool:
    """Whether a session was taken for deserted although its assistant was there all the time."""
    return known.event == GONE and process is not None and (process.pid, process.born) == (known.pid, known.born)


def _begin_stay(connection: sqlite3.Connection, session_id: str, now: str) -> None:
    """What was done while the session was closed is not its own: its stay in each worktree begins anew."""
    sql = "UPDATE attended SET started_at = ?, seen_at = ?, head_log = -1 WHERE session_id = ?"
    connection.execute(sql, (now, now, session_id))


def end(connection: sqlite3.Connection, known: Attendance, at: str, event: str) -> bool:
    """The session is over since `at`; False when it was already."""
    sql = "UPDATE attendance SET ended_at = ?, event = ? WHERE session_id = ? AND ended_at = ''"
    if connection.execute(sql, (at, event, known.session_id)).rowcount == 0:
        return False
    connection.execute("UPDATE session SET ended = ? WHERE id = ?", (at[:19] + "+00:00", known.session_id))
    set_field(connection, "session", known.session_id, "status", "done", known.assistant)
    return True


def _set(connection: sqlite3.Connection, session_id: str, **values: object) -> None:
    names = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE attendance SET {names} WHERE session_id = ?", (*values.values(), session_id))


def _attend(connection: sqlite3.Connection, session_id: str, root: str, now: str) -> None:
    connection.execute(
        "INSERT INTO attended (session_id, root, started_at, seen_at, head_log) VALUES (?, ?, ?, ?, -1)"
        " ON CONFLICT (session_id, root) DO UPDATE SET seen_at = excluded.seen_at",
        (session_id, root, now, now),
    )


def read_up_to(connection: sqlite3.Connection, session_id: str, root: str, head_log: int) -> None:
    """Git's log of HEAD was read so far."""
    sql = "UPDATE attended SET head_log = ? WHERE session_id = ? AND root = ?"
    connection.execute(sql, (head_log, session_id, root))
