"""Evaluations of predictions judged: each when it is whole, by the answers that are stored.

One is whole when an answer at another step follows, when the file rests, or when the run has ended. Until then the stream
of predictions ends, for judging, with the evaluation before. What was judged because the file rested and goes on after all
is judged once more as a whole, and no rule speaks twice of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neatd.models import Prediction, Verdict
from neatd.pipeline.feeding import evaluations_between
from neatd.pipeline.scene import LiveProject, LiveRun, Scene, Source, Stream
from neatd.redact_own import compile_patterns, redact_value_with
from neatd.rules.predicted import Answer, PredictionJudge
from neatd.rules.timing import USUAL_FACTOR, silence_of
from neatd.store import events, predicted

REST_S, LONGEST_REST_S = 10.0, 60.0  # of a file, after which its last evaluation is taken to be whole


def note_read(scene: Scene, live: LiveRun, source: Source, predictions: Sequence[Prediction]) -> None:
    """Predictions were read: an answer at another step ends the evaluation before."""
    stream = live.streams[source.placed.stream]
    if predictions and stream.step is None:
        stream.step = predicted.step_before(scene.points, live.run.id, stream.name, predictions[0].seq)
    for one in predictions:
        if one.step != stream.step:
            stream.step, stream.seq = one.step, max(stream.seq, one.seq - 1)


def note_rest(live: LiveRun, source: Source, still_s: float) -> None:
    """The file has not changed for so long."""
    usual_s = USUAL_FACTOR * silence_of(source.gaps, REST_S).usual_gap_s
    if still_s >= min(max(REST_S, usual_s), LONGEST_REST_S):
        _end(live, source)


def end_evaluations(live: LiveRun) -> None:
    """The run has ended: so has its last evaluation."""
    for source in live.sources.values():
        if source.placed.format == "predictions":
            _end(live, source)


def _end(live: LiveRun, source: Source) -> None:
    stream = live.streams[source.placed.stream]
    stream.seq = max(stream.seq, source.cursor.seq)


def look_up(scene: Scene, live: LiveRun, stream: Stream) -> None:
    """How far the evaluations of a run that goes on are whole, by the store: a restart ends none of them."""
    stream.step, stream.seq = predicted.whole_upto(scene.points, live.run.id, stream.name)


def judge_evaluations(
    scene: Scene, project: LiveProject, live: LiveRun, stream: Stream, after: int
) -> tuple[int, dict[str, Any], list[Verdict]]:
    """(how far, the state behind it, what the rules say) of a turn's worth of whole evaluations."""
    judge = PredictionJudge(
        project.rules, events.judged_state(scene.records, live.run.id, stream.name) if after else None
    )
    verdicts: list[Verdict] = []
    at = after
    for at, said in evaluations_between(scene.points, live.run.id, stream.name, judge, after, stream.seq):
        verdicts += [_with_examples(scene, project, live, stream, verdict, some) for verdict, some in said]
        if at - after >= scene.settings.judge_lines:
            break
    else:
        at = stream.seq
    return at, judge.dump(), verdicts


def _with_examples(
    scene: Scene, project: LiveProject, live: LiveRun, stream: Stream, verdict: Verdict, examples: Sequence[Answer]
) -> Verdict:
    """With the texts of the examples, shortened and without the project's secrets."""
    texts = predicted.texts_of(scene.points, live.run.id, stream.name, [one.seq for one in examples])
    shown = [_shown(one, texts) for one in examples]
    clean = redact_value_with(compile_patterns(project.config.secrets), {"examples": shown})
    return verdict.model_copy(update={"details": verdict.details | clean})


def _shown(one: Answer, texts: Mapping[int, tuple[str | None, str | None]]) -> dict[str, Any]:
    expected, answer = texts.get(one.seq, (None, None))
    found = {"id": one.example[:120], "loss": one.loss, "expected": expected, "answer": answer}
    return {name: value for name, value in found.items() if value is not None}
