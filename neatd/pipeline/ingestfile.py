"""Lines into a run's file, each id once. The file is the truth; the index of its ids is made from it, and never ahead of it.

An index stands where its cursor says and is brought up to the file before anything is asked of it: a crash between a line
and its index, or an index that is lost or of another file, costs reading and no line.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from neatd.errors import NeatError
from neatd.locks import FileLock
from neatd.models import Cursor
from neatd.pipeline.ingestbody import Line, RefusedError, id_in
from neatd.read.metrics import parse_object
from neatd.read.tail import LONGEST_LINE, read_turn
from neatd.store.connection import transaction

WAIT_S = 5.0  # for another request to the same run: then the sender tries again
TURN_BYTES = 1 << 20
BLOCK = 64 << 10
ID_BYTES = 16


def append(path: Path, index: Path, lines: Sequence[Line], wait_s: float = WAIT_S) -> int:
    """Append those whose ids the file does not have; they are on the disk when this returns. How many they were.

    Raises RefusedError when the file is busy or none of ours, OSError when it cannot be written.
    """
    with _locked(index.with_suffix(".lock"), wait_s), _opened(path) as file:
        end_at_line(file)
        with closing(brought_up(index, path)) as known:
            fresh = unknown(known, lines)
        write(file, b"".join(line.data for line in fresh))
        os.fsync(file.fileno())  # also without a new line: the process that wrote them may have died before its answer
    return len(fresh)


@contextmanager
def _locked(path: Path, wait_s: float) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(wait_s, "the run")
    except NeatError as error:
        raise RefusedError(429, "other lines of this run are being taken", "send the same lines again") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    if path.is_symlink():
        raise _in_the_way(path)
    with os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _in_the_way(path)
        yield file


def _in_the_way(path: Path) -> RefusedError:
    return RefusedError(409, f"{path} is no regular file", "move it away: the run's lines go there")


def end_at_line(file: BinaryIO) -> None:
    """A last line that a crash tore off is cut; one that lacks its newline only gets it, as it may have been read."""
    size = file.seek(0, os.SEEK_END)
    tail = _tail(file, size)
    if not tail:
        return
    if isinstance(parse_object(tail), dict):
        write(file, b"\n")
    else:
        file.truncate(size - len(tail))


def _tail(file: BinaryIO, size: int) -> bytes:
    """What stands behind the last newline."""
    tail, at = b"", size
    while at and b"\n" not in tail:
        if len(tail) > LONGEST_LINE:
            raise RefusedError(409, "the run's file holds no lines", "move it away, or choose another name for the run")
        at = max(0, at - BLOCK)
        file.seek(at)
        tail = file.read(min(BLOCK, size - at - len(tail))) + tail
    return tail[tail.rfind(b"\n") + 1 :]


def write(file: BinaryIO, data: bytes) -> None:
    """Append all of it, or nothing: what a full disk took of it is cut off again."""
    size = file.seek(0, os.SEEK_END)
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        with suppress(OSError):  # else the next request cuts the torn line
            file.truncate(size)
        raise


# ---- the ids that a file has ----


def brought_up(index: Path, path: Path) -> sqlite3.Connection:
    """The index of the file's ids, brought up to its end; made anew when it is damaged."""
    try:
        return _brought_up(index, path)
    except sqlite3.DatabaseError:
        for one in (index, index.with_name(index.name + "-journal")):
            one.unlink(missing_ok=True)
        return _brought_up(index, path)


def _brought_up(index: Path, path: Path) -> sqlite3.Connection:
    known = sqlite3.connect(index, isolation_level=None)
    try:
        known.execute("PRAGMA synchronous = NORMAL")
        known.execute("CREATE TABLE IF NOT EXISTS seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        known.execute("CREATE TABLE IF NOT EXISTS mark (cursor TEXT)")
        while _read_on(known, path):
            pass
    except BaseException:
        known.close()
        raise
    return known


def _read_on(known: sqlite3.Connection, path: Path) -> bool:
    """Take in the next lines of the file, with the cursor that counts them. Whether more are left."""
    row = known.execute("SELECT cursor FROM mark").fetchone()
    cursor = Cursor.model_validate_json(row[0]) if row else Cursor()
    turn = read_turn(path, cursor, TURN_BYTES)
    if turn.cursor == cursor:
        return False
    with transaction(known):
        if turn.is_new_generation:  # the file was replaced: what it had it may not have any more
            known.execute("DELETE FROM seen")
        ids = [(hash_of(id),) for _, raw in turn.lines if (id := id_in(raw))]
        known.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ids)
        known.execute("DELETE FROM mark")
        known.execute("INSERT INTO mark VALUES (?)", (turn.cursor.model_dump_json(),))
    return turn.has_more


def unknown(known: sqlite3.Connection, lines: Sequence[Line]) -> list[Line]:
    """The lines whose ids the index does not have, the first of each id."""
    fresh: dict[bytes, Line] = {}
    for line in lines:
        key = hash_of(line.id)
        if key not in fresh and not known.execute("SELECT 1 FROM seen WHERE id = ?", (key,)).fetchone():
            fresh[key] = line
    return list(fresh.values())


def hash_of(id: str) -> bytes:
    """What the index keeps of an id."""
    return hashlib.blake2b(id.encode("utf-8", "replace"), digest_size=ID_BYTES).digest()
