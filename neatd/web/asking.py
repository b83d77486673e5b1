"""What the page answers to who asks for a change: the request as it stands. neatd carries it out."""

from __future__ import annotations

import sqlite3
from typing import Any

from neatd.models import Request
from neatd.store import maintenance, requests
from neatd.web.plain import Plain
from neatd.web.shapes_maintenance import RequestShape

Asked: dict[int | str, dict[str, Any]] = {
    202: {"model": RequestShape, "description": "GET /api/requests/{id} tells more"}
}


def asked(records: sqlite3.Connection, request_id: str) -> Plain:
    """202 with the request: whoever asked looks at /api/requests/{id} for what becomes of it."""
    return Plain(request_shape(records, requests.get_request(records, request_id)), 202)


def ended(kind: str, result: dict[str, Any]) -> Plain:
    """The same where nothing was left for neatd to do."""
    return Plain({"id": None, "kind": kind, "status": "done", "result": result, "said": ""}, 202)


def request_shape(records: sqlite3.Connection, one: Request) -> dict[str, Any]:
    """A request without what it was given; of maintenance that goes on, how far it has come."""
    row = maintenance.get(records, one.id) if one.status == "running" else None
    return {
        "id": one.id, "kind": one.kind, "status": one.status, "result": one.result, "said": row.summary if row else "",
        "created_at": one.created_at, "updated_at": one.updated_at,
    }  # fmt: skip
