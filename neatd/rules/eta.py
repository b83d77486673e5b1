"""When a run will be done, from what it has planned and its pace. Pure.

Steps, epochs and trials are counted in the same way: pairs of (how many are done, unix seconds).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from neatd.rules.timing import Pace

Point = tuple[int, float, float | None]  # step, value, unix seconds


def left_s(pace: Pace, planned: float, gap: float, now: float) -> float:
    """Seconds left at `now`. `gap` is how far two pairs lie apart.

    The time since the last pair is taken off, but no more than to the next one: while that has not come, all that is
    behind it is still to be done.
    """
    return max(pace.left_s(planned, now), pace.left_s(planned - gap))


def last_gap(pairs: Sequence[tuple[float, float]]) -> float:
    """How far the last two different steps lie apart; 1 where there is one only."""
    last = pairs[-1][0] if pairs else 0.0
    before = next((step for step, _ in reversed(pairs) if step < last), None)
    return 1.0 if before is None else last - before


def step_pairs(points: Sequence[Point]) -> list[tuple[float, float]]:
    """(step, time) of the points that have one."""
    return [(step, time) for step, _, time in points if time is not None]


def epoch_pairs(points: Sequence[Point], lowest: float) -> list[tuple[float, float]]:
    """(epochs done, time) from a series of epochs; `lowest` is the least it ever said.

    Trainers count epochs from 0 or from 1, or in parts. A whole number in many lines is the epoch that goes on, done since
    its first line; one in a single line was written at its end.
    """
    pairs = [(value, time) for _, value, time in points if time is not None and isfinite(value)]
    if any(value != int(value) for value, _ in pairs):
        return pairs
    first = 0 if lowest < 1 else 1
    begun: dict[float, float] = {}
    for value, time in pairs:
        begun.setdefault(value, time)
    is_written_at_end = len(pairs) <= 1.5 * len(begun)
    return [(value - first + (1 if is_written_at_end else 0), time) for value, time in begun.items()]


def is_rising(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether a count only rises: tokens seen, not tokens of a batch."""
    values = [value for value, _ in pairs]
    return len(values) > 1 and values[-1] > values[0] and all(a <= b for a, b in pairwise(values))
