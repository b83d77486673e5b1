"""SQLite databases of other programs, opened to read: nothing is written beside them, no writer is held up for long.

Every statement is a transaction of its own, fetched to its end, so that no lock outlives `ask`; statements are kept
small by their LIMIT, and one that takes longer than STATEMENT_S is broken off. A process of ours must not open and
close the file in any other way while `reading` is open: POSIX takes all its locks with the first close.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from neatd.files import open_regular

BUSY_S = 0.2  # how long a statement waits for a writer
STATEMENT_S = 0.25  # the longest that a writer waits for us; half of the shortest patience met in practice
LARGEST_COPY = 128 << 20  # bytes
_MAGIC = b"SQLite format 3\0"
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL}
# The database has to be mended first, or may only be read together with files that cannot be made here.
_UNMENDED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}

Row = tuple[Any, ...]
Ask = Callable[[str, Sequence[object]], list[Row]]
"""(a SELECT, its parameters) -> its rows. Raises BusyDatabase, or OSError for a database that cannot be read."""


class BusyDatabase(OSError):
    """Somebody else holds the database now: nothing was read, try again later."""


class NotADatabase(OSError):
    """The file is none of SQLite's, or no longer."""


def stamp(path: Path) -> str:
    """Other than before when anything may have been written. Raises OSError when the file is not there."""
    return " ".join([_stamp_of(path), *(_stamp_of(beside) for beside in _companions(path) if beside.exists())])


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ("-wal", "-journal")]


def _stamp_of(path: Path) -> str:
    try:
        own = path.stat()
    except FileNotFoundError:
        if path.name.endswith(("-wal", "-journal")):
            return "gone"
        raise
    return f"{own.st_ino}:{own.st_size}:{own.st_mtime_ns}"


@contextmanager
def reading(path: Path) -> Iterator[Ask]:
    """Ask the database while the block lasts."""
    is_wal = _is_wal(path)
    wal, shm = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    if is_wal and not shm.exists():
        with _aside(path) if wal.exists() and wal.stat().st_size else _at_rest(path) as ask:
            yield ask
        return
    ask, close = _connect(path, "mode=ro")
    try:
        try:
            ask("SELECT count(*) FROM sqlite_master", ())
        except OSError as error:
            close()
            if not isinstance(error.__cause__, sqlite3.Error) or _code(error.__cause__) not in _UNMENDED:
                raise
            with _aside(path) as beside:
                yield beside
            return
        yield ask
    finally:
        close()


def _is_wal(path: Path) -> bool:
    with open_regular(path) as file:
        head = file.read(100)
    if not head.startswith(_MAGIC) or len(head) < 100:
        raise NotADatabase(f"{path} is not a database of SQLite")
    return head[18] == 2


@contextmanager
def _at_rest(path: Path) -> Iterator[Ask]:
    """A write-ahead database that nobody has open: SQLite would make its two companions beside it, even to read.

    So it is opened as one that nobody writes, and what was read counts only if that was so to the end.
    """
    before = stamp(path)
    ask, close = _connect(path, "mode=ro&immutable=1")

    def checked(sql: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            rows = ask(sql, values)
        except OSError as error:
            raise error if stamp(path) == before else BusyDatabase(f"{path} was written while it was read") from error
        if stamp(path) != before:
            raise BusyDatabase(f"{path} was written while it was read")
        return rows

    try:
        yield checked
    finally:
        close()


@contextmanager
def _aside(path: Path) -> Iterator[Ask]:
    """A copy, mended: the writer was killed in the midst of a change, and mending the file itself would be writing it."""
    before = stamp(path)
    files = [path, *(one for one in _companions(path) if one.exists())]
    if sum(one.stat().st_size for one in files) > LARGEST_COPY:
        raise OSError(f"{path}: its writer was killed in the midst of a change; open it once with the program it is of")
    with tempfile.TemporaryDirectory(prefix="neat-") as folder:
        with suppress(FileNotFoundError):  # a journal that is gone meanwhile; the stamp tells
            for one in files:
                shutil.copyfile(one, Path(folder) / one.name)
        if stamp(path) != before:
            raise BusyDatabase(f"{path} was written while it was read")
        ask, close = _connect(Path(folder) / path.name, "mode=rw")
        try:
            yield ask
        finally:
            close()


def _connect(path: Path, how: str) -> tuple[Ask, Callable[[], None]]:
    """(ask, close). Nothing is read yet."""
    address = f"file:{quote(os.fsencode(path.absolute()))}?{how}"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None)
    except sqlite3.Error as error:
        raise _as_ours(error, path) from error
    deadline = [0.0]
    connection.set_progress_handler(lambda: time.monotonic() > deadline[0], 10_000)

    def ask(sql: str, values: Sequence[object] = ()) -> list[Row]:
        deadline[0] = time.monotonic() + BUSY_S + STATEMENT_S
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if "Could not decode" not in str(error):
                raise _as_ours(error, path) from error
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")  # slower: only where it is needed
        return ask(sql, values)

    return ask, connection.close


def _as_ours(error: sqlite3.Error, path: Path) -> OSError:
    code = _code(error)
    if code in _BUSY:
        return BusyDatabase(f"{path} is busy: {error}")
    if code == sqlite3.SQLITE_NOTADB:
        return NotADatabase(f"{path} is not a database of SQLite")
    return OSError(f"{path}: {error}")


def _code(error: BaseException | None) -> int:
    """SQLite's primary code; the higher bits tell more."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
