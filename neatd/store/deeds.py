"""What was done in an assistant's session besides records: commits, files, runs. Plain rows, stdlib only, for the hooks.

A commit or a run has one doer: who claims it first has it. The lists in the session's record are made from here and from
the history of the records. The caller holds the transaction in every function that writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from neatd.kinds import KINDS
from neatd.redact import redact
from neatd.store.moments import utc_now

MOST_LISTED = 200  # of each kind in the session's record
_LONGEST_TITLE = 120
_LONGEST_KEPT = 500  # of a deed's title
_NOT_MADE = frozenset({"test", "session", "handoff"})  # kinds that are told otherwise, or not at all


class Deed(NamedTuple):
    """One thing done: `ref` is a commit, a path relative to the worktree, a run's id."""

    kind: str
    ref: str
    root: str
    at: str
    title: str
    how: str


def add(
    connection: sqlite3.Connection, session_id: str, kind: str, ref: str, root: str, at: str, title: str = "", how: str = ""
) -> bool:  # fmt: skip
    """Keep a deed; False when it is known, or another session's."""
    row = (session_id, kind, redact(ref), root, at, redact(title)[:_LONGEST_KEPT], how)
    sql = "INSERT INTO deed (session_id, kind, ref, root, at, title, how) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return connection.execute(sql, row).rowcount == 1


def take_away(connection: sqlite3.Connection, kind: str, ref: str) -> None:
    """A deed that another one replaced, as an amended commit."""
    connection.execute("DELETE FROM deed WHERE kind = ? AND ref = ?", (kind, ref))


def replace(connection: sqlite3.Connection, kind: str, old: str, new: str, title: str) -> str:
    """A deed under its new name, as a commit that was amended or rebased; returns whose it is, "" when it was nobody's."""
    session_id = doer(connection, kind, old)
    if session_id and not doer(connection, kind, new):
        sql = "UPDATE deed SET ref = ?, title = ? WHERE kind = ? AND ref = ?"
        connection.execute(sql, (new, redact(title)[:_LONGEST_KEPT], kind, old))
    elif session_id:
        take_away(connection, kind, old)
    return session_id


def titled(connection: sqlite3.Connection, kind: str, root: str, title: str, but: Collection[str]) -> str:
    """The first deed of a title in a worktree by a session that is open, and whose name is none of `but`; "" for none."""
    rows = connection.execute(
        "SELECT ref FROM deed d JOIN attendance a USING (session_id)"
        " WHERE kind = ? AND d.root = ? AND title = ? AND ended_at = '' ORDER BY at, d.rowid",
        (kind, root, redact(title)[:_LONGEST_KEPT]),
    )
    return next((str(row[0]) for row in rows if row[0] not in but), "")


def how_done(connection: sqlite3.Connection, kind: str, ref: str) -> tuple[str, str]:
    """(whose deed it is, how that is known); ("", "") when it is nobody's."""
    row = connection.execute("SELECT session_id, how FROM deed WHERE kind = ? AND ref = ?", (kind, ref)).fetchone()
    return (str(row[0]), str(row[1])) if row else ("", "")


def last_at(connection: sqlite3.Connection, session_id: str) -> str:
    """When something was done last in a session; "" when nothing was."""
    done = connection.execute("SELECT max(at) FROM deed WHERE session_id = ?", (session_id,)).fetchone()[0]
    kept = connection.execute("SELECT max(at) FROM history WHERE session = ?", (session_id,)).fetchone()[0]
    return max(done or "", kept or "")


def doer(connection: sqlite3.Connection, kind: str, ref: str) -> str:
    """Whose deed it is; "" when it is nobody's."""
    return how_done(connection, kind, ref)[0]


def deeds(connection: sqlite3.Connection, session_id: str, kind: str | None = None) -> list[Deed]:
    """What was done in a session, in order."""
    where, values = (" AND kind = ?", [kind]) if kind else ("", [])
    sql = f"SELECT kind, ref, root, at, title, how FROM deed WHERE session_id = ?{where} ORDER BY at, rowid"
    return [Deed(*row) for row in connection.execute(sql, (session_id, *values))]


def records_of(connection: sqlite3.Connection, session_id: str) -> list[tuple[str, str]]:
    """(kind, id) of the records that were made or changed in a session, in order."""
    sql = "SELECT kind, record_id FROM history WHERE session = ? GROUP BY kind, record_id ORDER BY min(id)"
    return [(row[0], row[1]) for row in connection.execute(sql, (session_id,)) if row[0] in KINDS]


def write_down(connection: sqlite3.Connection, session_id: str) -> bool:
    """Bring the session's record to what was done in it; False when it says so already.

    These are observations, so no line of history is written for them.
    """
    fields = _fields(connection, session_id)
    names = ", ".join(fields)
    old = connection.execute(f"SELECT {names} FROM session WHERE id = ?", (session_id,)).fetchone()
    if old is None or tuple(old) == tuple(fields.values()):
        return False
    changes = ", ".join(f"{name} = ?" for name in fields)
    sql = f"UPDATE session SET {changes}, updated_at = max(updated_at, ?) WHERE id = ?"
    connection.execute(sql, (*fields.values(), utc_now(), session_id))
    return True


def _fields(connection: sqlite3.Connection, session_id: str) -> dict[str, str]:
    done = deeds(connection, session_id)
    commits = [f"{one.ref[:10]} {one.title}".strip() for one in done if one.kind == "commit"]
    files = [one.ref for one in done if one.kind == "file"]
    runs = [one.ref for one in done if one.kind == "run"]
    touched = records_of(connection, session_id)
    made = [one for kind, one in touched if kind not in _NOT_MADE]
    tests = [one for kind, one in touched if kind == "test"]
    lists = {"commits": commits, "file": files, "records": made, "runs": runs, "tests": tests}
    return {"title": title(lists)} | {
        name: json.dumps(some[-MOST_LISTED:], ensure_ascii=False) for name, some in lists.items()
    }


def title(done: dict[str, list[str]]) -> str:
    """What a session did in one line: the counts, and the subject of its last commit."""
    words = {"commits": "commit", "file": "file", "records": "record", "runs": "run", "tests": "test run"}
    counts = [_counted(len(some), words[name]) for name, some in done.items() if some]
    last = done["commits"][-1].partition(" ")[2] if done["commits"] else ""
    said = ", ".join(counts) + (f"; last: {last}" if last else "")
    return said if len(said) <= _LONGEST_TITLE else said[: _LONGEST_TITLE - 1] + "…"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" + ("s" if count != 1 else "")
