"""Retention joined to the store: what a plan needs to know of a run, and its plan carried out with a journal."""

from __future__ import annotations

import bisect
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from neatd.actions.prune import move_to_trash, reconcile, restore
from neatd.actions.retention import plan
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import is_inside
from neatd.models import Checkpoint, Deletion, Event, Goal, RetentionPlan, Run
from neatd.rules.goals import judged_metrics
from neatd.store import checkpoints, events, points, runs, window
from neatd.store.short import new_id


def plan_run(records: sqlite3.Connection, series: sqlite3.Connection, run: Run, config: ProjectConfig) -> RetentionPlan:
    """What the project's policy says of one run now. Changes nothing."""
    catalogue = checkpoints.catalogue(records, run.id)
    values = _values(series, run, config, catalogue)
    pinned = _pins(records, run, catalogue)
    return plan(catalogue, config.retention, values, pinned, datetime.now(UTC))


def _values(
    series: sqlite3.Connection, run: Run, config: ProjectConfig, catalogue: list[Checkpoint]
) -> dict[str, tuple[Goal, Mapping[str, float]]]:
    """Metric -> (its goal, {checkpoint id: value}) for the metrics that checkpoints are judged by."""
    primary = (config.primary.metric, config.primary.goal) if config.primary else None
    names = [fact.name for fact in points.series_of(series, run.id)]
    return {
        metric: (goal, value_at(window.points_of(series, run.id, metric), catalogue))
        for metric, goal in judged_metrics(names, primary).items()
    }


def best_before(
    series: sqlite3.Connection, run: Run, config: ProjectConfig, catalogue: list[Checkpoint], event: Event
) -> Checkpoint | None:
    """The best checkpoint that there was before an event, by the first metric that judges the run."""
    if event.step is None:
        return None
    latest = latest_step(event)
    earlier = [one for one in catalogue if one.status == "present" and one.step is not None and one.step <= latest]
    for goal, values in _values(series, run, config, catalogue).values():
        measured = [one for one in earlier if math.isfinite(values.get(one.id, math.nan))]
        if measured:
            sign = 1 if goal == "min" else -1
            return min(measured, key=lambda one: (sign * values[one.id], one.ordinal))
    return None


def value_at(found: list[tuple[int, float, float | None]], catalogue: list[Checkpoint]) -> dict[str, float]:
    """Checkpoint id -> the metric's last value measured after the checkpoint before it and not after itself.

    One without such a value has none: an evaluation speaks for the weights it was made with.
    """
    steps = [step for step, _, _ in found]
    if steps != sorted(steps):
        found = sorted(found, key=lambda point: point[0])
        steps = [step for step, _, _ in found]
    values, before = {}, -1
    for one in sorted((c for c in catalogue if c.step is not None), key=lambda c: (c.step, c.ordinal)):
        assert one.step is not None
        index = bisect.bisect_right(steps, one.step) - 1
        if index >= 0 and (steps[index] > before or steps[index] == one.step):
            values[one.id] = found[index][1]
        before = one.step
    return values


def _pins(records: sqlite3.Connection, run: Run, catalogue: list[Checkpoint]) -> dict[str, tuple[str, ...]]:
    """Sources of snapshots, targets of links such as last.ckpt, and what any run's parameters name as their start."""
    found = dict(checkpoints.pins(records, run.id))
    for checkpoint_id, link in _linked(Path(run.root) / run.folder, catalogue):
        found[checkpoint_id] = (*found.get(checkpoint_id, ()), f"{link} is a link to it")
    for snapshot in events.snapshots(records, run_id=run.id, status="pending"):
        wanted = before_event(catalogue, events.get_event(records, snapshot.event_id))
        if wanted:  # it is about to be copied, and may be next in line to go
            found[wanted.id] = (*found.get(wanted.id, ()), f"snapshot {snapshot.id} is being taken of it")
    texts = [(name, text) for name, config in runs.configs_naming(records, run) for text in _strings(config)]
    for one in catalogue:
        full = os.path.join(run.root, run.folder, one.path)  # noqa: PTH118 - compared as text
        for name, text in texts:
            if text and (text == full or text.endswith("/" + os.path.join(run.folder, one.path))):  # noqa: PTH118
                found[one.id] = (*found.get(one.id, ()), f"start of run {name}")
    return found


def latest_step(event: Event) -> int:
    """The last step whose checkpoint is from before the event; for a best value its own: those weights scored it."""
    assert event.step is not None
    return event.step if event.details.get("condition") == "best" else event.step - 1


def before_event(catalogue: list[Checkpoint], event: Event) -> Checkpoint | None:
    """The last save from before an event; None when there is none."""
    if event.step is None:
        return None
    latest = latest_step(event)
    fitting = [one for one in catalogue if one.status == "present" and one.step is not None and one.step <= latest]
    return max(fitting, key=lambda one: one.ordinal, default=None)


def _linked(folder: Path, catalogue: list[Checkpoint]) -> Iterator[tuple[str, str]]:
    """(checkpoint id, name of the link) for links that lie where checkpoints do and lead to one."""
    targets = {os.path.realpath(folder / one.path): one.id for one in catalogue}
    for place in {folder, *((folder / one.path).parent for one in catalogue)}:
        try:
            links = [Path(entry.path) for entry in os.scandir(place) if entry.is_symlink()]
        except OSError:
            continue
        for link in links:
            target = targets.get(os.path.realpath(link))
            if target:
                yield target, link.name


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    return []


def apply_plan(records: sqlite3.Connection, run: Run, agreed: RetentionPlan, batch: str) -> list[Deletion]:
    """Move what the plan gives up into the project's trash: journal first, rename, then the outcome. Returns outcomes."""
    settle_after_crash(records)
    now = datetime.now(UTC)
    root, folder = Path(run.root), Path(run.root) / run.folder
    trash = root / ".neat" / "trash" / batch
    if not is_inside(trash, root):
        raise NeatError(f"the trash would lie outside of the project: {trash}", "make .neat a folder and not a link")
    planned = [
        Deletion(
            id=new_id("deletion"), batch=batch, run_id=run.id, checkpoint_id=one.checkpoint.id,
            from_path=str(folder / one.checkpoint.path), trash_path=str(trash / run.folder / one.checkpoint.path),
            size_bytes=one.checkpoint.size_bytes, reason=one.reason, created_at=now, updated_at=now,
        )
        for one in agreed.delete
    ]  # fmt: skip
    checkpoints.plan_deletions(records, planned)
    outcomes = []
    for deletion, one in zip(planned, agreed.delete, strict=True):
        outcome = move_to_trash(deletion, one.checkpoint, root)
        checkpoints.settle_deletion(records, outcome)
        outcomes.append(outcome)
    return outcomes


def undo(records: sqlite3.Connection, batch: str) -> list[Deletion]:
    """Bring a batch back from the trash; what cannot come back says why and stays there."""
    settle_after_crash(records)
    outcomes = []
    for deletion in checkpoints.trashed(records, batch):
        outcome = restore(deletion)
        if outcome.status == "restored":
            checkpoints.settle_deletion(records, outcome)
        outcomes.append(outcome)
    return outcomes


def settle_after_crash(records: sqlite3.Connection) -> None:
    """Decide from the disk what became of moves that were planned when the daemon died."""
    for deletion in checkpoints.unsettled(records):
        checkpoints.settle_deletion(records, reconcile(deletion))
