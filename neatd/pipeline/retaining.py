"""Retention joined to the store: a plan, carried out with a journal, undone, and the trash emptied at last."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from neatd.actions.prune import move_to_trash, reconcile, restore
from neatd.actions.retention import plan, without_backlog
from neatd.actions.trash import remove_for_good
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import is_inside
from neatd.models import Deletion, Run
from neatd.pipeline.batches import is_day_batch, trash_of
from neatd.pipeline.protecting import as_on_disk, pins_of, values_of
from neatd.policy import RetentionPlan
from neatd.read.openfiles import OpenFiles
from neatd.store import checkpoints
from neatd.store.short import new_id

InUse = Callable[[Path], str]


def plan_run(
    records: sqlite3.Connection,
    series: sqlite3.Connection,
    run: Run,
    config: ProjectConfig,
    now: datetime | None = None,
) -> RetentionPlan:
    """What the project's policy says of one run now. Changes nothing. What cannot be read is kept, all of it."""
    try:
        catalogue = as_on_disk(run, checkpoints.catalogue(records, run.id))
        values = values_of(series, run, config, catalogue)
        pinned = pins_of(records, run, catalogue)
        return plan(catalogue, config.retention, values, pinned, now or datetime.now(UTC))
    except ValueError as error:  # a row that is no checkpoint, JSON that is none
        reason = str(error).splitlines()[0]
        return RetentionPlan(run_id=run.id, note=f"its catalogue cannot be read, so everything stays: {reason}")


def by_itself(
    records: sqlite3.Connection, root: Path, config: ProjectConfig, planned: RetentionPlan, allowed_at: datetime,
    now: datetime | None = None,
) -> RetentionPlan:  # fmt: skip
    """What of a plan may go without a person, who allowed it at `allowed_at`. What is older than the policy's being in
    force in this folder goes only where that is no more than half of it, or somebody agreed by `apply --yes`."""
    policy = config.retention.model_dump_json()
    since = checkpoints.set_policy(records, str(root), policy, allowed_at, now or datetime.now(UTC))
    return without_backlog(planned, since)


def apply_plan(
    records: sqlite3.Connection, run: Run, agreed: RetentionPlan, batch: str, now: datetime | None = None,
    in_use: InUse | None = None,
) -> list[Deletion]:  # fmt: skip
    """Move what the plan gives up into the project's trash: journal first, rename, then the outcome. Returns outcomes.

    `in_use` says who has a file open; the system is asked when it is left out.
    """
    settle_after_crash(records)
    moment = now or datetime.now(UTC)
    root, folder = Path(run.root), Path(run.root) / run.folder
    trash = trash_of(run) / batch
    if not is_inside(trash, root):
        raise NeatError(f"the trash would lie outside of the project: {trash}", "make .neat a folder and not a link")
    planned = [
        Deletion(
            id=new_id("deletion"), batch=batch, run_id=run.id, checkpoint_id=one.checkpoint.id,
            from_path=str(folder / one.checkpoint.path), trash_path=str(trash / run.folder / one.checkpoint.path),
            parts=one.checkpoint.parts, size_bytes=one.checkpoint.size_bytes, reason=one.reason, created_at=moment,
            updated_at=moment,
        )
        for one in agreed.delete
    ]  # fmt: skip
    checkpoints.plan_deletions(records, planned)
    asked = in_use or OpenFiles(root).user_of
    outcomes = []
    for deletion, one in zip(planned, agreed.delete, strict=True):
        outcome = move_to_trash(deletion, one.checkpoint, root, asked)
        checkpoints.settle_deletion(records, outcome)
        outcomes.append(outcome)
    return outcomes


def undo(records: sqlite3.Connection, batch: str) -> list[Deletion]:
    """Bring a batch back from the trash; what cannot come back says why and stays there."""
    settle_after_crash(records)
    return bring_back(records, checkpoints.trashed(records, batch))


def bring_back(records: sqlite3.Connection, found: Iterable[Deletion]) -> list[Deletion]:
    """Bring back what lies in the trash, in this order: of two that were at one place the first has it."""
    outcomes = []
    for deletion in found:
        outcome = restore(deletion)
        if outcome.status == "restored":
            checkpoints.settle_deletion(records, outcome)
        outcomes.append(outcome)
    return outcomes


def settle_after_crash(records: sqlite3.Connection) -> None:
    """Decide from the disk what became of moves that were planned when the daemon died; finish emptyings."""
    for deletion in checkpoints.unsettled(records):
        outcome = _removed(records, deletion) if deletion.status == "emptying" else reconcile(deletion)
        checkpoints.settle_deletion(records, outcome)


# ---- the trash ----


class Emptied(NamedTuple):
    """What emptying the trash did; `refused` are the places that are not neat's trash, or could not be removed."""

    files: int = 0  # checkpoints
    freed_bytes: int = 0
    left_bytes: int = 0
    refused: tuple[tuple[str, str], ...] = ()


def empty_trash(
    records: sqlite3.Connection, now: datetime, max_age_days: float, needed_bytes: int = 0, root: Path | None = None
) -> Emptied:
    """Remove for good what lies in the trash for longer than `max_age_days`, oldest batch first; and younger batches too,
    whole ones, until `needed_bytes` are freed; of a day's batch whole thinnings. Of one project's folder, or of all.

    Each removal is journalled before and after, so that a crash leaves nothing that undo would bring back in part.
    """
    settle_after_crash(records)
    found = [
        one for one in checkpoints.trashed(records) if root is None or checkpoints.root_of(records, one) == str(root)
    ]
    batches: dict[tuple[str, datetime | None], list[Deletion]] = {}
    for one in sorted(found, key=lambda one: one.created_at):
        batches.setdefault((one.batch, one.created_at if is_day_batch(one.batch) else None), []).append(one)
    count = freed = 0
    refused: list[tuple[str, str]] = []
    for batch in batches.values():
        is_old = now - max(one.created_at for one in batch) > timedelta(days=max_age_days)
        for one in batch if is_old or freed < needed_bytes else ():
            outcome = _empty(records, one)
            if outcome.status == "deleted":
                count, freed = count + 1, freed + one.size_bytes
            else:
                refused.append((one.trash_path, outcome.note))
    return Emptied(count, freed, sum(one.size_bytes for one in found) - freed, tuple(refused))


def _empty(records: sqlite3.Connection, deletion: Deletion) -> Deletion:
    begun = deletion.model_copy(update={"status": "emptying"})
    checkpoints.settle_deletion(records, begun)
    outcome = _removed(records, begun)
    checkpoints.settle_deletion(records, outcome)
    return outcome


def _removed(records: sqlite3.Connection, deletion: Deletion) -> Deletion:
    """The deletion after its files were removed; as `moved`, with a note, where they may not or cannot be."""
    note = remove_for_good(deletion, Path(checkpoints.root_of(records, deletion)))
    return deletion.model_copy(update={"status": "moved" if note else "deleted", "note": note})
