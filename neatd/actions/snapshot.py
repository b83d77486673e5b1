"""A snapshot of a run at an event: the checkpoint from before it, the best one, and what was known, in one folder.

Writes `<run folder>/snapshots/anomaly_<date>_<time>_<rule>_<metric>_<value>/` and nothing else. Must not remove or
change a checkpoint, nor follow a link out of the run's folder. Invariant: a snapshot is there whole or not at all (it
is built under a hidden name and renamed), once per event, and a checkpoint in it is byte for byte the catalogued one.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from neatd.files import fsync_folder, is_inside, measure_checkpoint
from neatd.models import Checkpoint, Event, GitState, Run

Mode = Literal["reflink", "copy", "pin", "none"]

METADATA = "metadata.json"
FREE_SHARE = 0.05  # of the disk stays free: trainers that find none crash, and many file systems slow down beyond it
_TOLD = {"rule", "metric", "step", "value", "score", "threshold", "severity", "message"}  # of the event, as it is
_FICLONE = 0x40049409  # from linux/fs.h: share the blocks of another file until one of the two is written
_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True)
class SnapshotInput:
    """What a snapshot is made of; the last points before the event come from `event.details["window"]`."""

    event: Event
    run: Run
    folder: Path  # absolute run folder; checkpoints' paths are relative to it
    before: Checkpoint | None  # the last complete one from before the event
    best: Checkpoint | None
    budget_left_bytes: int  # what the project's snapshots may still take
    git: GitState


@dataclass(frozen=True)
class SnapshotResult:
    """Where the snapshot is and how the checkpoint from before the event was kept."""

    path: str  # relative to the run's folder, with forward slashes
    mode: Mode
    size_bytes: int  # of all checkpoints in it; a reflink counts whole, because it outlives what it shares with
    reason: str  # why it was not copied; empty when it was


@dataclass(frozen=True)
class _Held:
    """How one checkpoint was kept: `name` is its name in the snapshot, empty when nothing was copied."""

    mode: Mode
    name: str = ""
    size_bytes: int = 0
    reason: str = ""


def take(inp: SnapshotInput) -> SnapshotResult:
    """Write the snapshot of an event, or return the one that is there. Done again it changes nothing.

    A checkpoint is reflinked, else copied if it fits the budget and the disk, else left in place as a pin: keeping it
    from retention is the caller's part. Raises OSError, and leaves nothing, when not even the metadata can be
    written or `snapshots` is a link.
    """
    shelf = inp.folder / "snapshots"
    if shelf.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, "A link, and no snapshot is written through one", str(shelf))
    partial = shelf / f".partial_{_safe(inp.event.id)}"
    try:
        shelf.mkdir(exist_ok=True)
        _clear(partial)
        return _find(shelf, inp.event) or _build(inp, shelf, partial)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)  # a full disk is not left fuller
        raise


def _build(inp: SnapshotInput, shelf: Path, partial: Path) -> SnapshotResult:
    partial.mkdir()
    budget = inp.budget_left_bytes
    before = best = _keep(inp, inp.before, partial, "", budget)
    size_bytes = before.size_bytes
    if inp.best and (inp.before is None or inp.best.id != inp.before.id):
        best = _keep(inp, inp.best, partial, "best_", budget - before.size_bytes)
        size_bytes += best.size_bytes
    final = _free_place(shelf, snapshot_name(inp.event))
    result = SnapshotResult(f"{shelf.name}/{final.name}", before.mode, size_bytes, before.reason)
    _write_synced(partial / METADATA, _metadata(inp, result, before, best))
    fsync_folder(partial)
    partial.rename(final)
    fsync_folder(shelf)
    return result


# ---- names ----


def snapshot_name(event: Event) -> str:
    """The folder's name: time of the event in UTC, rule, metric and value, each made safe for every file system."""
    at = event.started_at.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
    value = "" if event.value is None else f"{event.value:.4g}"
    return "_".join(part for part in ("anomaly", at, _safe(event.rule), _safe(event.metric), value) if part)


def _safe(text: str) -> str:
    """Letters, digits and `.+-_` of any script; 80 bytes at most, so that the whole name stays under 255."""
    return re.sub(r"[^\w.+-]", "_", text).encode(errors="ignore")[:80].decode(errors="ignore")


def _free_place(shelf: Path, name: str) -> Path:
    """`name`, or the first of name_2, name_3, … that is not there: two events may share time, rule and value."""
    place, count = shelf / name, 1
    while os.path.lexists(place):
        count += 1
        place = shelf / f"{name}_{count}"
    return place


def _find(shelf: Path, event: Event) -> SnapshotResult | None:
    """The finished snapshot of this very event, under its name or a numbered one."""
    name = snapshot_name(event)
    for place in sorted(shelf.iterdir()):
        if place.name.startswith(name):
            known = _read(place / METADATA)
            if known.get("event") == event.id:
                path = f"{shelf.name}/{place.name}"
                return SnapshotResult(path, known["mode"], known["size_bytes"], known["reason"])
    return None


def _read(path: Path) -> dict[str, Any]:
    """Metadata as written here; empty when it is missing or no longer ours."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    is_ours = isinstance(found, dict) and {"event", "mode", "size_bytes", "reason"} <= found.keys()
    return found if is_ours else {}


# ---- keeping a checkpoint ----


def is_keepable(folder: Path, wanted: Checkpoint) -> bool:
    """Whether a checkpoint of the run in `folder` is still the catalogued one, so that a snapshot would hold it."""
    return not _objection(folder / wanted.path, wanted, folder)


def _keep(inp: SnapshotInput, wanted: Checkpoint | None, partial: Path, prefix: str, budget_bytes: int) -> _Held:
    """Copy one checkpoint into the snapshot, or say how else it is kept. Tried twice: a trainer may be renaming."""
    if wanted is None:
        return _Held("none", reason="no checkpoint from before the event")
    source = inp.folder / wanted.path
    target = partial / f"{prefix}{source.name}"
    while os.path.lexists(target):  # the one from before may itself be called best_…
        target = partial / f"{prefix}{target.name}"
    for _ in range(2):
        objection = _objection(source, wanted, inp.folder)
        if objection:
            return _Held("none", reason=objection)
        held = _copy_or_pin(source, target, wanted, budget_bytes)
        if not _objection(source, wanted, inp.folder):
            return held
        _clear(target)
    return _Held("none", reason="changed while it was copied")


def _objection(source: Path, wanted: Checkpoint, folder: Path) -> str:
    """Why the file is not the catalogued checkpoint; empty when it is. A later save under its name is another state."""
    measured = measure_checkpoint(source)
    if measured is None:
        return "the checkpoint is no longer there"
    if source.is_symlink() or not is_inside(source, folder):
        return "the checkpoint is reached through a link, or outside the run's folder"
    same_inode = not wanted.inode or measured[2] == wanted.inode
    if measured[:2] != (wanted.size_bytes, wanted.mtime_ns) or not same_inode:
        return "the checkpoint has changed since it was catalogued"
    return ""


def _copy_or_pin(source: Path, target: Path, wanted: Checkpoint, budget_bytes: int) -> _Held:
    """Reflink, else copy, else pin; whatever fails leaves nothing at `target`."""
    size = wanted.size_bytes
    if _try_reflink(source, target):
        return _Held("reflink", target.name, size)
    if size > budget_bytes:
        return _Held("pin", reason=f"kept in place: {size} bytes, {max(budget_bytes, 0)} left for snapshots")
    disk = shutil.disk_usage(target.parent)
    if size > disk.free - FREE_SHARE * disk.total:
        return _Held("pin", reason=f"kept in place: {size} bytes would fill the disk, {disk.free} are free")
    try:
        _copy(source, target, shutil.copyfileobj)
    except OSError as error:
        _clear(target)
        why = "the disk is full" if error.errno in _NO_ROOM else f"it cannot be copied, {error.strerror or error}"
        return _Held("pin", reason=f"kept in place: {why}")
    return _Held("copy", target.name, size)


def _try_reflink(source: Path, target: Path) -> bool:
    """Share the blocks of a file, or of every file of a folder; False where the file system cannot (ext4, NTFS, APFS)."""
    if sys.platform != "linux":
        return False
    try:
        _copy(source, target, _share_blocks)
    except OSError:
        _clear(target)
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


def _clear(path: Path) -> None:
    """Remove what a broken attempt left under one of our own names."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# ---- metadata ----


def _metadata(inp: SnapshotInput, result: SnapshotResult, before: _Held, best: _Held) -> dict[str, Any]:
    event = inp.event
    return {
        "event": event.id,
        "run": {"id": inp.run.id, "name": inp.run.name},
        "trigger": event.details.get("condition") or event.rule,
        **event.model_dump(include=_TOLD),
        "started_at": event.started_at.isoformat(),
        "window": event.details.get("window", []),
        "config": inp.run.config,
        "git": inp.git.model_dump(),
        "mode": result.mode,
        "size_bytes": result.size_bytes,
        "reason": result.reason,
        "checkpoint": _source(inp.before, before),
        "best": _source(inp.best, best),
        "created_at": datetime.now(UTC).isoformat(),
    }


def _source(checkpoint: Checkpoint | None, held: _Held) -> dict[str, Any] | None:
    """Where a checkpoint came from, and under which name the snapshot holds it ("" when it was kept in place)."""
    if checkpoint is None:
        return None
    return {
        "id": checkpoint.id, "source": checkpoint.path, "step": checkpoint.step,
        "mode": held.mode, "file": held.name, "size_bytes": held.size_bytes, "reason": held.reason,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """The value in JSON's own types: what JSON has no number for becomes NaN, Infinity or -Infinity as a string."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value)  # a date in a YAML config


def _write_synced(path: Path, content: dict[str, Any]) -> None:
    with path.open("x", encoding="utf-8") as file:
        json.dump(_plain(content), file, indent=2, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
