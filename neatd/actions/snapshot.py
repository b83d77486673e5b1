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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.actions.copying import Held, Mode, clear, keep
from neatd.files import fsync_folder
from neatd.models import Checkpoint, Event, GitState, Run

METADATA = "metadata.json"
_KNOWN = ("episode", "also", "against", "examples")  # of the event's details, where they are there
_TOLD = {"rule", "metric", "step", "value", "score", "threshold", "severity", "message"}  # of the event, as it is


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
        clear(partial)
        return _find(shelf, inp.event) or _build(inp, shelf, partial)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)  # a full disk is not left fuller
        raise


def _build(inp: SnapshotInput, shelf: Path, partial: Path) -> SnapshotResult:
    partial.mkdir()
    budget = inp.budget_left_bytes
    before = best = keep(inp.folder, inp.before, partial, "", budget)
    size_bytes = before.size_bytes
    if inp.best and (inp.before is None or inp.best.id != inp.before.id):
        best = keep(inp.folder, inp.best, partial, "best_", budget - before.size_bytes)
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


# ---- metadata ----


def _metadata(inp: SnapshotInput, result: SnapshotResult, before: Held, best: Held) -> dict[str, Any]:
    event = inp.event
    return {
        "event": event.id,
        "run": {"id": inp.run.id, "name": inp.run.name},
        "trigger": event.details.get("condition") or event.rule,
        **event.model_dump(include=_TOLD),
        "started_at": event.started_at.isoformat(),
        "window": event.details.get("window", []),
        **{name: event.details[name] for name in _KNOWN if name in event.details},
        "config": inp.run.config,
        "git": inp.git.model_dump(),
        "mode": result.mode,
        "size_bytes": result.size_bytes,
        "reason": result.reason,
        "checkpoint": _source(inp.before, before),
        "best": _source(inp.best, best),
        "created_at": datetime.now(UTC).isoformat(),
    }


def _source(checkpoint: Checkpoint | None, held: Held) -> dict[str, Any] | None:
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
