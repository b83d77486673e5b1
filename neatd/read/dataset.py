"""Data files and folders: what lies there by a look at names and times, and what it is by its bytes.

Only regular files count. A link is followed to a file inside `within` and nowhere else; pipes, devices and linked folders
are left out and counted. What takes long is a generator of turns, so that its caller may stop, show progress or do
something else in between. Nothing is written here; what was hashed goes into the `Known` handed in.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from neatd.errors import NeatError
from neatd.files import open_regular
from neatd.read.datarows import RowCounter, counter_for
from neatd.read.parquet import is_parquet, parquet_rows

CHUNK = 1 << 20
LOOK = 500  # files between two turns of a walk; to look at one costs about as much as hashing 4 kB
LOOK_COST = LOOK * 4096
# Left by systems and tools, no data: a version must not change because somebody opened the folder.
_JUNK = frozenset(
    {".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep", ".gitignore", "__pycache__", ".ipynb_checkpoints", ".git"}
)


class ChangingError(NeatError):
    """A file was written to while it was read: what was read is no version of it."""


class Stamp(NamedTuple):
    """How a file looked: the same stamp is the same content, if it was at rest when it was taken."""

    size_bytes: int
    mtime_ns: int
    inode: int


class Entry(NamedTuple):
    """A file of a data version: its name relative to the version's path, "" for a file that is the version."""

    name: str
    stamp: Stamp


class FileFact(NamedTuple):
    """What the bytes of one file say."""

    hash: str
    rows: int | None


class Glance(NamedTuple):
    """A file or folder by names, sizes and times; nothing was opened."""

    entries: tuple[Entry, ...]
    left_out: int  # links that lead out, linked folders, pipes, what may not be read
    size_bytes: int
    newest_ns: int
    stamps: str  # hash of all names and stamps: the same means untouched
    shape: str  # hash of all names and sizes: another one means other content


class DataFact(NamedTuple):
    """One version: SHA-256 of the file, or of the sorted names and hashes of a folder's files."""

    hash: str
    size_bytes: int
    rows: int | None  # of the files whose rows can be told
    files: int


class Turn(NamedTuple):
    """A bit of the work that was just done: how much further it is, and what it cost in bytes read."""

    done_bytes: int
    cost_bytes: int


class Known(Protocol):
    """What was hashed before. `key` is the file's absolute path; `begun_ns` when its reading began."""

    def get(self, key: str, stamp: Stamp) -> FileFact | None: ...

    def put(self, key: str, stamp: Stamp, fact: FileFact, begun_ns: int) -> None: ...


def glance(base: Path, within: Path) -> Generator[Turn, None, Glance | None]:
    """What lies at `base`; None when nothing does."""
    entries: list[Entry] = []
    left_out = 0
    real = os.path.realpath(within)
    if not base.exists():
        return None
    for one in _walk(base, real):
        if one is None:
            left_out += 1
        else:
            entries.append(one)
        if (len(entries) + left_out) % LOOK == 0:
            yield Turn(0, LOOK_COST)
    entries.sort(key=lambda entry: os.fsencode(entry.name))
    stamps, shape = hashlib.sha256(), hashlib.sha256()
    for name, stamp in entries:
        encoded = os.fsencode(name)
        stamps.update(b"%b\0%d %d %d\n" % (encoded, *stamp))
        shape.update(b"%b\0%d\n" % (encoded, stamp.size_bytes))
    return Glance(
        tuple(entries), left_out, sum(one.stamp.size_bytes for one in entries),
        max((one.stamp.mtime_ns for one in entries), default=0), stamps.hexdigest(), shape.hexdigest(),
    )  # fmt: skip


def measure(base: Path, seen: Glance, known: Known) -> Generator[Turn, None, DataFact]:
    """Hash what a glance saw, but for what is known.

    Raises ChangingError when a file changes meanwhile, OSError when one cannot be read.
    """
    total = hashlib.sha256()
    rows: int | None = None
    fact = FileFact("", None)
    for name, stamp in seen.entries:
        path = base / name if name else base
        found = known.get(str(path), stamp)
        if found is None:
            begun_ns = time.time_ns()
            fact = yield from read_file(path, stamp)
            known.put(str(path), stamp, fact, begun_ns)
        else:
            fact = found
            yield Turn(stamp.size_bytes, 0)
        total.update(b"%b\0%b\n" % (os.fsencode(name), fact.hash.encode()))
        rows = rows if fact.rows is None else (rows or 0) + fact.rows
    is_file = len(seen.entries) == 1 and not seen.entries[0].name
    return DataFact(fact.hash if is_file else total.hexdigest(), seen.size_bytes, rows, len(seen.entries))


def read_file(path: Path, stamp: Stamp) -> Generator[Turn, None, FileFact]:
    """Hash one file and count its rows in the same pass."""
    digest, counter = hashlib.sha256(), counter_for(path.name)
    with open_regular(path) as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            if counter is not None:
                counter.feed(piece)
            yield Turn(len(piece), len(piece))
        rows = _rows(counter, parquet_rows(file, stamp.size_bytes) if is_parquet(path.name) else None)
        if stamp_of(os.fstat(file.fileno())) != stamp:
            raise ChangingError(f"{path} changed while it was read", "run the command again when it is written")
    return FileFact(digest.hexdigest(), rows)


def _rows(counter: RowCounter | None, footer: int | None) -> int | None:
    return footer if counter is None else counter.rows()


def stamp_of(found: os.stat_result) -> Stamp:
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def _walk(base: Path, real: str) -> Iterator[Entry | None]:
    """Every regular file at or below `base`; None for each thing that is left out."""
    if not base.is_dir():
        yield _entry(str(base), "", base.is_symlink(), real)
        return
    waiting = [(str(base), "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as found:
                for one in found:
                    if one.name in _JUNK:
                        continue
                    if one.is_dir(follow_symlinks=False):
                        waiting.append((one.path, f"{prefix}{one.name}/"))
                    else:
                        yield _entry(one.path, prefix + one.name, one.is_symlink(), real)
        except OSError:
            yield None  # gone meanwhile, or closed to us


def _entry(path: str, name: str, is_link: bool, real: str) -> Entry | None:
    try:
        if is_link and not os.path.realpath(path).startswith(real.rstrip(os.sep) + os.sep):
            return None
        found = os.stat(path)  # noqa: PTH116 - for every file of a walk
    except OSError:
        return None
    return Entry(name, stamp_of(found)) if stat.S_ISREG(found.st_mode) else None
