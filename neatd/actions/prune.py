"""Moving checkpoints into the trash and back: the only code that takes a user's file from its place.

Moves by rename within one file system, never by copying and never by deleting, so nothing here loses a byte. Must not
decide what goes (that is `retention`), nor write the journal: the caller stores a `planned` deletion first and what is
returned after. Invariant: a file is moved only if it is the very file that was planned, reached through no link.
Paths in a deletion are absolute. A file's state never raises: it makes a deletion `refused`, with a note that says why.
A checkpoint of several files goes with all of them or not at all: its parts move first and the file that stands for it
last, so that this one's place tells after a crash whether the move was made.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from neatd.files import fsync_folder, measure_checkpoint
from neatd.models import Checkpoint, Deletion


def move_to_trash(
    deletion: Deletion, expected: Checkpoint, watched_root: Path, in_use: Callable[[Path], str] = lambda _: ""
) -> Deletion:
    """Rename a checkpoint into the trash if it is still the one of the catalogue; returns it `moved` or `refused`.

    `expected` is the catalogue's row: kind, parts, bytes, mtime and (unless 0) inode must equal what is on disk. The path
    must lie under `watched_root` with no link on the way. `in_use` says who has a file open, "" for nobody, and is asked
    last. Done again after success it says `moved` again. Raises ValueError when `expected` is another checkpoint's row.
    The caller dates the result.
    """
    if deletion.checkpoint_id != expected.id or deletion.parts != expected.parts:
        raise ValueError(f"deletion {deletion.id} is of {deletion.checkpoint_id}, not of {expected.id}")
    source, trash = Path(deletion.from_path), Path(deletion.trash_path)
    if os.path.lexists(trash):
        is_moved = not os.path.lexists(source)
        return _arrived(deletion) if is_moved else _refused(deletion, "the place in the trash is taken")
    if any(os.path.lexists(one) for one in _files(trash, deletion)):
        return _refused(deletion, "the place in the trash is taken")
    objection = next(filter(None, (_objection(one, expected, watched_root) for one in _files(source, deletion))), "")
    objection = objection or _difference(measure_checkpoint(source, expected.parts), expected)
    objection = objection or next(filter(None, map(in_use, _files(source, deletion))), "")
    if objection:
        return _refused(deletion, objection)
    return _move(deletion, source, trash, expected)


def _files(main: Path, deletion: Deletion) -> list[Path]:
    """Everything of a checkpoint, the one that stands for it last."""
    return [*(main.with_name(name) for name in deletion.parts), main]


def restore(deletion: Deletion) -> Deletion:
    """Rename a checkpoint back to where it was; returns it `restored`, or `refused` when a place is taken.

    Goes by what is on disk, not by the deletion's status, so it may be tried again after a refusal: the files are then
    still in the trash. Never overwrites, and done again after success it says `restored` again.
    """
    target, trash = Path(deletion.from_path), Path(deletion.trash_path)
    if not os.path.lexists(trash):
        return _already_back(deletion, target)
    pairs = list(zip(_files(trash, deletion), _files(target, deletion), strict=True))
    there = [(old, new) for old, new in pairs if os.path.lexists(old)]
    try:
        _make_folder(target.parent)
        _refuse_taken(there)
        for old, new in there:
            _rename_new(old, new)
    except OSError as error:
        return _refused(deletion, f"not restored: {error.strerror or error}; the checkpoint is still in the trash")
    _sync_rename(trash, target)
    return deletion.model_copy(update={"status": "restored", "note": ""})


def _refuse_taken(pairs: list[tuple[Path, Path]]) -> None:
    """Raise FileExistsError before the first file is back when one could not come."""
    for old, new in pairs:
        if os.path.lexists(new) and not _is_same(old, new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))


def reconcile(deletion: Deletion) -> Deletion:
    """Settle a `planned` deletion after a crash from what is on disk: `moved`, or `refused` if the move never was.

    Parts that went before the crash come back when what stands for them did not go. Any other deletion is returned as
    it is.
    """
    if deletion.status != "planned":
        return deletion
    source, trash = Path(deletion.from_path), Path(deletion.trash_path)
    if os.path.lexists(trash):
        _sync_rename(source, trash)  # the crash may have come before this
        note = "another file has since been written at its place" if os.path.lexists(source) else ""
        return _arrived(deletion, note)
    left = _bring_back(deletion, source, trash)
    if left:  # the rest of it lies in the trash and can be restored from there: so the journal must say moved
        return _arrived(deletion, f"interrupted, and {left} could not be put back")
    if os.path.lexists(source):
        return _refused(deletion, "interrupted before the move: the file is at its place")
    return _refused(deletion, "neither at its place nor in the trash")


def _bring_back(deletion: Deletion, source: Path, trash: Path) -> str:
    """Put back whatever of a checkpoint is in the trash; returns the name of what could not be, "" when all is back."""
    for old, new in zip(_files(trash, deletion), _files(source, deletion), strict=True):
        if os.path.lexists(old):
            try:
                _rename_new(old, new)
            except OSError:
                return old.name
    return ""


def _objection(source: Path, expected: Checkpoint, watched_root: Path) -> str:
    """Why a file of the checkpoint may not be moved; empty when it may."""
    if not _is_reached_plainly(source, watched_root):
        return f"outside {watched_root} or reached through a link"
    known = Path(expected.path)
    if source.name not in expected.parts and source.parts[-len(known.parts) :] != known.parts:
        return f"not the path of the catalogue, {expected.path}"
    try:
        mode = source.lstat().st_mode
    except OSError:
        return "no longer there, or not readable"
    if not (stat.S_ISDIR(mode) if expected.is_folder else stat.S_ISREG(mode)):
        return f"no longer a {'folder' if expected.is_folder else 'plain file'}"
    return ""


def _is_reached_plainly(source: Path, watched_root: Path) -> bool:
    """Whether `source` is below the root by its own name: links above and at the root are fine, below it none is."""
    real_root = Path(os.path.realpath(watched_root))
    for root in (watched_root, real_root):
        if source != root and source.is_relative_to(root):
            return Path(os.path.realpath(source)) == real_root / source.relative_to(root)
    return False


def _difference(measured: tuple[int, int, int] | None, expected: Checkpoint) -> str:
    if measured is None:
        return "no longer there, or not readable"
    size_bytes, mtime_ns, inode = measured
    if size_bytes != expected.size_bytes:
        return f"changed since it was planned: {size_bytes} bytes, not {expected.size_bytes}"
    if mtime_ns != expected.mtime_ns:
        return "changed since it was planned: written at another time"
    if expected.inode and inode != expected.inode:
        return "changed since it was planned: replaced by another file"
    return ""


def _move(deletion: Deletion, source: Path, trash: Path, expected: Checkpoint) -> Deletion:
    """Rename, then look again: a trainer may have put a new file there between the check and the rename."""
    try:
        _make_folder(trash.parent)
        for old, new in zip(_files(source, deletion), _files(trash, deletion), strict=True):
            if os.path.lexists(new):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
            old.rename(new)
    except OSError as error:
        why = "the trash is on another file system" if error.errno == errno.EXDEV else ""
        return _put_back(deletion, source, trash, why or f"not moved: {error.strerror or error}")
    if _is_other(trash, expected):
        return _put_back(deletion, source, trash, "changed during the move: put back")
    _sync_rename(source, trash)
    return _arrived(deletion)


def _is_other(trash: Path, expected: Checkpoint) -> bool:
    """Whether what arrived is not what was planned. A folder's own mtime may change in a move, so it is not asked."""
    measured = measure_checkpoint(trash, expected.parts)
    if measured and expected.is_folder:
        measured = (measured[0], expected.mtime_ns, measured[2])
    return bool(_difference(measured, expected))


def _put_back(deletion: Deletion, source: Path, trash: Path, why: str) -> Deletion:
    left = _bring_back(deletion, source, trash)
    if left:
        # It lies in the trash, whatever it is, and can be restored from there: so the journal must say moved.
        return _arrived(deletion, f"{why}; {left} could not be put back")
    _sync_rename(trash, source)
    return _refused(deletion, why)


def _rename_new(source: Path, target: Path) -> None:
    """Rename without ever replacing a file: raises FileExistsError (or another OSError) instead.

    A plain rename replaces a file without a word except on Windows; making a hard link never does. A folder's rename
    fails by itself on anything but an empty folder. Where links are not supported the check before is all there is.
    """
    if not _is_same(source, target):
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        if not _try_link(source, target):
            source.rename(target)
            return
    source.unlink()  # the second name of the file at `target`, now or from a crash between these two steps


def _try_link(source: Path, target: Path) -> bool:
    """Give a plain file a second name; False where the system or the file system has no such thing."""
    if os.name == "nt" or not stat.S_ISREG(source.lstat().st_mode):
        return False
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            return False
        raise
    return True


def _already_back(deletion: Deletion, target: Path) -> Deletion:
    """With nothing in the trash: a file of the same size at the old place is the one restored before a crash."""
    measured = measure_checkpoint(target, deletion.parts)
    if measured and measured[0] == deletion.size_bytes:
        return deletion.model_copy(update={"status": "restored", "note": ""})
    return _refused(deletion, "no longer in the trash")


def _is_same(one: Path, other: Path) -> bool:
    """Whether two names are one file. Inode 0 is what a file system without inodes gives to all its files."""
    try:
        own, others = one.lstat(), other.lstat()
    except OSError:
        return False
    return own.st_ino != 0 and os.path.samestat(own, others)


def _make_folder(folder: Path) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        fsync_folder(one.parent)


def _sync_rename(source: Path, target: Path) -> None:
    """The new name first: a crash between the two may then show both names, never none."""
    fsync_folder(target.parent)
    fsync_folder(source.parent)


def _arrived(deletion: Deletion, note: str = "") -> Deletion:
    return deletion.model_copy(update={"status": "moved", "note": note})


def _refused(deletion: Deletion, note: str) -> Deletion:
    return deletion.model_copy(update={"status": "refused", "note": note})
