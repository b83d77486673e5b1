"""To which session of an assistant a change belongs: the one its environment names, else the one of the assistant among
the processes above. A person's change, and the daemon's, belongs to none. Stdlib only, for the short path.
"""

from __future__ import annotations

import os
import sqlite3
from functools import lru_cache

from neatd.kinds import KINDS
from neatd.lineage import Ancestor, lineage
from neatd.who import PERSON, source, told_session

_MOST_OPEN = 200  # sessions among which the assistant is looked for


def session_here(connection: sqlite3.Connection) -> str:
    """The session in which this process works; "" for none."""
    return told_session() or (
        "" if source() == PERSON else session_above(connection, _above(os.getpid(), os.getppid()))
    )


@lru_cache(maxsize=1)
def _above(pid: int, parent: int) -> tuple[Ancestor, ...]:
    """The processes above this one, looked at once: a sync writes twenty thousand changes."""
    return lineage()


def session_of(connection: sqlite3.Connection, kind: str, record_id: str) -> str:
    """The session in which a record is being written; "" for none. An assistant may go from one project to another."""
    session = session_here(connection)
    if not session or kind not in KINDS:
        return session
    row = connection.execute(f"SELECT project_id FROM {kind} WHERE id = ?", (record_id,)).fetchone()
    return in_project(connection, session, row[0]) if row else ""


def session_above(connection: sqlite3.Connection, above: tuple[Ancestor, ...], project_id: str = "") -> str:
    """The open session, seen last, of the nearest assistant among `above`; in one project, if given. "" for none."""
    where, values = ("AND project_id = ?", (project_id,)) if project_id else ("", ())
    rows = connection.execute(
        f"SELECT pid, born, session_id FROM attendance WHERE ended_at = '' {where} ORDER BY seen_at DESC LIMIT ?",
        (*values, _MOST_OPEN),
    ).fetchall()
    known: dict[tuple[int, str], str] = {}
    for pid, born, session_id in rows:
        known.setdefault((pid, born), session_id)
    return next((known[one[:2]] for one in above if one[:2] in known), "")


def in_project(connection: sqlite3.Connection, session_id: str, project_id: str) -> str:
    """The same assistant's session in a project, which may be another than the session's own; "" for none."""
    row = connection.execute(
        "SELECT b.session_id FROM attendance a JOIN attendance b ON b.assistant = a.assistant AND b.key = a.key"
        " WHERE a.session_id = ? AND b.project_id = ?",
        (session_id, project_id),
    ).fetchone()
    return str(row[0]) if row else ""
