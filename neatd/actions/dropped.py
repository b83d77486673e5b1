"""Files that were dropped into an inbox: what lies there, which of it is the same file again, and the way to done or failed.

Changes nothing but the inbox itself, follows no link, and opens no more than both ends of a file. Invariant: a file of an
inbox gets its job's id from what it is, so whoever looks again after a crash finds the same id.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import fsync_folder, is_text, open_regular, write_atomic

DONE, FAILED = "done", "failed"
MOST_BYTES = 64 << 30  # of a data file: more is a disk's image, or a mistake
_PARTIAL = (".tmp", ".temp", ".partial", ".part", ".incomplete", ".crdownload", ".download", ".filepart", ".swp", "~")
_ENDS = 1 << 20  # bytes at both ends that tell one file from another of the same name, size and time
_LONGEST = 180  # bytes of its name beside the id: 255 are the most that file systems take
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # of ids


class Drop(NamedTuple):
    """What lies in an inbox: `measured` is its size, its time in ns and its inode."""

    folder: Path
    name: str
    mode: int
    owner: int
    measured: tuple[int, int, int]

    @property
    def path(self) -> Path:
        """Where it was dropped."""
        return self.folder / self.name


def drops_in(folder: Path) -> list[Drop]:
    """What lies in an inbox, the oldest first; neither hidden nor still being brought, by its name."""
    found = []
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name.startswith(".") or one.name.lower().endswith(_PARTIAL) or one.name in (DONE, FAILED):
                continue
            with suppress(FileNotFoundError):
                seen = one.stat(follow_symlinks=False)
                measured = (seen.st_size, seen.st_mtime_ns, seen.st_ino)
                found.append(Drop(folder, one.name, seen.st_mode, seen.st_uid, measured))
    return sorted(found, key=lambda one: (one.measured[1], one.name))


def refuse(drop: Drop) -> None:
    """Raises NeatError for what is never taken: a link, a device, another user's file, one without end."""
    if stat.S_ISLNK(drop.mode):
        raise NeatError("it is a link", "drop the file itself: `cp -L`")
    if not stat.S_ISREG(drop.mode):
        raise NeatError("it is no plain file", "drop a job file, or a data file")
    if not is_text(drop.name):
        raise NeatError("its name is no text", "give it a name in UTF-8")
    if hasattr(os, "getuid") and drop.owner != os.getuid():
        raise NeatError("it belongs to another user", "copy it: what you run has to be yours")
    if drop.measured[0] > MOST_BYTES:
        raise NeatError(
            f"it is larger than {MOST_BYTES >> 30} GiB", "name the data in the trainer's parameters instead"
        )


def job_id(drop: Drop) -> str:
    """The id of the job that the file asks for, the same at each look: by its folder, name, size, time and both ends.

    Raises OSError for one that cannot be read.
    """
    digest = hashlib.sha256()
    for part in (os.fsencode(drop.folder), os.fsencode(drop.name), str(drop.measured[:2]).encode(), *_ends(drop)):
        digest.update(len(part).to_bytes(8, "big") + part)
    number = int.from_bytes(digest.digest()[:10], "big")
    return "j-" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(75, -1, -5))


def _ends(drop: Drop) -> Iterator[bytes]:
    if stat.S_ISREG(drop.mode):
        with open_regular(drop.path) as file:
            yield file.read(_ENDS)
            if drop.measured[0] > 2 * _ENDS:
                file.seek(-_ENDS, os.SEEK_END)
            yield file.read(_ENDS)


def done_place(drop: Drop, job: str) -> Path:
    """Where it lies once it is queued: the job's id is before its name."""
    return drop.folder / DONE / f"{job}-{_short(drop.name)}"


def is_done(drop: Drop, job: str) -> bool:
    """Whether this very file was put into done before, and lies here once more."""
    place = done_place(drop, job)
    return place.exists() and not place.samefile(drop.path)


def offer(drop: Drop, job: str) -> None:
    """Let a data file be found where its job will look, before the job is there. Where a file system has no second names
    the move follows the job."""
    _folder(drop, DONE)
    with suppress(OSError):
        done_place(drop, job).hardlink_to(drop.path)


def finish(drop: Drop, job: str) -> Path:
    """Move a queued file to done. Its new place."""
    place = done_place(drop, job)
    _folder(drop, DONE)
    if place.exists() and place.samefile(drop.path):  # a rename between two names of a file leaves both
        drop.path.unlink()
    else:
        drop.path.replace(place)
    fsync_folder(drop.folder)
    return place


def fail(drop: Drop, job: str, reason: str, hint: str) -> Path:
    """Move what cannot be queued to failed, the reason in a file beside it. Its new place."""
    folder = _folder(drop, FAILED)
    offered = done_place(drop, job) if job else None
    if offered and stat.S_ISREG(drop.mode) and offered.exists() and offered.samefile(drop.path):
        offered.unlink()
    place = next(one for one in _names(folder, drop.name) if not os.path.lexists(one))
    text = f"{drop.name} was not queued: {reason}\n{hint}\n"
    write_atomic(place.with_name(f"{place.name}.reason.txt"), text.encode("utf-8", "replace"))
    drop.path.rename(place)
    return place


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / _short(name)
    for number in range(2, 1_000_000):
        yield folder / f"{number}-{_short(name)}"


def _folder(drop: Drop, name: str) -> Path:
    """done or failed, made if need be; raises NeatError where something else is called so."""
    folder = drop.folder / name
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.is_symlink() or not folder.is_dir():
        raise NeatError(f"{folder} is no folder of the inbox", "take it away: neat makes one")
    return folder


def _short(name: str) -> str:
    """A name whose end is kept: it tells the type."""
    return os.fsencode(name)[-_LONGEST:].decode("utf-8", "replace")
