"""The services that run beside the training, as they were put down: of a project, or of all. What they answer is not asked."""

from __future__ import annotations

import sqlite3
from typing import Any

from neatd.store import records as kept
from neatd.store.standing import projects_of


def service_list(records: sqlite3.Connection, project_id: str | None = None) -> list[dict[str, Any]]:
    """{id, title, url, about, status, project, project_id, updated_at} of each that is not closed, newest first."""
    names = {key: name for key, (name, _) in projects_of(records, project_id).items()}
    return [
        {"id": one.id, "title": one.title, "url": one.url, "about": one.about, "status": one.status,
         "project": names.get(one.project_id, ""), "project_id": one.project_id, "updated_at": one.updated_at}
        for one in kept.list_records(records, "service", project_id) if not one.is_closed
    ]  # fmt: skip
