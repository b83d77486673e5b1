"""Projects and runs are found: registered folders, their configuration and rules, the folders that hold metrics."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from neatd.config import ProjectConfig
from neatd.files import is_remote
from neatd.models import Cursor, GitState, Project
from neatd.pipeline import sampling, worktrees
from neatd.pipeline.beginnings import first_evidence
from neatd.pipeline.configuring import reload_config
from neatd.pipeline.moving import gone_runs, moved_here
from neatd.pipeline.processes import FRESH_S, git_now, keep_start
from neatd.pipeline.scene import PANE_LOG, DatabaseLook, LiveProject, LiveRun, Scene, Source, Stream, pane_log
from neatd.place import PROJECT_FILE
from neatd.read import databases
from neatd.read.discover import PREDICTIONS, sources_in, survey
from neatd.read.filesystems import has_events
from neatd.read.formats.table import FORMATS
from neatd.read.gitstate import git_marks
from neatd.read.mlflow_facts import is_deleted
from neatd.read.placed import Inside, Placed
from neatd.read.tail import holds
from neatd.store import events, projects, readings, runs

log = logging.getLogger(__name__)
MOST_CONSOLES = 5  # logs that are told of: a folder of a scheduler's may hold thousands
WALK_SHARE = 400  # a walk of t seconds is repeated after 400 t: a quarter of a percent of a core


def refresh_projects(scene: Scene) -> None:
    """Bring the followed projects to what is registered; a folder that is gone is let go, its records stay."""
    known = {project.root: project for project in projects.projects(scene.records)}
    for root in set(scene.projects) - set(known):
        del scene.projects[root]
    for root, project in known.items():
        if root in scene.projects:
            scene.projects[root].project = project
        elif Path(root).is_dir():
            scene.projects[root] = _open_project(scene, project)


def _open_project(scene: Scene, project: Project) -> LiveProject:
    root = Path(project.root)
    live = LiveProject(project, root, ProjectConfig(id=project.id), has_events=has_events(root))
    for run in runs.all_runs(scene.records, project.id):
        folder = live.root / run.folder
        if run.root == project.root and not _is_inside_another(live.root, folder):
            follow(scene, live, folder)
    return live


def _is_inside_another(root: Path, folder: Path) -> bool:
    """Whether a project of its own was set up around a run since it was found: the run is that project's now."""
    between = [one for one in (folder, *folder.parents) if root in one.parents]
    return any(os.path.isfile(one / PROJECT_FILE) for one in between)  # noqa: PTH113 - False where it may not look


def survey_project(scene: Scene, project: LiveProject) -> None:
    """Walk the project for runs. The next walk comes the later the longer this one took."""
    begun = scene.clock()
    if not project.root.is_dir():
        _once(scene, project, "project-gone", f"the project's folder {project.root} is gone; its records stay", "gone")
        project.next_survey = begun + scene.settings.full_sweep_s
        return
    project.looks_again = False
    reload_config(scene, project)
    watch = project.config.watch
    found = survey(project.root, watch.ignore, watch.include, watch.depth, watch.max_folders, project.heads)
    _follow_found(scene, project, found.sources)
    for source in found.sources:
        if source.format == "database":
            follow_database(scene, project, source.path)
    for folder in found.unreadable:
        _once(scene, project, "folder-unreadable", f"{folder} cannot be entered: check its permissions", str(folder))
    for note in found.notes:
        _once(scene, project, "watch-limited", note, note)
    for path, run in found.consoles[:MOST_CONSOLES]:
        text = f"{path} is taken for the console of {run}, and not read: where it belongs to another training, name it"
        _once(scene, project, "console-log", f"{text} in neat.yaml, watch: {{include: [{path}]}}", path, "info")
    if found.is_capped:
        text = f"more than {watch.max_folders} folders or {watch.depth} levels below {project.root}: the rest is not watched"
        _once(scene, project, "watch-capped", f"{text}; raise watch.max_folders or watch.depth in neat.yaml", "cap")
    project.folders = found.folders
    marks = git_marks(project.root)
    project.is_stale = project.is_stale or marks != project.git_marks
    project.git_marks = marks
    took = scene.clock() - begun
    project.next_survey = begun + min(max(scene.settings.sweep_s, WALK_SHARE * took), scene.settings.full_sweep_s)
    if found.is_unfinished:
        project.next_survey = scene.clock() + scene.settings.sweep_s


def _follow_found(scene: Scene, project: LiveProject, sources: Sequence[Placed]) -> None:
    """Follow the runs of these sources. A new folder may be a known run's that was renamed."""
    gone: list[LiveRun] | None = None  # looked for once, and only where there is a new folder
    for folder, some in _by_run(sources):
        relative = project.folder_name(folder)
        if relative not in project.runs:
            if _is_thrown_away(folder, some):
                continue
            gone = gone_runs(project) if gone is None else gone
            live = moved_here(scene, project, folder, some, gone)
            project.runs[relative] = live or begin_run(scene, project, folder, relative, folder, some)
        follow(scene, project, folder, some)


def _by_run(sources: Iterable[Placed]) -> list[tuple[Path, list[Placed]]]:
    found: dict[Path, list[Placed]] = {}
    for one in sources:
        if one.format != "database":
            found.setdefault(one.folder, []).append(one)
    return list(found.items())


def _is_thrown_away(folder: Path, sources: Sequence[Placed]) -> bool:
    """Whether MLflow counts a run as deleted that neat never saw alive."""
    return any(one.format == "mlflow" for one in sources) and is_deleted(folder)


def _once(
    scene: Scene, project: LiveProject, rule: str, message: str, key: str, severity: str = "warning"
) -> None:  # fmt: skip
    if events.add_mishap(scene.records, rule, message, f"{rule}|{project.root}|{key}", severity, project.project.id):
        project.is_stale = True


def follow(scene: Scene, project: LiveProject, folder: Path, sources: Sequence[Placed] = ()) -> LiveRun:
    """Follow the run in `folder`; known ones gain the sources that appeared since."""
    relative = project.folder_name(folder)
    live = project.runs.get(relative)
    if live is None:
        live = project.runs[relative] = begin_run(scene, project, folder, relative, folder, sources)
    for placed in sources:
        name = placed.path.relative_to(folder).as_posix()
        if name not in live.sources:
            add_source(scene, live, name, placed)
            if (wrote := _written(placed.path)) is not None:  # by its process, once that is found, more exactly
                keep_start(scene, project, live, min(wrote, live.run.started_at.timestamp()))
    return live


def _written(path: Path) -> float | None:
    """Unix seconds of a file's last change."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def look_for_sources(scene: Scene, project: LiveProject, live: LiveRun) -> None:
    """New sources of a run that is followed: a quick look at its folder and its trackers' folders."""
    if live.place == live.folder:
        watch = project.config.watch
        follow(
            scene,
            project,
            live.folder,
            sources_in(project.root, live.folder, project.heads, watch.ignore, watch.include),
        )


def follow_database(scene: Scene, project: LiveProject, path: Path) -> bool:
    """Follow the runs inside a database of another program; those that changed since the last look become due.

    False when nothing was written since then, and where its owner writes just now: the next sweep asks again.
    """
    try:
        return _look_inside(scene, project, path)
    except databases.BusyDatabase:
        project.looks_again = True
        return False
    except FileNotFoundError:
        _let_go(project, path)
        return True
    except (OSError, sqlite3.DatabaseError) as error:  # one that is damaged harms no other source of the project
        text = f"{path} cannot be read: {error}; what was read of it stays"
        _once(scene, project, "source-unreadable", text, f"{path}|{type(error).__name__}")
        return False


def _let_go(project: LiveProject, path: Path) -> None:
    """A database is gone: its runs are looked at once more, which says so; should it come back, it is met anew."""
    project.databases.pop(path, None)
    for live in project.runs.values():
        if live.place == path:
            for source in live.sources.values():
                source.is_due = True


def _look_inside(scene: Scene, project: LiveProject, path: Path) -> bool:
    look = project.databases.get(path)
    if look is None:
        kind = databases.kind_of(path)
        if kind is None:
            return False
        look = project.databases[path] = DatabaseLook(kind)
    stamp = databases.stamp(path)
    if stamp == look.stamp:
        return False
    known = {live.inside: live for live in project.runs.values() if live.place == path}
    for inside in databases.runs_inside(path, look.kind):
        if look.marks.get(inside.key) == inside.mark:
            continue
        live = known.get(inside.key) or _follow_inside(scene, project, path, inside)
        for source in live.sources.values():
            source.is_due = True
        look.marks[inside.key] = inside.mark
    look.stamp = stamp
    return True


def _follow_inside(scene: Scene, project: LiveProject, path: Path, inside: Inside) -> LiveRun:
    folder = path / inside.name
    relative = project.folder_name(folder)
    told = databases.poll(path, inside.key, {}, 0, 1, project.databases[path].kind).told
    live = project.runs[relative] = begin_run(scene, project, folder, relative, path, told_began=told.get("started_at"))
    live.inside = inside.key
    if not live.sources:
        add_source(scene, live, path.name, Placed(path, path, path.name, "database", "", inside.key))
    return live


def add_source(scene: Scene, live: LiveRun, name: str, placed: Placed) -> None:
    """A source that appeared: one that was read under another name of its stream goes on where that stood."""
    cursor = readings.cursor(scene.points, live.run.id, name)
    if not cursor.seq:
        stream = live.streams.get(placed.stream)
        marks = {"stream": placed.stream, "format": placed.format, "label": placed.key or placed.label}
        cursor = cursor.model_copy(update=marks | ({"reading_id": stream.reading_id} if stream else {}))
        cursor = _rotated(live, placed, cursor)
    _keep(live, name, placed, cursor)
    live.saves_due = True


def _rotated(live: LiveRun, placed: Placed, cursor: Cursor) -> Cursor:
    """The cursor of a log that was renamed while it was read (train.log -> train.log.1), where this file is that one."""
    for source in live.sources.values():
        if source.placed.stream == placed.stream and source.cursor.offset and holds(placed.path, source.cursor):
            return source.cursor
    return cursor


def _keep(live: LiveRun, name: str, placed: Placed, cursor: Cursor) -> None:
    live.sources[name] = Source(placed, cursor)
    stream = live.streams.setdefault(placed.stream, Stream(placed.stream, placed.format, cursor.reading_id))
    stream.seq, stream.attempt = max(stream.seq, cursor.seq), max(stream.attempt, cursor.attempt)


def begin_run(
    scene: Scene,
    project: LiveProject,
    folder: Path,
    relative: str,
    place: Path,
    sources: Sequence[Placed] = (),
    told_began: float | None = None,
) -> LiveRun:
    """The run of a folder with what is known of it; made when it is met for the first time.

    `told_began`: unix seconds, where a database or a process tells when it began.
    """
    run = runs.by_folder(scene.records, project.project.root, relative)
    if run is None:
        now = datetime.now(UTC)
        began = min(told_began or first_evidence(place, sources, now.timestamp()), now.timestamp())
        # What an older run, or one of another machine, began from is not seen: the code of now would be a false one.
        is_of_now = now.timestamp() - began < FRESH_S and not is_remote(relative)
        git = git_now(scene, project) if is_of_now else GitState()
        at = datetime.fromtimestamp(began, UTC)
        run = runs.ensure_run(scene.records, project.project.id, project.project.root, relative, git, now, at)
        if job_id := worktrees.job_of(scene.records, scene.home, project.root):
            runs.set_run(scene.records, run.id, job_id=job_id)
            run = run.model_copy(update={"job_id": job_id})
        project.is_stale = True
    step, line_at = runs.progress_of(scene.points, run.id)
    live = LiveRun(run, folder, place, last_step=step, last_line_at=line_at or run.created_at)
    for name, cursor in readings.readings(scene.points, run.id).items():  # also those that are gone by now
        form = cursor.format or ("predictions" if name == PREDICTIONS else "jsonl")
        cursor = cursor.model_copy(update={"format": form, "stream": cursor.stream or name})
        if form == "database":
            live.place = next((one for one in folder.parents if one.name == name), place)
            live.inside = cursor.label
            _keep(live, name, Placed(live.place, live.place, name, form, "", cursor.label), cursor)
            live.sources[name].is_due = False  # the look at the database says when
        elif name == PANE_LOG and not folder.exists():
            live.place = pane_log(scene.home, run.id)
            _keep(live, name, Placed(live.place, folder, name, form), cursor)
        elif form == sampling.STREAM:
            sampling.follow_samples(live, cursor)
        elif FORMATS[form].module or form == "predictions":
            _keep(live, name, Placed(folder / name, folder, cursor.stream, form, cursor.label), cursor)
    return live
