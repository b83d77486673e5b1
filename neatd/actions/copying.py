"""A checkpoint kept beside its run: a reflink, else a copy, else a pin in place, and which of them it was.

Writes only below the folder it is given. Must not remove or change a checkpoint, nor follow a link out of the run's
folder. Invariant: what is kept is byte for byte the catalogued checkpoint, with all its parts, or nothing.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from neatd.files import fsync_folder, is_inside, measure_checkpoint
from neatd.models import Checkpoint

Mode = Literal["reflink", "copy", "pin", "none"]

FREE_SHARE = 0.05  # of the disk stays free: trainers that find none crash, and many file systems slow down beyond it
_FICLONE = 0x40049409  # from linux/fs.h: share the blocks of another file until one of the two is written
_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True)
class Held:
    """How one checkpoint was kept: `name` is its name in the folder, empty when nothing was copied."""

    mode: Mode
    name: str = ""
    size_bytes: int = 0
    reason: str = ""


def is_keepable(folder: Path, wanted: Checkpoint) -> bool:
    """Whether a checkpoint of the run in `folder` is still the catalogued one, so that a snapshot would hold it."""
    return not _objection(folder / wanted.path, wanted, folder)


def keep(folder: Path, wanted: Checkpoint | None, partial: Path, prefix: str, budget_bytes: int) -> Held:
    """Copy a checkpoint of the run in `folder` into `partial`, or say how else it is kept. Tried twice: a trainer may be
    renaming."""
    if wanted is None:
        return Held("none", reason="no checkpoint from before the event")
    source = folder / wanted.path
    target = partial / f"{prefix}{source.name}"
    while os.path.lexists(target):  # the one from before may itself be called best_…
        prefix += prefix or "again_"
        target = partial / f"{prefix}{source.name}"
    for _ in range(2):
        objection = _objection(source, wanted, folder)
        if objection:
            return Held("none", reason=objection)
        held = _copy_or_pin(source, target, prefix, wanted, budget_bytes)
        if not _objection(source, wanted, folder) or _outlived(source, target, prefix, wanted):
            return held
        _clear_all(target, prefix, wanted)
    return Held("none", reason="changed while it was copied")


def _objection(source: Path, wanted: Checkpoint, folder: Path) -> str:
    """Why the file is not the catalogued checkpoint; empty when it is. A later save under its name is another state."""
    measured = measure_checkpoint(source, wanted.parts)
    if measured is None:
        return "the checkpoint is no longer there"
    if any(one.is_symlink() or not is_inside(one, folder) for one in _files(source, wanted)):
        return "the checkpoint is reached through a link, or outside the run's folder"
    same_inode = not wanted.inode or measured[2] == wanted.inode
    if measured[:2] != (wanted.size_bytes, wanted.mtime_ns) or not same_inode:
        return "the checkpoint has changed since it was catalogued"
    return ""


def _files(main: Path, wanted: Checkpoint, prefix: str = "") -> list[Path]:
    """Everything of a checkpoint whose own file or folder is `main`, or is to be copied there."""
    return [main, *(main.with_name(prefix + name) for name in wanted.parts)]


def _clear_all(target: Path, prefix: str, wanted: Checkpoint) -> None:
    for one in _files(target, wanted, prefix):
        clear(one)


def _outlived(source: Path, target: Path, prefix: str, wanted: Checkpoint) -> bool:
    """Whether the whole of a checkpoint was copied that its trainer removed meanwhile: an open file is read to its end."""
    if os.path.lexists(source):
        return False
    copied = measure_checkpoint(target, [prefix + name for name in wanted.parts])
    return copied is not None and copied[0] == wanted.size_bytes


def _copy_or_pin(source: Path, target: Path, prefix: str, wanted: Checkpoint, budget_bytes: int) -> Held:
    """Reflink, else copy, else pin; whatever fails leaves nothing at `target`."""
    size = wanted.size_bytes
    pairs = list(zip(_files(source, wanted), _files(target, wanted, prefix), strict=True))
    if all(_try_reflink(old, new) for old, new in pairs):
        return Held("reflink", target.name, size)
    _clear_all(target, prefix, wanted)
    if size > budget_bytes:
        return Held("pin", reason=f"kept in place: {size} bytes, {max(budget_bytes, 0)} left for snapshots")
    disk = shutil.disk_usage(target.parent)
    if size > disk.free - FREE_SHARE * disk.total:
        return Held("pin", reason=f"kept in place: {size} bytes would fill the disk, {disk.free} are free")
    try:
        for old, new in pairs:
            _copy(old, new, shutil.copyfileobj)
    except OSError as error:
        _clear_all(target, prefix, wanted)
        why = "the disk is full" if error.errno in _NO_ROOM else f"it cannot be copied, {error.strerror or error}"
        return Held("pin", reason=f"kept in place: {why}")
    return Held("copy", target.name, size)


def _try_reflink(source: Path, target: Path) -> bool:
    """Share the blocks of a file, or of every file of a folder; False where the file system cannot (ext4, NTFS, APFS)."""
    if sys.platform != "linux":
        return False
    try:
        _copy(source, target, _share_blocks)
    except OSError:
        clear(target)
        return False
    return True


def _copy(source: Path, target: Path, transfer: Callable[[IO[bytes], IO[bytes]], None]) -> None:
    """Copy a file or folder by `transfer`, synced to disk. Links inside a folder stay links; pipes and such are left."""
    if not source.is_dir():
        with source.open("rb") as reader, target.open("xb") as writer:
            transfer(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        return
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_symlink():
            (target / entry.name).symlink_to(entry.readlink())
        elif entry.is_dir() or entry.is_file():
            _copy(entry, target / entry.name, transfer)
    fsync_folder(target)


def _share_blocks(reader: IO[bytes], writer: IO[bytes]) -> None:
    import fcntl  # absent on Windows

    fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())


def clear(path: Path) -> None:
    """Remove what a broken attempt left under one of our own names."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
