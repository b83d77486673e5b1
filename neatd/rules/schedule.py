"""The guard `schedule_points`: where the learning rate jumped, and which verdicts it keeps back then. Pure.

A jump keeps back what the lines after its own say: the loss in the same line is that of a batch before it. Lines are
known by their number among those that were judged. Invariant:
`feed_columns` of a part of the stream leaves what `feed` of one point after the other leaves, once `allowed` was asked.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from neatd.models import Sample, Verdict
from neatd.rules.fitting import fits
from neatd.rules.lines import Lines
from neatd.rules.schema import Rule

if TYPE_CHECKING:
    from neatd.rules.batch import Column

RATES = ("lr", "*/lr", "lr/*", "*/lr/*", "lr-*", "*/lr-*", "lr_*", "*_lr", "*learning_rate", "*learning_rate/*")
LEAST_CHANGE = 0.3  # of the larger of two values in a row: a cosine's steps are far below, a decay's far above
# Of the largest so far: where a schedule runs out towards 0 every step is a large part of what is left.
LEAST_LEVEL = 0.05
KEPT = 2  # lines of jumps: of the last one, and of one before it for what the last one's own line says


class _Rate(NamedTuple):
    """One learning rate, in its absolute values."""

    attempt: int
    last: float | None
    largest: float


class Schedule:
    """The learning rates of one source of one run, for the rules that have the guard."""

    def __init__(self, rules: Sequence[Rule], kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        self._points = {rule.rule: rule.guard.schedule_points for rule in rules if rule.guard.schedule_points}
        held = kept if kept and self._points else {}
        self._jumps: list[int] = list(held.get("lines", ()))  # ascending
        self._rates = {name: _Rate(*rate) for name, *rate in held.get("rates", ())}
        self._are_rates: dict[str, bool] = {}

    def feed(self, metric: str, sample: Sample, line: int) -> None:
        """Take the next point of any series in, which is of this line."""
        if not self._points or not self._is_rate(metric):
            return
        rate = self._rate_of(metric, sample.attempt)
        if not math.isfinite(sample.value):
            return
        value = abs(sample.value)
        last, largest = rate.last if rate.last is not None else value, max(rate.largest, value)
        self._rates[metric] = _Rate(rate.attempt, value, largest)
        top, level = max(last, value), LEAST_LEVEL * largest
        if abs(value - last) >= LEAST_CHANGE * top and top >= level > 0 and line not in self._jumps:
            self._jumps.append(line)
            del self._jumps[:-KEPT]

    def feed_columns(self, columns: Sequence[Column], lines: Lines) -> None:
        """Take the next points of several series in, which `lines` took in last."""
        del self._jumps[:-KEPT]
        found: set[int] = set()
        for column in columns:
            if self._points and self._is_rate(column.name):
                found |= self._jumps_in(column)
        self._jumps = sorted({*self._jumps, *lines.of(found)})

    def _jumps_in(self, column: Column) -> set[int]:
        """The ordinals of the lines with jumps."""
        from neatd.rules.batch import stretches
        from neatd.rules.detectors.arrays import finite_places, jumps_between

        found: set[int] = set()
        known = self._rates.get(column.name)
        for stretch in stretches(column, known.attempt if known else 0):
            rate = self._rate_of(column.name, int(stretch.attempts[0]))
            places = finite_places(stretch.values)
            if not len(places):
                continue
            values = abs(stretch.values[places])
            first = float(values[0]) if rate.last is None else rate.last
            jumps, largest = jumps_between(first, rate.largest, values, LEAST_CHANGE, LEAST_LEVEL)
            found |= set(stretch.seqs[places[jumps]].tolist())
            self._rates[column.name] = _Rate(rate.attempt, float(values[-1]), largest)
        return found

    def _rate_of(self, metric: str, attempt: int) -> _Rate:
        """What is known of a rate; nothing, where the run began anew."""
        rate = self._rates.get(metric)
        if rate is None or attempt > rate.attempt:
            rate = self._rates[metric] = _Rate(attempt, None, 0.0)
        return rate

    def allowed(self, verdicts: list[Verdict], lines: Lines) -> list[Verdict]:
        """The verdicts that are not kept back; `lines` took theirs in last. Jumps that lie behind are forgotten then."""
        kept = verdicts
        if self._jumps:
            pairs = zip(verdicts, lines.of(verdict.seq for verdict in verdicts), strict=True)
            kept = [verdict for verdict, line in pairs if not self._is_kept_back(verdict, line)]
        del self._jumps[:-KEPT]
        return kept

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values; {} where no rule has the guard."""
        if not self._points:
            return {}
        rates = [[name, *self._rates[name]] for name in sorted(self._rates)]
        return {"lines": self._jumps[-KEPT:], "rates": rates}

    def _is_kept_back(self, verdict: Verdict, line: int) -> bool:
        points = self._points.get(verdict.rule, 0)
        before = bisect_left(self._jumps, line)
        if not points or not before or verdict.episode is not None:
            return False
        return line - self._jumps[before - 1] <= points

    def _is_rate(self, metric: str) -> bool:
        found = self._are_rates.get(metric)
        if found is None:
            found = self._are_rates[metric] = fits(metric, RATES)
        return found
