"""Projects and runs are found: registered folders, their configuration and rules, the folders that hold metrics."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from neatd.config import ProjectConfig, load_project
from neatd.errors import ConfigError
from neatd.files import data_path, write_atomic
from neatd.models import GitState, Project
from neatd.pipeline.scene import LiveProject, LiveRun, Scene, Source
from neatd.pipeline.testing import own_paths
from neatd.place import PROJECT_FILE
from neatd.read.discover import SOURCES, survey
from neatd.read.gitstate import git_marks, git_state
from neatd.redact_own import compile_patterns
from neatd.rules.load import load_rule, load_rules
from neatd.rules.schema import Rule
from neatd.store import events, projects, readings, runs
from neatd.store.cleaning import clean_records

log = logging.getLogger(__name__)
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
    live = LiveProject(project, Path(project.root), ProjectConfig(id=project.id))
    for run in runs.all_runs(scene.records, project.id):
        folder = live.root / run.folder
        if run.root == project.root and not _is_inside_another(live.root, folder):
            follow(scene, live, folder)
    return live


def _is_inside_another(root: Path, folder: Path) -> bool:
    """Whether a project of its own was set up around a run since it was found: the run is that project's now."""
    between = [one for one in (folder, *folder.parents) if root in one.parents]
    return any(os.path.isfile(one / PROJECT_FILE) for one in between)  # noqa: PTH113 - False where it may not look


def reload_config(scene: Scene, project: LiveProject) -> None:
    """Read neat.yaml and the rules again when they changed. A mistake becomes an event; the last good ones stay."""
    stamp = _stamps([project.root / PROJECT_FILE])
    if stamp != project.config_stamp:
        try:
            config = load_project(project.root)
            if config.secrets != project.config.secrets:  # what was kept before they were known is cleaned
                clean_records(scene.records, project.project.id, compile_patterns(config.secrets))
            project.config = config
            project.is_stale = True
        except ConfigError as error:
            _mishap(scene, project, "config-mistake", error)
        project.config_stamp = stamp  # only now: what could not be kept is tried again
    folders = (scene.home / "rules", project.root / ".neat" / "rules")
    rules_stamp = _stamps([*folders, *(path for folder in folders for path in sorted(folder.glob("*.y*ml")))])
    if not project.rules or rules_stamp != project.rules_stamp:
        project.rules = _load_rules(scene, project, folders)
        project.rules_stamp = rules_stamp
        for live in project.runs.values():
            for source in live.sources.values():
                source.judge = None


def _load_rules(scene: Scene, project: LiveProject, folders: tuple[Path, ...]) -> tuple[Rule, ...]:
    """Shipped rules, the user's, the project's, by name; for a file with a mistake, its last good text."""
    shipped, problems = load_rules([data_path("rules")])
    by_name = {rule.rule: rule for rule in shipped}
    for folder in folders:
        good = scene.home / "good_rules" / project.project.id / folder.parent.name
        for path in sorted(folder.glob("*.y*ml")):
            try:
                rule = load_rule(path)
            except ConfigError as error:
                _mishap(scene, project, "rules-mistake", error)
                kept = good / path.name
                if kept.exists():
                    rule = load_rule(kept)
                    by_name[rule.rule] = rule
                continue
            write_atomic(good / path.name, path.read_bytes())
            by_name[rule.rule] = rule
    for problem in problems:
        log.error("a shipped rule is broken: %s", problem)
    return tuple(by_name.values())


def _stamps(paths: list[Path]) -> tuple[object, ...]:
    found: list[object] = []
    for path in paths:
        try:
            stat = path.stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        except OSError:
            found.append((str(path), 0, 0))
    return tuple(found)


def _git_now(scene: Scene, project: LiveProject) -> GitState:
    """The project's git state, at most two seconds old: a thousand runs found at once ask git once."""
    now = scene.clock()
    if project.git is None or now - project.git[0] > 2.0:
        project.git = now, git_state(project.root, own_paths(project.config))
    return project.git[1]


def _mishap(scene: Scene, project: LiveProject, rule: str, error: ConfigError) -> None:
    log.warning("%s: %s", rule, error)
    message = f"{error.message}; the last good ones stay in force"
    key = f"{rule}|{project.project.id}|{error.message}|{_stamps([project.root / PROJECT_FILE])}"
    if events.add_mishap(scene.records, rule, message, key, "warning", project.project.id):
        project.is_stale = True


def survey_project(scene: Scene, project: LiveProject) -> None:
    """Walk the project for runs. The next walk comes the later the longer this one took."""
    begun = scene.clock()
    if not project.root.is_dir():
        _once(scene, project, "project-gone", f"the project's folder {project.root} is gone; its records stay", "gone")
        project.next_survey = begun + scene.settings.full_sweep_s
        return
    reload_config(scene, project)
    watch = project.config.watch
    found = survey(project.root, watch.ignore, watch.include, watch.depth, watch.max_folders)
    for folder in found.runs:
        follow(scene, project, folder)
    for folder in found.unreadable:
        _once(scene, project, "folder-unreadable", f"{folder} cannot be entered: check its permissions", str(folder))
    if found.is_capped:
        text = f"more than {watch.max_folders} folders or {watch.depth} levels below {project.root}: the rest is not watched"
        _once(scene, project, "watch-capped", f"{text}; raise watch.max_folders or watch.depth in neat.yaml", "cap")
    project.folders = found.folders
    marks = git_marks(project.root)
    project.is_stale = project.is_stale or marks != project.git_marks
    project.git_marks = marks
    took = scene.clock() - begun
    project.next_survey = begun + min(max(scene.settings.sweep_s, WALK_SHARE * took), scene.settings.full_sweep_s)


def _once(scene: Scene, project: LiveProject, rule: str, message: str, key: str) -> None:
    if events.add_mishap(scene.records, rule, message, f"{rule}|{project.root}|{key}", "warning", project.project.id):
        project.is_stale = True


def follow(scene: Scene, project: LiveProject, folder: Path) -> LiveRun:
    """Follow the run in `folder`; known ones gain the sources that appeared since."""
    relative = project.folder_name(folder)
    live = project.runs.get(relative)
    if live is None:
        live = _begin(scene, project, folder, relative)
        project.runs[relative] = live
    for name in SOURCES:
        if name not in live.sources and os.path.isfile(folder / name):  # noqa: PTH113 - False where it may not look
            live.sources[name] = Source(folder / name, readings.cursor(scene.points, live.run.id, name))
            live.saves_due = True
    return live


def _begin(scene: Scene, project: LiveProject, folder: Path, relative: str) -> LiveRun:
    run = runs.by_folder(scene.records, project.project.root, relative)
    if run is None:
        now = datetime.now(UTC)
        git = _git_now(scene, project)
        run = runs.ensure_run(scene.records, project.project.id, project.project.root, relative, git, now)
        project.is_stale = True
    step, line_at = runs.progress_of(scene.points, run.id)
    live = LiveRun(run, folder, last_step=step, last_line_at=line_at or run.created_at)
    for name, cursor in readings.readings(scene.points, run.id).items():  # also those that are gone by now
        live.sources[name] = Source(folder / name, cursor)
    return live
