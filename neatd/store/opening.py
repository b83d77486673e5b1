"""Opens a database of NEAT_HOME, current and whole, or says what is wrong with it.

Stdlib only while the store is current: migrations (and sqlite_utils) load the first time and after an upgrade.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from neatd.errors import NeatError
from neatd.store.connection import BUSY_S, VERSIONS, database_path, open_connection
from neatd.store.damage import is_damage, unreadable


def connect(home: Path, name: str = "neat") -> sqlite3.Connection:
    """An open, current database of `home`. Creates or migrates it when needed; raises StoreError when unreadable."""
    path = database_path(home, name)
    if not _is_current(home, path, name):
        from neatd.store.migrate import ensure

        ensure(home, name)
    return open_connection(path, name)


def _is_current(home: Path, path: Path, name: str) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        connection = sqlite3.connect(path, timeout=BUSY_S)
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise unreadable(home, path, str(error)) from error
        if isinstance(error, sqlite3.OperationalError) and not os.access(path, os.R_OK):
            raise NeatError(f"{path} cannot be opened: {error}", "check the permissions of NEAT_HOME") from error
        raise
    return version == VERSIONS[name]
