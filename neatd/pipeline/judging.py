"""Points are judged behind reading: position, detector state, events and snapshot wishes commit together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from neatd.models import Verdict
from neatd.pipeline import predicting, stalling
from neatd.pipeline.feeding import better_names, verdicts_between
from neatd.pipeline.scene import LiveProject, LiveRun, Scene, Stream
from neatd.rules.judge import Judge
from neatd.store import events
from neatd.store.connection import transaction


class Judged(NamedTuple):
    """What the rules say of the next lines of a stream, not written down yet."""

    project: LiveProject
    live: LiveRun
    stream: Stream
    judge: Judge | None  # as it stands behind these lines; None for predictions, which are judged by the evaluation
    upto: int
    state: dict[str, Any]
    verdicts: list[Verdict]
    seen_at: datetime


def judge_run(scene: Scene, project: LiveProject, live: LiveRun) -> list[Judged]:
    """Judge up to a turn's worth of each stream of a run. Until it is written the stream has no judge."""
    return [_judged(scene, project, live, stream) for stream in live.streams.values() if _waits(scene, live, stream)]


def _waits(scene: Scene, live: LiveRun, stream: Stream) -> bool:
    """Whether rows wait to be judged, by the store where this daemon does not know: nothing is woken for old runs."""
    if stream.waits and stream.judged_seq is None:
        stream.judged_seq = _position(scene, live, stream)
        if stream.format == "predictions" and not live.is_ended:
            predicting.look_up(scene, live, stream)
    return stream.waits


def _judged(scene: Scene, project: LiveProject, live: LiveRun, stream: Stream) -> Judged:
    assert stream.judged_seq is not None
    if stream.format == "predictions":
        found = predicting.judge_evaluations(scene, project, live, stream, stream.judged_seq)
        return Judged(project, live, stream, None, *found, live.last_line_at)
    if stream.judge is None:
        stream.judge = _wake_judge(scene, project, live, stream)
    upto = min(stream.seq, stream.judged_seq + scene.settings.judge_lines)
    judge, stream.judge = stream.judge, None  # a failure from here on leaves no judge that is ahead of the store
    verdicts = _verdicts(scene, live, stream, judge, stream.judged_seq, upto) if upto > stream.judged_seq else []
    # An event whose line carries no time happened no later than the last write, whenever it is judged.
    return Judged(project, live, stream, judge, upto, judge.dump(), verdicts, live.last_line_at)


def keep_judged(scene: Scene, found: Sequence[Judged]) -> bool:
    """Write positions, states and events in one transaction: all of it is there or nothing, and is judged again then.

    True when there are new events."""
    with transaction(scene.records):
        news = [
            events.write_judging(
                scene.records,
                one.live.run,
                one.stream.name,
                one.stream.reading_id,
                one.upto,
                one.state,
                stalling.not_told_yet(scene, one.live, one.verdicts),
                one.seen_at,
            )
            for one in found
        ]
    for one, new in zip(found, news, strict=True):
        one.stream.judge = None if one.live.is_ended else one.judge  # of those that ended the store knows enough
        one.stream.judged_seq = one.upto
        one.project.is_stale = one.project.is_stale or new > 0
    return any(news)


def _verdicts(scene: Scene, live: LiveRun, stream: Stream, judge: Judge, after: int, upto: int) -> list[Verdict]:
    """What the rules say of the lines after < seq <= upto; of a name that a better stream of the run has, nothing."""
    judged = (one.format for one in live.streams.values() if one.is_judged)
    better = better_names(scene.points, live.run.id, stream.format, judged)
    return verdicts_between(scene.points, live.run.id, stream.name, judge, after, upto, better)


def _position(scene: Scene, live: LiveRun, stream: Stream) -> int:
    """How far the store says the stream is judged; nothing, for a points.db that was read anew."""
    reading_id, seq = events.judged_position(scene.records, live.run.id, stream.name)
    return seq if reading_id == stream.reading_id else 0


def _wake_judge(scene: Scene, project: LiveProject, live: LiveRun, stream: Stream) -> Judge:
    """The detectors as they stood at the judged position."""
    state = events.judged_state(scene.records, live.run.id, stream.name) if stream.judged_seq else None
    return Judge(project.rules, state)
