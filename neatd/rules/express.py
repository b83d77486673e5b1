"""A rule with the condition `expression` over a source: its series point by point, with the last values of others. Pure.

Invariant: `feed_columns` of a part of the stream gives the verdicts, and leaves the state, of `feed` of one point after
the other by ordinal and name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.conditions import Expression
from neatd.rules.detectors.expression import ExpressionDetector
from neatd.rules.formula import Formula
from neatd.rules.schema import Rule
from neatd.rules.watched import Watched

if TYPE_CHECKING:
    from neatd.rules.batch import Column


class ExpressionRule:
    """One rule over all series of one source of one run."""

    def __init__(self, rule: Rule, kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        assert isinstance(rule.when, Expression)
        self._rule, self._when = rule, rule.when
        self._formula = Formula(rule.when.expression)
        held = kept or {"attempt": 0, "others": {}, "series": {}}
        self._attempt: int = held["attempt"]
        self._others = {name: float(text) for name, text in held["others"].items()}
        self._series = {name: self._opened(name, one) for name, one in held["series"].items() if rule.matches(name)}

    def looks_at(self, metric: str) -> bool:
        """Whether the points of `metric` have to be fed."""
        return metric in self._formula.others or self._rule.matches(metric)

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point in; what is to be said there."""
        if sample.attempt > self._attempt:
            self._restart(sample.attempt)
        verdicts: list[Verdict] = []
        if self._rule.matches(metric):
            if metric not in self._series:
                self._series[metric] = self._opened(metric, None)
            detector, watched = self._series[metric]
            verdicts = watched.take(sample, detector.feed(sample, self._others.get))
        if metric in self._formula.others:
            self._others[metric] = sample.value
        return verdicts

    def feed_columns(self, columns: Sequence[Column]) -> list[Verdict]:
        """Take the next points of the series that the rule looks at in. Each is evaluated: there is no shorter way."""
        from neatd.rules.merged import samples_in_order

        return [verdict for name, sample in samples_in_order(columns) for verdict in self.feed(name, sample)]

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values; what is not finite as text."""
        others = {name: value if math.isfinite(value) else str(value) for name, value in sorted(self._others.items())}
        series = {name: [one.dump(), watched.dump()] for name, (one, watched) in sorted(self._series.items())}
        return {"attempt": self._attempt, "others": others, "series": series}

    def _opened(self, metric: str, kept: Sequence[Any] | None) -> tuple[ExpressionDetector, Watched]:
        detector = ExpressionDetector(self._when, self._formula, metric)
        if kept:
            detector.restore(kept[0])
        return detector, Watched(self._rule, metric, kept[1] if kept else None)

    def _restart(self, attempt: int) -> None:
        """The run began anew: the abandoned points say nothing."""
        self._attempt = attempt
        self._others.clear()
        for detector, watched in self._series.values():
            detector.restart()
            watched.restart()
