"""A run's folder that was renamed or moved stays the same run; a copied one is another."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from neatd.files import open_regular
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.read.identity import Found, Head, Known, Read, same_run
from neatd.read.placed import Placed
from neatd.read.tail import HEAD_BYTES, holds
from neatd.store import events, runs

log = logging.getLogger(__name__)


def gone_runs(project: LiveProject) -> list[LiveRun]:
    """The runs whose folder is not there now: one of them may be what lies in a new folder."""
    folders = (live for live in project.runs.values() if live.sources and live.place == live.folder)
    return [live for live in folders if not live.folder.exists()]


def moved_here(
    scene: Scene, project: LiveProject, folder: Path, sources: Iterable[Placed], gone: list[LiveRun]
) -> LiveRun | None:
    """The run of `gone` that lies in `folder` now, followed there from here on; None for a new one."""
    if not gone:
        return None
    heads = tuple(head for one in sources if (head := _head(project.root, one.path)) is not None)
    found = same_run([_known(project, live) for live in gone], Found(project.folder_name(folder), heads))
    live = next((one for one in gone if one.run.id == found), None)
    if live is None or not _goes_on(live, folder):
        return None
    _move(scene, project, live, folder)
    gone.remove(live)
    return live


def _known(project: LiveProject, live: LiveRun) -> Known:
    reads = [
        Read(f"{live.run.folder}/{name}".lstrip("/"), one.cursor.offset, one.cursor.head_len, one.cursor.head_hash,
             one.cursor.device, one.cursor.inode)
        for name, one in live.sources.items()
    ]  # fmt: skip
    now = tuple(head for one in live.sources.values() if (head := _head(project.root, one.path)) is not None)
    return Known(live.run.id, live.run.folder, live.run.created_at.timestamp(), tuple(reads), now)


def _head(root: Path, path: Path) -> Head | None:
    try:
        with open_regular(path) as file:
            about = os.fstat(file.fileno())
            return Head(
                path.relative_to(root).as_posix(), about.st_size, file.read(HEAD_BYTES), about.st_dev, about.st_ino
            )
    except OSError:
        return None


def _goes_on(live: LiveRun, folder: Path) -> bool:
    """Whether a source stands where it was read to: the head alone may be another run's too."""
    return any(holds(folder / name, source.cursor) for name, source in live.sources.items())


def _move(scene: Scene, project: LiveProject, live: LiveRun, folder: Path) -> None:
    before, after = live.run.folder, project.folder_name(folder)
    live.run = runs.move_run(scene.records, live.run.id, after)
    live.folder = live.place = folder
    for name, source in live.sources.items():
        source.placed = source.placed._replace(path=folder / name, folder=folder)
        source.stamp, source.is_due, source.is_gone = None, True, False
    del project.runs[before]
    project.runs[after] = live
    message = f"{before} was renamed or moved: the run goes on as {after}"
    log.info("%s", message)
    key = f"run-moved|{live.run.id}|{before}|{after}"
    events.add_mishap(scene.records, "run-moved", message, key, "info", project.project.id, live.run.id)
    project.is_stale = live.saves_due = True
