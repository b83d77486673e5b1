"""The assistants' sessions as the daemon keeps them: what is done in them without any hook, and their ends when an
assistant dies without a word."""

from __future__ import annotations

from datetime import UTC, datetime

from neatd.pipeline import attending, commits, edits
from neatd.pipeline.scene import LiveProject, Scene
from neatd.store import presence
from neatd.store.connection import transaction
from neatd.store.live import ago
from neatd.store.presence import Attendance

GAP_S = 4.0  # between two looks
FILES_GAP_S = 60.0  # between two questions to git on which files an open session changed
SETTLED_S = 120.0  # after its end a run of the session may still be found


def attend(scene: Scene, project: LiveProject) -> None:
    """Take in what was done in the sessions of a project, and end those whose assistant is gone."""
    now = scene.clock()
    if now < project.next_attending:
        return
    project.next_attending = now + GAP_S
    for known in presence.lately(scene.records, project.project.id, ago(SETTLED_S)):
        if known.root == str(project.root) or known.root not in scene.projects:
            _attend(scene, project, known)
    project.files_taken = {key: at for key, at in project.files_taken.items() if now - at < 2 * SETTLED_S}


def _attend(scene: Scene, project: LiveProject, known: Attendance) -> None:
    key = f"{known.session_id}|{known.ended_at}"  # once more after its end
    asked_at = project.files_taken.get(key)
    looked = commits.look(scene.records, known)
    with transaction(scene.records):
        # What happened while nobody watched is not known to be of an assistant that is gone by now.
        is_ended = asked_at is None and _end(scene, known)
        is_changed = attending.take(scene.records, presence.get(scene.records, known.session_id) or known, looked)
        is_changed |= is_ended or _end(scene, known)
    gap_s = SETTLED_S if known.ended_at else FILES_GAP_S
    if asked_at is None or scene.clock() - asked_at >= gap_s:
        project.files_taken[key] = scene.clock()
        is_changed |= _keep_files(scene, known)
    if is_changed:
        project.is_stale = project.is_told = True


def _end(scene: Scene, known: Attendance) -> bool:
    """End a session whose assistant is gone."""
    if known.ended_at:
        return False
    return attending.end_deserted(scene.records, known, datetime.now(UTC), attending.REST_S, attending.LONE_S)


def _keep_files(scene: Scene, known: Attendance) -> bool:
    """Ask git which files the session changed, and keep them."""
    found = edits.look(scene.records, known)
    with transaction(scene.records):
        return edits.keep(scene.records, known, found)
