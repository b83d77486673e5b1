"""Records that a sandboxed command left in the project: in the store, then off the disk."""

from __future__ import annotations

from neatd.pipeline import knowing
from neatd.pipeline.scene import LiveProject, Scene
from neatd.store import events, records


def take_inbox(scene: Scene, project: LiveProject) -> None:
    """Take what waits in `.neat/inbox`; what is no record is left where it lies, and said."""
    waiting = sorted((project.root / ".neat" / "inbox").glob("*.json"))
    for path in waiting:
        if records.take_from_inbox(scene.records, path, project.project.id):
            path.unlink(missing_ok=True)
            project.is_stale = True
        else:
            message = f"{path} is not a record: it is left where it lies"
            events.add_mishap(scene.records, "inbox-mistake", message, f"inbox|{path}", "info", project.project.id)
    if waiting:
        knowing.settle(scene, project)
