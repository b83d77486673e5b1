"""One series with a detector for each rule that looks at it, and its last finite points.

Pure. Invariant: `feed_many` of a stretch gives the verdicts, and leaves the state, of `feed` of one sample after the
other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.detectors.best import BestDetector
from neatd.rules.detectors.diverging import DivergingDetector
from neatd.rules.detectors.drop import DropDetector
from neatd.rules.detectors.finding import Detector, Finding
from neatd.rules.detectors.non_finite import NonFiniteDetector
from neatd.rules.detectors.spike import SpikeDetector
from neatd.rules.schema import Best, Rule

if TYPE_CHECKING:
    from neatd.rules.batch import Stretch

CONTEXT_POINTS = 20  # kept with an event, so that it can be understood without the run
LEAST_STRETCH = 64  # so few points cost as much when they are taken at once

Window = tuple[tuple[int, float], ...]

DETECTORS: dict[str, Callable[[Any], Detector]] = {
    "non_finite": NonFiniteDetector,
    "spike": SpikeDetector,
    "best": BestDetector,
    "drop": DropDetector,
    "diverging": DivergingDetector,
}


class Series:
    """The rules of one series of one source of one run. Points come in file order."""

    def __init__(self, metric: str, rules: Sequence[Rule], kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        self._metric = metric
        self._detectors = [(rule, DETECTORS[rule.when.condition](rule.when)) for rule in rules]
        self.attempt = kept["attempt"] if kept else 0
        recent = kept["recent"] if kept else ()
        self._recent: deque[tuple[int, float]] = deque(((s, v) for s, v in recent), maxlen=CONTEXT_POINTS)
        for rule, detector in self._detectors:
            if kept and rule.state_key in kept["detectors"]:
                detector.restore(kept["detectors"][rule.state_key])

    def feed(self, sample: Sample) -> list[Verdict]:
        """Take the next point in; the verdicts of the rules that fire there, in the rules' order."""
        step, value = sample.step, sample.value
        verdicts: list[Verdict] = []
        for rule, detector in self._detectors:
            finding = detector.feed(step, value)
            if finding is not None:
                verdicts.append(self._verdict(rule, sample, finding, tuple(self._recent)))
        if math.isfinite(value):
            self._recent.append((step, value))
        return verdicts

    def feed_many(self, stretch: Stretch) -> list[Verdict]:
        """Take the next points of one attempt in; the verdicts in the order of the points, then of the rules."""
        if len(stretch.values) < LEAST_STRETCH:
            return [verdict for sample in stretch.samples() for verdict in self.feed(sample)]
        found = [
            (place, number, finding)
            for number, (_, detector) in enumerate(self._detectors)
            for place, finding in detector.feed_many(stretch.steps, stretch.values)
        ]
        found.sort(key=lambda one: one[:2])
        windows = stretch.windows([place for place, _, _ in found], tuple(self._recent), CONTEXT_POINTS)
        self._recent.extend(stretch.last_finite(CONTEXT_POINTS))
        return [
            self._verdict(self._detectors[number][0], stretch.sample(place), finding, window)
            for (place, number, finding), window in zip(found, windows, strict=True)
        ]

    def restart(self, attempt: int, first_step: int) -> None:
        """The run began anew, as `attempt`, from before `first_step`."""
        self.attempt = attempt
        self._recent.clear()
        for _, detector in self._detectors:
            detector.restart(first_step)

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        detectors = {rule.state_key: detector.dump() for rule, detector in self._detectors}
        return {"attempt": self.attempt, "recent": list(self._recent), "detectors": detectors}

    def _verdict(self, rule: Rule, sample: Sample, finding: Finding, window: Window) -> Verdict:
        value = "NaN" if math.isnan(sample.value) else f"{sample.value:.4g}"
        return Verdict(
            rule=rule.rule,
            condition=rule.when.condition,
            metric=self._metric,
            seq=sample.seq,
            attempt=sample.attempt,
            step=sample.step,
            time=sample.time,
            value=sample.value,
            score=finding.score,
            threshold=finding.threshold,
            severity=rule.severity,
            message=f"{self._metric} {value} at step {sample.step}: {finding.why}",
            window=window,
            wants_snapshot=rule.wants_snapshot,
            goal=rule.when.goal if isinstance(rule.when, Best) else None,
        )
