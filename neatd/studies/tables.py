"""Best, mean, median and spread of trials by each value of each parameter. Pure.

Invariant: counted, pruned, failed and open of a row add up to its trials, and the trials of a parameter's rows to the
study's. `diverged` is how many of them diverged, whichever of the four they are.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from neatd.studies.grouping import Group, groups_of, shown
from neatd.studies.tried import Searched, Tried, best_of, value_of


class Figures(NamedTuple):
    """What came of some trials. `counted` are those whose values are in best, mean, median and sd (None below two)."""

    trials: int
    counted: int
    best: float | None
    best_trial: int | None
    mean: float | None
    median: float | None
    sd: float | None
    pruned: int
    failed: int
    open: int
    diverged: int


class ByValue(NamedTuple):
    """A row: a value of a parameter, or a range of them."""

    label: str
    value: Any
    above: float | None
    up_to: float | None
    is_range: bool
    is_given: bool
    figures: Figures


class ByParameter(NamedTuple):
    """A parameter, or a derived value, with a row for each of its values or ranges."""

    name: str
    is_derived: bool
    rows: tuple[ByValue, ...]
    importance: float | None = None

    @property
    def is_constant(self) -> bool:
        """Whether no two trials differ in it."""
        return len(self.rows) < 2


def figures(trials: Sequence[Tried], goal: str) -> Figures:
    """The figures of some trials."""
    kinds = Counter(one.kind for one in trials)
    counted = [one for one in trials if one.kind == "counted"]
    values = [value_of(one) for one in counted]
    best = best_of(counted, goal)
    return Figures(
        len(trials), len(values), best.value if best else None, best.number if best else None,
        _mean(values), statistics.median(values) if values else None, _sd(values),
        kinds["pruned"], kinds["failed"], kinds["open"], sum(bool(one.diverged) for one in trials),
    )  # fmt: skip


def _mean(values: list[float]) -> float | None:
    return min(max(statistics.fmean(values), min(values)), max(values)) if values else None


def _sd(values: list[float]) -> float | None:
    """That of the sample; None where one value alone says nothing of it."""
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    largest = max(abs(value - mean) for value in values)
    if largest == 0:
        return 0.0
    total = math.fsum(((value - mean) / largest) ** 2 for value in values)  # scaled: squares of large losses overflow
    return largest * math.sqrt(total / (len(values) - 1))


def by_parameter(searched: Searched) -> list[ByParameter]:
    """The searched parameters in their order, then what was derived of them."""
    names = list(dict.fromkeys(name for one in searched.trials for name in one.params))
    derived = dict.fromkeys(name for one in searched.trials for name in one.derived if name not in names)
    return [_table(searched, name, is_derived=False) for name in names] + [
        _table(searched, name, is_derived=True) for name in derived
    ]


def _table(searched: Searched, name: str, is_derived: bool) -> ByParameter:
    return ByParameter(name, is_derived, tuple(_row(one, searched.goal) for one in groups_of(searched.trials, name)))


def _row(group: Group, goal: str) -> ByValue:
    return ByValue(
        group.label, group.value, group.above, group.up_to, group.is_range, group.is_given, figures(group.trials, goal)
    )


def architecture(trial: Tried) -> str:
    """A trial's parameters and what was derived of them, on one line."""
    return ", ".join(f"{name}={shown(value)}" for name, value in {**trial.params, **trial.derived}.items())
