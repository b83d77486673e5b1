"""A file compressed beside itself, a piece at a time, and read back before anybody relies on it.

Writes `<name>.gz` and nothing else; the file itself is left to the caller. Invariant: what stands under that name is whole
and says what the file said, or nothing stands there.
"""

from __future__ import annotations

import errno
import gzip
import os
import stat
import zlib
from collections.abc import Generator
from pathlib import Path

from neatd.files import fsync_folder, open_regular

PIECE = 1 << 20  # bytes between two steps: 20 to 40 ms of compressing
ENDING = ".gz"


def archive(path: Path) -> Generator[int, None, Path]:
    """Compress `path`; yields the bytes that were done, returns the new file. Raises OSError, and leaves nothing, where
    the name is taken or the file changed meanwhile."""
    target = path.with_name(path.name + ENDING)
    partial = path.with_name(f".{path.name}{ENDING}.tmp")
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "is there already", str(target))
    try:
        before = path.lstat()
        checked = yield from _compress(path, partial)
        yield from _read_back(partial, checked)
        if _stamp(before) != _stamp(path.lstat()):
            raise OSError(errno.EAGAIN, "was written to meanwhile", str(path))
        os.utime(partial, ns=(before.st_atime_ns, before.st_mtime_ns))
        partial.chmod(stat.S_IMODE(before.st_mode))
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    fsync_folder(path.parent)
    return target


def _compress(path: Path, partial: Path) -> Generator[int, None, tuple[int, int]]:
    """(length, checksum) of what was read."""
    done = checksum = 0
    partial.unlink(missing_ok=True)
    with open_regular(path) as source, partial.open("xb") as raw:
        with gzip.GzipFile(path.name, "wb", 6, raw, mtime=0) as packed:
            while piece := source.read(PIECE):
                packed.write(piece)
                done, checksum = done + len(piece), zlib.crc32(piece, checksum)
                yield done
        raw.flush()
        os.fsync(raw.fileno())
    return done, checksum


def _read_back(partial: Path, checked: tuple[int, int]) -> Generator[int, None, None]:
    done = checksum = 0
    with gzip.open(partial, "rb") as packed:
        while piece := packed.read(PIECE):
            done, checksum = done + len(piece), zlib.crc32(piece, checksum)
            yield done
    if (done, checksum) != checked:
        raise OSError(errno.EIO, "cannot be read back as it was written", str(partial))


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino
