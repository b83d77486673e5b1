"""The wishes of judging carried out: snapshots of what was before an event, and retention where the user allowed it."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from neatd.actions.copying import is_keepable
from neatd.actions.snapshot import SnapshotInput, take
from neatd.assist.render import size
from neatd.models import Checkpoint, Event, Snapshot
from neatd.pipeline import vaulting
from neatd.pipeline.batches import day_batch
from neatd.pipeline.beginnings import first_written
from neatd.pipeline.explaining import explain
from neatd.pipeline.lasting import beaten_by, is_best, put_beaten_away, release_beaten
from neatd.pipeline.protecting import before_event, best_before, latest_step
from neatd.pipeline.retaining import apply_plan, by_itself, plan_run
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.policy import RetentionPlan
from neatd.read.checkpoint import step_of
from neatd.store import checkpoints, events, projects

log = logging.getLogger(__name__)
TURN_S = 0.5  # reading goes on between the copies of a storm
WATCHED_S = 60.0  # no folder goes unlooked at for longer: what stood still before was not watched
WAIT_FOR_SAVE_S = 15.0  # a checkpoint from before the event may still be at work on its rest


def take_snapshots(scene: Scene) -> bool:
    """Take the snapshots that are asked for, for half a second. True while some are left or wait for a checkpoint."""
    is_waiting, until = False, scene.clock() + TURN_S
    for snapshot in reversed(events.snapshots(scene.records, status="pending")):  # the oldest first, by the budget
        if scene.clock() > until:
            return True
        found = _live(scene, snapshot.run_id)
        if found is None:
            _settle(scene, snapshot, "failed", "the run's project is not there")
            continue
        event = events.get_event(scene.records, snapshot.event_id)
        if reason := _needs_none(scene, found[1], event):
            events.set_snapshot(scene.records, snapshot.id, status="done", mode="none", reason=reason)
        elif _must_wait(found[1], event):
            is_waiting = True
        else:
            _keep(scene, *found, snapshot, event)
    return is_waiting


def _live(scene: Scene, run_id: str) -> tuple[LiveProject, LiveRun] | None:
    return next(((project, live) for project, live in scene.live_runs() if live.run.id == run_id), None)


def _needs_none(scene: Scene, live: LiveRun, event: Event) -> str:
    """Why no folder is written for an event: the run has none of its own, or it happened before neat watched it."""
    if live.place != live.folder:
        return "the run has no folder"
    if (live.run.created_at - live.last_line_at).total_seconds() > WATCHED_S:
        return "the run was over before it was found"
    now = datetime.now(UTC).timestamp()
    if now - event.started_at.timestamp() <= scene.settings.lost_s:
        return ""
    # Not every trainer's clock is right: an event is no older than the oldest trace of its run.
    oldest = first_written(live.folder, [source.path for source in live.sources.values()])
    return "it happened before neat watched the run" if 0 < oldest < now - scene.settings.lost_s else ""


def _must_wait(live: LiveRun, event: Event) -> bool:
    """Whether a checkpoint that this snapshot would rather have is not complete yet."""
    if (datetime.now(UTC) - event.created_at).total_seconds() > WAIT_FOR_SAVE_S or event.step is None:
        return False
    latest = latest_step(event)
    settling = [step_of(Path(path).name, "." not in Path(path).name) for path in live.settling]
    return any(step is not None and step <= latest for step in settling)


def _keep(scene: Scene, project: LiveProject, live: LiveRun, snapshot: Snapshot, event: Event) -> None:
    """Take it, or beyond the rule's budget protect the checkpoint in place; a best value takes the place of the one it
    beats."""
    spent = _spent(scene, event)
    beaten = beaten_by(scene.records, event) if spent and event.details["snapshots_per_hour"] else None
    if spent and not beaten:
        _pin(scene, live, snapshot, event, spent)
    elif _take(scene, project, live, snapshot, event) and beaten:
        put_beaten_away(scene.records, live.run, beaten, scene.today())
    if is_best(event):
        release_beaten(scene.records, live.run.id)


def _spent(scene: Scene, event: Event) -> str:
    """Why an event's rule may take no further snapshot of its run within this hour."""
    most = event.details.get("snapshots_per_hour")
    if not isinstance(most, int):
        return ""
    taken = events.snapshots_taken(scene.records, event, event.created_at - timedelta(hours=1))
    return f"{most} an hour by this rule's budget" if taken >= most else ""


def _pin(scene: Scene, live: LiveRun, snapshot: Snapshot, event: Event, reason: str) -> None:
    """Beyond the budget nothing is copied, but the checkpoint from before the event stays where it is."""
    before = before_event(checkpoints.catalogue(scene.records, live.run.id), event)
    kept = {"mode": "pin", "checkpoint_id": before.id} if before else {"mode": "none"}
    events.set_snapshot(scene.records, snapshot.id, status="done", reason=reason, **kept)


def _take(scene: Scene, project: LiveProject, live: LiveRun, snapshot: Snapshot, event: Event) -> bool:
    """True when a checkpoint was copied."""
    if not live.folder.is_dir():
        _settle(scene, snapshot, "failed", "the run's folder is gone")
        return False
    catalogue = checkpoints.catalogue(scene.records, live.run.id)
    before = before_event(catalogue, event)
    if is_best(event) and not _has(live, before):
        events.set_snapshot(scene.records, snapshot.id, status="done", mode="none", reason="no checkpoint was there")
        return False
    # The checkpoint of a best value is itself the best: a second copy at each record would fill the disk.
    best = None if is_best(event) else best_before(scene.points, live.run, project.config, catalogue, event)
    left = int(scene.settings.snapshot_gib * 2**30) - vaulting.held_bytes(scene, project)
    source_ids = {"checkpoint_id": before.id if before else None, "best_checkpoint_id": best.id if best else None}
    events.set_snapshot(scene.records, snapshot.id, **source_ids)  # pinned from now on, whatever happens next
    if not is_best(event):
        event = explain(scene, event)
    try:
        result = take(SnapshotInput(event, live.run, live.folder, before, best, max(left, 0), live.run.git))
    except OSError as error:
        _settle(scene, snapshot, "failed", f"{error.strerror}: {error.filename or live.folder}")
        return False
    events.set_snapshot(
        scene.records, snapshot.id, status="done", mode=result.mode, path=result.path, size_bytes=result.size_bytes,
        reason=result.reason,
    )  # fmt: skip
    project.is_stale = True
    return result.mode in ("copy", "reflink")


def _has(live: LiveRun, wanted: Checkpoint | None) -> bool:
    return wanted is not None and is_keepable(live.folder, wanted)


def _settle(scene: Scene, snapshot: Snapshot, status: str, reason: str) -> None:
    log.warning("snapshot %s: %s", snapshot.id, reason)
    events.set_snapshot(scene.records, snapshot.id, status=status, reason=reason)


def retain(scene: Scene, project: LiveProject, live: LiveRun) -> None:
    """Thin a run's checkpoints, if the user allowed it for this folder on this machine.

    What is older than this policy's being in force goes only where that is no more than half of it, or the user agreed.
    """
    allowed_at = projects.consents(scene.records, project.root).get("retention")
    if allowed_at is None:
        return
    now = scene.today()
    planned = plan_run(scene.records, scene.points, live.run, project.config, now)
    if planned.note:
        events.add_mishap(scene.records, "retention-blind", planned.note, f"retention-blind|{live.run.id}",
                          project_id=project.project.id, run_id=live.run.id)  # fmt: skip
    if not planned.delete:
        return
    agreed = by_itself(scene.records, project.root, project.config, planned, allowed_at, now)
    if len(agreed.delete) < len(planned.delete):
        _ask_first(scene, project, live, planned)
    if not agreed.delete:
        return
    outcomes = apply_plan(scene.records, live.run, agreed, day_batch(live.run, agreed, now), now)
    moved = [one for one in outcomes if one.status == "moved"]
    for one in outcomes:
        if one.status == "refused":
            log.warning("kept %s: %s", one.from_path, one.note)
    project.is_stale = project.is_stale or bool(moved)


def _ask_first(scene: Scene, project: LiveProject, live: LiveRun, planned: RetentionPlan) -> None:
    """Say once that a run's old checkpoints wait for the user's word."""
    name, count = live.run.name, len(planned.delete)
    message = (
        f"{name}: {count} of {count + len(planned.keep)} checkpoints would go ({size(planned.bytes_freed)} of"
        f" {size(planned.bytes_before)}), more than half of those from before this policy was in force, so they stay:"
        f" `neat retention plan {name}` shows them, `neat retention apply {name} --yes` lets them go"
    )
    policy = project.config.retention.model_dump_json()
    key = f"retention-asks|{live.run.id}|{hashlib.sha256(policy.encode()).hexdigest()[:16]}"
    events.add_mishap(scene.records, "retention-asks", message, key, "info", project.project.id, live.run.id)
