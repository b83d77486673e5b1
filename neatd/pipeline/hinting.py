"""What is known of the runs whose process is not, for who looks for it: numbers in names, and where a program may work."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.read.processhints import Hint, Told, told_by_name


def hints_for(scene: Scene) -> dict[Path, Hint]:
    """Run folder -> its hint, of all open runs without a process: also those that are not looked for just now, as a
    program may be theirs."""
    host = platform.node()
    taken = frozenset(live.run.process.pid for _, live in scene.open_runs() if live.run.process and not live.is_ended)
    places: dict[str, frozenset[str]] = {}
    found: dict[Path, Hint] = {}
    for project, live in scene.open_runs():
        if live.is_ended or live.run.process or live.run.job_id:
            continue
        root = project.project.root
        if root not in places:
            places[root] = _places(project)
        told, is_here = _told(live, host)
        folders = _folders(project, live) if is_here and _is_growing(scene, live) else frozenset()
        began = live.run.started_at.timestamp()
        found[live.folder] = Hint(told, folders, began, places[root], taken)
    return found


def _places(project: LiveProject) -> frozenset[str]:
    """The real paths of the project's runs."""
    root = os.path.realpath(project.root)
    return frozenset(os.path.join(root, name) if name else root for name in project.runs)  # noqa: PTH118 - of thousands


def _told(live: LiveRun, host: str) -> tuple[tuple[Told, ...], bool]:
    """(the processes that its files tell, whether it may run on this host)."""
    said = live.run.facts.get("told") or {}
    names = [name for name, source in live.sources.items() if source.placed.format == "tensorboard"]
    found = [told for name in names if (told := told_by_name(name, host))]
    pid, started = said.get("pid"), said.get("started_at")
    is_other = said.get("host") not in (None, "", host, host.split(".")[0])
    if isinstance(pid, int) and isinstance(started, int | float) and not is_other and said.get("host"):
        found.append(Told(pid, started + 60.0))
    is_told_elsewhere = any("tfevents" in name for name in names) and not found
    return tuple(sorted(found, key=lambda one: -one.before)), not (is_other or is_told_elsewhere)


def _is_growing(scene: Scene, live: LiveRun) -> bool:
    """Whether lines come now: a program that stands in the folder of an old run has nothing to do with it."""
    silence_s = time.time() - live.last_line_at.timestamp()
    return bool(live.last_growth) and silence_s <= live.silence(scene.settings.stall_s).limit_s


def _folders(project: LiveProject, live: LiveRun) -> frozenset[str]:
    """Where its program may work: the run's folder, the project's, and those between."""
    between = [live.folder, *live.folder.parents]
    return frozenset(os.path.realpath(one) for one in between[: between.index(project.root) + 1])
