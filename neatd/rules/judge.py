"""Rules over samples: each point of each series goes to the detectors whose rules match it, and verdicts come out.

Pure: no disk, no clock. Samples come in file order. Invariant: `dump`, JSON and a new Judge, at any point of the
stream, change no later verdict; so a daemon that was killed judges as one that was not.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neatd.models import Sample, Verdict
from neatd.rules.detectors.best import BestDetector
from neatd.rules.detectors.diverging import DivergingDetector
from neatd.rules.detectors.drop import DropDetector
from neatd.rules.detectors.finding import Detector, Finding
from neatd.rules.detectors.non_finite import NonFiniteDetector
from neatd.rules.detectors.spike import SpikeDetector
from neatd.rules.schema import Best, Rule

CONTEXT_POINTS = 20  # kept with an event, so that it can be understood without the run

_DETECTORS: dict[str, Callable[[Any], Detector]] = {
    "non_finite": NonFiniteDetector,
    "spike": SpikeDetector,
    "best": BestDetector,
    "drop": DropDetector,
    "diverging": DivergingDetector,
}


class Judge:
    """All enabled rules over all series of one source of one run."""

    def __init__(self, rules: Sequence[Rule], state: dict[str, Any] | None = None) -> None:
        """`state` is what `dump` gave; parts of it that belong to no enabled, unchanged rule are left aside."""
        self._rules = tuple(rule for rule in rules if rule.enabled)
        saved = state or {}
        # First step of each attempt, over all series: an evaluation may come long after the restart.
        self._first_steps: dict[int, int] = dict(saved.get("first_steps", ()))
        self._series: dict[str, _Series | None] = {}  # None: no rule looks at it
        for metric, kept in saved.get("series", {}).items():
            self._series[metric] = self._open(metric, kept)

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point of `metric` in; the verdicts of the rules that fire there, in the rules' order."""
        if sample.attempt not in self._first_steps:
            self._first_steps[sample.attempt] = sample.step
        try:
            series = self._series[metric]
        except KeyError:
            series = self._series[metric] = self._open(metric, None)
        if series is None:
            return []
        if sample.attempt > series.attempt:
            series.restart(sample.attempt, self._first_step_after(series.attempt, sample.attempt))
        return series.feed(sample)

    def dump(self) -> dict[str, Any]:
        """The whole state in plain JSON values, floats exact."""
        series = {metric: one.dump() for metric, one in self._series.items() if one is not None}
        return {"first_steps": [[a, s] for a, s in self._first_steps.items()], "series": series}

    def _open(self, metric: str, kept: Mapping[str, Any] | None) -> _Series | None:
        rules = [rule for rule in self._rules if rule.matches(metric)]
        return _Series(metric, rules, kept) if rules else None

    def _first_step_after(self, known: int, now: int) -> int:
        """The earliest step the run went back to in the attempts that the series has not seen yet."""
        return min(step for attempt, step in self._first_steps.items() if known < attempt <= now)


class _Series:
    """One series with a detector for each rule that looks at it, and its last finite points."""

    def __init__(self, metric: str, rules: Sequence[Rule], kept: Mapping[str, Any] | None) -> None:
        self._metric = metric
        self._detectors = [(rule, _DETECTORS[rule.when.condition](rule.when)) for rule in rules]
        self.attempt = kept["attempt"] if kept else 0
        recent = kept["recent"] if kept else ()
        self._recent: deque[tuple[int, float]] = deque(((s, v) for s, v in recent), maxlen=CONTEXT_POINTS)
        for rule, detector in self._detectors:
            if kept and rule.state_key in kept["detectors"]:
                detector.restore(kept["detectors"][rule.state_key])

    def feed(self, sample: Sample) -> list[Verdict]:
        step, value = sample.step, sample.value
        verdicts: list[Verdict] = []
        for rule, detector in self._detectors:
            finding = detector.feed(step, value)
            if finding is not None:
                verdicts.append(self._verdict(rule, sample, finding))
        if math.isfinite(value):
            self._recent.append((step, value))
        return verdicts

    def restart(self, attempt: int, first_step: int) -> None:
        self.attempt = attempt
        self._recent.clear()
        for _, detector in self._detectors:
            detector.restart(first_step)

    def dump(self) -> dict[str, Any]:
        detectors = {rule.state_key: detector.dump() for rule, detector in self._detectors}
        return {"attempt": self.attempt, "recent": list(self._recent), "detectors": detectors}

    def _verdict(self, rule: Rule, sample: Sample, finding: Finding) -> Verdict:
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
            window=tuple(self._recent),
            wants_snapshot=rule.wants_snapshot,
            goal=rule.when.goal if isinstance(rule.when, Best) else None,
        )
