"""Tokens of machines that send lines: made, looked up, taken back. Of a token only its SHA-256 is kept.

A token is 32 random bytes, so that a hash without salt tells nothing of it; that it is looked up by the hash, so does time.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta

from neatd.errors import NeatError
from neatd.models import Model
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import to_model, to_models

BYTES = 32
PREFIX = "neat_"  # so that one who finds it knows what it is
SEEN_EVERY = timedelta(minutes=1)


class Sender(Model):
    """A machine that may send lines into a project's folder, or might until it was revoked."""

    hash: str
    machine: str
    project_id: str
    root: str
    created_at: datetime
    seen_at: datetime | None = None
    revoked_at: datetime | None = None


def add(connection: sqlite3.Connection, project_id: str, root: str, machine: str) -> str:
    """A new token for a machine: it is told here, and nowhere again. Raises NeatError where the machine has one."""
    token = PREFIX + secrets.token_urlsafe(BYTES)
    with transaction(connection):
        if _holding(connection, project_id, machine):
            raise NeatError(
                f"{machine} has a token already", f"`neat ingest remove {machine}` takes it back; then add it again"
            )
        connection.execute(
            "INSERT INTO ingest_token (hash, machine, project_id, root, created_at) VALUES (?, ?, ?, ?, ?)",
            (hash_of(token), machine, project_id, root, utc_now()),
        )
    return token


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def senders(connection: sqlite3.Connection, project_id: str) -> list[Sender]:
    """The machines whose tokens hold, oldest first."""
    sql = "SELECT * FROM ingest_token WHERE project_id = ? AND revoked_at IS NULL ORDER BY created_at, machine"
    return to_models(Sender, connection.execute(sql, (project_id,)))


def sender_of(connection: sqlite3.Connection, token: str) -> Sender | None:
    """Whose token it is, also one that was taken back; None for no token of this home's."""
    row = connection.execute("SELECT * FROM ingest_token WHERE hash = ?", (hash_of(token),)).fetchone()
    return to_model(Sender, row) if row else None


def note_seen(connection: sqlite3.Connection, sender: Sender) -> None:
    """Keep that lines came, at most once a minute."""
    now = datetime.now(UTC)
    if sender.seen_at is None or now - sender.seen_at > SEEN_EVERY:
        with transaction(connection):
            connection.execute("UPDATE ingest_token SET seen_at = ? WHERE hash = ?", (stamp(now), sender.hash))


def revoke(connection: sqlite3.Connection, project_id: str, machine: str) -> None:
    """The machine's token no longer holds. Raises NeatError where it has none."""
    with transaction(connection):
        if not _holding(connection, project_id, machine):
            raise NeatError(f"no token for {machine!r} in this project", "`neat ingest list` shows the machines")
        connection.execute(
            "UPDATE ingest_token SET revoked_at = ? WHERE project_id = ? AND machine = ? AND revoked_at IS NULL",
            (utc_now(), project_id, machine),
        )


def _holding(connection: sqlite3.Connection, project_id: str, machine: str) -> bool:
    sql = "SELECT 1 FROM ingest_token WHERE project_id = ? AND machine = ? AND revoked_at IS NULL"
    return connection.execute(sql, (project_id, machine)).fetchone() is not None
