"""A rule tried on a stored run, read-only: what it would have said and saved, beside what was said and saved.

The rule sees every line from the run's first on, as it would have while the run was written; a window of steps only
says what is told of it. Nothing is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from neatd.models import Checkpoint, Episode, Event, Run, Verdict
from neatd.pipeline.budgeting import beyond_budget
from neatd.pipeline.feeding import better_names, evaluations_between, verdicts_between
from neatd.pipeline.protecting import before_event
from neatd.read.formats.table import FORMATS
from neatd.rules.judge import Judge
from neatd.rules.predicted import METRIC, PredictionJudge, is_over_predictions
from neatd.rules.schema import Rule
from neatd.store import checkpoints, events, points, predicted, readings

LINES = 20_000  # judged at once, as the daemon does

Seen = Callable[[int, int], None]  # (lines judged, lines in all)


class Window(NamedTuple):
    """Steps that are told of, both ends included; None for no end."""

    first: int | None = None
    last: int | None = None

    def holds(self, step: int) -> bool:
        return (self.first is None or step >= self.first) and (self.last is None or step <= self.last)


class Fired(NamedTuple):
    """Once that the rule would have fired."""

    verdict: Verdict
    episode: Episode | None  # how it went on; None where nothing tells
    checkpoint: Checkpoint | None  # what its snapshot would have kept
    did_fire: bool  # there is such an event
    is_beyond: bool = False  # the rule's budget: it would have no snapshot


class Tried(NamedTuple):
    """What came of it."""

    fired: list[Fired]
    only_did: list[Event]  # events of the rule that it would not have made
    steps: int  # from the first to the last step of the series that it looks at
    series: tuple[str, ...]
    is_thinned: bool  # of long series of old runs not every point is kept

    @property
    def per_10000(self) -> float | None:
        """Events in 10,000 steps; None without any step."""
        return 10_000 * len(self.fired) / self.steps if self.steps else None


def try_rule(
    records: sqlite3.Connection, series: sqlite3.Connection, run: Run, rule: Rule, window: Window, seen: Seen
) -> Tried:
    """Put every stored line of a run before a rule, which counts as enabled."""
    judge_by = rule.model_copy(update={"enabled": True})
    verdicts, ends = [], {}
    for one in _verdicts(series, run.id, judge_by, seen):
        if one.episode is None:
            verdicts.append(one)
        elif one.episode.kind == "end":
            ends[one.episode.begin[:2]] = one.episode
    catalogue = [one.model_copy(update={"status": "present"}) for one in checkpoints.catalogue(records, run.id)]
    were = [one for one in events.events(records, run_id=run.id) if one.rule == rule.rule and _is_within(one, window)]
    keys = {(one.metric, one.step) for one in were}
    kept = [_kept(catalogue, run, one) for one in verdicts]
    beyond = beyond_budget(rule, run, verdicts, [one is not None for one in kept])
    fired = [
        Fired(one, ends.get((one.metric, one.step)), checkpoint, (one.metric, one.step) in keys, is_beyond)
        for one, checkpoint, is_beyond in zip(verdicts, kept, beyond, strict=True)
        if window.holds(one.step)
    ]
    made = {(one.verdict.metric, one.verdict.step) for one in fired}
    only_did = [one for one in reversed(were) if (one.metric, one.step) not in made]
    return Tried(fired, only_did, *_looked_at(series, run.id, judge_by, window))


def _verdicts(series: sqlite3.Connection, run_id: str, rule: Rule, seen: Seen) -> Iterator[Verdict]:
    """All that the rule says, stream after stream."""
    streams = _streams(series, run_id)
    every, done = sum(upto for _, upto in streams.values()), 0
    formats = [form for form, _ in streams.values()]
    for name, (form, end) in streams.items():
        if form == "predictions":
            for at, said in evaluations_between(series, run_id, name, PredictionJudge([rule]), 0, end):
                yield from (verdict for verdict, _ in said)
                seen(done + at, every)
        else:
            judge, better = Judge([rule]), better_names(series, run_id, form, formats)
            for after in range(0, end, LINES):
                upto = min(end, after + LINES)
                yield from verdicts_between(series, run_id, name, judge, after, upto, better)
                seen(done + upto, every)
        done += end


def _streams(series: sqlite3.Connection, run_id: str) -> dict[str, tuple[str, int]]:
    """Stream -> (format, last line) of those that rules look at."""
    found: dict[str, tuple[str, int]] = {}
    for name, cursor in readings.readings(series, run_id).items():
        form, stream = cursor.format or "jsonl", cursor.stream or name
        if form in FORMATS and FORMATS[form].is_judged:
            found[stream] = form, max(cursor.seq, found.get(stream, ("", 0))[1])
    return found


def _kept(catalogue: list[Checkpoint], run: Run, verdict: Verdict) -> Checkpoint | None:
    """The checkpoint that the snapshot would have been made of, whatever became of it since."""
    if not verdict.wants_snapshot:
        return None
    at = run.updated_at
    event = Event(id="", rule=verdict.rule, step=verdict.step, started_at=at, created_at=at,
                  details={"condition": verdict.condition})  # fmt: skip
    return before_event(catalogue, event)


def _looked_at(
    series: sqlite3.Connection, run_id: str, rule: Rule, window: Window
) -> tuple[int, tuple[str, ...], bool]:
    """(steps, names of the series, whether some points are not kept) of the current attempt."""
    streams = _streams(series, run_id)
    if is_over_predictions(rule):
        known = [(METRIC, one[0], one[0]) for one in predicted.evaluations(series, run_id)]
    else:
        facts = [one for one in points.series_of(series, run_id) if one.source in streams and rule.matches(one.name)]
        known = [(one.name, one.first_step, one.last_step) for one in facts]
    if not known:
        return 0, (), False
    first, last = min(one[1] for one in known), max(one[2] for one in known)
    first = first if window.first is None else max(first, window.first)
    last = last if window.last is None else min(last, window.last)
    return max(0, last - first + 1), tuple(dict.fromkeys(one[0] for one in known)), _is_thinned(series, run_id)


def _is_thinned(series: sqlite3.Connection, run_id: str) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM chunk c JOIN series s ON s.id = c.series_id WHERE s.run_id = ? AND c.kept < c.points)"
    return bool(series.execute(sql, (run_id,)).fetchone()[0])


def _is_within(event: Event, window: Window) -> bool:
    return event.step is not None and window.holds(event.step)


def saved(fired: Iterable[Fired]) -> dict[str, Checkpoint]:
    """The checkpoints that snapshots would have kept, each once, by path."""
    return {one.checkpoint.path: one.checkpoint for one in fired if one.checkpoint and not one.is_beyond}
