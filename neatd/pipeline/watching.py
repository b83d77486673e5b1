"""Which folders are watched: those in which something may soon happen first, since a system may not watch all."""

from __future__ import annotations

import os
from pathlib import Path

from neatd.jobs.bell import bell_folder
from neatd.pipeline import jobinbox
from neatd.pipeline.scene import Scene

_OURS = ("rules", "patterns")  # in .neat: what a person changes there is read again


def wanted_folders(scene: Scene) -> list[Path]:
    """The queue's bell, the inboxes, the roots, the living runs with their checkpoints, then whatever else there is."""
    folders = [bell_folder(scene.home), *jobinbox.watched(scene)]
    for project in scene.projects.values():
        ours = (project.root / ".neat" / name for name in ("", *_OURS))  # "": where they come to be
        folders += [project.root, *(path for path in ours if path.is_dir())]
    for _, live in scene.live_runs():
        if not live.is_ended and live.folder.is_dir():
            folders += [live.folder, *_folders_in(live.folder)]
    for project in scene.projects.values():
        folders += project.folders
    return folders


def _folders_in(folder: Path) -> list[Path]:
    """Where a run's checkpoints may arrive; [] for a folder that may not be looked into."""
    try:
        with os.scandir(folder) as entries:
            return [Path(one.path) for one in entries if one.is_dir(follow_symlinks=False) and one.name != "snapshots"]
    except OSError:
        return []
