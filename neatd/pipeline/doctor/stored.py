"""What `neat doctor` says of the store: whether both databases are whole, backups, maintenance, room, settings."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from neatd.errors import NeatError
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.doctor.upkept import upkept
from neatd.pipeline.settingsfile import in_force
from neatd.store.connection import database_path
from neatd.store.damage import newest_backup
from neatd.store.opening import connect


def stored(home: Path) -> Iterator[Finding]:
    """A line for each database, then what keeps them."""
    for name in ("neat", "points"):
        path = database_path(home, name)
        if not path.exists() and not newest_backup(home, name):
            yield Finding(f"{name}.db", "note", f"not made yet: {path}", "`neat init` in a project")
            continue
        try:
            with closing(connect(home, name)) as connection:
                answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except (NeatError, sqlite3.DatabaseError) as error:
            hint = error.hint if isinstance(error, NeatError) else "`neat restore`"
            yield Finding(f"{name}.db", "bad", str(getattr(error, "message", error)), hint)
            continue
        state = "ok" if answer == "ok" else "bad"
        yield Finding(
            f"{name}.db",
            state,
            f"{answer}, {path.stat().st_size} bytes, {path}",
            "" if state == "ok" else "`neat restore`",
        )
    yield from upkept(home)
    free = shutil.disk_usage(home if home.exists() else home.parent if home.parent.exists() else Path.home()).free
    yield Finding(
        "disk", "ok" if free > 1 << 30 else "bad", f"{free >> 20} MiB free", "" if free > 1 << 30 else "make room"
    )
    settings = in_force(home)
    if settings.mistake:
        yield Finding("settings", "bad", settings.told, settings.mistake.hint)
