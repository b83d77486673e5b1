"""Folders that are no longer watched: their consents are taken back, their records stay, and whose they were is in the
history, so that a folder that is set up again is the same project again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from neatd.store.connection import transaction
from neatd.store.short import add_history

_KIND, _FIELD = "root", "project_id"
Done = TypeVar("Done")


def let_go(connection: sqlite3.Connection | None, root: Path, who: str, take_away: Callable[[], Done]) -> Done:
    """Watch `root` no more. `take_away` removes what makes it a project in the same transaction, so that no command that
    runs meanwhile makes it known again. Without a store only that."""
    if connection is None:
        return take_away()
    with transaction(connection):
        path = str(root.resolve())
        row = connection.execute("SELECT project_id FROM root WHERE path = ?", (path,)).fetchone()
        if row:
            add_history(connection, _KIND, path, who, _FIELD, row[0], None)
            connection.execute("DELETE FROM root WHERE path = ?", (path,))
        connection.execute("DELETE FROM consent WHERE root = ?", (path,))
        return take_away()


def former_project(connection: sqlite3.Connection, root: Path) -> str:
    """The id of the project that stood in `root` when it was let go; "" for none that is still known."""
    sql = "SELECT old FROM history WHERE record_id = ? AND kind = ? AND field = ? AND new = 'null' ORDER BY id DESC LIMIT 1"
    row = connection.execute(sql, (str(root.resolve()), _KIND, _FIELD)).fetchone()
    found = str(json.loads(row[0])) if row else ""
    known = connection.execute("SELECT 1 FROM project WHERE id = ?", (found,)).fetchone()
    return found if known else ""
