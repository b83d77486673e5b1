"""The sessions of assistants on this machine, read: which are there, who else is in a worktree; and what each
of them knows already. Stdlib only, for the hooks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple


class Attendance(NamedTuple):
    """A session of an assistant in a project. Times as the store writes them; `ended_at` is "" while it is open."""

    session_id: str
    assistant: str
    key: str
    project_id: str
    root: str
    pid: int
    born: str
    started_at: str
    seen_at: str
    ended_at: str
    event: str
    told: int
    told_at: str


_COLUMNS = ", ".join(Attendance._fields)


def find(connection: sqlite3.Connection, assistant: str, key: str, project_id: str) -> Attendance | None:
    """The session that an assistant calls `key`, in a project. Not each of its events tells which assistant it is: the name
    alone will do, where no session of that assistant bears it."""
    sql = f"SELECT {_COLUMNS} FROM attendance WHERE key = ? AND project_id = ? ORDER BY assistant = ? DESC LIMIT 1"
    row = connection.execute(sql, (key, project_id, assistant)).fetchone()
    return Attendance(*row) if row else None


def get(connection: sqlite3.Connection, session_id: str) -> Attendance | None:
    """The attendance of a session's record; None for one that no hook told of."""
    sql = f"SELECT {_COLUMNS} FROM attendance WHERE session_id = ?"
    row = connection.execute(sql, (session_id,)).fetchone()
    return Attendance(*row) if row else None


def open_ones(connection: sqlite3.Connection, project_id: str | None = None) -> list[Attendance]:
    """The open sessions of a project, or of all, the one seen last first."""
    where, values = (" AND project_id = ?", [project_id]) if project_id else ("", [])
    sql = f"SELECT {_COLUMNS} FROM attendance WHERE ended_at = ''{where} ORDER BY seen_at DESC"
    return [Attendance(*row) for row in connection.execute(sql, values)]


def of_process(connection: sqlite3.Connection, assistant: str, root: str, pid: int, born: str) -> list[Attendance]:
    """The open sessions of one process of an assistant in a worktree."""
    where = "ended_at = '' AND assistant = ? AND root = ? AND pid = ? AND born = ?"
    sql = f"SELECT {_COLUMNS} FROM attendance WHERE {where} ORDER BY started_at"
    return [Attendance(*row) for row in connection.execute(sql, (assistant, root, pid, born))]


def only_root(connection: sqlite3.Connection, key: str) -> str:
    """Where the session was seen last that its assistant calls `key`, when it is known in exactly one project; else ""."""
    sql = "SELECT project_id, root FROM attendance WHERE key = ? ORDER BY seen_at"
    found = dict(connection.execute(sql, (key,)).fetchall())
    return str(next(iter(found.values()))) if len(found) == 1 else ""


def lately(connection: sqlite3.Connection, project_id: str, moment: str) -> list[Attendance]:
    """The sessions of a project that are open, or were after `moment`."""
    sql = f"SELECT {_COLUMNS} FROM attendance WHERE project_id = ? AND (ended_at = '' OR ended_at > ?) ORDER BY started_at"
    return [Attendance(*row) for row in connection.execute(sql, (project_id, moment))]


class Worktree(NamedTuple):
    """A worktree in which a session worked, since when, and how far git's log of HEAD there was read; -1 for not yet. A
    session that was resumed is there since then."""

    root: str
    started_at: str
    seen_at: str
    head_log: int


def worktrees(connection: sqlite3.Connection, session_id: str) -> list[Worktree]:
    """The worktrees of a session."""
    sql = "SELECT root, started_at, seen_at, head_log FROM attended WHERE session_id = ? ORDER BY started_at"
    return [Worktree(*row) for row in connection.execute(sql, (session_id,))]


def beside(connection: sqlite3.Connection, root: str, at: str, but: str, until: str = "") -> Iterator[str]:
    """The other sessions that worked in a worktree at a moment, or at some between `at` and `until`: begun there by then,
    not over before. One that ended in between has taken in at its end what it did."""
    sql = (
        "SELECT d.session_id FROM attended d JOIN attendance a USING (session_id)"
        " WHERE d.root = ? AND d.session_id != ? AND d.started_at <= ? AND (a.ended_at = '' OR a.ended_at >= ?)"
    )
    return (str(row[0]) for row in connection.execute(sql, (root, but, until or at, until or at)))


def know(connection: sqlite3.Connection, session_id: str, told: int, told_at: str) -> None:
    """From here on the session knows what happened up to that event and moment. Caller holds the transaction."""
    sql = "UPDATE attendance SET told = ?, told_at = ? WHERE session_id = ?"
    connection.execute(sql, (told, told_at, session_id))
