"""Snapshots that are older than the schedule keeps them: into the trash, but for those of the best values of now.

Only folders that neat wrote, with nothing in them that it did not write. An expired snapshot no longer protects the
checkpoint that it was taken of; one that is brought back from the trash is a snapshot again, and stays.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta

from neatd.assist.render import size
from neatd.models import Snapshot
from neatd.pipeline import lasting
from neatd.pipeline.upkeep.putting import brought_back, put_away
from neatd.pipeline.upkeep.shelf import shelved
from neatd.pipeline.upkeep.work import Outcome, Room, Steps, Work
from neatd.store import events, runs
from neatd.store.short import new_id


def expire_snapshots(work: Work) -> Steps:
    """A snapshot a step, the oldest first."""
    limit = work.now - timedelta(days=work.job.days)
    roots = {str(one.root) for one in work.watched if one.root.is_dir()}
    known = {run.id: run for run in runs.all_runs(work.records) if run.root in roots}
    before = freed = 0
    batch, moved, stays = new_id("deletion"), 0, list[str]()
    standing = {run_id: lasting.standing(work.records, run_id) for run_id in _with_snapshots(work, known)}
    for snapshot in reversed(events.snapshots(work.records, status="done")):
        run = known.get(snapshot.run_id)
        before += snapshot.size_bytes
        if run is None or snapshot.created_at > limit or _stays(work, standing[run.id], snapshot):
            continue
        if not snapshot.path:
            if snapshot.checkpoint_id:  # a pin alone, of what was beyond a rule's budget
                events.set_snapshot(work.records, snapshot.id, status="expired", reason="its time is over")
            continue
        yield f"{moved} moved, looking at {snapshot.path}"
        thing = shelved(run, snapshot, "snapshot older than the schedule keeps")
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


def _with_snapshots(work: Work, known: Container[str]) -> set[str]:
    return {one.run_id for one in events.snapshots(work.records, status="done") if one.run_id in known}


def _stays(work: Work, standing: Container[str], snapshot: Snapshot) -> bool:
    """Whether it is of a best value that was not beaten, or was brought back by somebody."""
    return snapshot.id in standing or snapshot.id in brought_back(work.records, snapshot.run_id)
