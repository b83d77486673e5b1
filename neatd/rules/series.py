"""One series with a detector for each rule that looks at it, and its last finite points.

Pure. Invariant: `feed_many` of a stretch gives the verdicts, and leaves the state, of `feed` of one sample after the
other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.detectors.best import BestDetector
from neatd.rules.detectors.diverging import DivergingDetector
from neatd.rules.detectors.drop import DropDetector
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.growth import GrowthDetector
from neatd.rules.detectors.jump import JumpDetector
from neatd.rules.detectors.limit import LimitDetector
from neatd.rules.detectors.non_finite import NonFiniteDetector
from neatd.rules.detectors.plateau import PlateauDetector
from neatd.rules.detectors.shift import ShiftDetector
from neatd.rules.detectors.spike import SpikeDetector
from neatd.rules.detectors.stalled import StalledDetector
from neatd.rules.detectors.zero import ZeroDetector
from neatd.rules.evaluations import none_known
from neatd.rules.schema import Rule
from neatd.rules.telling import Standing, Telling, Window

if TYPE_CHECKING:
    from neatd.rules.batch import Stretch

CONTEXT_POINTS = 20  # kept with an event, so that it can be understood without the run
LEAST_STRETCH = 64  # so few points cost as much when they are taken at once

Evaluated = Callable[[int], int]
"""How many evaluations the source has shown before the line of an ordinal."""


DETECTORS: dict[str, Callable[[Any], Any]] = {
    "non_finite": NonFiniteDetector,
    "spike": SpikeDetector,
    "best": BestDetector,
    "drop": DropDetector,
    "diverging": DivergingDetector,
    "shift": ShiftDetector,
    "jump": JumpDetector,
    "above": LimitDetector,
    "below": LimitDetector,
    "exact_zero": ZeroDetector,
    "stalled": StalledDetector,
    "plateau": PlateauDetector,
    "growth": GrowthDetector,
}


class Series:
    """The rules of one series of one source of one run. Points come in file order."""

    def __init__(self, metric: str, rules: Sequence[Rule], kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        self.attempt = kept["attempt"] if kept else 0
        recent = kept["recent"] if kept else ()
        self._recent: deque[tuple[int, float]] = deque(((s, v) for s, v in recent), maxlen=CONTEXT_POINTS)
        self._points: int = kept["points"] if kept else 0  # finite ones of the attempt
        self._first_step: int | None = kept["first_step"] if kept else None
        self._rules = [_Judged(rule, metric, kept) for rule in rules]

    def feed(self, sample: Sample, evaluations: Evaluated = none_known) -> list[Verdict]:
        """Take the next point in; the verdicts of the rules that fire there, in the rules' order."""
        step, value = sample.step, sample.value
        if self._first_step is None:
            self._first_step = step
        verdicts: list[Verdict] = []
        for one in self._rules:
            finding = one.feed(sample, evaluations)
            if finding is not None or one.telling.is_open:
                verdicts += one.telling.take(sample, finding, tuple(self._recent), self._standing(self._points))
        if math.isfinite(value):
            self._recent.append((step, value))
            self._points += 1
        return verdicts

    def feed_many(self, stretch: Stretch, evaluations: Evaluated = none_known) -> list[Verdict]:
        """Take the next points of one attempt in; the verdicts in the order of the points, then of the rules."""
        if len(stretch.values) < LEAST_STRETCH:
            return [verdict for sample in stretch.samples() for verdict in self.feed(sample, evaluations)]
        if self._first_step is None:
            self._first_step = int(stretch.steps[0])
        found = [one.feed_many(stretch, evaluations) for one in self._rules]
        places = sorted({place for some in found for place, _ in some})
        windows = dict(zip(places, stretch.windows(places, tuple(self._recent), CONTEXT_POINTS), strict=True))
        before = dict(zip(places, stretch.finite_before(places), strict=True))
        told: list[tuple[int, Verdict]] = []
        for one, some in zip(self._rules, found, strict=True):
            given = [(p, finding, windows[p], self._standing(self._points + before[p])) for p, finding in some]
            told += one.telling.take_many(stretch, given, partial(self._look, stretch))
        self._recent.extend(stretch.last_finite(CONTEXT_POINTS))
        self._points += stretch.finite_before([len(stretch.values)])[0]
        return [verdict for _, verdict in sorted(told, key=lambda one: one[0])]

    def restart(self, attempt: int, first_step: int) -> None:
        """The run began anew, as `attempt`, from before `first_step`."""
        self.attempt = attempt
        self._recent.clear()
        self._points, self._first_step = 0, None
        for one in self._rules:
            one.detector.restart(first_step)
            one.telling.restart()

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "attempt": self.attempt,
            "recent": list(self._recent),
            "points": self._points,
            "first_step": self._first_step,
            "detectors": {one.rule.state_key: one.detector.dump() for one in self._rules},
            "open": {one.rule.state_key: one.telling.dump() for one in self._rules if one.telling.is_open},
        }

    def _look(self, stretch: Stretch, place: int) -> tuple[Window, Standing]:
        """Window and standing of one place of a stretch that is not taken in yet."""
        window = stretch.windows([place], tuple(self._recent), CONTEXT_POINTS)[0]
        return window, self._standing(self._points + stretch.finite_before([place])[0])

    def _standing(self, points: int) -> Standing:
        return Standing(points, self._first_step, self.attempt > 1)


class _Judged:
    """One rule over the series: its detector, and what of its findings is told."""

    def __init__(self, rule: Rule, metric: str, kept: Mapping[str, Any] | None) -> None:
        self.rule = rule
        self.detector = DETECTORS[rule.when.condition](rule.when)
        self.is_timed = getattr(self.detector, "wants_time", False)
        if kept and rule.state_key in kept["detectors"]:
            self.detector.restore(kept["detectors"][rule.state_key])
        self.telling = Telling(rule, metric, kept["open"].get(rule.state_key) if kept else None)

    def feed(self, sample: Sample, evaluations: Evaluated) -> Finding | None:
        if self.is_timed:
            return self.detector.feed(sample.step, sample.value, sample.time, partial(evaluations, sample.seq))
        return self.detector.feed(sample.step, sample.value)

    def feed_many(self, stretch: Stretch, evaluations: Evaluated) -> Found:
        if self.is_timed:
            before = partial(_at, evaluations, stretch)
            return self.detector.feed_many(stretch.steps, stretch.values, stretch.times, before)
        return self.detector.feed_many(stretch.steps, stretch.values)


def _at(evaluations: Evaluated, stretch: Stretch, place: int) -> int:
    return evaluations(int(stretch.seqs[place]))
