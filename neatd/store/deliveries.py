"""Which assistant received which brief, when, by the hash of its text. Plain rows, stdlib only, for the hooks."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from neatd.store.moments import utc_now

MOST_KEPT = 500  # of a project; the oldest go


class Delivery(NamedTuple):
    """A brief that reached an assistant. `event` is the hook that carried it, or mcp."""

    at: str
    project_id: str
    root: str
    assistant: str
    session_id: str
    event: str
    hash: str
    characters: int


def text_hash(text: str) -> str:
    """What a text is known by: the beginning of its SHA-256."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def deliver(
    connection: sqlite3.Connection, project_id: str, root: str, assistant: str, session_id: str, event: str, text: str
) -> None:
    """Keep that a text was handed over. Caller holds the transaction."""
    connection.execute(
        "INSERT INTO delivery (at, project_id, root, assistant, session_id, event, hash, characters)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (utc_now(), project_id, root, assistant, session_id, event, text_hash(text), len(text)),
    )
    connection.execute(
        "DELETE FROM delivery WHERE project_id = ? AND id <= (SELECT max(id) FROM delivery WHERE project_id = ?) - ?",
        (project_id, project_id, MOST_KEPT),
    )


def deliveries(connection: sqlite3.Connection, project_id: str, limit: int = 50) -> list[Delivery]:
    """The deliveries of a project, newest first."""
    names = ", ".join(Delivery._fields)
    sql = f"SELECT {names} FROM delivery WHERE project_id = ? ORDER BY id DESC LIMIT ?"
    return [Delivery(*row) for row in connection.execute(sql, (project_id, limit))]
