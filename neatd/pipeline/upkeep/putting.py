"""What is no checkpoint on its way into the trash: the same journal, the same rename, the same way back."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.actions.prune import move_to_trash
from neatd.actions.trash import trash_folder
from neatd.errors import NeatError
from neatd.files import is_inside, measure_checkpoint
from neatd.models import Checkpoint, Deletion, Run
from neatd.store import checkpoints
from neatd.store.short import new_id


class Thing(NamedTuple):
    """A file or folder in a run's folder. `id` stands in the journal where a checkpoint's would: a snapshot's, or none."""

    run: Run
    path: str  # relative to the run's folder, with forward slashes
    is_folder: bool
    measured: tuple[int, int, int]
    reason: str
    id: str = ""


def thing_at(run: Run, path: Path, reason: str, thing_id: str = "") -> Thing | None:
    """What lies at `path`, in the run's folder; None where nothing does, or a link."""
    measured = measure_checkpoint(path)
    if measured is None or path.is_symlink():
        return None
    relative = path.relative_to(Path(run.root) / run.folder).as_posix()
    return Thing(run, relative, path.is_dir(), measured, reason, thing_id)


def put_away(records: sqlite3.Connection, thing: Thing, batch: str) -> Deletion:
    """Move it into the project's trash: journal first, rename, then the outcome, which is returned."""
    run, now = thing.run, datetime.now(UTC)
    root, folder = Path(run.root), Path(run.root) / run.folder
    trash = trash_folder(root, folder) / batch
    if not is_inside(trash, root):
        raise NeatError(f"the trash would lie outside of the project: {trash}", "make .neat a folder and not a link")
    size_bytes, mtime_ns, inode = thing.measured
    deletion_id = new_id("deletion")
    expected = Checkpoint(
        id=thing.id or deletion_id, run_id=run.id, path=thing.path, ordinal=0, size_bytes=size_bytes, mtime_ns=mtime_ns,
        inode=inode, is_folder=thing.is_folder, completed_at=now,
    )  # fmt: skip
    planned = Deletion(
        id=deletion_id, batch=batch, run_id=run.id, checkpoint_id=expected.id, from_path=str(folder / thing.path),
        trash_path=str(trash / run.folder / thing.path), size_bytes=size_bytes, reason=thing.reason, created_at=now,
        updated_at=now,
    )  # fmt: skip
    checkpoints.plan_deletions(records, [planned])
    outcome = move_to_trash(planned, expected, root)
    checkpoints.settle_deletion(records, outcome)
    return outcome


def brought_back(records: sqlite3.Connection, run_id: str) -> set[str]:
    """What somebody brought back from the trash, by its place and by its id: it stays."""
    sql = "SELECT from_path, checkpoint_id FROM deletion WHERE run_id = ? AND status = 'restored'"
    return {word for row in records.execute(sql, (run_id,)) for word in row}
