"""Projects, the folders they stand in, the consents given for a folder."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from neatd.models import Project
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.rows import to_models

CONSENTS = ("retention", "cleaning", "addresses", "stop")  # what `neat allow` knows


def projects(connection: sqlite3.Connection) -> list[Project]:
    """Every registered folder with its project, oldest first."""
    sql = (
        "SELECT p.id, p.name, r.path AS root, p.baseline FROM root r JOIN project p ON p.id = r.project_id"
        " ORDER BY r.created_at, r.path"
    )
    return to_models(Project, connection.execute(sql))


def set_baseline(connection: sqlite3.Connection, project_id: str, run_id: str) -> None:
    """Name the run that others are compared with."""
    with transaction(connection):
        connection.execute(
            "UPDATE project SET baseline = ?, updated_at = ? WHERE id = ?", (run_id, utc_now(), project_id)
        )


def baseline(connection: sqlite3.Connection, project_id: str) -> str:
    """The baseline's run id, "" when none is named."""
    row = connection.execute("SELECT baseline FROM project WHERE id = ?", (project_id,)).fetchone()
    return str(row[0]) if row else ""


def count_roots(connection: sqlite3.Connection, project_id: str) -> int:
    """In how many folders of this machine the project stands: worktrees and clones that are still there."""
    rows = connection.execute("SELECT path FROM root WHERE project_id = ?", (project_id,))
    return sum(Path(path).is_dir() for (path,) in rows)


def allow(connection: sqlite3.Connection, root: Path, what: str) -> None:
    """Keep the user's consent for one folder on this machine."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO consent (root, what, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (str(root.resolve()), what, utc_now()),
        )


def revoke(connection: sqlite3.Connection, root: Path, what: str) -> bool:
    """Take a consent back; False when there was none."""
    with transaction(connection):
        sql = "DELETE FROM consent WHERE root = ? AND what = ?"
        return connection.execute(sql, (str(root.resolve()), what)).rowcount > 0


def consents(connection: sqlite3.Connection, root: Path) -> dict[str, datetime]:
    """What was allowed for this folder, and when."""
    rows = connection.execute("SELECT what, created_at FROM consent WHERE root = ?", (str(root.resolve()),))
    return {row[0]: datetime.fromisoformat(row[1]) for row in rows}
