"""The series of a run that people look at first: its project's primary metric where the run has it, else the one that tells
most by its name. Its last value, and its best where the metric has a goal. Reads only."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from neatd.models import Goal
from neatd.now import is_system, telling
from neatd.rules.goals import goal_of
from neatd.store.standing import SeriesEnds, ends_of

Primary = tuple[str, Goal] | None
PrimaryOf = Callable[[str], Primary]  # a project's id -> its primary metric with the goal, None where none is named


class First(NamedTuple):
    """A run's series that is looked at first."""

    name: str
    value: float  # the last one; NaN where it is no number
    step: int | None
    goal: Goal | None
    best: float | None  # None without a goal, or a finite value
    best_step: int | None


def first_series(
    points: sqlite3.Connection, found: Iterable[tuple[str, str]], primary_of: PrimaryOf
) -> dict[str, First]:  # fmt: skip
    """Run id -> its first series, of those that have any. `found`: (run's id, its project's)."""
    projects = dict(found)
    primaries = {one: primary_of(one) for one in set(projects.values())}
    metrics = {one: primary[0] for one, primary in primaries.items() if primary}
    named = ends_of(points, projects, set(metrics.values())) if metrics else ()
    chosen = _lowest(one for one in named if one.name == metrics.get(projects[one.run_id]))
    rest = [run_id for run_id in projects if run_id not in chosen]
    chosen |= _lowest(ends_of(points, rest)) if rest else {}
    return {run_id: _first(ends, primaries[projects[run_id]]) for run_id, ends in chosen.items()}


def _lowest(found: Iterable[SeriesEnds]) -> dict[str, SeriesEnds]:
    """Run id -> the series whose name tells most; of a name in several streams the one of lowest rank."""
    chosen: dict[str, tuple[Any, SeriesEnds]] = {}
    for ends in found:
        place = _place(ends.name)
        if place is None:
            continue
        key = (place, ends.rank, ends.source)
        if ends.run_id not in chosen or key < chosen[ends.run_id][0]:
            chosen[ends.run_id] = (key, ends)
    return {run_id: ends for run_id, (_, ends) in chosen.items()}


@cache
def _place(name: str) -> tuple[int, str] | None:
    """Where a name stands among those that are looked at; None for one of the machine."""
    return None if is_system(name) else telling(name)


def _first(ends: SeriesEnds, primary: Primary) -> First:
    goal = primary[1] if primary and primary[0] == ends.name else goal_of(ends.name)
    best: tuple[float | None, int | None] = (None, None)
    if goal:
        best = (ends.max, ends.max_step) if goal == "max" else (ends.min, ends.min_step)
    return First(ends.name, math.nan if ends.last is None else ends.last, ends.last_step, goal, *best)


def by_value(found: Mapping[str, First], is_best: bool, is_turned: bool) -> Callable[[str], tuple[Any, ...]]:
    """A key that puts runs in the order of their last values, or of their best ones, the best first; turned around where
    asked. Those without one come last either way. Values of different metrics do not compare: the metric of most runs
    comes first, then the next."""
    counts = Counter(one.name for one in found.values())

    def key(run_id: str) -> tuple[Any, ...]:
        one = found.get(run_id)
        value = None if one is None else one.best if is_best else one.value
        if one is None or value is None or math.isnan(value):
            return (True,)
        sign = -1 if is_turned != (is_best and one.goal == "max") else 1
        return False, -counts[one.name], one.name, sign * value

    return key
