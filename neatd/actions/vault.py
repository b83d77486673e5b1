"""The best checkpoint of a run kept beside it, where the trainer's own rotation does not reach.

Writes and removes below `<run folder>/snapshots/best/` and nothing else: what lies there is neat's own copy, never the
user's file. Invariant: a copy is there whole or not at all (it is built under a hidden name and renamed), and it is never
a second name of the trainer's file, which may be written anew in place.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from neatd.actions.copying import Mode, clear, keep
from neatd.files import fsync_folder, is_inside, write_atomic
from neatd.models import Checkpoint, Goal

SHELF = "snapshots"
BEST = "best"
METADATA = "metadata.json"

Best = Mapping[str, tuple[Goal, float]]  # metric -> (its goal, its value)


class Kept(NamedTuple):
    """How a best checkpoint was kept: `path` is relative to the run's folder, empty when nothing was copied."""

    mode: Mode
    path: str = ""
    size_bytes: int = 0
    reason: str = ""


def keep_best(folder: Path, wanted: Checkpoint, best: Best, budget_bytes: int, now: datetime) -> Kept:
    """Reflink or copy a checkpoint of the run in `folder`; `pin` and `none` say why it was not. Done again it is redone.

    Raises OSError, and leaves nothing, when the folder cannot be written or is a link.
    """
    shelf = folder / SHELF
    for one in (shelf, shelf / BEST):
        if one.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "A link, and no copy is written through one", str(one))
    name = f"{wanted.ordinal:06d}_{_safe(Path(wanted.path).name)}"
    partial, final = shelf / BEST / f".partial_{name}", shelf / BEST / name
    (shelf / BEST).mkdir(parents=True, exist_ok=True)
    try:
        for broken in (shelf / BEST).glob(".partial_*"):  # what a crash left
            clear(broken)
        partial.mkdir()
        held = keep(folder, wanted, partial, "", budget_bytes)
        if not held.name:
            clear(partial)
            return Kept(held.mode, reason=held.reason)
        write_atomic(partial / METADATA, _metadata(wanted, best, held.mode, now))
        clear(final)
        partial.rename(final)
        fsync_folder(final.parent)
    except OSError:
        clear(partial)
        raise
    return Kept(held.mode, f"{SHELF}/{BEST}/{name}", held.size_bytes)


def tell_more(folder: Path, path: str, wanted: Checkpoint, best: Best, mode: str, now: datetime) -> None:
    """Write what else a copy is the best by. Raises OSError when it cannot be written."""
    if is_inside(folder / path, folder / SHELF / BEST):
        write_atomic(folder / path / METADATA, _metadata(wanted, best, mode, now))


def _safe(name: str) -> str:
    return re.sub(r"[^\w.+-]", "_", name).encode(errors="ignore")[:120].decode(errors="ignore")


def _metadata(wanted: Checkpoint, best: Best, mode: str, now: datetime) -> bytes:
    told = {
        "checkpoint": {"id": wanted.id, "source": wanted.path, "step": wanted.step, "parts": list(wanted.parts)},
        "best": {metric: {"goal": goal, "value": value} for metric, (goal, value) in best.items()},
        "mode": mode,
        "created_at": now.isoformat(),
    }
    return json.dumps(told, indent=2).encode()


def drop(folder: Path, path: str) -> bool:
    """Remove one of these copies; False when it is none of ours or cannot be removed."""
    place, shelf = folder / path, folder / SHELF / BEST
    if place.parent != shelf or shelf.is_symlink() or place.is_symlink() or not is_inside(place, folder):
        return False
    try:
        clear(place)
    except OSError:
        return False
    return True


def give_up_copy(folder: Path, path: str) -> bool:
    """Remove the checkpoints of a snapshot and leave what it tells; False when it is none of ours."""
    place = folder / path
    if place.parent != folder / SHELF or place.is_symlink() or not is_inside(place, folder):
        return False
    if not (place / METADATA).is_file():
        return False
    try:
        for entry in os.scandir(place):
            if entry.name != METADATA:
                clear(Path(entry.path))
    except OSError:
        return False
    return True
