"""Requests: what the daemon is asked to do to the world. What is said of them is kept without secrets."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from neatd.models import Request
from neatd.redact import redact_value
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.rows import dump, to_model, to_models
from neatd.store.short import new_id


def ask(connection: sqlite3.Connection, kind: str, project_id: str | None, payload: Mapping[str, Any]) -> str:
    """Put down what is to be done; returns the request's id."""
    with transaction(connection):
        return put(connection, kind, project_id, payload)


def put(connection: sqlite3.Connection, kind: str, project_id: str | None, payload: Mapping[str, Any]) -> str:
    """The same in a transaction that the caller holds."""
    request_id, now = new_id("request"), utc_now()
    connection.execute(
        "INSERT INTO request (id, kind, project_id, payload, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        (request_id, kind, project_id, dump(dict(payload)), now, now),
    )
    return request_id


def has_asked(connection: sqlite3.Connection, kind: str, event_id: str) -> bool:
    """Whether there is a request of the kind for an event, ended or not."""
    sql = "SELECT 1 FROM request WHERE kind = ? AND json_extract(payload, '$.event') = ?"
    return connection.execute(sql, (kind, event_id)).fetchone() is not None


def pending(connection: sqlite3.Connection, besides: str = "") -> list[Request]:
    """Requests not yet ended, oldest first, without those of the kind `besides`. One left `running` by a crash is among
    them: carrying out is idempotent."""
    sql = "SELECT * FROM request WHERE status IN ('pending', 'running') AND kind != ? ORDER BY created_at, rowid"
    return to_models(Request, connection.execute(sql, (besides,)))


def pending_of(connection: sqlite3.Connection, kind: str, most: int = -1) -> list[Request]:
    """The oldest requests of a kind that have not ended."""
    sql = "SELECT * FROM request WHERE status IN ('pending', 'running') AND kind = ? ORDER BY created_at, rowid LIMIT ?"
    return to_models(Request, connection.execute(sql, (kind, most)))


def get_request(connection: sqlite3.Connection, request_id: str) -> Request:
    """One request by its whole id."""
    return to_model(Request, connection.execute("SELECT * FROM request WHERE id = ?", (request_id,)).fetchone())


def find_request(connection: sqlite3.Connection, request_id: str) -> Request | None:
    """The same; None where there is none."""
    row = connection.execute("SELECT * FROM request WHERE id = ?", (request_id,)).fetchone()
    return to_model(Request, row) if row else None


def stopped_by(connection: sqlite3.Connection, run_id: str) -> str:
    """How a rule ended a run: "a rule ended it by INT"; "" where none did."""
    sql = (
        "SELECT json_extract(result, '$.sent') FROM request WHERE kind = 'end-run' AND json_extract(payload, '$.run') = ?"
        " AND json_array_length(result, '$.sent') > 0 ORDER BY updated_at DESC LIMIT 1"
    )
    row = connection.execute(sql, (run_id,)).fetchone()
    return f"a rule ended it by {json.loads(row[0])[-1][0]}" if row else ""


def set_request(
    connection: sqlite3.Connection, request_id: str, status: str, result: Mapping[str, Any] | None = None
) -> None:
    """Write how a request stands."""
    with transaction(connection):
        connection.execute(
            "UPDATE request SET status = ?, result = ?, updated_at = ? WHERE id = ?",
            (status, dump(redact_value(dict(result or {}))), utc_now(), request_id),
        )
