"""A rule with the condition `gap` over a source: each evaluation with what training stands at there. Pure.

Invariant: `feed_columns` of a part of the stream gives the verdicts, and leaves the state, of `feed` of one point after
the other by ordinal and name. Of a dense training series only the last points before each evaluation are looked at.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.conditions import Gap
from neatd.rules.detectors.gap import GapDetector
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.fitting import fits
from neatd.rules.schema import Rule
from neatd.rules.watched import Watched

if TYPE_CHECKING:
    from neatd.rules.batch import Column

TRAIN_POINTS = 20  # whose median training stands at: those since the evaluation before, where they are fewer


class _Training:
    """The last finite values of one training series."""

    def __init__(self, kept: Sequence[Any] | None = None) -> None:
        self.points: int = kept[0] if kept else 0
        self.values: deque[float] = deque(kept[1] if kept else (), maxlen=TRAIN_POINTS)

    def push(self, values: Sequence[float], count: int) -> None:
        """`count` more finite values, of which `values` are the last."""
        self.points += count
        self.values.extend(values)

    def median(self, since: int) -> float:
        """Of the points after the first `since` ones; where there are none, of the last one."""
        fresh = list(self.values)[-min(len(self.values), max(1, self.points - since)) :]
        return median_of_sorted(sorted(fresh))


class _Evaluation:
    """One series of evaluations."""

    def __init__(self, rule: Rule, when: Gap, metric: str, kept: Mapping[str, Any] | None = None) -> None:
        self.watched = Watched(rule, metric, kept["watched"] if kept else None)
        self.detector = GapDetector(when)
        self.beside: tuple[str, int] = tuple(kept["beside"]) if kept else ("", 0)  # training series, its points then
        if kept:
            self.detector.restore(kept["detector"])

    def feed(self, sample: Sample, name: str, training: _Training | None) -> list[Verdict]:
        stands = None
        if training is not None and math.isfinite(sample.value):
            stands = training.median(self.beside[1] if self.beside[0] == name else 0)
            self.beside = name, training.points
        return self.watched.take(sample, self.detector.feed(sample.step, sample.value, stands))

    def dump(self) -> dict[str, Any]:
        return {"watched": self.watched.dump(), "detector": self.detector.dump(), "beside": self.beside}


class GapRule:
    """One rule over all series of one source of one run."""

    def __init__(self, rule: Rule, kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        assert isinstance(rule.when, Gap)
        self._rule, self._when = rule, rule.when
        self._attempt: int = kept["attempt"] if kept else 0
        held = kept or {"training": {}, "evaluations": {}}
        self._training = {name: _Training(one) for name, one in held["training"].items() if not rule.matches(name)}
        self._evaluations = {
            name: _Evaluation(rule, rule.when, name, one)
            for name, one in held["evaluations"].items()
            if rule.matches(name)
        }

    def looks_at(self, metric: str) -> bool:
        """Whether the points of `metric` have to be fed."""
        return self._rule.matches(metric) or bool(self._order(metric))

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point in; what is to be said there."""
        if sample.attempt > self._attempt:
            self._restart(sample.attempt)
        if self._rule.matches(metric):
            return self._evaluate(metric, sample)
        if math.isfinite(sample.value):
            self._training.setdefault(metric, _Training()).push([sample.value], 1)
        return []

    def feed_columns(self, columns: Sequence[Column]) -> list[Verdict]:
        """Take the next points of the series that the rule looks at in."""
        from neatd.rules.merged import samples_in_order

        own = [one for one in columns if self._rule.matches(one.name)]
        beside = [_Feeding(one) for one in columns if not self._rule.matches(one.name)]
        verdicts: list[Verdict] = []
        for name, sample in self._with_restarts(columns, samples_in_order(own)):
            for one in beside:
                one.feed_before(sample.seq, name, self._training)
            if sample.attempt > self._attempt:
                self._restart(sample.attempt)
            if self._rule.matches(name):
                verdicts += self._evaluate(name, sample)
        for one in beside:
            one.feed_rest(self._training)
        return verdicts

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "attempt": self._attempt,
            "training": {name: [one.points, list(one.values)] for name, one in sorted(self._training.items())},
            "evaluations": {name: one.dump() for name, one in sorted(self._evaluations.items())},
        }

    def _order(self, metric: str) -> int:
        """Which of the patterns of training series `metric` fits, from 1; 0 for none."""
        found = (number for number, pattern in enumerate(self._when.against, 1) if fits(metric, (pattern,)))
        return next(found, 0)

    def _evaluate(self, metric: str, sample: Sample) -> list[Verdict]:
        one = self._evaluations.get(metric)
        if one is None:
            one = self._evaluations[metric] = _Evaluation(self._rule, self._when, metric)
        name = min(self._training, key=lambda name: (self._order(name), name), default="")
        return one.feed(sample, name, self._training.get(name))

    def _restart(self, attempt: int) -> None:
        """The run began anew: the abandoned points say nothing."""
        self._attempt = attempt
        self._training.clear()
        for one in self._evaluations.values():
            one.watched.restart()
            one.detector.restart()
            one.beside = ("", 0)

    def _with_restarts(
        self, columns: Sequence[Column], evaluations: Iterator[tuple[str, Sample]]
    ) -> Iterator[tuple[str, Sample]]:
        """The evaluations, and the first point of each attempt that begins with another series, in order."""
        from neatd.rules.batch import attempts_begun

        begun = [
            (begin.name, Sample(begin.seq, attempt, begin.step, math.nan, None))
            for attempt, begin in attempts_begun(columns).items()
            if attempt > self._attempt and not self._rule.matches(begin.name)
        ]
        for name, sample in evaluations:
            while begun and (begun[0][1].seq, begun[0][0]) < (sample.seq, name):
                yield begun.pop(0)
            yield name, sample
        yield from begun


class _Feeding:
    """A training series of a backlog, and how far it is taken in."""

    def __init__(self, column: Column) -> None:
        self._column, self._at = column, 0

    def feed_before(self, seq: int, name: str, training: dict[str, _Training]) -> None:
        """Take in what comes before the point of `name` at `seq`."""
        side = "right" if self._column.name < name else "left"
        self._feed(int(self._column.seqs.searchsorted(seq, side)), training)

    def feed_rest(self, training: dict[str, _Training]) -> None:
        self._feed(len(self._column.seqs), training)

    def _feed(self, upto: int, training: dict[str, _Training]) -> None:
        from neatd.rules.detectors.arrays import finite_places

        values = self._column.values[self._at : upto]
        self._at = upto
        places = finite_places(values)
        if len(places):
            last = values[places[-TRAIN_POINTS:]].tolist()
            training.setdefault(self._column.name, _Training()).push(last, len(places))
