"""What the daemon keeps of a project besides its runs: notes and the plan are read as they are written.

Each part looks at a file's stamp first and does nothing when it is the one of the last look. A mistake in one file is
an event, once, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neatd.errors import NeatError
from neatd.pipeline.importing import import_file, watched_notes
from neatd.pipeline.planning import sync_plan
from neatd.pipeline.scene import LiveProject, Scene
from neatd.pipeline.vouching import settle_claims
from neatd.place import here
from neatd.store import events


def take_notes(scene: Scene, project: LiveProject) -> None:
    """Bring the records to what the files under `notes:` say, where one was written to."""
    for path in watched_notes(project.root, project.config.notes):
        _when_changed(scene, project, path, lambda path=path: _take_note(scene, project, path))


def _take_note(scene: Scene, project: LiveProject, path: Path) -> None:
    done = import_file(scene.records, here(project.root), path)
    actions = {outcome.action for _, outcome in done.records} | {outcome.action for outcome in done.removed}
    project.is_stale = project.is_stale or bool(actions - {"unchanged"})


def take_plan(scene: Scene, project: LiveProject) -> None:
    """Bring the plan file and the tasks to the same state."""
    if not project.config.plan:
        return
    path = project.root / project.config.plan
    if project.is_told or project.note_stamps.get(path) != _stamp(path):
        _guarded(scene, project, path, lambda: _take_plan(scene, project))
        project.note_stamps[path] = _stamp(path)  # of the file as it is now: ticking a box wrote it


def _take_plan(scene: Scene, project: LiveProject) -> None:
    if sync_plan(scene.records, here(project.root), project.config.plan):
        project.is_stale = True


def _when_changed(scene: Scene, project: LiveProject, path: Path, call: Callable[[], None]) -> None:
    stamp = _stamp(path)
    if project.note_stamps.get(path) != stamp:
        _guarded(scene, project, path, call)
        project.note_stamps[path] = stamp  # only now: what a busy store stopped is tried again


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _guarded(scene: Scene, project: LiveProject, path: Path, call: Callable[[], None]) -> None:
    """A file that cannot be taken in is said once for each of its states."""
    try:
        call()
    except NeatError as error:
        key = f"notes|{project.project.id}|{path}|{error.message}|{_stamp(path)}"
        message = f"{error.message}; {error.hint}"
        if events.add_mishap(scene.records, "notes-mistake", message, key, "warning", project.project.id):
            project.is_stale = True


def settle(scene: Scene, project: LiveProject) -> None:
    """Look up the evidence that a sandboxed command could only leave as text."""
    if settle_claims(scene.records, scene.points, project.project.id, project.config.primary):
        project.is_stale = True


def _is_told(scene: Scene, project: LiveProject) -> None:
    """The last part: what was told is told."""
    project.is_told = False


PARTS: dict[str, Callable[[Scene, LiveProject], None]] = {
    "notes": take_notes, "the plan": take_plan, "what was told": _is_told,
}  # fmt: skip
