"""Snapshots that are older than the schedule keeps them: into the trash, but for those of best values.

Only folders that neat wrote, with nothing in them that it did not write. An expired snapshot no longer protects the
checkpoint that it was taken of; one that is brought back from the trash is a snapshot again, and stays.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from neatd.actions.snapshot import METADATA
from neatd.assist.render import size
from neatd.errors import NeatError
from neatd.files import read_small
from neatd.models import Run, Snapshot
from neatd.pipeline.upkeep.putting import Thing, brought_back, put_away, thing_at
from neatd.pipeline.upkeep.work import Outcome, Room, Steps, Work
from neatd.store import events, runs
from neatd.store.short import new_id

_LARGEST = 16 << 20  # bytes of a snapshot's metadata
_FOREIGN = "holds what neat did not write"


def expire_snapshots(work: Work) -> Steps:
    """A snapshot a step, the oldest first."""
    limit = work.now - timedelta(days=work.job.days)
    roots = {str(one.root) for one in work.watched if one.root.is_dir()}
    known = {run.id: run for run in runs.all_runs(work.records) if run.root in roots}
    before = freed = 0
    batch, moved, stays = new_id("deletion"), 0, list[str]()
    for snapshot in reversed(events.snapshots(work.records, status="done")):
        run = known.get(snapshot.run_id)
        before += snapshot.size_bytes
        if run is None or snapshot.created_at > limit or _stays(work, run, snapshot):
            continue
        if not snapshot.path:
            if snapshot.checkpoint_id:  # a pin alone, of what was beyond a rule's budget
                events.set_snapshot(work.records, snapshot.id, status="expired", reason="its time is over")
            continue
        yield f"{moved} moved, looking at {snapshot.path}"
        thing = _thing(run, snapshot)
        if isinstance(thing, str):
            stays.append(f"{snapshot.path}: {thing}")
        elif thing is None:
            events.set_snapshot(work.records, snapshot.id, status="expired", reason="its folder is gone")
        else:
            outcome = put_away(work.records, thing, batch)
            if outcome.status == "moved":
                moved, freed = moved + 1, freed + snapshot.size_bytes
            else:
                stays.append(f"{snapshot.path}: {outcome.note}")
    said = f"{moved} snapshots older than {work.job.days:g} days are in the trash, {size(freed)}"
    said += f"; {len(stays)} stay: {stays[0]}" if stays else ""
    return Outcome(said, Room(before, freed).details | {"moved": moved, "stays": stays[:20]})


def _stays(work: Work, run: Run, snapshot: Snapshot) -> bool:
    """Whether it is of a best value, or was brought back by somebody."""
    if events.get_event(work.records, snapshot.event_id).details.get("condition") == "best":
        return True
    return snapshot.id in brought_back(work.records, run.id)


def _thing(run: Run, snapshot: Snapshot) -> Thing | str | None:
    """The folder of a snapshot; why it stays; None where nothing is."""
    run_folder = Path(run.root) / run.folder
    folder = run_folder / snapshot.path
    if not folder.parent.is_dir():
        return None if run_folder.is_dir() else "the run's folder is not there"
    thing = thing_at(run, folder, f"snapshot older than the schedule keeps, of event {snapshot.event_id}", snapshot.id)
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
