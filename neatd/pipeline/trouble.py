"""What to say of an error that is nobody's mistake in typing: the store busy, full, broken or only readable; the disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from neatd.errors import NeatError
from neatd.store.damage import damaged_path, is_damage, unreadable


def of_store(home: Path, error: sqlite3.DatabaseError) -> NeatError:
    """SQLite's answer with what to do about it."""
    if is_damage(error):
        return unreadable(home, damaged_path(home), str(error))
    if "readonly" in str(error):
        hint = (
            "what you keep (`neat note`, `neat decide` …) is left in .neat/inbox; changes need a NEAT_HOME to write to"
        )
        return NeatError(f"the store can only be read here: {home}", hint)
    if "full" in str(error):
        return NeatError(f"the disk is full: {home}: {error}", "make room, then try again; nothing was half written")
    return NeatError(f"the store answers: {error}: {home}", "try again in a moment; `neat doctor` checks the store")


def of_system(error: OSError) -> NeatError:
    """The system's answer, with the file it is about."""
    where = f": {error.filename}" if error.filename else ""
    return NeatError(f"{error.strerror or error}{where}", "check that the disk has room and the place is yours")
