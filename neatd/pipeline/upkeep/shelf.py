"""The folder of a snapshot as it lies on the disk: neat's own, with nothing in it that neat did not write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neatd.actions.snapshot import METADATA
from neatd.errors import NeatError
from neatd.files import read_small
from neatd.models import Run, Snapshot
from neatd.pipeline.upkeep.putting import Thing, thing_at

_LARGEST = 16 << 20  # bytes of a snapshot's metadata
_FOREIGN = "holds what neat did not write"


def shelved(run: Run, snapshot: Snapshot, reason: str) -> Thing | str | None:
    """The folder of a snapshot, to go for this reason; why it stays; None where nothing is."""
    run_folder = Path(run.root) / run.folder
    folder = run_folder / snapshot.path
    if not folder.parent.is_dir():
        return None if run_folder.is_dir() else "the run's folder is not there"
    thing = thing_at(run, folder, f"{reason}, of event {snapshot.event_id}", snapshot.id)
    if thing is None:
        return "a link" if folder.is_symlink() else None
    try:
        return thing if _is_ours(folder, snapshot) else _FOREIGN
    except NeatError as error:
        return error.message


def _is_ours(folder: Path, snapshot: Snapshot) -> bool:
    """Whether it is the folder of this very snapshot, with nothing in it but what its own metadata name."""
    try:
        told = json.loads(read_small(folder / METADATA, _LARGEST))
        names = {one.name for one in folder.iterdir()}
    except (OSError, ValueError) as error:
        raise NeatError(f"its {METADATA} cannot be read: {error}", "look at the folder") from error
    if not isinstance(told, dict) or told.get("event") != snapshot.event_id:
        return False
    return names <= {METADATA, *_files(told)}


def _files(told: dict[str, Any]) -> set[str]:
    parts = (told.get("checkpoint"), told.get("best"))
    return {str(part.get("file")) for part in parts if isinstance(part, dict) and part.get("file")}
