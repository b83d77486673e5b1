"""What the best trials have in common, beside how common it is among all. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from neatd.studies.grouping import Group, groups_of, is_number
from neatd.studies.tried import Searched, Tried, value_of


class Common(NamedTuple):
    """The value of a parameter that most of the best trials have.

    `by_chance` is how likely as many of them would have it if the best were drawn at random (hypergeometric), without
    regard to how many parameters were looked at.
    """

    name: str
    label: str
    in_best: int
    best: int
    in_all: int
    all: int
    by_chance: float
    best_range: tuple[float, float] | None  # of a number: its least and largest among the best
    all_range: tuple[float, float] | None


def best_trials(searched: Searched, wanted: int | None = None) -> list[Tried]:
    """The best trials, at most half of those that count: so many, or a tenth of them, three to fifty."""
    counted = searched.counted
    sign = 1 if searched.goal == "min" else -1
    ordered = sorted(counted, key=lambda one: (sign * value_of(one), one.number))
    return ordered[: min(wanted or min(50, max(3, round(len(counted) / 10))), len(counted) // 2)]


def in_common(searched: Searched, names: Sequence[str], best: Sequence[Tried]) -> list[Common]:
    """A line for each parameter that differs between trials, the least likely by chance first."""
    counted = searched.counted
    numbers = {one.number for one in best}
    if not numbers:
        return []
    found = [_of(name, groups, counted, numbers) for name in names if len(groups := groups_of(counted, name)) > 1]
    return sorted(found, key=lambda one: (one.by_chance, -one.in_best / max(1, one.in_all)))


def _of(name: str, groups: list[Group], counted: list[Tried], best: set[int]) -> Common:
    def inside(group: Group) -> int:
        return sum(one.number in best for one in group.trials)

    most = max(groups, key=lambda group: (inside(group), -len(group.trials)))
    shared, common = inside(most), len(most.trials)
    chance = chance_of(shared, len(best), common, len(counted))
    ranges = [_range([one for one in counted if one.number in best], name), _range(counted, name)]
    return Common(name, most.label, shared, len(best), common, len(counted), chance, *ranges)


def chance_of(shared: int, drawn: int, common: int, total: int) -> float:
    """How likely `drawn` of `total`, of which `common` have it, hold at least `shared` that have it."""
    ways = sum(
        math.comb(common, n) * math.comb(total - common, drawn - n) for n in range(shared, min(drawn, common) + 1)
    )
    return ways / math.comb(total, drawn)


def _range(trials: Sequence[Tried], name: str) -> tuple[float, float] | None:
    values = [one.all_values[name] for one in trials if name in one.all_values]
    if not values or not all(is_number(value) for value in values):
        return None
    return float(min(values)), float(max(values))
