"""Numbered SQL migrations from `store/<name>/`, applied in order by sqlite-utils, each in a transaction.

A new database is built beside its place and linked into it whole, so a half-made store never exists and an existing
file is never replaced. An old one is backed up before the first pending migration.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database, Migrations

from neatd.errors import StoreError
from neatd.files import data_path, fsync_folder
from neatd.locks import FileLock
from neatd.store.backup import back_up
from neatd.store.connection import VERSIONS, database_path
from neatd.store.damage import is_damage, newest_backup, set_aside_journal, unreadable

PAGE_BYTES = {"neat": 4096, "points": 1024}  # of a new database; the last page of a block is half empty on average


def ensure(home: Path, name: str) -> None:
    """Create or migrate one database of `home`. Raises StoreError when it is unreadable or from a newer neat."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = database_path(home, name)
    with FileLock(home / "migrate.lock"):
        if path.exists():
            _upgrade(home, path, name)
        else:
            _create(home, path, name)


def _create(home: Path, path: Path, name: str) -> None:
    backup = newest_backup(home, name)
    if name == "neat" and backup:
        raise StoreError(
            f"the store is gone: {path}, though there are backups of it",
            f"`neat restore` puts {backup} back; to start over instead, move {home / 'backups'} away",
        )
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES[name]}")
            connection.execute("PRAGMA journal_mode = WAL")
            apply(connection, name)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fresh.chmod(0o600)
        set_aside_journal(path)
        os.link(fresh, path)  # fails if the name is taken, where a rename would replace
    finally:
        for leftover in home.glob(f"{fresh.name}*"):
            leftover.unlink(missing_ok=True)
    fsync_folder(home)


def _upgrade(home: Path, path: Path, name: str) -> None:
    if path.stat().st_size == 0:
        raise unreadable(home, path, "the file is empty")
    try:
        with closing(sqlite3.connect(path, timeout=30.0)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if version > VERSIONS[name]:
                raise StoreError(
                    f"{path} was written by a newer neat (its version {version}, known here {VERSIONS[name]})",
                    "upgrade neat, or point NEAT_HOME at another folder",
                )
            if version < VERSIONS[name]:  # also a database that is not ours: the backup refuses it
                back_up(home, name, f"before-{version + 1:04d}")
                apply(connection, name)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise unreadable(home, path, str(error)) from error
        raise StoreError(
            f"{path} cannot be brought to version {VERSIONS[name]}: {error}",
            "what failed was taken back: try again, or go on with the neat that wrote it",
        ) from error


def apply(connection: sqlite3.Connection, name: str, folder: Path | None = None) -> None:
    """Run the pending migrations of `name`; each leaves all of itself or nothing, with user_version set in it."""
    migrations = Migrations(f"neat.{name}")
    for number, path in enumerate(sorted((folder or data_path("store") / name).glob("[0-9]*.sql")), start=1):
        migrations(name=path.stem)(_script(path.read_text(encoding="utf-8"), number))
    migrations.apply(Database(connection))


def _script(sql: str, number: int) -> Callable[[Database], None]:
    def run(db: Database) -> None:
        for statement in statements(sql):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA user_version = {number}")

    return run


def statements(sql: str) -> Iterator[str]:
    """The single statements of a script; sqlite3's own executescript would commit the surrounding transaction."""
    pending = ""
    for piece in re.split("(?<=;)", sql):
        pending += piece
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending
