"""A rule with the condition `vanished` over a source: the series that it looks at, line by line. Pure.

A line is the points of one step that come behind each other; it ends where another step or a series of its own comes
again, so a verdict falls at the first point of the next line. Invariant: `feed_columns` of a part of the stream gives the
verdicts, and leaves the state, of `feed` of one point after the other by ordinal and name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.conditions import Vanished
from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.vanished import Missing, VanishedDetector
from neatd.rules.schema import Rule
from neatd.rules.watched import Watched

if TYPE_CHECKING:
    from neatd.rules.batch import Column

FED_FIRST = 2  # lines of a backlog: behind them one is filling that began with them
Placed = tuple[str, Verdict]
"""A verdict, behind the name of the series at whose point it falls: the series that it tells of has none there."""


class VanishedRule:
    """One rule over all series of one source of one run."""

    def __init__(self, rule: Rule, kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        assert isinstance(rule.when, Vanished)
        self._rule = rule
        self._detector = VanishedDetector(rule.when)
        held = kept or {"attempt": 0, "step": 0, "line": [], "watched": {}}
        self._attempt: int = held["attempt"]
        self._step: int = held["step"]  # of the line that is filling
        self._line: set[str] = set(held["line"])
        self._watched = {name: Watched(rule, name, one) for name, one in held["watched"].items()}
        if kept:
            self._detector.restore(kept["detector"])

    def looks_at(self, metric: str) -> bool:
        """Whether the points of `metric` have to be fed."""
        return self._rule.matches(metric)

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point in; what is to be said there."""
        if sample.attempt > self._attempt:
            self._restart(sample.attempt)
        verdicts: list[Verdict] = []
        if self._line and (sample.step != self._step or metric in self._line):
            verdicts = self._close(sample)
        self._step = sample.step
        self._line.add(metric)
        if metric not in self._watched:
            self._watched[metric] = Watched(self._rule, metric, None)
        self._watched[metric].take(sample, None)
        return verdicts

    def feed_columns(self, columns: Sequence[Column]) -> list[Placed]:
        """Take the next points of the series that the rule looks at in."""
        filled = sorted((one for one in columns if len(one.seqs)), key=lambda one: one.name)
        if not filled:
            return []
        return self._feed_lines(filled) if self._are_whole_lines(filled) else self._feed_each(filled, 0, None)

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "attempt": self._attempt, "step": self._step, "line": sorted(self._line), "detector": self._detector.dump(),
            "watched": {name: one.dump() for name, one in sorted(self._watched.items())},
        }  # fmt: skip

    def _are_whole_lines(self, columns: Sequence[Column]) -> bool:
        """Whether each line holds all of the series, and no attempt begins behind the first of them."""
        import numpy as np

        first = columns[0]
        attempt = max(self._attempt, int(first.attempts[0]))
        if any(len(one.seqs) != len(first.seqs) or int(one.attempts.max()) > attempt for one in columns):
            return False
        if any(not np.array_equal(one.steps, first.steps) for one in columns):
            return False
        begins, ends = first.seqs, first.seqs
        for one in columns:
            begins, ends = np.minimum(begins, one.seqs), np.maximum(ends, one.seqs)
        return bool((ends[:-1] < begins[1:]).all())

    def _feed_lines(self, columns: Sequence[Column]) -> list[Placed]:
        """The first lines end what was filling before; the others are counted, while nothing is waited for."""
        placed = self._feed_each(columns, 0, FED_FIRST)
        names = [one.name for one in columns]
        count = len(columns[0].seqs) - FED_FIRST
        is_whole = count > 0 and self._line == set(names)
        if not is_whole or not self._detector.pass_alike(names, count):
            return placed + self._feed_each(columns, FED_FIRST, None)
        self._step = int(columns[0].steps[-1])
        for one in columns:
            self._watched[one.name].pass_many(one.steps[FED_FIRST:], one.values[FED_FIRST:])
        return placed

    def _feed_each(self, columns: Sequence[Column], begin: int, end: int | None) -> list[Placed]:
        """One point after the other."""
        from neatd.rules.batch import cut
        from neatd.rules.merged import samples_in_order

        points = samples_in_order([cut(one, begin, end) for one in columns])
        return [(name, one) for name, sample in points for one in self.feed(name, sample)]

    def _close(self, sample: Sample) -> list[Verdict]:
        """The line is full, as `sample` is of the next one."""
        missing = self._detector.feed(sorted(self._line))
        self._line.clear()
        return [verdict for one in missing for verdict in self._tell(one, sample)]

    def _tell(self, missing: Missing, sample: Sample) -> list[Verdict]:
        watched = self._watched[missing.name]
        if watched.last is None:  # it was never finite
            return []
        step, value = watched.last
        why = f"{missing.siblings} of the series beside it went on for {missing.lines} points"
        told = watched.tell(sample._replace(value=value), Finding(why, float(missing.lines), since=step))
        if not told:  # a guard holds it back, which may end
            self._detector.wait_for(missing.name)
        message = f"{missing.name} comes no more since step {step}, where it was {value:.4g}: {why}"
        return [one.model_copy(update={"message": message}) for one in told]

    def _restart(self, attempt: int) -> None:
        """The run began anew, perhaps with other series: the abandoned points say nothing."""
        self._attempt = attempt
        self._line.clear()
        self._detector.restart()
        self._watched.clear()
