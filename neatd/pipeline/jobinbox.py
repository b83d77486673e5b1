"""Jobs by file: what lies whole in an inbox is queued once, then moved to done, or to failed with the reason.

A job file says what to run; any other file is data for the trainer that the folder's `.neat-inbox.yaml` names, which goes on
from its latest checkpoint. Invariant: a file's job has the id that the file gives it, and the row of a job is written once,
so a daemon that is killed anywhere queues nothing twice; one wrong file holds up no other.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from neatd.actions import dropped
from neatd.actions.dropped import Drop
from neatd.errors import ConfigError, NeatError
from neatd.files import data_path
from neatd.jobs.jobfile import JOB_SUFFIXES, Asked, InboxFile, load_inbox, load_job
from neatd.jobs.trainers import TrainerSpec, Value, as_words, build_command, load_trainers
from neatd.pipeline import inboxfolders, training
from neatd.pipeline.enqueueing import Wanted, enqueue
from neatd.pipeline.inboxfolders import Inbox
from neatd.pipeline.jobnames import find_after
from neatd.pipeline.scene import LiveProject, Scene
from neatd.rules.admission import ANY
from neatd.store import events

log = logging.getLogger(__name__)
WHO = "inbox"
MOST_TAKEN = 8  # in a look: some 30 ms each, of which git takes most

Guard = Callable[..., Any]


def _plain(_: str, call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def turn(scene: Scene, hints: Collection[Path], is_sweep: bool, guard: Guard = _plain) -> bool:
    """Look into the inboxes where something may have come; True when there are others to be watched than before.

    Without a hint and between sweeps nothing is looked at, unless a file is awaited to be whole.
    """
    box = scene.drops
    before = box.folders
    if is_sweep:
        box.folders = _folders(scene)
        _make_home(scene)
    is_told = any(path.parent == one.path or path == one.path for path in hints for one in box.folders)
    if is_sweep or is_told or box.is_waiting:
        box.is_waiting = False
        for one in box.folders:
            guard(f"the inbox {one.path}", look, scene, one, guard)
    return before != box.folders


def watched(scene: Scene) -> list[Path]:
    """The folders that are to be watched, that of all inboxes too: one may come to be in it."""
    if not scene.drops.folders and not inboxfolders.home_inbox(scene.home).is_dir():
        return []
    return [inboxfolders.home_inbox(scene.home), *(one.path for one in scene.drops.folders)]


def look(scene: Scene, inbox: Inbox, guard: Guard = _plain) -> None:
    """Take what lies whole in one inbox, the oldest first."""
    project = scene.projects.get(str(inbox.root))
    if project is None or not inbox.path.is_dir() or _is_refused(scene, inbox, project):
        return
    waiting = [one for one in dropped.drops_in(inbox.path) if not stat.S_ISDIR(one.mode)]
    whole = [one for one in waiting if scene.rest.is_at_rest(one.path, one.measured, scene.clock())]
    scene.drops.is_waiting |= len(whole) < len(waiting) or len(whole) > MOST_TAKEN
    data = _data_of(scene, inbox, project) if any(map(_is_data, whole)) else None
    for one in whole[:MOST_TAKEN]:
        if _is_data(one) and isinstance(data, ConfigError):
            continue  # the mistake is not the file's: it is taken when the folder's own file is mended
        guard(f"{one.path}", take, scene, inbox, one, None if isinstance(data, ConfigError) else data)


def take(scene: Scene, inbox: Inbox, drop: Drop, data: InboxFile | None) -> None:
    """Queue what a file asks for, and move it."""
    project, job_id = scene.projects[str(inbox.root)], ""
    try:
        dropped.refuse(drop)
        job_id = dropped.job_id(drop)
        if _is_queued(scene, job_id):
            if dropped.is_done(drop, job_id):
                raise NeatError(
                    f"the same file was queued before, as {job_id[:9]}", "`touch` it and drop it again to run it again"
                )
        else:
            wanted = (
                _of_data(scene, project, drop, job_id, data)
                if _is_data(drop)
                else _of_job(scene, project, drop, job_id)
            )
            enqueue(scene.records, scene.home, project.root, project.project, wanted, project.config)
            scene.queue.is_due = True
    except FileNotFoundError:  # whoever dropped it took it away again
        scene.rest.forget(drop.path)
        return
    except (NeatError, OSError) as error:
        _fail(scene, project, drop, job_id, error)
        return
    log.info("%s was queued as %s", drop.path, job_id)
    _move(scene, project, drop, lambda: dropped.finish(drop, job_id))


def _is_data(drop: Drop) -> bool:
    return Path(drop.name).suffix.lower() not in JOB_SUFFIXES


def _is_queued(scene: Scene, job_id: str) -> bool:
    return scene.records.execute("SELECT 1 FROM job WHERE id = ?", (job_id,)).fetchone() is not None


# ---- what a file asks for ----


def _of_job(scene: Scene, project: LiveProject, drop: Drop, job_id: str) -> Wanted:
    asked = load_job(drop.path)

    def full(word: str) -> str:
        return find_after(scene.records, word, project.project.id)

    after = (*(full(one) for one in asked.after), *(ANY + full(one) for one in asked.after_any))
    if asked.trainer is None:
        return _wanted(asked, asked.command, job_id, after=after, name=asked.name)
    spec = _trainer(asked.trainer)
    folder = training.run_folder_of(asked.name or f"{spec.name}-{job_id[2:9]}")
    is_resumed = str(asked.params.get("resume", "")).lower() == "true"
    training.refuse_taken(scene.records, project.root, project.project.id, folder, is_resumed)
    return _of_trainer(project, asked, spec, folder, asked.params, job_id, after)


def _of_data(scene: Scene, project: LiveProject, drop: Drop, job_id: str, asked: InboxFile | None) -> Wanted:
    """The training of a data file: in the folder's one run, after what trains there, from the checkpoint that it leaves."""
    if asked is None:
        raise NeatError(
            "it is no job file (.yaml, .json), and the folder names no trainer for data",
            "write `trainer: NAME` into .neat-inbox.yaml beside it",
        )
    spec = _trainer(asked.trainer)
    if spec.data is None:
        raise NeatError(f"{spec.name} takes no data files", "`neat train` lists the trainers")
    if Path(drop.name).suffix.lower().removeprefix(".") not in spec.data.types:
        raise NeatError(f"{spec.name} takes no such file", f"it takes {', '.join(spec.data.types)}")
    folder = training.run_folder_of(asked.name or spec.name)
    before = training.active_in(scene.records, project.project.id, folder)
    own: dict[str, Value] = {spec.data.parameter: str(dropped.done_place(drop, job_id)), "resume": True}
    params = {**spec.data.params, **asked.params, **own}
    after = (ANY + before.id,) if before else ()
    wanted = _of_trainer(project, asked, spec, folder, params, job_id, after)
    dropped.offer(drop, job_id)
    return wanted._replace(why=asked.why or f"learns from {drop.name}")


def _of_trainer(
    project: LiveProject, asked: Asked, spec: TrainerSpec, folder: str, params: Mapping[str, Value], job_id: str,
    after: tuple[str, ...],
) -> Wanted:  # fmt: skip
    if asked.gpus > 1 and not spec.distributed:
        raise NeatError(f"{spec.name} trains on one GPU", "write `gpus: 1`")
    command = training.with_project_python(spec.command, build_command(spec, project.root / folder, as_words(params)))
    by = training.interpreter_for(project.root, project.config, spec)
    of_train: dict[str, Any] = {"kind": "train", "run_folder": folder, "params": params, "interpreter": by}
    return _wanted(asked, command, job_id, after=after, name=folder, **of_train)


def _wanted(asked: Asked, command: tuple[str, ...], job_id: str, **more: Any) -> Wanted:
    return Wanted(
        command, group=asked.group, priority=asked.priority, gpus=asked.gpus, memory_bytes=asked.memory, retries=asked.retries,
        why=asked.why, env=asked.env, who=WHO, session="", job_id=job_id,
    )._replace(**more)  # fmt: skip


def _trainer(name: str) -> TrainerSpec:
    known = load_trainers(data_path("trainers"))
    if name not in known:
        raise NeatError(f"no trainer {name!r}", f"shipped: {', '.join(known)}")
    return known[name]


# ---- what becomes of a file, and of a folder ----


def _fail(scene: Scene, project: LiveProject, drop: Drop, job_id: str, error: NeatError | OSError) -> None:
    message = error.message if isinstance(error, NeatError) else str(error.strerror or error)
    hint = error.hint if isinstance(error, NeatError) else "check that it can be read"
    _say(scene, project, f"{drop.path} was not queued: {message}", f"{drop.path}|{drop.measured}")
    _move(scene, project, drop, lambda: dropped.fail(drop, job_id, message, hint))


def _move(scene: Scene, project: LiveProject, drop: Drop, move: Callable[[], object]) -> None:
    """Move it; one that cannot be moved is told of once, and is known by its id whenever it is looked at again."""
    try:
        move()
    except FileNotFoundError:
        pass
    except (OSError, NeatError) as error:
        _say(scene, project, f"{drop.path} cannot be moved: {error}; it is not queued twice", f"{drop.path}|moved")
        return
    scene.rest.forget(drop.path)


def _data_of(scene: Scene, inbox: Inbox, project: LiveProject) -> InboxFile | ConfigError | None:
    try:
        return load_inbox(inbox.path)
    except ConfigError as error:
        text = f"{error.message}: data files in {inbox.path} wait until that is mended"
        _say(scene, project, text, f"{inbox.path}|{error.message}")
        return error


def _is_refused(scene: Scene, inbox: Inbox, project: LiveProject) -> bool:
    if inbox.path.parent == inboxfolders.home_inbox(scene.home):
        return False
    roots = [Path(root) for root in scene.projects]
    reason = inboxfolders.why_not(inbox.path, scene.home, roots)
    if reason:
        _say(scene, project, f"no jobs are taken from {inbox.path}: {reason}", f"{inbox.path}|{reason}")
    return bool(reason)


def _folders(scene: Scene) -> tuple[Inbox, ...]:
    found, unknown = inboxfolders.of_home(scene.home, (one.project for one in scene.projects.values()))
    for folder in unknown:
        text = f"{folder} names no project, or more than one: nothing is taken from it; call it by the id in neat.yaml"
        events.add_mishap(scene.records, "inbox-mistake", text, f"inbox|{folder}", "info")
    return (*found, *inboxfolders.allowed(scene.records))


def _make_home(scene: Scene) -> None:
    """The folder of the inboxes is there, so that it is found."""
    folder = inboxfolders.home_inbox(scene.home)
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _say(scene: Scene, project: LiveProject, text: str, key: str) -> None:
    """Once for each key."""
    if events.add_mishap(scene.records, "inbox-mistake", text, f"inbox|{key}", "warning", project.project.id):
        project.is_stale = True
