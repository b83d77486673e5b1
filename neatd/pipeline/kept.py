"""The checkpoints of a run, each with every reason for which it is kept, or why it would go or went. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from neatd.config import ProjectConfig
from neatd.models import Checkpoint, Run
from neatd.pipeline.bestof import best_checkpoints
from neatd.pipeline.planshown import plan_shape
from neatd.pipeline.protecting import as_on_disk
from neatd.pipeline.retaining import plan_run
from neatd.policy import RetentionPlan
from neatd.store import checkpoints, vaults

MOST = 2000  # checkpoints in the answer, the newest


def kept_checkpoints(
    records: sqlite3.Connection,
    points: sqlite3.Connection,
    run: Run,
    config: ProjectConfig,
    now: datetime,
    most: int = MOST,
) -> dict[str, Any]:
    """{checkpoints, more, bytes_before, bytes_freed, bytes_after, needs_yes, note, reasons, best, copies}, newest first.

    A checkpoint is {id, path, step, ordinal, size_bytes, completed_at, parts, is_folder, status, stands, reasons, batch,
    best_of}: `stands` is keep, go (by the policy, if somebody lets it), or its status where it is not there any more. The
    run's files are looked at, and its evaluations read.
    """
    planned = plan_run(records, points, run, config, now)
    every = [] if planned.note else as_on_disk(run, checkpoints.catalogue(records, run.id))
    reasons, gone = _reasons(planned), _deletions(records, run.id)
    best = best_of(records, run.id)
    shapes = [_shape(one, reasons, gone, best) for one in sorted(every, key=_place, reverse=True)[:most]]
    head = plan_shape(run, planned)
    kept = ("bytes_before", "bytes_freed", "bytes_after", "needs_yes", "note", "reasons")
    return {
        "checkpoints": shapes, "more": len(every) - len(shapes), **{name: head[name] for name in kept},
        "best": [] if planned.note else best_checkpoints(records, points, run, config),
        "copies": [one._asdict() for one in vaults.copies(records, run.id)],
    }  # fmt: skip


def best_of(records: sqlite3.Connection, run_id: str) -> dict[str, list[str]]:
    """Checkpoint id -> the metrics by which neat keeps a copy of it as the best."""
    return {one.checkpoint_id: sorted(one.best) for one in vaults.copies(records, run_id) if one.best}


def _reasons(planned: RetentionPlan) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Checkpoint id -> (keep or go, why)."""
    found = {one.checkpoint.id: ("keep", one.reasons) for one in planned.keep}
    return found | {one.checkpoint.id: ("go", (one.reason,)) for one in planned.delete}


def _deletions(records: sqlite3.Connection, run_id: str) -> dict[str, tuple[str, str]]:
    """Checkpoint id -> (batch, why it went), the last time."""
    sql = "SELECT checkpoint_id, batch, reason FROM deletion WHERE run_id = ? AND status != 'refused' ORDER BY rowid"
    return {row[0]: (row[1], row[2]) for row in records.execute(sql, (run_id,))}


def _shape(
    one: Checkpoint, reasons: Mapping[str, tuple[str, tuple[str, ...]]], gone: Mapping[str, tuple[str, str]],
    best: Mapping[str, list[str]],
) -> dict[str, Any]:  # fmt: skip
    stands, why = reasons.get(one.id, (str(one.status), ()))
    batch, went = gone.get(one.id, ("", "")) if one.status in ("trashed", "deleted") else ("", "")
    return {
        **one.model_dump(include={"id", "path", "step", "ordinal", "size_bytes", "completed_at", "parts", "is_folder"}),
        "status": one.status, "stands": stands, "reasons": [*why, *([went] if went else [])], "batch": batch,
        "best_of": best.get(one.id, []),
    }  # fmt: skip


def _place(one: Checkpoint) -> tuple[datetime, int]:
    return one.completed_at, one.ordinal
