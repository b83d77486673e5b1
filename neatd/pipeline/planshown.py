"""Retention plans as `neat retention plan --json` prints them and the page shows them: bytes, and why each file stays."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from neatd.config import ProjectConfig
from neatd.models import Project, Run
from neatd.pipeline.retaining import plan_run
from neatd.policy import RetentionPlan
from neatd.store import runs

# What tells one checkpoint from another in a reason, so that those of one kind are counted together.
_KINDS = (
    (re.compile(r"^nearest to step \d+$"), "nearest to a step"),
    (re.compile(r"^(best (?:\d+ of )?.*) [-+.\dinfae]+$"), r"\1"),
    (re.compile(r"^pinned: source of snapshot .*"), "source of a snapshot"),
    (re.compile(r"^pinned: snapshot .* is being taken of it$"), "source of a snapshot"),
    (re.compile(r"^pinned: by hand.*"), "pinned by hand"),
    (re.compile(r"^pinned: .* is a link to it$"), "target of a link"),
    (re.compile(r"^pinned: (?:start of|named by) .*"), "something starts from it"),
)


def plans(
    records: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, word: str | None = None,
    now: datetime | None = None,
) -> list[tuple[Run, RetentionPlan]]:  # fmt: skip
    """The plan of each run of the project in this folder, newest first; with `word`, a run's id or name, of that one."""
    chosen = [runs.find_run(records, word, project.id)] if word else runs.all_runs(records, project.id)
    return [(run, plan_run(records, series, run, config, now)) for run in chosen if run.root == project.root]


def plan_shapes(found: Sequence[tuple[Run, RetentionPlan]]) -> list[dict[str, Any]]:
    """What `neat retention plan --json` prints."""
    return [plan_shape(run, one) for run, one in found]


def plan_shape(run: Run, plan: RetentionPlan) -> dict[str, Any]:
    """A plan as `--json` has it."""
    return {
        "run": run.id, "name": run.name, "bytes_before": plan.bytes_before, "bytes_freed": plan.bytes_freed,
        "bytes_after": plan.bytes_before - plan.bytes_freed,
        "keep": [
            {"path": k.checkpoint.path, "step": k.checkpoint.step, "reasons": k.reasons, "id": k.checkpoint.id,
             "size_bytes": k.checkpoint.size_bytes, "parts": k.checkpoint.parts}
            for k in plan.keep
        ],
        "delete": [
            {"path": d.checkpoint.path, "step": d.checkpoint.step, "reason": d.reason, "id": d.checkpoint.id,
             "size_bytes": d.checkpoint.size_bytes, "parts": d.checkpoint.parts}
            for d in plan.delete
        ],
        "reasons": [
            {"why": why, "goes": goes, "checkpoints": count, "bytes": total, "only_bytes": only}
            for goes, why, count, total, only in by_reason(plan)
        ],
        "needs_yes": plan.is_most, "note": plan.note,
    }  # fmt: skip


def by_reason(plan: RetentionPlan) -> list[tuple[bool, str, int, int, int]]:
    """(goes, kind of reason, checkpoints, bytes, bytes that nothing else keeps), those that keep most first.

    A checkpoint with several reasons counts for each of them.
    """
    found: dict[tuple[bool, str], list[int]] = {}
    for kept in plan.keep:
        kinds = {_kind(reason) for reason in kept.reasons}
        for kind in kinds:
            _count(found, (False, kind), kept.checkpoint.size_bytes, len(kinds) == 1)
    for dropped in plan.delete:
        _count(found, (True, dropped.reason), dropped.checkpoint.size_bytes, True)
    rows = [(goes, why, count, total, only) for (goes, why), (count, total, only) in found.items()]
    return sorted(rows, key=lambda row: (row[0], -row[3], row[1]))


def _count(found: dict[tuple[bool, str], list[int]], key: tuple[bool, str], size_bytes: int, is_only: bool) -> None:
    numbers = found.setdefault(key, [0, 0, 0])
    numbers[0] += 1
    numbers[1] += size_bytes
    numbers[2] += size_bytes if is_only else 0


def _kind(reason: str) -> str:
    for pattern, kind in _KINDS:
        if pattern.match(reason):
            return pattern.sub(kind, reason)
    return reason
