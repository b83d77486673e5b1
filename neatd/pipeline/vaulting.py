"""The best checkpoint of a run that rotates its own, or writes all into one file: kept beside it before the trainer
removes it or writes over it, one for each metric.

A snapshot of the best value that holds the checkpoint is such a copy, and no second one is made. Invariant: a copy goes
only when others hold what is at least as good by each of its metrics.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from neatd.actions.vault import Kept, drop, give_up_copy, keep_best, tell_more
from neatd.models import Checkpoint, Goal, Snapshot
from neatd.pipeline.overwritten import scored
from neatd.pipeline.protecting import Values, values_of, wanted_metrics
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.rules.goals import best_value
from neatd.store import checkpoints, events, points, vaults

log = logging.getLogger(__name__)
EVERY_S = 5.0  # a trainer removes the old best when it writes the next checkpoint, which is seldom sooner
# How trainers and libraries call the number of checkpoints that they leave, without what stands between its words.
LIMITS = frozenset(
    {
        "savetotallimit", "savetopk", "maxtokeep", "keeplast", "keeplastn", "keeplastk", "keepn", "keepncheckpoints",
        "maxkeepckpts", "checkpointstotallimit", "totallimit", "nsaved", "numtokeep", "keeplatestk", "maxcheckpoints",
        "keepcheckpointmax", "keepmostrecent", "maxckpts", "keeplastckpts", "keepintervalupdates", "keeplastepochs",
    }
)  # fmt: skip

Held = dict[str, list[float]]  # metric -> the values that copies hold


def held_bytes(scene: Scene, project: LiveProject) -> int:
    """What a project's snapshots and copies of the best take on disk: one budget for both."""
    project_id = project.project.id
    return events.snapshot_bytes(scene.records, project_id) + vaults.copied_bytes(scene.records, project_id)


def keep_bests(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """Copy what became the best of a run that keeps not all of its saves. True when something was copied or given up."""
    now = scene.clock()
    if now < live.next_vault or live.place != live.folder:
        return False
    live.next_vault = now + EVERY_S
    stamp = _stamp(scene, project, live)
    if (
        stamp is None
        or stamp == live.vault_stamp
        or events.snapshots(scene.records, run_id=live.run.id, status="pending")
    ):
        return False  # a snapshot that is about to be taken may be the copy
    has_changed = _keep(scene, project, live)
    live.vault_stamp = stamp
    return has_changed


def _stamp(scene: Scene, project: LiveProject, live: LiveRun) -> object:
    """What the best hangs on: the saves, and the best value of each metric. None for a run that has no saves."""
    saves = checkpoints.marks(scene.records, live.run.id)
    if saves is None:
        return None
    facts = {fact.name: fact for fact in points.series_of(scene.points, live.run.id)}
    metrics = wanted_metrics(list(facts), project.config)
    return saves, [(name, best_value(facts[name], goal)) for name, goal in metrics.items()]


def _keep(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    catalogue = checkpoints.catalogue(scene.records, live.run.id)
    saves, values = _judged(scene, project, live, catalogue)
    if not saves:
        return False
    copies = _standing(scene.records, live)
    by_snapshot = _snapshots(scene.records, live, catalogue)
    held = _held(values, copies, by_snapshot)
    has_changed = False
    for one, best in _wanted(saves, values, held):
        has_changed |= _copy(scene, project, live, one, best, copies, set(by_snapshot))
    return _give_up(scene.records, live, values, by_snapshot) or has_changed


def _judged(
    scene: Scene, project: LiveProject, live: LiveRun, catalogue: Sequence[Checkpoint]
) -> tuple[list[Checkpoint], Values]:
    """The saves that will not stay, with their values: of a rotation, and what is written under one name again."""
    saves, values = [], {}
    if is_rotating(live.run.config, catalogue):
        saves, values = list(catalogue), dict(values_of(scene.points, live.run, project.config, catalogue))
    names = [fact.name for fact in points.series_of(scene.points, live.run.id)]
    files, more = scored(scene.points, live, catalogue, wanted_metrics(names, project.config))
    for metric, (goal, by_id) in more.items():
        values[metric] = goal, {**values.get(metric, (goal, {}))[1], **by_id}
    return [*saves, *files], values


def is_rotating(config: Mapping[str, Any], catalogue: Sequence[Checkpoint]) -> bool:
    """Whether a trainer removes its own checkpoints: its parameters say so, or one was seen to go."""
    return any(one.status == "gone" and one.step is not None for one in catalogue) or any(_limits(config))


def _limits(config: object) -> Iterator[bool]:
    if isinstance(config, Mapping):
        for name, value in config.items():
            is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
            yield is_count and "".join(filter(str.isalnum, str(name))).lower() in LIMITS
            yield from _limits(value)


def _standing(records: sqlite3.Connection, live: LiveRun) -> list[vaults.Copy]:
    """The copies that are on the disk; one that somebody removed is forgotten."""
    found = []
    for copy in vaults.copies(records, live.run.id):
        if (live.folder / copy.path).is_dir():
            found.append(copy)
        else:
            vaults.remove_copy(records, copy)
    return found


def _snapshots(records: sqlite3.Connection, live: LiveRun, catalogue: Sequence[Checkpoint]) -> dict[str, Snapshot]:
    """Checkpoint id -> the snapshot of a best value that holds it as it is catalogued."""
    by_id = {one.id: one for one in catalogue}
    found = {}
    for snapshot in events.snapshots(records, run_id=live.run.id, status="done"):
        source = by_id.get(snapshot.checkpoint_id or "")
        if source is None or snapshot.mode not in ("reflink", "copy") or snapshot.updated_at < source.completed_at:
            continue
        is_best = events.get_event(records, snapshot.event_id).details.get("condition") == "best"
        if is_best and (live.folder / snapshot.path).is_dir():
            found[source.id] = snapshot
    return found


def _held(values: Values, copies: Sequence[vaults.Copy], by_snapshot: Mapping[str, Snapshot]) -> Held:
    held: Held = {metric: [by_id[one] for one in by_snapshot if one in by_id] for metric, (_, by_id) in values.items()}
    for copy in copies:
        for metric, (_, value) in copy.best.items():
            held.setdefault(metric, []).append(value)
    return held


def _wanted(
    catalogue: Sequence[Checkpoint], values: Values, held: Held
) -> list[tuple[Checkpoint, dict[str, tuple[Goal, float]]]]:
    """The checkpoints that are better by some metric than all that is held, each with those metrics."""
    wanted: dict[str, dict[str, tuple[Goal, float]]] = {}
    here = {one.id: one for one in catalogue if one.status == "present" and one.step is not None}
    for metric, (goal, by_id) in values.items():
        sign = 1 if goal == "min" else -1
        known = [(sign * by_id[i], one.ordinal, i) for i, one in here.items() if math.isfinite(by_id.get(i, math.nan))]
        if not known:
            continue
        value, _, checkpoint_id = min(known)
        if all(value < sign * other for other in held.get(metric, ()) if math.isfinite(other)):
            wanted.setdefault(checkpoint_id, {})[metric] = (goal, sign * value)
    return [(here[checkpoint_id], best) for checkpoint_id, best in wanted.items()]


def _copy(
    scene: Scene, project: LiveProject, live: LiveRun, one: Checkpoint, best: dict[str, tuple[Goal, float]],
    copies: Sequence[vaults.Copy], in_snapshots: set[str],
) -> bool:  # fmt: skip
    """Copy a checkpoint, or add to what its copy is the best by."""
    same = next((copy for copy in copies if (copy.checkpoint_id, copy.ordinal) == (one.id, one.ordinal)), None)
    if same:
        best = {**same.best, **best}
        tell_more(live.folder, same.path, one, best, same.mode, scene.today())
        vaults.add_copy(scene.records, live.run, one, same.path, same.mode, same.size_bytes, best)
        return True
    # What the new one takes the place of goes after it is there, so its room counts as free.
    replaced = sum(copy.size_bytes for copy in copies if copy.best.keys() <= best.keys())
    left = int(scene.settings.snapshot_gib * 2**30) - held_bytes(scene, project) + replaced
    if one.size_bytes > left:
        left += _make_room(scene.records, live, one.size_bytes - left, in_snapshots)
    try:
        kept = keep_best(live.folder, one, best, max(left, 0), scene.today())
    except OSError as error:
        kept = Kept("none", reason=f"{error.strerror}: {error.filename or live.folder}")
    if not kept.path:
        log.warning("the best checkpoint of %s is not copied: %s", live.run.name, kept.reason)
        return False
    vaults.add_copy(scene.records, live.run, one, kept.path, kept.mode, kept.size_bytes, best)
    return True


def _make_room(records: sqlite3.Connection, live: LiveRun, needed: int, in_snapshots: set[str]) -> int:
    """Give up the checkpoints in snapshots of best values that were beaten since, oldest first, for the best of now."""
    beaten = [
        one for one in events.snapshots(records, run_id=live.run.id, status="done") if one.checkpoint_id in in_snapshots
    ]
    freed = 0
    for snapshot in reversed(beaten):
        if freed >= needed:
            break
        if give_up_copy(live.folder, snapshot.path):
            freed += snapshot.size_bytes
            reason = "beaten since: its copy made room for the best"
            events.set_snapshot(records, snapshot.id, mode="none", size_bytes=0, reason=reason)
    return freed


def _give_up(records: sqlite3.Connection, live: LiveRun, values: Values, by_snapshot: Mapping[str, Snapshot]) -> bool:
    """Remove the copies that others are at least as good as, by each of their metrics: the newest of equals stays."""
    copies = _standing(records, live)
    has_changed = False
    for copy in list(copies):
        others = [one for one in copies if one is not copy]
        held = _held(values, others, _still(records, live, by_snapshot))
        is_beaten = all(_is_beaten(goal, value, held.get(metric, ())) for metric, (goal, value) in copy.best.items())
        if is_beaten and drop(live.folder, copy.path):
            vaults.remove_copy(records, copy)
            copies.remove(copy)
            has_changed = True
    return has_changed


def _still(records: sqlite3.Connection, live: LiveRun, by_snapshot: Mapping[str, Snapshot]) -> dict[str, Snapshot]:
    """Of these snapshots those that still hold their checkpoint."""
    held = {
        one.id
        for one in events.snapshots(records, run_id=live.run.id, status="done")
        if one.mode in ("reflink", "copy")
    }
    return {source: one for source, one in by_snapshot.items() if one.id in held}


def _is_beaten(goal: Goal, value: float, others: Sequence[float]) -> bool:
    return any((other <= value) if goal == "min" else (other >= value) for other in others if math.isfinite(other))
