"""The condition `stalled`: far more time between two points than usual. Pure.

Runs pause for evaluations and checkpoints. Such a pause comes again, so one that is like an earlier one is not told; the
first one takes little of the time there was before it, and less where the run has shown its evaluations without a pause.
Points of one moment count as one, and a clock that is set back tells nothing.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from neatd.rules.conditions import Stalled
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.evaluations import none_known

# Gaps whose median is the usual gap of those behind them. Renewed at once, so that no gap costs a median of its own.
MOST_GAPS = 50
# Times the usual gap: a pause, which is remembered.
PAUSE = 5.0
PAUSES_KEPT = 8  # the longest of the run
# So many pauses show how long those of the run are: another one is told by them alone.
PAUSES_KNOWN = 3
SAME_PAUSE = 1.5
LONGER_PAUSE = 3.0  # times the second longest of the run: the longest one that has come again, as far as is known
# Told however long the run went on before: the half hour after which SageMaker's debugger calls a training stalled.
LONG_S = 1800.0
# Of the time before it. A first pause that takes less may be the run's first evaluation.
LONG_SHARE = 0.5
# The same for a run that has had so many evaluations: how long those take is known then.
EVALUATED_SHARE, EVALUATIONS_KNOWN = 0.1, 3


class StalledDetector:
    """Fires at the first point behind the gap."""

    wants_time: ClassVar[bool] = True

    def __init__(self, when: Stalled) -> None:
        self._when = when
        self._block = min(when.min_points, MOST_GAPS)
        self._forget()

    def _forget(self) -> None:
        self._last: float | None = None
        self._elapsed = 0.0  # the sum of all gaps
        self._count = 0  # of gaps
        self._gaps: list[float] = []  # of the block that is filling
        self._usual: float | None = None  # the median of the last block that was full
        self._pauses: list[float] = []  # ascending
        self._told: list[float] = []  # the last gaps that were told

    def feed(
        self, step: int, value: float, time: float | None, evaluations: Callable[[], int] = none_known
    ) -> Finding | None:
        """`evaluations`: how many there were before the point's line."""
        if time is None or not math.isfinite(time):
            return None
        last, self._last = self._last, time
        if last is None or not 0 < time - last < math.inf:
            return None
        gap, usual, finding = time - last, self._usual, None
        if usual is not None and gap > PAUSE * usual:
            finding = self._pause(gap, usual, self._count, self._elapsed, evaluations)
        self._count += 1
        self._elapsed += gap
        self._gaps.append(gap)
        if len(self._gaps) == self._block:
            self._usual = median_of_sorted(sorted(self._gaps))
            self._gaps.clear()
        return finding

    def feed_many(self, steps: Any, values: Any, times: Any, evaluations: Callable[[int], int] = none_known) -> Found:
        """Only pauses are looked at one at a time. `evaluations`: how many there were before the line of a place."""
        import numpy as np

        from neatd.rules.detectors.arrays import finite_places, joined

        timed = finite_places(times)
        if not len(timed):
            return []
        moments = times[timed]
        gaps = np.diff(moments, prepend=moments[0] if self._last is None else self._last)
        self._last = float(moments[-1])
        is_gap = (gaps > 0) & (gaps < math.inf)
        places, gaps = timed[is_gap], gaps[is_gap]
        elapsed, usual = np.cumsum(joined([self._elapsed], gaps)), self._usual_of(gaps)
        pauses = np.flatnonzero(gaps > PAUSE * usual)
        found = []
        for at, gap, known, before in zip(
            pauses.tolist(), gaps[pauses].tolist(), usual[pauses].tolist(), elapsed[pauses].tolist(), strict=True
        ):
            finding = self._pause(gap, known, self._count + at, before, partial(evaluations, int(places[at])))
            if finding is not None:
                found.append((int(places[at]), finding))
        self._count += len(gaps)
        self._elapsed = float(elapsed[-1])
        return found

    def _usual_of(self, gaps: Any) -> Any:
        """The usual gap before each of `gaps`, NaN while none is known. They are taken into the blocks."""
        import numpy as np

        from neatd.rules.detectors.arrays import joined, row_medians

        held, block = len(self._gaps), self._block
        points = joined(self._gaps, gaps)
        full = len(points) // block * block
        medians = row_medians(points[:full].reshape(-1, block))
        known = np.concatenate(([math.nan if self._usual is None else self._usual], medians))
        self._gaps = points[full:].tolist()
        if full:
            self._usual = float(medians[-1])
        return np.repeat(known, block)[held : len(points)]

    def _pause(
        self, gap: float, usual: float, count: int, elapsed: float, evaluations: Callable[[], int]
    ) -> Finding | None:
        """A gap that is no usual one, behind `count` others that took `elapsed` seconds."""
        is_stall = (
            count >= self._when.min_points
            and gap > max(self._when.min_gap_s, self._when.factor * usual)
            and not self._is_known(gap)
            and (len(self._pauses) >= PAUSES_KNOWN or gap >= LONG_S or gap >= _share(evaluations()) * elapsed)
        )
        if not is_stall or self._comes_again(gap):
            insort(self._pauses, gap)
            del self._pauses[:-PAUSES_KEPT]
        if not is_stall:
            return None
        return Finding(f"no point for {gap:.4g} s before it, where {usual:.3g} s are usual", gap / usual)

    def _comes_again(self, gap: float) -> bool:
        """Whether a stall is so like earlier ones that it is one of the run's pauses: told three times, it is known.

        One that was told once says nothing of the next: a lost connection times out after as long each time.
        """
        alike = sum(gap <= SAME_PAUSE * one and one <= SAME_PAUSE * gap for one in self._told)
        self._told = [*self._told, gap][-PAUSES_KEPT:]
        return alike + 1 >= PAUSES_KNOWN

    def _is_known(self, gap: float) -> bool:
        """Whether the run has paused as long before, or twice a third as long."""
        is_within = len(self._pauses) > 1 and gap <= LONGER_PAUSE * self._pauses[-2]
        return is_within or any(gap <= SAME_PAUSE * one and one <= SAME_PAUSE * gap for one in self._pauses)

    def restart(self, first_step: int) -> None:
        self._forget()

    def dump(self) -> dict[str, Any]:
        return {
            "last": self._last,
            "elapsed": self._elapsed,
            "count": self._count,
            "gaps": list(self._gaps),
            "usual": self._usual,
            "pauses": list(self._pauses),
            "told": list(self._told),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._last, self._elapsed, self._count = state["last"], state["elapsed"], state["count"]
        self._gaps, self._usual, self._pauses = list(state["gaps"]), state["usual"], list(state["pauses"])
        self._told = list(state["told"])


def _share(evaluations: int) -> float:
    """Of the time before it, what a first pause has to take."""
    return EVALUATED_SHARE if evaluations >= EVALUATIONS_KNOWN else LONG_SHARE
