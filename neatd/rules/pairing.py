"""Which evaluation scored the weights in a file that has no step in its name. Pure: times in, a step out.

A trainer either evaluates and then saves, or saves and then evaluates; what lies between an evaluation and the save of
other weights is training, which takes longer than either. So the nearest in time belongs to it, where it is near.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

NEAR_BEFORE, NEAR_AFTER = (
    0.25,
    0.5,
)  # of the usual time between evaluations; one that follows the save takes time itself


def scored_at(saved_at: float, evaluations: Sequence[tuple[int, float]], began_at: float | None) -> int | None:
    """The step of the evaluation of what was saved at that time; None while it is not sure.

    `evaluations` are (step, unix seconds when it was over), in order of time; `began_at` is when the training began.
    """
    times = [at for _, at in evaluations]
    index = bisect_right(times, saved_at)
    starts = [began_at, *times] if began_at is not None else times
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    usual = median(gaps) if gaps else 0.0
    near: list[tuple[float, int]] = []
    if index and saved_at - times[index - 1] <= NEAR_BEFORE * usual:
        near.append((saved_at - times[index - 1], evaluations[index - 1][0]))
    if index < len(times) and times[index] - saved_at <= NEAR_AFTER * usual:
        near.append((times[index] - saved_at, evaluations[index][0]))
    return min(near)[1] if near else None
