"""Points are judged behind reading: position, detector state, events and snapshot wishes commit together."""

from __future__ import annotations

from neatd.pipeline.scene import LiveProject, LiveRun, Scene, Source
from neatd.read.discover import METRICS
from neatd.rules.judge import Judge
from neatd.store import events, window
from neatd.store.connection import transaction


def judge_run(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """Judge up to a turn's worth of a run's lines. True when lines are left."""
    source = live.sources.get(METRICS)
    if source is None:
        return False
    if source.judged_seq is None:
        source.judged_seq = _position(scene, live, source)
    if source.judged_seq >= source.cursor.seq:
        return False
    if source.judge is None:
        source.judge = _wake_judge(scene, project, live, source)
    upto = min(source.cursor.seq, source.judged_seq + scene.settings.judge_lines)
    samples = window.samples_between(scene.points, live.run.id, METRICS, source.judged_seq, upto)
    judge, source.judge = source.judge, None  # a failure below leaves no judge that is ahead of the store
    verdicts = [verdict for metric, sample in samples for verdict in judge.feed(metric, sample)]
    # An event whose line carries no time happened no later than the last write, whenever it is judged.
    state, reading_id, seen_at = judge.dump(), source.cursor.reading_id, live.last_line_at
    with transaction(scene.records):
        new = events.write_judging(scene.records, live.run, METRICS, reading_id, upto, state, verdicts, seen_at)
    source.judge, source.judged_seq = judge, upto
    project.is_stale = project.is_stale or new > 0
    return upto < source.cursor.seq


def _position(scene: Scene, live: LiveRun, source: Source) -> int:
    """How far the store says the source is judged; nothing, for a points.db that was read anew."""
    reading_id, seq = events.judged_position(scene.records, live.run.id, METRICS)
    return seq if reading_id == source.cursor.reading_id else 0


def _wake_judge(scene: Scene, project: LiveProject, live: LiveRun, source: Source) -> Judge:
    """The detectors as they stood at the judged position."""
    state = events.judged_state(scene.records, live.run.id, METRICS) if source.judged_seq else None
    return Judge(project.rules, state)
