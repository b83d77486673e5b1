"""Rows on their way from a file into points.db: one turn per source, committed with its cursor."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from neatd.models import Cursor
from neatd.pipeline import predicting
from neatd.pipeline.arriving import note_arrival
from neatd.pipeline.scene import LOOK_SWEEPS, LiveProject, LiveRun, Scene, Source
from neatd.pipeline.taking import Took, poll_database, read_predictions, take_rows, written_at
from neatd.read.databases import BusyDatabase
from neatd.read.formats.table import FORMATS
from neatd.rules.timing import Gaps, learn
from neatd.store import events, readings

log = logging.getLogger(__name__)
TAIL_REST_S = 5.0  # a last line without a newline is taken when the file has not changed for so long


def look(scene: Scene, live: LiveRun) -> None:
    """Stat the sources of a run; those that changed become due."""
    now = scene.clock()
    for source in live.sources.values():
        if source.placed.key:
            continue  # databases are asked as a whole
        stamp = _stamp(source.path)
        if stamp != source.stamp:
            source.stamp, source.still_since, source.is_due, source.is_tail_tried = stamp, now, True, False
        elif stamp is None and not source.is_gone:
            source.is_due = True  # its folder may go a moment after it
        elif _has_tail(source) and now - source.still_since >= TAIL_REST_S:
            source.is_due = True
        elif source.placed.format == "predictions":
            predicting.note_rest(live, source, now - source.still_since)


def _has_tail(source: Source) -> bool:
    """Whether something is left that only a file at rest gives: an unfinished line, half a repetition."""
    is_left = source.stamp is not None and (source.stamp[0] > source.cursor.offset or bool(source.cursor.replay))
    return is_left and not source.is_tail_tried


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def read_due(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """One turn for each stream of a run that has a due source, the older files of it first. True when bytes are left."""
    has_more, busy = False, set[str]()
    for name, source in live.sources.items():
        if not source.is_due:
            continue
        if source.placed.stream in busy:
            has_more = True  # an older file of its stream comes first
            continue
        if _read_source(scene, project, live, name, source):
            busy.add(source.placed.stream)
            has_more = True
    return has_more


def _read_source(scene: Scene, project: LiveProject, live: LiveRun, name: str, source: Source) -> bool:
    source.is_due = False
    is_at_rest = _has_tail(source) and scene.clock() - source.still_since >= TAIL_REST_S
    source.is_tail_tried = source.is_tail_tried or is_at_rest
    before = source.cursor
    try:
        took = _take(scene, project, live, name, source, is_at_rest)
    except FileNotFoundError:
        _gone(scene, project, live, name, source)
        return False
    except BusyDatabase:
        source.is_due = True  # its owner writes: the next turn asks again
        return False
    except OSError as error:
        message = f"{source.path} cannot be read: {os.strerror(error.errno or 0)}; what was read stays"
        _mishap(scene, project, live, "source-unreadable", message, f"{name}|{error.errno}")
        return False
    source.is_gone = False
    if took.cursor.seq > before.seq or took.is_rewritten:
        _grew(scene, project, live, source, took.is_rewritten)
    _report(scene, project, live, name, before, took.cursor)
    source.is_due = took.has_more
    return took.has_more


def _take(scene: Scene, project: LiveProject, live: LiveRun, name: str, source: Source, is_at_rest: bool) -> Took:
    framing = FORMATS[source.placed.format].framing
    if framing == "predictions":
        return read_predictions(scene, live, name, source, is_at_rest)
    if framing == "database":
        return poll_database(scene, live, name, source)
    return take_rows(scene, project, live, name, source, is_at_rest)


def _grew(scene: Scene, project: LiveProject, live: LiveRun, source: Source, is_rewritten: bool) -> None:
    """A run's rhythm begins anew where its file was written again, or goes on after its end: that pause is no gap of it."""
    now = scene.clock()
    if is_rewritten or live.run.status == "finished":
        source.gaps = Gaps()
    elif source.last_growth:
        source.gaps = learn(source.gaps, now - source.last_growth)
    live.last_growth = source.last_growth = now
    live.last_line_at = datetime.fromtimestamp(written_at(source), UTC)
    note_arrival(scene, live, source, live.last_line_at.timestamp(), is_rewritten or live.is_ended)
    live.saves_due = True
    live.look_by(now + LOOK_SWEEPS * scene.settings.sweep_s)  # it may have been silent for long
    project.next_render = min(project.next_render, now + 10.0)


def _report(
    scene: Scene, project: LiveProject, live: LiveRun, name: str, before: Cursor, after: Cursor
) -> None:  # fmt: skip
    """Say once what was odd about a source: its first bad line, and each time it was replaced."""
    if after.bad_lines > before.bad_lines:
        message = f"{live.run.name}/{name}: {after.first_bad}; unreadable lines are counted and passed over"
        _mishap(scene, project, live, "unreadable-line", message, name)
    if after.generation > before.generation and not after.replay and not FORMATS[after.format].is_rewritten:
        message = f"{live.run.name}/{name} was replaced or cut: it is read again from its start, what was read stays"
        _mishap(scene, project, live, "source-replaced", message, f"{name}|{after.generation}", "info")


def _gone(scene: Scene, project: LiveProject, live: LiveRun, name: str, source: Source) -> None:
    """A source that vanished: nothing read is lost, and only a whole folder's end is worth an event."""
    if not source.cursor.is_missing and source.cursor.seq:
        source.cursor = source.cursor.model_copy(update={"is_missing": True})
        readings.mark_missing(scene.points, live.run.id, name)
    source.is_gone = not live.place.exists()
    if source.is_gone:
        live.saves_due = True  # its checkpoints went with it
        message = f"the folder of {live.run.name} vanished; what was read of it stays"
        _mishap(scene, project, live, "folder-gone", message, f"{source.cursor.reading_id}|{source.cursor.seq}")


def _mishap(
    scene: Scene, project: LiveProject, live: LiveRun, rule: str, message: str, key: str, severity: str = "warning"
) -> None:  # fmt: skip
    dedupe = f"{rule}|{live.run.id}|{key}"
    if events.add_mishap(scene.records, rule, message, dedupe, severity, project.project.id, live.run.id):
        log.warning("%s: %s", rule, message)
        project.is_stale = True
