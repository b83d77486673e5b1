"""Connections to the two databases, with the house's settings, and the one kind of transaction. Stdlib only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

VERSIONS = {"neat": 10, "points": 3}  # numbered migrations shipped in store/<name>/; kept in PRAGMA user_version
BUSY_S = 30.0


def database_path(home: Path, name: str) -> Path:
    """`neat` -> neat.db (records), `points` -> points.db (series)."""
    return home / f"{name}.db"


def open_connection(path: Path, name: str, wait_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection with the house's settings: 30 s of patience, unless told otherwise, FULL for records and NORMAL for
    points; WAL is in the file."""
    return _with_settings(open_file(path, wait_s), name)


def open_nothing(name: str) -> sqlite3.Connection:
    """An empty database in memory, for a reader of a store that is not there and cannot be made."""
    return _with_settings(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False), name)


def _with_settings(connection: sqlite3.Connection, name: str) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if name == 'points' else 'FULL'}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def open_file(path: Path, wait_s: float = BUSY_S) -> sqlite3.Connection:
    """The database file, which is never made here; only for reading where it cannot be written, as in an assistant's sandbox.

    A database with a write-ahead log needs its two companions even for reading. Where they cannot be made, nobody has it
    open, and it is read as it lies there.
    """
    try:
        return _opened(f"{path.absolute().as_uri()}?mode=rw", wait_s)
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error) and "unable to open" not in str(error):
            raise
        return _only_read(path, wait_s)


def _only_read(path: Path, wait_s: float) -> sqlite3.Connection:
    where = path.absolute().as_uri()
    try:
        return _opened(f"{where}?mode=ro", wait_s)
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if not log.exists() or log.stat().st_size == 0:
            return _opened(f"{where}?immutable=1", wait_s)
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as folder:  # what a crash left in the log is read from a copy of both
        for one in (path, log):
            shutil.copyfile(one, Path(folder) / one.name)
        copied = _opened((Path(folder) / path.name).as_uri(), wait_s)
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        copied.backup(memory)
        copied.close()
    memory.execute("PRAGMA query_only = ON")
    return memory


def _opened(where: str, wait_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(where, timeout=wait_s, isolation_level=None, check_same_thread=False, uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        raise
    return connection


P = ParamSpec("P")
R = TypeVar("R")


def in_one_view(
    read: Callable[Concatenate[sqlite3.Connection, P], R],
) -> Callable[Concatenate[sqlite3.Connection, P], R]:
    """For a reader that asks several times: all its answers are of one moment, whatever another process writes meanwhile.

    Points move from the narrow table into columns; between two questions of a reader they would be seen twice or not at all.
    """

    @wraps(read)
    def reading(connection: sqlite3.Connection, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_transaction:
            return read(connection, *args, **kwargs)
        connection.execute("BEGIN")
        try:
            return read(connection, *args, **kwargs)
        finally:
            connection.execute("ROLLBACK")

    return reading


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; takes the write lock at once, so that no reader has to be upgraded half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
