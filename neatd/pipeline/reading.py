"""Lines on their way from a file into points.db: one turn per source, committed with its cursor."""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from neatd.models import Cursor, Line
from neatd.pipeline.scene import LiveProject, LiveRun, Scene, Source
from neatd.read.discover import METRICS
from neatd.read.metrics import BadLine, mark_attempts, parse_metrics
from neatd.read.predictions import parse_predictions
from neatd.read.tail import Turn, read_turn
from neatd.store import events, points, readings

log = logging.getLogger(__name__)
TAIL_REST_S = 5.0  # a last line without a newline is taken when the file has not changed for so long


def look(scene: Scene, live: LiveRun) -> None:
    """Stat the sources of a run; those that changed become due."""
    now = scene.clock()
    for source in live.sources.values():
        stamp = _stamp(source.path)
        if stamp != source.stamp:
            source.stamp, source.still_since, source.is_due, source.is_tail_tried = stamp, now, True, False
        elif stamp is None and not source.is_gone:
            source.is_due = True  # its folder may go a moment after it
        elif _has_tail(source) and now - source.still_since >= TAIL_REST_S:
            source.is_due = True


def _has_tail(source: Source) -> bool:
    return source.stamp is not None and source.stamp[0] > source.cursor.offset and not source.is_tail_tried


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def read_due(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """One turn for each due source of a run. True when bytes are left."""
    has_more = False
    for source in live.sources.values():
        if source.is_due:
            has_more |= _read_source(scene, project, live, source)
    return has_more


def _read_source(scene: Scene, project: LiveProject, live: LiveRun, source: Source) -> bool:
    source.is_due = False
    if source.path.name != METRICS:
        source.judged_seq = source.cursor.seq  # rules look at metrics only
    take_tail = _has_tail(source) and scene.clock() - source.still_since >= TAIL_REST_S
    source.is_tail_tried = source.is_tail_tried or take_tail
    try:
        turn = read_turn(source.path, source.cursor, scene.settings.read_bytes, take_tail)
    except FileNotFoundError:
        _gone(scene, project, live, source)
        return False
    except OSError as error:
        message = f"{source.path} cannot be read: {os.strerror(error.errno or 0)}; what was read stays"
        _mishap(scene, project, live, "source-unreadable", message, f"{source.path.name}|{error.errno}")
        return False
    before, source.is_gone = source.cursor, False
    after = _commit(scene, live, source, turn)
    if after.seq > before.seq or turn.is_new_generation:
        _grew(scene, project, live, source, turn.is_new_generation)
    _report(scene, project, live, source, before, after)
    source.cursor = after
    if source.path.name != METRICS:
        source.judged_seq = after.seq
    source.is_due = turn.has_more
    return turn.has_more


def _commit(scene: Scene, live: LiveRun, source: Source, turn: Turn) -> Cursor:
    """Parse the turn's lines and commit them with the cursor; returns the cursor as committed."""
    name, run_id = source.path.name, live.run.id
    if turn.cursor == source.cursor:
        return source.cursor
    if name == METRICS:
        parsed, bad = parse_metrics(turn.lines)
        last_steps = points.last_steps(scene.points, run_id, name)
        old = turn.cursor
        lines, starts = mark_attempts(parsed, last_steps, old.attempt, turn.is_new_generation, old.has_steps)
        attempt = starts[-1].attempt if starts else old.attempt
        has_steps = old.has_steps or any(not one.is_counted for one in parsed)
        after = _with_bad(old.model_copy(update={"attempt": attempt, "has_steps": has_steps}), bad)
        points.commit_lines(scene.points, run_id, name, after, lines, starts, _written_at(source))
        live.last_step = _furthest(live.last_step, lines, attempt, is_same=not starts)
    else:
        predictions, bad = parse_predictions(turn.lines)
        after = _with_bad(turn.cursor, bad)
        points.commit_predictions(scene.points, run_id, name, after, predictions, _written_at(source))
    return after


def _furthest(before: int | None, lines: list[Line], attempt: int, is_same: bool) -> int | None:
    """The furthest step of the current attempt: an evaluation logged late is no step back."""
    steps = [line.step for line in lines if line.attempt == attempt]
    return max([*steps, *([before] if is_same and before is not None else [])], default=before)


def _with_bad(cursor: Cursor, bad: list[BadLine]) -> Cursor:
    if not bad:
        return cursor
    first = cursor.first_bad or f"line {bad[0].seq}: {bad[0].why}"
    return cursor.model_copy(update={"bad_lines": cursor.bad_lines + len(bad), "first_bad": first})


def _written_at(source: Source) -> float:
    """Unix seconds of the last write, as near as the file tells: an old file read today was not written today."""
    now = time.time()
    return min(now, source.stamp[1] / 1e9) if source.stamp else now


def _grew(scene: Scene, project: LiveProject, live: LiveRun, source: Source, is_rewritten: bool) -> None:
    """A run's rhythm begins anew where its file was written again, or goes on after its end: that pause is no gap of it."""
    now = scene.clock()
    if is_rewritten or live.run.status == "finished":
        live.gaps.clear()
    elif live.last_growth:
        live.gaps.append(now - live.last_growth)
    live.last_growth = now
    live.last_line_at = datetime.fromtimestamp(_written_at(source), UTC)
    live.saves_due = True
    project.next_render = min(project.next_render, now + 10.0)


def _report(
    scene: Scene, project: LiveProject, live: LiveRun, source: Source, before: Cursor, after: Cursor
) -> None:  # fmt: skip
    """Say once what was odd about a source: its first bad line, and each time it was replaced."""
    name = source.path.name
    if after.bad_lines > before.bad_lines:
        message = f"{live.run.name}/{name}: {after.first_bad}; unreadable lines are counted and passed over"
        _mishap(scene, project, live, "unreadable-line", message, name)
    if after.generation > before.generation:
        message = f"{live.run.name}/{name} was replaced or cut: it is read again from its start, what was read stays"
        _mishap(scene, project, live, "source-replaced", message, f"{name}|{after.generation}", "info")


def _gone(scene: Scene, project: LiveProject, live: LiveRun, source: Source) -> None:
    """A source that vanished: nothing read is lost, and only a whole folder's end is worth an event."""
    if not source.cursor.is_missing and source.cursor.seq:
        source.cursor = source.cursor.model_copy(update={"is_missing": True})
        readings.mark_missing(scene.points, live.run.id, source.path.name)
    source.is_gone = not live.folder.exists()
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
