"""A rule with the condition `relation` over a source: two series of the same lines. Pure.

Both have to stand in one line; the verdict falls at the one that comes later in it. Invariant: `feed_columns` of a part
of the stream gives the verdicts, and leaves the state, of `feed` of one point after the other by ordinal and name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from neatd.models import Sample, Verdict
from neatd.rules.conditions import Relation
from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.relation import RelationDetector
from neatd.rules.fitting import fits, is_evaluation
from neatd.rules.schema import Rule
from neatd.rules.watched import Watched

if TYPE_CHECKING:
    from neatd.rules.batch import Column


class _Last(NamedTuple):
    """The last point of a series."""

    seq: int
    value: float


class _Pair:
    """One series and the one beside it, which was chosen by their first common line."""

    def __init__(self, rule: Rule, when: Relation, metric: str, beside: str, kept: Mapping[str, Any] | None) -> None:
        self.metric, self.beside = metric, beside
        self.detector = RelationDetector(when)
        self.watched = Watched(rule, max(metric, beside), kept["watched"] if kept else None)
        if kept:
            self.detector.restore(kept["detector"])

    def feed(self, sample: Sample, value: float, beside: float) -> list[Verdict]:
        return self._tell(sample, value, self.detector.feed(value, beside))

    def feed_many(self, later: Column, at: Any, values: Any, besides: Any) -> list[Verdict]:
        """The points of common lines, which are those of `later` at the places `at`."""
        verdicts: list[Verdict] = []
        steps, own, begin = later.steps[at], later.values[at], 0
        for place, finding in self.detector.feed_many(values, besides):
            self.watched.pass_many(steps[begin:place], own[begin:place])
            verdicts += self._tell(_sample(later, int(at[place])), float(values[place]), finding)
            begin = place + 1
        self.watched.pass_many(steps[begin:], own[begin:])
        return verdicts

    def restart(self) -> None:
        self.detector.restart()
        self.watched.restart()

    def _tell(self, sample: Sample, value: float, finding: Finding | None) -> list[Verdict]:
        if finding is not None:
            why = f"{self.metric} {value:.4g} is {finding.why}; the other is {self.beside}"
            finding = finding._replace(why=why)
        return self.watched.take(sample, finding)

    def dump(self) -> dict[str, Any]:
        return {"beside": self.beside, "detector": self.detector.dump(), "watched": self.watched.dump()}


class RelationRule:
    """One rule over all series of one source of one run."""

    def __init__(self, rule: Rule, kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        assert isinstance(rule.when, Relation)
        self._rule, self._when = rule, rule.when
        self._roles: dict[str, tuple[bool, bool]] = {}  # series -> whether the rule is of it, whether it stands beside
        self._counted, self._known = -1, list[str]()
        held = kept or {"attempt": 0, "pairs": {}}
        self._attempt: int = held["attempt"]
        self._last: dict[str, _Last] = {}  # not kept: a line is judged whole
        self._pairs = {
            name: _Pair(rule, rule.when, name, one["beside"], one) for name, one in held["pairs"].items()
        }  # fmt: skip

    def looks_at(self, metric: str) -> bool:
        """Whether the points of `metric` have to be fed."""
        return self._is_own(metric) or self._is_beside(metric)

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point in; what is to be said there."""
        if sample.attempt > self._attempt:
            self._restart(sample.attempt)
        self._last[metric] = _Last(sample.seq, sample.value)
        if self._is_own(metric):
            return self._feed_own(metric, sample)
        return self._feed_beside(metric, sample)

    def feed_columns(self, columns: Sequence[Column]) -> list[Verdict]:
        """Take the next points of the series that the rule looks at in."""
        from neatd.rules.merged import samples_in_order

        filled = [one for one in columns if len(one.seqs)]
        is_known = all(one.name in self._pairs for one in filled if self._is_own(one.name))
        if not is_known or any(int(one.attempts.max()) > self._attempt for one in filled):
            return [verdict for name, sample in samples_in_order(filled) for verdict in self.feed(name, sample)]
        named = {one.name: one for one in filled}
        verdicts: list[Verdict] = []
        for pair in sorted(self._pairs.values(), key=lambda one: one.metric):
            if pair.metric in named and pair.beside in named:
                verdicts += self._feed_pair(pair, named[pair.metric], named[pair.beside])
        for one in filled:
            self._last[one.name] = _Last(int(one.seqs[-1]), float(one.values[-1]))
        return verdicts

    def _feed_pair(self, pair: _Pair, own: Column, beside: Column) -> list[Verdict]:
        """The lines that have both."""
        import numpy as np

        _, at, there = np.intersect1d(own.seqs, beside.seqs, assume_unique=True, return_indices=True)
        later, places = (own, at) if own.name > beside.name else (beside, there)
        return pair.feed_many(later, places, own.values[at], beside.values[there])

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "attempt": self._attempt,
            "pairs": {name: one.dump() for name, one in sorted(self._pairs.items())},
        }

    def _is_own(self, metric: str) -> bool:
        return self._role(metric)[0]

    def _is_beside(self, metric: str) -> bool:
        return self._role(metric)[1]

    def _role(self, metric: str) -> tuple[bool, bool]:
        role = self._roles.get(metric)
        if role is None:
            beside = fits(metric, self._when.against) and not is_evaluation(metric)
            role = self._roles[metric] = (self._rule.matches(metric), beside)
        return role

    def _feed_own(self, metric: str, sample: Sample) -> list[Verdict]:
        """The other one of the line has come already, where its name is the earlier."""
        pair = self._pairs.get(metric) or self._paired(metric, sample.seq)
        if pair is None or pair.beside > metric:
            return []
        other = self._last.get(pair.beside)
        return pair.feed(sample, sample.value, other.value) if other and other.seq == sample.seq else []

    def _feed_beside(self, metric: str, sample: Sample) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for name in self._owns():
            own = self._last.get(name)
            if own is None or own.seq != sample.seq or name > metric:
                continue
            pair = self._pairs.get(name) or self._paired(name, sample.seq)
            if pair is not None and pair.beside == metric:
                verdicts += pair.feed(sample, own.value, sample.value)
        return verdicts

    def _owns(self) -> list[str]:
        """The series of the rule that have come, by name."""
        if len(self._last) != self._counted:
            self._counted, self._known = len(self._last), sorted(name for name in self._last if self._is_own(name))
        return self._known

    def _paired(self, metric: str, seq: int) -> _Pair | None:
        """A new pair with the first series beside it in this line."""
        found = [n for n, one in self._last.items() if one.seq == seq and n != metric and self._is_beside(n)]
        if not found:
            return None
        pair = self._pairs[metric] = _Pair(self._rule, self._when, metric, min(found), None)
        return pair

    def _restart(self, attempt: int) -> None:
        """The run began anew: the abandoned points say nothing."""
        self._attempt = attempt
        self._last.clear()
        self._counted = -1
        for pair in self._pairs.values():
            pair.restart()


def _sample(column: Column, at: int) -> Sample:
    time = float(column.times[at])
    return Sample(
        int(column.seqs[at]), int(column.attempts[at]), int(column.steps[at]), float(column.values[at]),
        None if time != time else time,
    )  # fmt: skip
