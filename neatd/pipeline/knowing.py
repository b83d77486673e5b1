"""What the daemon keeps of a project besides its runs: notes, plan and test results are read as they are written,
documents, table and a copy of the records are written as they change, data is hashed a little at a time.

Each part looks at a file's stamp first and does nothing when it is the one of the last look. A mistake in one file is
an event, once, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from neatd.errors import NeatError
from neatd.pipeline.datasets import hash_step
from neatd.pipeline.documents import write_documents
from neatd.pipeline.importing import import_file, watched_notes
from neatd.pipeline.planning import sync_plan
from neatd.pipeline.scene import LiveProject, Scene
from neatd.pipeline.sessions import attend
from neatd.pipeline.tablefile import write_table
from neatd.pipeline.testfiles import look_for_results
from neatd.pipeline.testing import own_paths
from neatd.pipeline.vouching import settle_claims
from neatd.place import PROJECT_FILE, here
from neatd.store import events
from neatd.store.sync import copy_knowledge

HASH_BYTES = 8 << 20  # read of data files in one turn: a tenth of a second of quoted csv


def take_notes(scene: Scene, project: LiveProject) -> None:
    """Bring the records to what the files under `notes:` say, where one was written to."""
    found: list[Path] = []
    _guarded(
        scene, project, project.root / PROJECT_FILE,
        lambda: found.extend(watched_notes(project.root, project.config.notes)),
    )  # fmt: skip
    for path in found:
        _when_changed(scene, project, path, partial(_take_note, scene, project, path))


def _take_note(scene: Scene, project: LiveProject, path: Path) -> None:
    done = import_file(scene.records, here(project.root), path)
    kept = sum(outcome.action == "kept" for outcome in done.removed)
    if kept:
        hint = f"`neat import --prune {done.file}` deletes those that are meant to go"
        raise NeatError(f"{done.file} no longer says what {kept} of its records hold: they are kept", hint)
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
    may_write = sum(other.project.id == project.project.id for other in scene.projects.values()) == 1
    if sync_plan(scene.records, here(project.root), project.config.plan, may_write):
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


def _guarded(
    scene: Scene, project: LiveProject, path: Path, call: Callable[[], object], rule: str = "notes-mistake"
) -> None:
    """A file that cannot be taken in or written is said once for each of its states."""
    try:
        call()
    except NeatError as error:
        key = f"{rule}|{project.project.id}|{path}|{error.message}|{_stamp(path)}"
        message = f"{error.message}; {error.hint}"
        if events.add_mishap(scene.records, rule, message, key, "warning", project.project.id):
            project.is_stale = True


def settle(scene: Scene, project: LiveProject) -> None:
    """Look up the evidence that a sandboxed command could only leave as text."""
    if settle_claims(scene.records, scene.points, project.project.id, project.config.primary):
        project.is_stale = True


def take_results(scene: Scene, project: LiveProject) -> None:
    """Keep the test runs whose result files were written since the last look."""
    own = own_paths(project.config)
    if look_for_results(scene.records, project.root, project.results_seen, datetime.now(UTC), own):
        project.is_stale = True


def write_kept(scene: Scene, project: LiveProject) -> None:
    """The documents and the table of neat.yaml, where what they say has changed."""
    if not project.is_told:
        return
    arguments = (scene.records, scene.points, project.project, project.config)
    for what, write in (("documents", write_documents), ("table_csv", write_table)):
        _guarded(scene, project, project.root / PROJECT_FILE, partial(write, *arguments), f"{what}-mistake")


def copy_out(scene: Scene, project: LiveProject) -> None:
    """The plain-text copy of the records under NEAT_HOME; the last part, after which what was told is told."""
    if not project.is_told:
        return
    copy_knowledge(scene.records, scene.home, project.project.id)
    project.is_told = False


def hash_data(scene: Scene, project: LiveProject) -> bool:
    """One turn of hashing the project's data; True when there is more to do at once."""
    work, known = project.data_work, project.project
    work = hash_step(scene.home, scene.records, known.id, project.root, project.config, HASH_BYTES, work)
    if work.is_busy != (project.data_work is not None and project.data_work.is_busy):
        project.is_stale = True
    project.data_work = work
    return work.is_busy


PARTS: dict[str, Callable[[Scene, LiveProject], None]] = {
    "notes": take_notes, "test results": take_results, "the plan": take_plan, "documents": write_kept,
    "the sessions": attend, "the copy of the records": copy_out,
}  # fmt: skip
