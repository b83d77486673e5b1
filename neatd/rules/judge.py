"""Rules over samples: each point of each series goes to the detectors whose rules match it, and verdicts come out.

Pure: no disk, no clock. Samples come in file order. Invariants: `dump`, JSON and a new Judge, at any point of the
stream, change no later verdict; so a daemon that was killed judges as one that was not. And `feed_columns` of a part
of the stream gives the verdicts, and leaves the state, of `feed` of one point after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.across import Across
from neatd.rules.evaluations import Evaluations
from neatd.rules.lines import Lines
from neatd.rules.schema import Rule
from neatd.rules.series import DETECTORS, Series
from neatd.rules.storms import Storms

if TYPE_CHECKING:
    from neatd.rules.batch import Begin, Column


class Judge:
    """All enabled rules over all series of one source of one run."""

    def __init__(self, rules: Sequence[Rule], state: dict[str, Any] | None = None) -> None:
        """`state` is what `dump` gave; parts of it that belong to no enabled, unchanged rule are left aside."""
        self._rules = tuple(rule for rule in rules if rule.enabled)
        saved = state or {}
        # First step of each attempt, over all series: an evaluation may come long after the restart.
        self._first_steps: dict[int, int] = dict(saved.get("first_steps", ()))
        self._series: dict[str, Series | None] = {}  # None: no rule looks at it
        for metric, kept in saved.get("series", {}).items():
            self._series[metric] = self._open(metric, kept)
        storms = saved.get("storms", {})
        self._storms = Storms(self._rules, storms.get("told"))
        self._lines = Lines(storms.get("lines", 0))
        self._across = Across(self._rules, saved.get("across"), self._lines)
        self._evaluations = Evaluations(saved.get("evaluations"))

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point of `metric` in; the verdicts of the rules that fire there, in the rules' order."""
        if sample.attempt not in self._first_steps:
            self._first_steps[sample.attempt] = sample.step
        verdicts: list[Verdict] = []
        series = self._series_of(metric)
        if series is not None:
            if sample.attempt > series.attempt:
                series.restart(sample.attempt, self._first_step_after(series.attempt, sample.attempt))
            verdicts = series.feed(sample, self._evaluations.before)
        self._evaluations.feed(metric, sample.seq)
        verdicts += self._across.feed(metric, sample)
        if not verdicts:
            return verdicts
        allowed = self._across.allowed(verdicts)
        return self._storms.gather(allowed, self._lines.of(one.seq for one in allowed))

    def feed_columns(self, columns: Sequence[Column]) -> list[Verdict]:
        """Take the next points of several series in, one column a series, between two ordinals of the source.

        The verdicts are those of `feed` by ordinal and name of the series. The first call loads numpy.
        """
        from neatd.rules.batch import attempts_begun, in_order, like_python

        with like_python():
            filled = in_order(columns)
            begun = {a: begin for a, begin in attempts_begun(filled).items() if a not in self._first_steps}
            self._first_steps.update({attempt: begin.step for attempt, begin in begun.items()})
            self._evaluations.look_ahead(filled)
            placed = [(column.name, one) for column in filled for one in self._feed_column(column, begun)]
            self._evaluations.settle()
            placed += self._across.feed_columns(filled)
        placed.sort(key=lambda one: (one[1].seq, one[0]))
        verdicts = [verdict for _, verdict in placed]
        allowed = self._across.allowed(verdicts)
        return self._storms.gather(allowed, self._lines.of(one.seq for one in allowed))

    def dump(self) -> dict[str, Any]:
        """The whole state in plain JSON values, floats exact."""
        series = {metric: one.dump() for metric, one in self._series.items() if one is not None}
        begun = [[attempt, step] for attempt, step in self._first_steps.items()]
        across = self._across.dump()
        storms = {"lines": self._lines.count, "told": self._storms.dump()}
        evaluations = self._evaluations.dump()
        return {
            "first_steps": begun, "series": series, "storms": storms, "across": across, "evaluations": evaluations
        }  # fmt: skip

    def _feed_column(self, column: Column, begun: Mapping[int, Begin]) -> list[Verdict]:
        from neatd.rules.batch import stretches

        series = self._series_of(column.name)
        if series is None:
            return []
        verdicts: list[Verdict] = []
        for stretch in stretches(column, series.attempt):
            first = stretch.sample(0)
            if first.attempt > series.attempt:
                later = [a for a, begin in begun.items() if begin[:2] > (first.seq, column.name)]
                series.restart(first.attempt, self._first_step_after(series.attempt, first.attempt, later))
            verdicts += series.feed_many(stretch, self._evaluations.before)
        return verdicts

    def _series_of(self, metric: str) -> Series | None:
        try:
            return self._series[metric]
        except KeyError:
            series = self._series[metric] = self._open(metric, None)
            return series

    def _open(self, metric: str, kept: Mapping[str, Any] | None) -> Series | None:
        rules = [rule for rule in self._rules if rule.when.condition in DETECTORS and rule.matches(metric)]
        return Series(metric, rules, kept) if rules else None

    def _first_step_after(self, known: int, now: int, later: Sequence[int] = ()) -> int:
        """The earliest step the run went back to in the attempts that the series has not seen yet, nor anyone."""
        steps = self._first_steps.items()
        return min(step for attempt, step in steps if known < attempt <= now and attempt not in later)
