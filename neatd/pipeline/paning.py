"""Trainings in tmux or screen that leave no file: their pane is read, and its lines are kept as a log of our own.

The pane is a terminal: what stands in it now is compared with what stood there, and only new lines are written down, so
that from there on the log is read like any other, exactly once. Only the user's own sockets are asked.
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

from neatd.models import ProcessFact
from neatd.pipeline.finding import add_source, begin_run
from neatd.pipeline.processes import describe
from neatd.pipeline.scene import PANE_LOG, LiveProject, LiveRun, Scene, pane_log
from neatd.read.formats.textlog import looks_like_training
from neatd.read.panelines import new_lines
from neatd.read.panes import pane_of, read_pane
from neatd.read.placed import Placed
from neatd.read.process import programs_below
from neatd.read.proctable import read_table
from neatd.redact_own import redactor
from neatd.store import events

LOOK_S = 10.0
READ_S = 3.0
YOUNG_S = 15.0  # a program has so long to open a file of its own
MOST_BYTES = 64 << 20  # of the lines of one pane
KEPT_LINES = 400  # of a pane, to know it again after a restart


def look_into_panes(scene: Scene) -> None:
    """Find trainings whose only output is a pane, at most every ten seconds; read the panes that are followed."""
    now = scene.clock()
    if now >= scene.next_pane_look:
        scene.next_pane_look = now + LOOK_S
        table = read_table()  # once for all projects: it is most of what a look costs
        for project in scene.projects.values():
            for fact, script in programs_below(project.root, ("tmux", "screen"), table):
                _consider(scene, project, fact, script)
    for project, live in list(scene.open_runs()):
        if PANE_LOG in live.sources and not live.is_ended and now >= live.next_pane_read:
            live.next_pane_read = now + READ_S
            _read(scene, project, live)


def _consider(scene: Scene, project: LiveProject, fact: ProcessFact, script: str) -> None:
    """A program in a pane: a run of its own, unless it leaves files or says nothing of training."""
    if time.time() - fact.started < YOUNG_S:
        return
    known = {live.run.process.pid for _, live in scene.open_runs() if live.run.process and not live.is_ended}
    if fact.pid in known:
        return
    pane = pane_of(fact.pid)
    lines = read_pane(pane) if pane is not None and pane.shows_output else None
    if pane is None or not lines or not looks_like_training("\n".join([*lines, ""]).encode()):
        return
    began = datetime.fromtimestamp(fact.started)
    folder = project.root / pane.kind / f"{script}-{began:%m%d-%H%M%S}"
    relative = project.folder_name(folder)
    if relative in project.runs:
        return
    live = begin_run(scene, project, folder, relative, folder, told_began=fact.started)
    live.place = pane_log(scene.home, live.run.id)
    live.place.parent.mkdir(mode=0o700, exist_ok=True)
    live.place.touch(mode=0o600)
    project.runs[relative] = live
    if PANE_LOG not in live.sources:
        add_source(scene, live, PANE_LOG, Placed(live.place, folder, PANE_LOG, "text"))
    describe(scene, project, live, fact)
    live.pane = pane
    scene.note_open(project, live)
    _read(scene, project, live)


def _read(scene: Scene, project: LiveProject, live: LiveRun) -> None:
    """Write the lines down that are new since the last look, as long as there are not too many."""
    if live.place.exists() and live.place.stat().st_size >= MOST_BYTES:
        message = f"{live.run.name}: more than {MOST_BYTES >> 20} MiB stood in its pane: no more is read of it"
        events.add_mishap(
            scene.records, "pane-full", message, f"pane|{live.run.id}", "info", project.project.id, live.run.id
        )
        return
    process = live.run.process
    if live.pane is None and process is not None:
        live.pane = pane_of(process.pid)
    lines = read_pane(live.pane) if live.pane is not None else None
    if not lines:
        return
    clean = redactor(project.root)
    lines = [clean(line) for line in lines]
    before = live.pane_lines if live.pane_lines is not None else _last_lines(live.place)
    if fresh := new_lines(before, lines):
        with live.place.open("a", encoding="utf-8", errors="replace") as file:
            file.write("".join(f"{line}\n" for line in fresh))
            file.flush()
            os.fsync(file.fileno())  # what is compared with at the next look has to be there after a crash
        for source in live.sources.values():
            source.is_due = True
    live.pane_lines = lines


def _last_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-KEPT_LINES:]
