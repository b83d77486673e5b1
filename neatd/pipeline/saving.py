"""Checkpoints on their way into the catalogue: recognised, complete, numbered once; and seen to be gone."""

from __future__ import annotations

from pathlib import Path

from neatd.models import Checkpoint
from neatd.pipeline import predicting
from neatd.pipeline.sampling import STREAM
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.read.checkpoint import Candidate, find_checkpoints, is_complete
from neatd.store import checkpoints, sealing


def keep_saves(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """Catalogue a run's new complete checkpoints, oldest first. True when there are new ones or some are gone."""
    if not live.folder.is_dir():
        live.saves_due, live.settling = False, frozenset()
        known = {one.path: one for one in checkpoints.catalogue(scene.records, live.run.id)}
        return project.root.is_dir() and _mark_gone(scene, known, set())
    found = list(find_checkpoints(live.folder, lambda path: project.folder_name(path) in project.runs))
    known = {one.path: one for one in checkpoints.catalogue(scene.records, live.run.id)}
    fresh = [one for one in found if _is_new(one, known.get(one.path))]
    complete = [one for one in fresh if _is_complete(scene, live, one)]
    live.settling = frozenset(one.path for one in fresh) - frozenset(one.path for one in complete)
    # Ordinals follow the order of saving, also for those that were saved while nobody watched.
    for one in sorted(complete, key=lambda c: (c.measured[1], c.step if c.step is not None else -1, c.path)):
        measured, now = one.measured, scene.today()
        checkpoints.add_save(
            scene.records, live.run.id, one.path, one.step, measured, one.is_folder, now, parts=one.parts
        )
    gone = _mark_gone(scene, known, {one.path for one in found})
    live.saves_due = bool(live.settling)
    return bool(complete) or gone


def _is_new(found: Candidate, known: Checkpoint | None) -> bool:
    if known is None or known.status != "present":
        return True
    return (known.size_bytes, known.mtime_ns, known.parts) != (*found.measured[:2], found.parts)


def _is_complete(scene: Scene, live: LiveRun, one: Candidate) -> bool:
    path = live.folder / one.path
    if not scene.rest.is_at_rest(path, one.measured, scene.clock()) or not is_complete(path, one):
        return False
    scene.rest.forget(path)
    return True


def _mark_gone(scene: Scene, known: dict[str, Checkpoint], found: set[str]) -> bool:
    """A trainer's own rotation, or a person, removed them: their numbers stay, their protection ends."""
    gone = [one.id for path, one in known.items() if one.status == "present" and path not in found]
    if gone:
        checkpoints.set_status(scene.records, gone, "gone")
    return bool(gone)


def folder_of(live: LiveRun, checkpoint: Checkpoint) -> Path:
    """Where a checkpoint lies."""
    return live.folder / checkpoint.path


def put_at_rest(scene: Scene, live: LiveRun) -> None:
    """A run that ended: its points go into columns, and nothing of it is held in memory that the store has too."""
    predicting.end_evaluations(live)
    for stream in live.streams.values():
        stream.judge, stream.stands, stream.batch = None, None, 1
        sealing.seal(scene.points, live.run.id, stream.name)
    sealing.seal(scene.points, live.run.id, STREAM)
