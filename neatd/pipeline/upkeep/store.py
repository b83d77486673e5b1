"""The store's own jobs: backup, check of both databases, the records as plain text. They read, and write beside the store."""

from __future__ import annotations

import sqlite3

from neatd.assist.render import size
from neatd.errors import NeatError
from neatd.pipeline.upkeep.work import Outcome, Steps, Work
from neatd.store.backup import back_up
from neatd.store.connection import database_path
from neatd.store.damage import unreadable
from neatd.store.sizes import database_bytes, folder_bytes
from neatd.store.sync import copy_knowledge

_LOOKS_EVERY = 20_000  # steps of SQLite's machine between two looks at whether it is to end


def back_up_records(work: Work) -> Steps:
    """A copy of the records that was opened and checked, the oldest dropped."""
    folder = work.home / "backups"
    before = folder_bytes(folder)
    yield "copying the records"
    made = back_up(work.home, keep=work.settings.backups_kept)
    after = folder_bytes(folder)
    size_bytes = made.stat().st_size
    details = {"file": str(made), "size_bytes": size_bytes, "before_bytes": before, "after_bytes": after}
    return Outcome(f"{made.name}, {size(size_bytes)}, opened and checked", details)


def check_databases(work: Work) -> Steps:
    """SQLite's whole check of both databases; what is sound is brought up to date, and its log written into it."""
    said, before, after = [], 0, 0
    for name, connection in (("neat", work.records), ("points", work.points)):
        yield f"checking {name}.db"
        before += database_bytes(work.home, name)
        _check(work, name, connection)
        yield f"optimising {name}.db"
        connection.execute("PRAGMA optimize")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # never waits for those who read or write
        after += database_bytes(work.home, name)
        said.append(f"{name}.db is sound")
    return Outcome(", ".join(said), {"before_bytes": before, "after_bytes": after})


def _check(work: Work, name: str, connection: sqlite3.Connection) -> None:
    connection.set_progress_handler(lambda: int(work.should_end()), _LOOKS_EVERY)
    try:
        answers = [row[0] for row in connection.execute("PRAGMA integrity_check(10)")]
    except sqlite3.OperationalError as error:
        if work.should_end():
            raise NeatError("the check was ended before its time", "`neat maintain integrity` begins anew") from error
        raise
    finally:
        connection.set_progress_handler(None, 0)
    if answers != ["ok"]:
        raise unreadable(work.home, database_path(work.home, name), "; ".join(answers))


def export_records(work: Work) -> Steps:
    """The records of each project as lines of JSON under NEAT_HOME, for the day on which no SQLite is at hand."""
    written, ids = 0, dict.fromkeys(one.project_id for one in work.watched)
    for project_id in ids:
        yield f"{written} of {len(ids)} projects"
        written += copy_knowledge(work.records, work.home, project_id) is not None
    folder = work.home / "knowledge"
    details = {"folder": str(folder), "projects": len(ids), "after_bytes": folder_bytes(folder)}
    return Outcome(f"{len(ids)} project(s), {written} changed since the last time, in {folder}", details)
