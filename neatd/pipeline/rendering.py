"""The brief is rewritten whenever what it says has changed: atomically, and only when its bytes differ."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import is_inside, read_small, write_atomic
from neatd.pipeline.gathering import brief_text
from neatd.pipeline.scene import LiveProject, Scene
from neatd.store import events

log = logging.getLogger(__name__)
AFTER_MISTAKE_S = 60.0
BRIEF_SHARE = 100  # a brief of t seconds is written again after 100 t
MOST_GAP_S, BUSY_GAP_S = 10.0, 3.0
LEAST_GAP_S = 1.0  # between two briefs of a project: a burst of events is one change


def due(scene: Scene, is_busy: bool = False) -> list[LiveProject]:
    """The projects whose brief no longer says what is so. One that takes long comes the later, and while there is a backlog
    to be read (`is_busy`) a brief of it in the middle helps nobody."""
    now = scene.clock()
    return [project for project in scene.projects.values() if _is_due(project, now, is_busy)]


def _is_due(project: LiveProject, now: float, is_busy: bool) -> bool:
    rest_s = max(LEAST_GAP_S, BRIEF_SHARE * project.rendered_s, BUSY_GAP_S if is_busy else 0.0)
    return (project.is_stale and now >= project.rendered_at + min(rest_s, MOST_GAP_S)) or now >= project.next_render


def write_brief(scene: Scene, project: LiveProject) -> None:
    """Write a project's brief, if it differs from what is there. Never through a link that leads out of the project."""
    project.is_stale, project.next_render, project.rendered_at = False, float("inf"), scene.clock()
    project.is_told = True
    if not project.root.is_dir():
        return
    begun = scene.clock()
    try:
        text = brief_text(scene.records, scene.points, project.project, project.config)
    except NeatError as error:  # a template of the project's: the brief stays as it was
        key = f"template|{project.project.id}|{error.message}"
        events.add_mishap(scene.records, "template-mistake", error.message, key, "warning", project.project.id)
        project.rendered_at += AFTER_MISTAKE_S  # one that is slow must not hold up the others at each event
        return
    project.rendered_s = scene.clock() - begun
    try:
        keep_text(project.root, text)
    except NeatError as error:
        log.warning("no brief: %s", error.message)
    except OSError as error:
        log.warning("the brief cannot be written: %s: %s", project.root, error)


def keep_text(root: Path, text: str) -> bool:
    """Write a brief where more than its time has changed; True when there was none. Raises OSError, and NeatError where
    it would lie outside of the project."""
    path = root / ".neat" / "brief.md"
    if not is_inside(path.parent, root):
        raise NeatError(f"{path.parent} leads out of the project", "put a folder there")
    is_new, data = not os.path.lexists(path), text.encode()
    if _body(_old(path)) != _body(data):
        write_atomic(path, data)
    return is_new


def _old(path: Path) -> bytes:
    try:
        return read_small(path, 1 << 20)
    except OSError:
        return b""  # not there, or no file: it is replaced


def _body(data: bytes) -> bytes:
    """The brief without its last line, which holds the time of writing."""
    return data.rstrip(b"\n").rpartition(b"\n")[0]
