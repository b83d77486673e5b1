"""One series that a rule over several series judges: what is told of it, and its last points. Pure.

Invariant: as a Series of one rule (`rules/series.py`), so a rule over several series has the same guards and episodes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from neatd.models import Sample, Verdict
from neatd.rules.detectors.finding import Finding
from neatd.rules.schema import Rule
from neatd.rules.telling import Standing, Telling

CONTEXT_POINTS = 20  # kept with an event, so that it can be understood without the run


class Watched:
    """How far the series has come in its attempt, and the rule's telling over it."""

    def __init__(self, rule: Rule, metric: str, kept: Mapping[str, Any] | None) -> None:
        """`kept` is what `dump` gave."""
        recent = kept["recent"] if kept else ()
        self._recent: deque[tuple[int, float]] = deque(((s, v) for s, v in recent), maxlen=CONTEXT_POINTS)
        self._points: int = kept["points"] if kept else 0  # finite ones
        self._first_step: int | None = kept["first_step"] if kept else None
        self._telling = Telling(rule, metric, kept["open"] if kept else None)

    def take(self, sample: Sample, finding: Finding | None) -> list[Verdict]:
        """The next point, with what the rule found there."""
        verdicts: list[Verdict] = []
        if self._first_step is None:
            self._first_step = sample.step
        if finding is not None or self._telling.is_open:
            verdicts = self.tell(sample, finding)
        if math.isfinite(sample.value):
            self._recent.append((sample.step, sample.value))
            self._points += 1
        return verdicts

    def tell(self, sample: Sample, finding: Finding | None) -> list[Verdict]:
        """What is to be said at a point, which need not be one of the series and is not taken in."""
        standing = Standing(self._points, self._first_step, sample.attempt > 1)
        return self._telling.take(sample, finding, tuple(self._recent), standing)

    @property
    def last(self) -> tuple[int, float] | None:
        """Step and value of the last finite point."""
        return self._recent[-1] if self._recent else None

    def pass_many(self, steps: Any, values: Any) -> None:
        """The next points, numpy arrays, of which nothing is told: no episode is open, and none begins."""
        from neatd.rules.detectors.arrays import finite_places

        if self._first_step is None and len(steps):
            self._first_step = int(steps[0])
        places = finite_places(values)
        last = places[-CONTEXT_POINTS:]
        self._recent.extend(zip(steps[last].tolist(), values[last].tolist(), strict=True))
        self._points += len(places)

    def restart(self) -> None:
        """The run began anew."""
        self._recent.clear()
        self._points, self._first_step = 0, None
        self._telling.restart()

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "recent": list(self._recent), "points": self._points, "first_step": self._first_step,
            "open": self._telling.dump(),
        }  # fmt: skip
