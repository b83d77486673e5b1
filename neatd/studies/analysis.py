"""What a study showed: its trials in, tables out. Pure.

Invariant: no importance leaves here without the count, best, mean, median and spread of each value of its parameter;
diverged trials are listed apart besides. A trial that was lost and tried again is looked at as it ended the last time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from neatd.studies.common import Common, best_trials, in_common
from neatd.studies.grouping import is_number
from neatd.studies.importances import Importances
from neatd.studies.pairs import Pair, strongest_pairs
from neatd.studies.tables import ByParameter, Figures, by_parameter, figures
from neatd.studies.tried import Searched, Tried, best_of, value_of

MISLEAD = (
    "importances mislead here: under {why} the parameters trade off against one another, so one that decides may get nothing;"
    " look at count, best, mean and sd"
)
COUNTS = frozenset({"parameters", "params", "n_params", "num_params", "n_parameters", "param_count", "total_params"})
NEARLY = 1.5  # sizes of models whose largest is so many times the smallest are as under a budget
LEAST_SIZE = 1000


class Record(NamedTuple):
    """A trial that was better than all before it."""

    trial: int
    value: float
    at: datetime | None
    ended: int  # how many trials with a value there were then


class Analysis(NamedTuple):
    """All of it, for who prints or keeps it."""

    searched: Searched
    figures: Figures
    best: Tried | None
    importances: Importances
    parameters: tuple[ByParameter, ...]
    best_trials: tuple[Tried, ...]
    common: tuple[Common, ...]
    pairs: tuple[Pair, ...]
    diverged: tuple[Tried, ...]
    history: tuple[Record, ...]
    notes: tuple[str, ...]


def analyse(searched: Searched, found: Importances, wanted: int | None = None) -> Analysis:
    """The tables of a study; `wanted` is how many of the best are compared with the others."""
    lost = len(searched.trials) - len(searched.last_tries)
    notes = (f"{lost} trials that were lost and tried again are left out",) if lost else ()
    searched = searched._replace(trials=searched.last_tries, notes=(*searched.notes, *notes))
    tables = [one._replace(importance=found.shares.get(one.name)) for one in by_parameter(searched)]
    tables.sort(key=lambda one: (one.is_derived, -(one.importance or 0.0)))
    names = [one.name for one in tables if not one.is_constant]
    searched_names = [one.name for one in tables if not one.is_constant and not one.is_derived]
    best = best_trials(searched, wanted)
    diverged = tuple(one for one in searched.trials if one.diverged)
    return Analysis(
        searched, figures(searched.trials, searched.goal), best_of(searched.counted, searched.goal), found, tuple(tables),
        tuple(best), tuple(in_common(searched, names, best)), tuple(strongest_pairs(searched, searched_names)), diverged,
        tuple(history(searched)), tuple(_notes(searched, found)),
    )  # fmt: skip


def history(searched: Searched) -> list[Record]:
    """The trials that were the best so far, in the order in which they ended; by number where that is not known."""
    counted = searched.counted
    if all(one.ended_at for one in counted):
        counted.sort(key=lambda one: (one.ended_at, one.number))
    found: list[Record] = []
    for place, one in enumerate(counted, start=1):
        value = value_of(one)
        if not found or searched.is_better(value, found[-1].value):
            found.append(Record(one.number, value, one.ended_at, place))
    return found


def budget_of(searched: Searched) -> str:
    """What limits the points besides their ranges, in words; "" where nothing does, as far as can be seen."""
    if searched.budget:
        return searched.budget
    for name in sorted({name for one in searched.trials for name in one.all_values if name in COUNTS}):
        sizes = [one.all_values[name] for one in searched.trials if name in one.all_values]
        numbers = [size for size in sizes if is_number(size) and size >= LEAST_SIZE]
        if len(set(numbers)) > 1 and len(numbers) == len(sizes) and max(numbers) <= NEARLY * min(numbers):
            return f"a budget ({name} is {min(numbers):,.0f} to {max(numbers):,.0f})"
    return ""


def _notes(searched: Searched, found: Importances) -> list[str]:
    notes = list(searched.notes)
    if (why := budget_of(searched)) and found.shares:
        notes.append(MISLEAD.format(why=why))
    if found.note:
        notes.append(f"importances: {found.note}")
    if lost := _without_architecture(searched.trials):
        notes.append(lost)
    counted = [one.number for one in searched.counted if one.diverged]
    if counted:
        notes.append(f"diverged after the value that counts: trial {_numbers(counted)}")
    return notes


def _without_architecture(trials: Sequence[Tried]) -> str:
    """Trials that lack parameters that others have: kept, and said."""
    names = {name for one in trials for name in one.params}
    bare = [one for one in trials if names and not one.params]
    return f"{len(bare)} trials tell no parameters: {_numbers([one.number for one in bare])}" if bare else ""


def _numbers(numbers: Sequence[int], most: int = 10) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return f"{shown} …" if len(numbers) > most else shown


def trial_shape(one: Tried) -> dict[str, Any]:
    """A trial as JSON has it, without its curves."""
    shape = {name: value for name, value in one._asdict().items() if name != "space"}
    return {**shape, "kind": one.kind, "is_diverged": bool(one.diverged)}
