"""The events in the order in which they were written, each given once, as long as somebody asks for new ones.

Asking costs one look at the file and one counter of SQLite's that others' commits change. Between two looks there is no
lock and no transaction, and the store is never written. A store that was replaced, as by `neat restore`, is opened anew,
and what was given is not given again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.models import Event
from neatd.store.moments import utc_now
from neatd.store.rows import to_model

BUSY_S = 1.0  # that one look waits for a lock
MOST_AT_ONCE = 500  # rows in memory
MOST_REMEMBERED = 10_000  # keys of given events: a restored store may judge the same lines again


class Mark(NamedTuple):
    """A place in the order: the last event before it. `id` is "" where there was none."""

    rowid: int
    id: str
    created_at: str


class Wanted(NamedTuple):
    """Which events are given: those of a project and of no project, of one run or of all, of these severities."""

    project_id: str
    run_id: str | None
    severities: Sequence[str]


def newest(connection: sqlite3.Connection) -> Mark:
    """The place after all events."""
    row = connection.execute("SELECT rowid, id, created_at FROM event ORDER BY rowid DESC LIMIT 1").fetchone()
    return Mark(*row) if row else Mark(0, "", utc_now())


def place_of(connection: sqlite3.Connection, word: str) -> Mark:
    """The place after the event whose id begins with `word`."""
    sql = "SELECT rowid, id, created_at FROM event WHERE id >= ? AND id < ? LIMIT 2"
    found = connection.execute(sql, (word, word + "\U0010ffff")).fetchall() if word else []
    if len(found) != 1:
        what = "no event's id begins with" if not found else "the ids of several events begin with"
        raise NeatError(f"{what} {word!r}", "`neat events` lists the ids")
    return Mark(*found[0])


class EventLog:
    """The events of the database `path` from a place on."""

    def __init__(self, path: Path, wanted: Wanted, mark: Mark) -> None:
        self._path, self._wanted, self._mark = path, wanted, mark
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version: int | None = None  # of the data, at the last look that was carried out whole
        self._is_replaced = False
        self._given: dict[str, None] = {}

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def new(self) -> Iterator[tuple[sqlite3.Connection, Event]]:
        """The events since the last look, in order, each with the connection that it was read by. Raises sqlite3.Error
        where the store cannot be read now: what was not given then is given later."""
        connection = self._opened()
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        at, end = self._found(connection), newest(connection)
        while rows := self._after(connection, at.rowid, end.rowid):
            for row in rows:
                event = to_model(Event, row)
                if event.dedupe not in self._given:
                    yield connection, event
                    self._remember(event.dedupe)  # from here on it is given; where the caller failed it is given again
                self._mark = at = Mark(row["rowid"], event.id, row["created_at"])
                self._is_replaced = False
        if end.id:
            self._mark = end
        self._version, self._is_replaced = version, False

    def _opened(self) -> sqlite3.Connection:
        """The connection to the file that has the database's name now."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open: {error.strerror}") from error
        file = (status.st_dev, status.st_ino)
        if self._connection is None or file != self._file:
            self.close()
            self._is_replaced = self._is_replaced or (self._file is not None and file != self._file)
            self._connection = _only_read(self._path)
            self._file, self._version = file, None
        return self._connection

    def _found(self, connection: sqlite3.Connection) -> Mark:
        """The place in the store as it is now: rows may bear other numbers, or be gone."""
        mark = self._mark
        if not mark.id and not self._is_replaced:
            return mark
        row = connection.execute("SELECT rowid FROM event WHERE id = ?", (mark.id,)).fetchone()
        if row is None:
            sql = "SELECT COALESCE(max(rowid), 0) FROM event WHERE created_at <= ?"
            row = connection.execute(sql, (mark.created_at,)).fetchone()
        return mark._replace(rowid=row[0])

    def _after(self, connection: sqlite3.Connection, rowid: int, end: int) -> list[sqlite3.Row]:
        project_id, run_id, severities = self._wanted
        marks = ", ".join("?" * len(severities))
        return connection.execute(
            "SELECT rowid, * FROM event WHERE rowid > ? AND rowid <= ? AND (project_id = ? OR project_id IS NULL)"
            f" AND (? IS NULL OR run_id = ?) AND severity IN ({marks}) ORDER BY rowid LIMIT ?",
            (rowid, end, project_id, run_id, run_id, *severities, MOST_AT_ONCE),
        ).fetchall()

    def _remember(self, key: str) -> None:
        self._given[key] = None
        if len(self._given) > MOST_REMEMBERED:
            del self._given[next(iter(self._given))]


def _only_read(path: Path) -> sqlite3.Connection:
    where = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(where, timeout=BUSY_S, isolation_level=None, uri=True)
    connection.row_factory = sqlite3.Row
    return connection
