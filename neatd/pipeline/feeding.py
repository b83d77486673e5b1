"""Stored lines put before a judge: by the daemon behind reading, and by a rule that is tried on a run of long ago."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from functools import partial

from neatd.models import Verdict
from neatd.read.formats.table import FORMATS
from neatd.rules.judge import Judge
from neatd.rules.predicted import Answer, Evaluation, PredictionJudge
from neatd.store import predicted, window

BATCH_LINES = 256  # a backlog of so many lines is judged in columns
MOST_ANSWERS = 100_000  # of one evaluation: more say nothing else
POOL = 20_000  # newest answers that `auto` is taken from

Said = list[tuple[Verdict, tuple[Answer, ...]]]  # verdicts, each with the examples that it names


def verdicts_between(
    points: sqlite3.Connection, run_id: str, stream: str, judge: Judge, after: int, upto: int, better: frozenset[str]
) -> list[Verdict]:
    """What the rules say of the lines after < seq <= upto of a stream; of the names in `better`, nothing."""
    if upto - after < BATCH_LINES:
        samples = window.samples_between(points, run_id, stream, after, upto)
        return [verdict for name, sample in samples if name not in better for verdict in judge.feed(name, sample)]
    from neatd.store.columns import columns_between  # numpy: only where there is a backlog

    columns = columns_between(points, run_id, stream, after, upto)
    return judge.feed_columns([column for column in columns if column.name not in better])


def better_names(points: sqlite3.Connection, run_id: str, format: str, judged: Iterable[str]) -> frozenset[str]:
    """Series that a stream of lower rank has too: the same numbers by another tracker, judged once. `judged` are the
    formats of all streams of the run that rules look at."""
    rank = FORMATS[format].rank
    if all(FORMATS[one].rank >= rank for one in judged):
        return frozenset()
    return frozenset(window.names_below(points, run_id, rank))


def evaluations_between(
    points: sqlite3.Connection, run_id: str, stream: str, judge: PredictionJudge, after: int, upto: int
) -> Iterator[tuple[int, Said]]:
    """(its last line, what the rules say of it) of each evaluation of the lines after < seq <= upto; none without rules."""
    at = after
    while judge.rules and at < upto:
        found = predicted.evaluation_after(points, run_id, stream, at, upto)
        if found is None:
            return
        step, first, at = found
        if judge.last is not None and judge.last[0] == step:
            first = judge.last[1]  # it was judged in part

        def answers(first: int, most: int, last: int = at) -> list[Answer]:
            rows = predicted.answers_between(points, run_id, stream, first, last, most)
            return list({one.example: one for one in (Answer(*row) for row in rows)}.values())

        evaluation = Evaluation(at, step, answers(first, MOST_ANSWERS))
        yield at, judge.feed(evaluation, first, partial(answers, 0, POOL))
