"""Experiments and runs as rows of tables: which share one, and what is said of each besides its numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from neatd.assist.facts import Facts, RunFact
from neatd.knowledge import Experiment

PLANNED = frozenset({"open", "planned", "queued", "pending", "todo", "to do", "next"})
MARKS = frozenset({"best", "baseline"})  # tags that tell one row of a table from the others


class Table(NamedTuple):
    """Experiments with the same columns. `params` are the names of their parameters, `name` a tag all of them have."""

    name: str
    metric: str
    params: list[str]
    rows: list[Experiment]
    has_values: bool
    has_notes: bool
    deltas: dict[str, str]  # record id -> its difference to the baseline


def planned(experiments: Iterable[Experiment], is_planned: bool = True) -> list[Experiment]:
    """The experiments that wait to be run, or the others: given newest first, returned in the order of their making."""
    return [one for one in experiments if (one.value is None and one.status.lower() in PLANNED) == is_planned][::-1]


def tables(experiments: Sequence[Experiment], facts: Facts) -> list[Table]:
    """Experiments in tables: those with the same tag and metric together, where one's parameters are among the other's."""
    found: dict[tuple[str, str], list[tuple[list[str], list[Experiment]]]] = {}
    for one in experiments:
        name = next((tag for tag in one.tags if tag not in MARKS), "")
        _put(one, found.setdefault((name, one.metric), []))
    deltas = {run.id: delta(run) for run in facts.runs if run.is_reported and run.delta is not None}
    return [
        Table(
            name, metric, params, rows, any(row.value is not None for row in rows),
            any(row.body or row.run or row.evidence or row.id in facts.stale for row in rows),
            {row.id: deltas[row.id] for row in rows if row.id in deltas},
        )
        for (name, metric), some in found.items()
        for params, rows in some
    ]  # fmt: skip


def _put(one: Experiment, some: list[tuple[list[str], list[Experiment]]]) -> None:
    """Add an experiment to the first table that it fits, its new columns to the table's; else it begins another."""
    names = list(one.params)
    for params, rows in some:
        if set(names) <= set(params) or set(params) <= set(names):
            params += [name for name in names if name not in params]
            rows.append(one)
            return
    some.append((names, [one]))


def watched(runs: Iterable[RunFact]) -> list[RunFact]:
    """The runs that neat saw; the others are recorded experiments, which have tables of their own."""
    return [run for run in runs if not run.is_reported]


def delta(run: RunFact) -> str:
    """The difference to the baseline, and why it may say nothing."""
    if run.is_baseline or run.delta is None:
        return "—"
    why = f" (not comparable: {'; '.join(run.not_comparable)})" if run.not_comparable else ""
    return f"{run.delta:+.4g}{why}"


def run_notes(run: RunFact) -> str:
    """What is to be said of a run besides its numbers, on one line."""
    of = f" of {run.planned_steps}" if run.planned_steps else ""
    parts = [
        f"step {run.step}{of}" if run.step is not None else "",
        f"attempt {run.attempt}" if run.attempt > 1 else "",
        f"{run.hours:.2f} h" if run.hours is not None else "",
        f"{_count(run.params)} parameters" if run.params is not None else "",
        f"{run.samples} samples" if run.samples is not None else "",
        f"data {run.data}" if run.data else "",
        f"{100 * run.data_fraction:.4g} % of the data" if run.data_fraction is not None else "",
        run.accuracy,
        ", ".join(run.changed),
        f"commit {run.commit[:8]}" + (" + changes" if run.is_dirty else "") if run.commit else "",
        run.code,
        *run.notes,
    ]
    return "; ".join(filter(None, parts))


def _count(number: int) -> str:
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return str(number)
