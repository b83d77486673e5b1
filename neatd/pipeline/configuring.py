"""What a project and its user wrote for neat, read again when it changed: neat.yaml, rules, patterns of log lines.

A mistake becomes an event once its file is at rest, and the last good ones stay in force.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from neatd.config import load_project
from neatd.errors import ConfigError
from neatd.pipeline.ruleset import keep_good, rules_here
from neatd.pipeline.scene import LiveProject, Scene
from neatd.place import PROJECT_FILE
from neatd.read.formats.patterns import fits
from neatd.read.patterns import load_patterns
from neatd.redact_own import Patterns, compile_patterns
from neatd.rules.schema import Rule
from neatd.store import events, readings
from neatd.store.cleaning import clean_records, clean_told

log = logging.getLogger(__name__)
AT_REST_S = 1.0  # a file with a mistake that was written since may be half of what it is to be


def _clean_what_is_kept(scene: Scene, project: LiveProject, patterns: Patterns) -> None:
    """Take secrets that were not known as such out of records, runs and what their sources told."""
    clean_records(scene.records, project.project.id, patterns)
    if clean_told(scene.points, [live.run.id for live in project.runs.values()], patterns):
        for live in project.runs.values():
            for name, source in live.sources.items():
                source.cursor = readings.cursor(scene.points, live.run.id, name)


def reload_config(scene: Scene, project: LiveProject) -> None:
    """Read neat.yaml and the rules again when they changed. A mistake becomes an event; the last good ones stay."""
    stamp = _stamps([project.root / PROJECT_FILE])
    if stamp != project.config_stamp:
        try:
            config = load_project(project.root)
            if config.secrets != project.config.secrets:  # what was kept before they were known is cleaned
                _clean_what_is_kept(scene, project, compile_patterns(config.secrets))
            project.config = config
            project.is_stale = True
        except ConfigError as error:
            if not _is_told(scene, project, "config-mistake", [error], [project.root / PROJECT_FILE]):
                stamp = ()
        project.config_stamp = stamp  # only now: what could not be kept is tried again
    _reload_patterns(scene, project)
    folders = (scene.home / "rules", project.root / ".neat" / "rules")
    files = [path for folder in folders for path in sorted(folder.glob("*.y*ml"))]
    rules_stamp = _stamps([*folders, *files])
    if not project.rules or rules_stamp != project.rules_stamp:
        project.rules, mistakes = _load_rules(scene, project)
        project.rules_stamp = rules_stamp if _is_told(scene, project, "rules-mistake", mistakes, files) else ()
        for live in project.runs.values():
            for stream in live.streams.values():
                stream.judge = None


def _reload_patterns(scene: Scene, project: LiveProject) -> None:
    """Read again how the project and the user say their logs are read, when that changed."""
    folders = (project.root / ".neat" / "patterns", scene.home / "patterns")
    files = [path for folder in folders for path in sorted(folder.glob("*.y*ml"))]
    stamp = _stamps([*folders, *files])
    if stamp == project.patterns_stamp:
        return
    known, mistakes = load_patterns(project.root, scene.home)
    if not _is_told(scene, project, "patterns-mistake", mistakes, files):
        return
    project.patterns = known
    project.heads.is_wanted = lambda path, head: fits(known, path.relative_to(project.root).as_posix(), head)
    project.heads.ask_again()
    for live in project.runs.values():
        for source in live.sources.values():
            source.feed = None
    project.patterns_stamp = stamp


def _load_rules(scene: Scene, project: LiveProject) -> tuple[tuple[Rule, ...], list[ConfigError]]:
    """(the rules in force, mistakes of the user's and the project's files). What has no mistake is kept for later."""
    found = rules_here(scene.home, project.root, project.project.id)
    keep_good(scene.home, project.project.id, found)
    for one in found.broken:
        if one.origin == "shipped":
            log.error("a shipped rule is broken: %s", one.mistake)
    return tuple(one.rule for one in found.rules), [one.mistake for one in found.broken if one.origin != "shipped"]


def _stamps(paths: list[Path]) -> tuple[object, ...]:
    found: list[object] = []
    for path in paths:
        try:
            stat = path.stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        except OSError:
            found.append((str(path), 0, 0))
    return tuple(found)


def _is_told(
    scene: Scene, project: LiveProject, rule: str, mistakes: Sequence[ConfigError], files: Sequence[Path]
) -> bool:
    """Keep the mistakes of files that are at rest. False: one is being written perhaps, and is to be read again."""
    if mistakes and any(0 <= time.time() - _written(path) < AT_REST_S for path in files):
        project.looks_again = True
        return False
    for error in mistakes:
        _mishap(scene, project, rule, error)
    return True


def _mishap(scene: Scene, project: LiveProject, rule: str, error: ConfigError) -> None:
    log.warning("%s: %s", rule, error)
    message = f"{error.message}; the last good ones stay in force"
    key = f"{rule}|{project.project.id}|{error.message}|{_stamps([project.root / PROJECT_FILE])}"
    if events.add_mishap(scene.records, rule, message, key, "warning", project.project.id):
        project.is_stale = True


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
