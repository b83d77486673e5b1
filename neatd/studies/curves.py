"""Learning curves in a line of figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Point = tuple[int, float]  # step, value
Curve = list[Point]


class CurveFigures(NamedTuple):
    """Of the points that are finite; `nonfinite` counts the others. None where there are none."""

    points: int
    nonfinite: int
    first: float | None = None
    first_step: int | None = None
    last: float | None = None
    last_step: int | None = None
    best: float | None = None
    best_step: int | None = None


def curve_figures(curve: Sequence[Point], goal: str) -> CurveFigures:
    """First, last and best of a curve, with their steps; of equal ones the first is the best."""
    finite = [one for one in curve if math.isfinite(one[1])]
    if not finite:
        return CurveFigures(len(curve), len(curve))
    sign = 1 if goal == "min" else -1
    best = min(finite, key=lambda one: sign * one[1])
    (first_step, first), (last_step, last) = finite[0], finite[-1]
    return CurveFigures(len(curve), len(curve) - len(finite), first, first_step, last, last_step, best[1], best[0])
