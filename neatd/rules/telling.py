"""From a detector's findings to verdicts: guards hold them back, and an event learns when its episode peaked and ended.

Pure. Invariant: `take_many` of a stretch gives the verdicts, and leaves the state, of `take` of one sample after the
other; and `dump`, JSON and a new Telling change neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from neatd.models import Episode, Sample, Verdict
from neatd.rules.conditions import Best
from neatd.rules.detectors.finding import Finding
from neatd.rules.schema import Rule

if TYPE_CHECKING:
    from neatd.rules.batch import Stretch

Window = tuple[tuple[int, float], ...]


class Standing(NamedTuple):
    """How far a series has come in its attempt, before the point that is judged."""

    points: int = 0  # finite ones
    first_step: int | None = None
    is_resumed: bool = False  # the run had an attempt before this one


Look = Callable[[int], tuple[Window, Standing]]


class _Held(NamedTuple):
    """A finding that a guard holds back."""

    why: str
    score: float | None
    threshold: float
    is_up: bool


class _Open:
    """An episode that goes on: where it began, and how it went. Beyond its threshold means still in it."""

    def __init__(self, begin: Sequence[Any], threshold: float | None, is_up: bool) -> None:
        self.begin, self.threshold, self.is_up = tuple(begin), threshold, is_up
        self.peak_step, self.peak = self.begin[0], self.begin[1]
        self.points = 1
        self.back, self.back_step = 0, 0  # points in a row that were not beyond, and the first of them

    def passes(self, step: Any, value: float, cooldown: int) -> bool:
        """Take the next point in; True when so many in a row are back that the episode is over."""
        if not math.isfinite(value):
            self.points, self.back = self.points + 1, 0
        elif self.threshold is not None and (value > self.threshold if self.is_up else value < self.threshold):
            self.points, self.back = self.points + 1, 0
            if not math.isfinite(self.peak) or (value > self.peak if self.is_up else value < self.peak):
                self.peak_step, self.peak = int(step), value
        else:
            if not self.back:
                self.back_step = int(step)
            self.back += 1
        return self.back >= cooldown

    def dump(self) -> list[Any]:
        return [
            list(self.begin), self.threshold, self.is_up, self.peak_step, self.peak, self.points, self.back, self.back_step
        ]  # fmt: skip

    @classmethod
    def restored(cls, kept: Sequence[Any]) -> _Open:
        one = cls(kept[0], kept[1], kept[2])
        one.peak_step, one.peak, one.points, one.back, one.back_step = kept[3:]
        return one


class Telling:
    """One rule over one series."""

    def __init__(self, rule: Rule, metric: str, kept: Mapping[str, Any] | None = None) -> None:
        """`kept` is what `dump` gave."""
        self.rule, self._metric = rule, metric
        self._open = _Open.restored(kept["open"]) if kept and kept["open"] else None
        self._held: _Held | None = _Held(*kept["held"]) if kept and kept["held"] else None
        self._cooldown = rule.budget.cooldown_points

    @property
    def is_open(self) -> bool:
        """Whether an episode goes on, or waits for a guard: each point has to be taken then, one without a finding too."""
        return self._open is not None or self._held is not None

    def take(self, sample: Sample, finding: Finding | None, window: Window, standing: Standing) -> list[Verdict]:
        """The next point, with the finding that the detector had at it: ends of episodes and events."""
        verdicts = []
        if self._open is not None:
            ended = self._follow(sample)
            if ended is not None:
                verdicts.append(ended)
        if finding is None:
            return [*verdicts, *self._go_on_waiting(sample, window, standing)]
        if self._is_held_back(sample, standing):
            self._hold(sample, finding)
            return verdicts
        self._held = None
        return [*verdicts, *self._begin(sample, finding, window)]

    def take_many(
        self, stretch: Stretch, found: Sequence[tuple[int, Finding, Window, Standing]], look: Look
    ) -> list[tuple[int, Verdict]]:
        """(place, verdict) of a stretch, in order; `found` is what the detector had, by place. `look` tells window and
        standing of any place."""
        if self._held is not None or any(self._is_held_back(stretch.sample(at), one) for at, _, _, one in found):
            return self._take_each(stretch, found, look)
        verdicts: list[tuple[int, Verdict]] = []
        at = 0
        for place, finding, window, _ in found:
            verdicts += self._follow_many(stretch, at, place + 1)
            at = place + 1
            verdicts += [(place, one) for one in self._begin(stretch.sample(place), finding, window)]
        verdicts += self._follow_many(stretch, at, len(stretch.values))
        return verdicts

    def restart(self) -> None:
        """The run began anew: what was going on is over, nobody knows how."""
        self._open = self._held = None

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {"open": self._open.dump() if self._open else None, "held": list(self._held) if self._held else None}

    def _take_each(
        self, stretch: Stretch, found: Sequence[tuple[int, Finding, Window, Standing]], look: Look
    ) -> list[tuple[int, Verdict]]:
        """One point after the other, while a guard holds something back."""
        findings = {place: finding for place, finding, _, _ in found}
        verdicts: list[tuple[int, Verdict]] = []
        for place, sample in enumerate(stretch.samples()):
            finding = findings.get(place)
            if finding is not None or self.is_open:
                window, standing = look(place)
                verdicts += [(place, one) for one in self.take(sample, finding, window, standing)]
        return verdicts

    def _hold(self, sample: Sample, finding: Finding) -> None:
        """Keep a finding that a guard holds back: if it still goes on when the guard ends, it is told then."""
        self._held = None
        if finding.threshold is not None:
            self._held = _Held(finding.why, finding.score, finding.threshold, not sample.value < finding.threshold)

    def _go_on_waiting(self, sample: Sample, window: Window, standing: Standing) -> list[Verdict]:
        held = self._held
        if held is None or not math.isfinite(sample.value):
            return []
        if not (sample.value > held.threshold if held.is_up else sample.value < held.threshold):
            self._held = None
            return []
        if self._is_held_back(sample, standing):
            return []
        self._held = None
        return self._begin(sample, Finding(held.why, held.score, held.threshold), window)

    def _is_held_back(self, sample: Sample, standing: Standing) -> bool:
        guard = self.rule.guard
        first = sample.step if standing.first_step is None else standing.first_step
        resume = guard.resume_points if standing.is_resumed else 0
        return standing.points < max(guard.min_points, resume) or sample.step - first < guard.warmup_steps

    def _begin(self, sample: Sample, finding: Finding, window: Window) -> list[Verdict]:
        """The event; of an episode that the detector takes for over, since it tells anew, the end comes first."""
        verdicts = []
        if self._open is not None:
            self._open.back_step = self._open.back_step if self._open.back else sample.step
            verdicts.append(self._end(sample, self._open))
            self._open = None
        if not isinstance(self.rule.when, Best) and (finding.threshold is not None or not math.isfinite(sample.value)):
            is_up = finding.threshold is None or not sample.value < finding.threshold
            self._open = _Open((sample.step, sample.value, sample.time), finding.threshold, is_up)
        return [*verdicts, verdict_of(self.rule, self._metric, sample, finding, window)]

    def _follow(self, sample: Sample) -> Verdict | None:
        assert self._open is not None
        if not self._open.passes(sample.step, sample.value, self._cooldown):
            return None
        ended, self._open = self._open, None
        return self._end(sample, ended)

    def _follow_many(self, stretch: Stretch, begin: int, end: int) -> list[tuple[int, Verdict]]:
        """One point after the other: an episode seldom lasts."""
        if self._open is None:
            return []
        steps = stretch.steps
        for place, value in enumerate(stretch.values[begin:end].tolist(), begin):
            if self._open.passes(steps[place], value, self._cooldown):
                ended, self._open = self._open, None
                return [(place, self._end(stretch.sample(place), ended))]
        return []

    def _end(self, sample: Sample, one: _Open) -> Verdict:
        step, value, time = one.begin
        episode = Episode(
            begin=(self._metric, step, value, time), end_step=one.back_step, peak_step=one.peak_step, peak=one.peak,
            points=one.points,
        )  # fmt: skip
        return Verdict(
            rule=self.rule.rule, condition=self.rule.when.condition, metric=self._metric, seq=sample.seq,
            attempt=sample.attempt, step=sample.step, time=sample.time, value=sample.value, severity=self.rule.severity,
            message="", episode=episode,
        )  # fmt: skip


def verdict_of(rule: Rule, metric: str, sample: Sample, finding: Finding, window: Window) -> Verdict:
    """The verdict that becomes an event."""
    value = "NaN" if math.isnan(sample.value) else f"{sample.value:.4g}"
    return Verdict(
        rule=rule.rule,
        condition=rule.when.condition,
        metric=metric,
        seq=sample.seq,
        attempt=sample.attempt,
        step=sample.step,
        time=sample.time,
        value=sample.value,
        score=finding.score,
        threshold=finding.threshold,
        severity=rule.severity,
        message=f"{metric} {value} at step {sample.step}: {finding.why}",
        window=window,
        then=rule.then,
        snapshots_per_hour=rule.budget.snapshots_per_hour,
        goal=rule.when.goal if isinstance(rule.when, Best) else None,
        details=_details(rule, sample, finding),
    )


def _details(rule: Rule, sample: Sample, finding: Finding) -> dict[str, Any]:
    kept = {"keep_beaten": True} if rule.budget.keep_beaten and isinstance(rule.when, Best) else {}
    return kept if finding.since in (None, sample.step) else {**kept, "since_step": finding.since}
