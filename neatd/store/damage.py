"""What to say of a store that cannot be read: which file, why, and the newest backup. It is never replaced."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from neatd.errors import StoreError


def newest_backup(home: Path, name: str = "neat") -> Path | None:
    """The newest backup of database `name`; their file names sort by time."""
    found = sorted((home / "backups").glob(f"{name}-*.db"))
    return found[-1] if found else None


def unreadable(home: Path, path: Path, why: str) -> StoreError:
    """The error that stops the program, with what to do next."""
    name = path.stem
    backup = newest_backup(home, name)
    if name == "points":
        hint = f"move {path} away and restart: it is read again from the metrics files that still exist"
    elif backup:
        hint = f"the newest backup is {backup}: `neat restore` puts it back and keeps the broken file beside it"
    else:
        hint = f"there is no backup in {home / 'backups'} yet; `sqlite3 {path} .recover` may save the records"
    return StoreError(f"the store cannot be read: {path}: {why}", hint)


def set_aside(path: Path) -> Path | None:
    """Rename a database out of the way, and what lies beside it; returns its new name, None when it is not there."""
    aside = set_aside_journal(path)
    return path.rename(aside) if path.exists() else None


def set_aside_journal(path: Path) -> Path:
    """Rename the -wal and -shm beside a database, whichever are there; returns the name that fits to theirs.

    They outlive their database when a person removes it, and SQLite would replay them into the next one of its name.
    """
    aside = path.with_name(f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an SQLite error says that the file itself is broken."""
    text = str(error)
    return any(words in text for words in ("malformed", "not a database", "disk image", "unsupported file format"))


def damaged_path(home: Path) -> Path:
    """Which of the two databases an error came from that did not say: the first that fails its own check."""
    for name in ("points", "neat"):
        path = home / f"{name}.db"
        try:
            connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)
            try:
                answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.OperationalError:
            continue  # not there, or busy: that is no damage
        except sqlite3.DatabaseError:
            return path
        if answer != "ok":
            return path
    return home / "neat.db"
