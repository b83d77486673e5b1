"""Records that a sandboxed command left in the project: in the store, then off the disk."""

from __future__ import annotations

from pathlib import Path

from neatd.files import is_inside
from neatd.pipeline import knowing
from neatd.pipeline.scene import LiveProject, Scene
from neatd.store import events, records


def take_inbox(scene: Scene, project: LiveProject) -> None:
    """Take what waits in `.neat/inbox`; what is no record is left where it lies, and said."""
    inbox = project.root / ".neat" / "inbox"
    if not inbox.is_dir():
        return
    if not is_inside(inbox, project.root):
        _say(scene, project, inbox, "leads out of the project: nothing is taken from it")
        return
    waiting = sorted(inbox.glob("*.json"))
    for path in waiting:
        if not is_inside(path, inbox):
            _say(scene, project, path, "leads out of the inbox: it is left where it lies")
        elif records.take_from_inbox(scene.records, path, project.project.id):
            path.unlink(missing_ok=True)
            project.is_stale = True
        else:
            _say(scene, project, path, "is not a record: it is left where it lies")
    if waiting:
        knowing.settle(scene, project)


def _say(scene: Scene, project: LiveProject, path: Path, what: str) -> None:
    """Once for each path."""
    message = f"{path} {what}"
    events.add_mishap(scene.records, "inbox-mistake", message, f"inbox|{path}", "info", project.project.id)
