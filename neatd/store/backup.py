"""Backups of a database: consistent while others write, verified by opening, the oldest ones dropped. And back again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import fsync_folder
from neatd.store.connection import database_path
from neatd.store.damage import is_damage, newest_backup, set_aside, unreadable


def back_up(home: Path, name: str = "neat", label: str = "daily", keep: int | None = None) -> Path:
    """Copy database `name` into backups/; returns the file. Raises StoreError when the source is unreadable."""
    source_path = database_path(home, name)
    if not source_path.exists():
        raise NeatError(f"nothing to back up: {source_path} does not exist", "`neat init` makes it")
    folder = home / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{label}.db"
    partial = target.with_suffix(".partial")
    try:
        _copy(source_path, partial, name)
    except sqlite3.DatabaseError as error:
        for leftover in (partial, partial.with_name(partial.name + "-journal")):
            leftover.unlink(missing_ok=True)
        if isinstance(error, sqlite3.OperationalError) and not is_damage(error):  # full or busy: the store is sound
            raise NeatError(f"no backup was made of {source_path}: {error}", f"make room in {folder}") from error
        raise unreadable(home, source_path, str(error)) from error
    partial.chmod(0o600)
    partial.replace(target)
    fsync_folder(folder)
    if keep is not None:
        _drop_old(folder, name, keep)
    return target


def _copy(source_path: Path, target_path: Path, name: str) -> None:
    """Copy a database; raises sqlite3.DatabaseError when it is broken, or sound but no store `name`, as an empty file is."""
    source = sqlite3.connect(f"{source_path.absolute().as_uri()}?mode=rw", uri=True, timeout=30.0)
    target = sqlite3.connect(target_path)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a -wal beside it
        answer = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise sqlite3.DatabaseError(f"malformed: {answer}")
        made_by = target.execute("SELECT count(*) FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()[0]
        sets = target.execute("SELECT migration_set FROM _sqlite_migrations").fetchall() if made_by else []
        if (f"neat.{name}",) not in sets:
            raise sqlite3.DatabaseError("it holds no records of neat")
    finally:
        source.close()
        target.close()


def _drop_old(folder: Path, name: str, keep: int) -> None:
    """Only the daily ones go: a backup from before a migration or by hand stays until a person removes it."""
    for old in sorted(folder.glob(f"{name}-*-daily.db"))[:-keep]:
        old.unlink(missing_ok=True)


def newest_age_h(home: Path, now: datetime) -> float | None:
    """Hours since the newest backup of the records; None when there is none."""
    newest = newest_backup(home)
    if newest is None:
        return None
    return (now.timestamp() - newest.stat().st_mtime) / 3600


def restore(home: Path, backup: Path | None = None) -> tuple[Path, Path | None]:
    """Put a backup (default: the newest) in the store's place; returns (backup, where the old file went).

    The caller makes sure that no daemon runs. The old file is renamed, never deleted.
    """
    chosen = backup or newest_backup(home)
    if chosen is None or not chosen.is_file():
        raise NeatError(
            f"no backup at {chosen or home / 'backups'}", "`neat backup` makes one while the store is whole"
        )
    path = database_path(home, "neat")
    fresh = path.with_name(f".{path.name}.restoring")
    fresh.unlink(missing_ok=True)
    try:
        _copy(chosen, fresh, "neat")
    except sqlite3.DatabaseError as error:
        fresh.unlink(missing_ok=True)
        raise NeatError(
            f"the backup {chosen} is broken too: {error}", "name an older one: `neat restore FILE`"
        ) from error
    fresh.chmod(0o600)
    with closing(sqlite3.connect(fresh)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    aside = set_aside(path)
    fresh.replace(path)
    fsync_folder(home)
    return chosen, aside


def set_broken_points_aside(home: Path) -> Path | None:
    """Rename points.db out of the way where it cannot be read: it is made again from the metrics files. None where it can,
    or where there is none."""
    path = database_path(home, "points")
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30.0)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            connection.execute("SELECT count(*) FROM reading").fetchone()
    except sqlite3.OperationalError as error:
        if not is_damage(error) and "no such table" not in str(error):
            raise
        answer = str(error)
    except sqlite3.DatabaseError as error:
        answer = str(error)
    return None if answer == "ok" else set_aside(path)
