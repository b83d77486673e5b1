"""Opens a database of NEAT_HOME, current and whole, or says what is wrong with it.

Stdlib only while the store is current: migrations (and sqlite_utils) load the first time and after an upgrade.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from neatd.errors import NeatError
from neatd.store.connection import BUSY_S, VERSIONS, database_path, open_connection, open_file
from neatd.store.damage import is_damage, unreadable


def connect(home: Path, name: str = "neat", wait_s: float = BUSY_S) -> sqlite3.Connection:
    """An open, current database of `home`. Creates or migrates it when needed; raises StoreError when unreadable, and
    sqlite3.OperationalError when it stays locked for `wait_s`."""
    path = database_path(home, name)
    if not _is_current(home, path, name, wait_s):
        from neatd.store.migrate import ensure

        ensure(home, name)
    return open_connection(path, name, wait_s)


class OutOfReachError(NeatError):
    """The store is there, and this user or sandbox may not read it."""


def _is_current(home: Path, path: Path, name: str, wait_s: float) -> bool:
    size = path.stat().st_size if path.exists() else 0
    if size == 0:
        return False
    has_journal = path.with_name(path.name + "-wal").exists()
    try:
        connection = open_file(path, wait_s)
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            page = int(connection.execute("PRAGMA page_size").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise unreadable(home, path, str(error)) from error
        if isinstance(error, sqlite3.OperationalError) and not os.access(path, os.R_OK):
            raise OutOfReachError(f"{path} cannot be opened: {error}", "check the permissions of NEAT_HOME") from error
        raise
    if size % page and not has_journal:  # SQLite fills a last page that was cut with zeros, and says nothing
        raise unreadable(home, path, "the file is cut short: its last page is not whole")
    return version == VERSIONS[name]
