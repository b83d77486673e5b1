"""How fast a run goes, when it will be done, and how long a silence is usual for it. Pure: pairs of step and time in.

A pause is a gap of more than five median gaps: an evaluation, a checkpoint. One that came back within a factor of two is
recurring and is expected again; a single longest one (a suspended laptop) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Any, NamedTuple

RECENT = 200  # gaps that the median is made of: follows a change of pace, and 99 pauses in it do not move it
PAUSES = 8  # longest pauses remembered of a source
PAUSE_FACTOR = 5  # times the median gap
USUAL_FACTOR = 20  # medians of silence that are still usual
PAUSE_PATIENCE = 3  # times the longest recurring pause
ONCE_PATIENCE, ONCE_MOST = 1.5, 10  # times a pause seen once, but not more than so many of the stall setting
_LEAST_S = 1e-9  # what is shorter is a clock that stood still
_CONFIG_BATCH = ("train_batch_size", "per_device_train_batch_size", "batch_size", "batch")
ETA_RULE = (
    f"steps left x (median of the last {RECENT} step times + recurring pauses spread over all steps seen;"
    " a single longest pause is left out)"
)
SILENCE_RULE = (
    f"the largest of: the stall setting, {USUAL_FACTOR} x the median gap, {PAUSE_PATIENCE} x the longest recurring pause,"
    f" {ONCE_PATIENCE} x a longest pause seen once (at most {ONCE_MOST} x the stall setting)"
)


class Pace(NamedTuple):
    """How fast a run goes. Seconds for one step, or for one epoch or trial when those are counted."""

    step_s: float  # median of the last gaps
    last_step_s: float
    pause_s: float  # recurring pauses, spread over the steps: on average so much for each
    last_step: float
    last_time: float

    @property
    def ratio(self) -> float:
        """The last step time against the median: 3 is three times as long."""
        return self.last_step_s / self.step_s if self.step_s > 0 else 1.0

    @property
    def steps_per_s(self) -> float:
        """While it trains: pauses are not in it."""
        return 1 / self.step_s if self.step_s > 0 else 0.0

    @property
    def mean_step_s(self) -> float:
        """With the recurring pauses: what the time left is made of."""
        return self.step_s + self.pause_s

    def left_s(self, planned: float, now: float | None = None) -> float:
        """Seconds to `planned` by ETA_RULE; counted from `now` in the clock of the pairs, else from the last step."""
        left = max(0.0, planned - self.last_step) * self.mean_step_s
        return max(0.0, left - max(0.0, now - self.last_time)) if now is not None else left


def pace_of(pairs: Sequence[tuple[float, float]]) -> Pace | None:
    """The pace of the newest attempt in (step, unix seconds) pairs; None with fewer than two steps that took time.

    Pairs of one step (its evaluation has a line of its own) are one, at the last time. A step below the one before begins
    anew; a clock that was set back loses one gap.
    """
    last = _by_step(pairs)
    gaps = [(right[0] - left[0], right[1] - left[1]) for left, right in pairwise(last)]
    gaps = [gap for gap in gaps if gap[1] > _LEAST_S]
    if not gaps:
        return None
    each = [seconds / steps for steps, seconds in gaps]
    usual = median(each[-RECENT:])
    return Pace(usual, each[-1], _pause_share(gaps), *last[-1])


def _by_step(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Rising steps of the newest attempt, each with its last time."""
    found: list[tuple[float, float]] = []
    for step, time in pairs:
        if not (isfinite(step) and isfinite(time)):
            continue
        if found and step < found[-1][0]:
            found.clear()
        elif found and step == found[-1][0]:
            found.pop()
        found.append((step, time))
    return found


def _pause_share(gaps: Sequence[tuple[float, float]]) -> float:
    """Seconds of recurring pauses, beyond the step itself, for each step that was seen."""
    usual = median(seconds / steps for steps, seconds in gaps)
    longest = recurring_pause(seconds for _, seconds in gaps)
    pauses = [
        seconds - usual * steps
        for steps, seconds in gaps
        if seconds > PAUSE_FACTOR * usual * steps and seconds <= longest
    ]
    return sum(pauses) / sum(steps for steps, _ in gaps)


def recurring_pause(gaps: Iterable[float]) -> float:
    """The longest gap that is no exception: another one is at least half as long. 0 without two gaps."""
    ordered = sorted(gaps, reverse=True)
    return next((left for left, right in pairwise(ordered) if 2 * right >= left), 0.0)


# ---- throughput ----


def per_second(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Growth a second of a number that only rises (tokens, samples) in (value, unix seconds) pairs: the median of the last
    gaps. None when it does not rise."""
    pace = pace_of(pairs)
    return pace.steps_per_s if pace is not None and pace.step_s > 0 else None


def samples_per_step(config: Mapping[str, Any], world_size: int = 1) -> int | None:
    """Samples of an optimiser's step by a run's parameters: batch size x gradient accumulation, times the processes where
    the batch is said for each device. None when no batch size is there."""
    for name in _CONFIG_BATCH:
        batch = _whole(config.get(name))
        if batch is not None:
            steps = _whole(config.get("gradient_accumulation_steps")) or 1
            return batch * steps * (max(1, world_size) if name.startswith("per_device") else 1)
    return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


# ---- silence ----


class Gaps(NamedTuple):
    """What is remembered of the gaps between a source's lines; plain numbers, so that it can be stored."""

    recent: tuple[float, ...] = ()  # the last ones, oldest first
    longest: tuple[float, ...] = ()  # longest of all time, the longest first


class Silence(NamedTuple):
    """How long a silence is usual for a source, by SILENCE_RULE."""

    limit_s: float
    usual_gap_s: float
    longest_pause_s: float  # recurring; 0 when no pause came back yet


def learn(gaps: Gaps, gap_s: float) -> Gaps:
    """`gaps` with one more. Pauses outlast the recent gaps: an evaluation may come every ten thousand lines."""
    if not isfinite(gap_s) or gap_s < 0:
        return gaps
    longest = gaps.longest
    if len(longest) < PAUSES or gap_s > longest[-1]:
        longest = tuple(sorted((*longest, gap_s), reverse=True)[:PAUSES])
    return Gaps((*gaps.recent[-RECENT + 1 :], gap_s), longest)


def silence_of(gaps: Gaps, stall_s: float) -> Silence:
    """The silence that is still usual."""
    usual = median(gaps.recent) if gaps.recent else 0.0
    known = recurring_pause(gaps.longest)
    recurring = known if known > PAUSE_FACTOR * usual else 0.0
    once = gaps.longest[0] if gaps.longest else 0.0
    limit = max(
        stall_s, USUAL_FACTOR * usual, PAUSE_PATIENCE * recurring, min(ONCE_PATIENCE * once, ONCE_MOST * stall_s)
    )
    return Silence(limit, usual, recurring)
