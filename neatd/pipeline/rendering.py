"""The brief is rewritten whenever what it says has changed: atomically, and only when its bytes differ."""

from __future__ import annotations

import logging

from neatd.errors import NeatError
from neatd.files import write_atomic
from neatd.pipeline.gathering import brief_text
from neatd.pipeline.scene import LiveProject, Scene
from neatd.store import events

log = logging.getLogger(__name__)
LEAST_GAP_S = 1.0  # between two briefs of a project: a burst of events is one change


def render_stale(scene: Scene) -> None:
    """Write the briefs of the projects whose facts changed."""
    now = scene.clock()
    for project in scene.projects.values():
        is_due = project.is_stale and now >= project.rendered_at + LEAST_GAP_S
        if is_due or now >= project.next_render:
            project.is_stale, project.next_render, project.rendered_at = False, float("inf"), now
            _render(scene, project)


def _render(scene: Scene, project: LiveProject) -> None:
    if not project.root.is_dir():
        return
    try:
        text = brief_text(scene.records, scene.points, project.project, project.config)
    except NeatError as error:  # a template of the project's: the brief stays as it was
        key = f"template|{project.project.id}|{error.message}"
        events.add_mishap(scene.records, "template-mistake", error.message, key, "warning", project.project.id)
        return
    path = project.root / ".neat" / "brief.md"
    data = text.encode()
    try:
        if not path.exists() or _body(path.read_bytes()) != _body(data):
            write_atomic(path, data)
    except OSError as error:
        log.warning("the brief cannot be written: %s: %s", path, error)


def _body(data: bytes) -> bytes:
    """The brief without its last line, which holds the time of writing."""
    return data.rstrip(b"\n").rpartition(b"\n")[0]
