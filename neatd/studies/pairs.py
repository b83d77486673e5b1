"""Pairs of parameters that tell more together than the better one alone. Pure.

How much a grouping tells is the share of the spread of the values' ranks that lies between its groups, less what as many
groups would have by chance (adjusted R²): ranks, so that one huge loss decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from neatd.studies.grouping import groups_of
from neatd.studies.tables import Figures, figures
from neatd.studies.tried import Searched, Tried, value_of

SHOWN = 3
MOST_PARAMETERS = 30  # looked at in pairs: those that tell most alone
FEW = 4  # values or ranges of each: cells with one trial tell nothing
LEAST = 6  # trials with a value, below which nothing is said


class Cell(NamedTuple):
    """Trials that have two values in common."""

    first: str
    second: str
    figures: Figures


class Pair(NamedTuple):
    """Two parameters; `told` is the share of the spread that both explain, `alone` what the better one does."""

    first: str
    second: str
    told: float
    alone: float
    cells: tuple[Cell, ...]


def strongest_pairs(searched: Searched, names: Sequence[str], most: int = SHOWN) -> list[Pair]:
    """The pairs that gain most over the better of the two, at most `most`; none where together they tell no more."""
    counted = searched.counted
    if len(counted) < LEAST:
        return []
    ranks = _ranks(counted)
    labels = {name: _labels(counted, name) for name in names}
    alone = {name: told for name in names if (told := _told(ranks, labels[name])) is not None}
    kept = sorted(alone, key=lambda name: -alone[name])[:MOST_PARAMETERS]
    gains: list[tuple[float, float, float, str, str]] = []
    for first, second in combinations([name for name in names if name in kept], 2):
        both = {number: f"{labels[first][number]}\0{labels[second][number]}" for number in ranks}
        told, better = _told(ranks, both), max(alone[first], alone[second], 0.0)
        if told is not None and told > better:
            gains.append((better - told, told, better, first, second))
    return [_pair(searched, *one[1:]) for one in sorted(gains)[:most]]


def _pair(searched: Searched, told: float, alone: float, first: str, second: str) -> Pair:
    columns = groups_of(searched.trials, second, FEW)
    cells = []
    for row in groups_of(searched.trials, first, FEW):
        numbers = {one.number for one in row.trials}
        for column in columns:
            inside = [one for one in column.trials if one.number in numbers]
            cells.append(Cell(row.label, column.label, figures(inside, searched.goal)))
    return Pair(first, second, round(told, 4), round(alone, 4), tuple(cells))


def _labels(trials: Sequence[Tried], name: str) -> dict[int, str]:
    return {one.number: group.label for group in groups_of(trials, name, FEW) for one in group.trials}


def _ranks(trials: Sequence[Tried]) -> dict[int, float]:
    """Trial -> the rank of its value; equal values have equal ranks."""
    places: dict[float, list[int]] = {}
    for place, one in enumerate(sorted(trials, key=value_of)):
        places.setdefault(value_of(one), []).append(place)
    return {one.number: sum(places[value_of(one)]) / len(places[value_of(one)]) for one in trials}


def _told(ranks: dict[int, float], labels: dict[int, str]) -> float | None:
    """Adjusted R² of the ranks by label; None where nothing differs or hardly two trials share a label."""
    members: dict[str, list[float]] = {}
    for number, rank in ranks.items():
        members.setdefault(labels[number], []).append(rank)
    count, groups = len(ranks), len(members)
    if groups < 2 or count - groups < max(2, count // 4):
        return None
    total = _around_mean(list(ranks.values()))
    within = sum(_around_mean(one) for one in members.values())
    return 1 - (within / (count - groups)) / (total / (count - 1)) if total > 0 else None


def _around_mean(values: Sequence[float]) -> float:
    """The sum of squared distances from their mean."""
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)
