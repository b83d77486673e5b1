"""What studies showed, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import click

from neatd.assist.markdown import without_controls
from neatd.assist.render import number, one_line
from neatd.cli.common import print_table
from neatd.studies.analysis import Analysis
from neatd.studies.common import Common
from neatd.studies.matrix import Corner, Matrix
from neatd.studies.pairs import Pair
from neatd.studies.tables import Figures, architecture
from neatd.studies.tried import Tried

FIGURES = ("count", "best", "mean", "median", "sd", "pruned", "failed", "open", "diverged")
RECORDS, DIVERGED = 8, 20  # shown; JSON has all


def print_analysis(found: Analysis) -> None:
    """One study: what counts first, then parameter by parameter."""
    _say(_head(found))
    for note in found.notes:
        _say(f"note: {note}")
    if found.best is not None:
        _say(f"best {number(found.best.value)}: trial {found.best.number}, {architecture(found.best)}")
    _by_parameter(found)
    _common(found)
    for pair in found.pairs:
        _pair(pair)
    _diverged(found.diverged)
    _history(found)


def _head(found: Analysis) -> str:
    searched, told = found.searched, found.figures
    planned = f" of {searched.planned}" if searched.planned else ""
    spread = f", mean {number(told.mean)}, median {number(told.median)}, sd {number(told.sd)}" if told.counted else ""
    parts = [
        f"{told.counted} with a value{spread}",
        f"{told.pruned} pruned",
        f"{told.failed} failed",
        f"{told.open} open",
    ]
    return (
        f"{searched.name}: {told.trials}{planned} trials, {searched.goal} {searched.metric}; "
        + ", ".join(parts)
        + (f"; {told.diverged} diverged")
    )


def _by_parameter(found: Analysis) -> None:
    """An importance stands in the first row of its parameter, beside the figures of its values."""
    rows = []
    for one in found.parameters:
        if one.is_constant and one.importance is None:
            continue
        for place, row in enumerate(one.rows):
            name = ("derived " if one.is_derived else "") + one.name if not place else ""
            share = f"{one.importance:.2f}" if one.importance is not None and not place else ""
            rows.append((name, share, one_line(row.label, 40), *_cells(row.figures)))
    print_table(
        ("parameter", f"importance ({found.importances.evaluator})", "value", *FIGURES), rows, "no parameter differs"
    )
    constant = [
        f"{one.name} = {one_line(one.rows[0].label, 40)}" for one in found.parameters if one.is_constant and one.rows
    ]
    if constant:
        _say(f"the same in all trials: {', '.join(constant)}")


def _cells(one: Figures) -> tuple[str, ...]:
    values = (one.best, one.mean, one.median, one.sd)
    counts = (one.pruned, one.failed, one.open, one.diverged)
    return (str(one.counted), *(number(value) if value is not None else "-" for value in values), *map(str, counts))


def _common(found: Analysis) -> None:
    if not found.common:
        return
    _say(f"the best {len(found.best_trials)}: trial {', '.join(str(one.number) for one in found.best_trials)}")
    rows = [
        (one.name, one_line(one.label, 40), f"{one.in_best} of {one.best}", f"{one.in_all} of {one.all}",
         f"{one.by_chance:.2g}", _ranges(one))
        for one in found.common
    ]  # fmt: skip
    headings = ("the best have", "value", "among them", "among all", "by chance", "from - to (of all)")
    print_table(headings, rows, "")


def _ranges(one: Common) -> str:
    if one.best_range is None or one.all_range is None:
        return "-"
    (low, high), (least, largest) = one.best_range, one.all_range
    return f"{low:.4g} - {high:.4g} ({least:.4g} - {largest:.4g})"


def _pair(one: Pair) -> None:
    """Best and mean of each cell, the count in brackets."""
    _say(f"{one.first} with {one.second}: {one.told:.0%} of the spread of ranks, {one.alone:.0%} by the better alone")
    columns = list(dict.fromkeys(cell.second for cell in one.cells))
    rows = {name: dict.fromkeys(columns, "") for name in dict.fromkeys(cell.first for cell in one.cells)}
    for cell in one.cells:
        told = cell.figures
        rows[cell.first][cell.second] = (
            f"{number(told.best)} / {number(told.mean)} ({told.counted})" if told.counted else "-"
        )
    headings = (f"best / mean (count): {one.first}", *(f"{one.second} {name}" for name in columns))
    print_table(headings, [(name, *cells.values()) for name, cells in rows.items()], "")


def _diverged(trials: Sequence[Tried]) -> None:
    if not trials:
        return
    rows = [
        (str(one.number), one.status, number(one.value), one_line(one.diverged, 60), one_line(architecture(one), 120))
        for one in trials[:DIVERGED]
    ]
    print_table(("diverged", "status", "value", "why", "what it was"), rows, "")
    if len(trials) > DIVERGED:
        _say(f"… and {len(trials) - DIVERGED} more that diverged: --json has all")


def _history(found: Analysis) -> None:
    shown = found.history[-RECORDS:]
    if shown:
        steps = [f"{number(one.value)} (trial {one.trial}, after {one.ended})" for one in shown]
        earlier = "… " if len(shown) < len(found.history) else ""
        _say(f"history of the best: {earlier}{' -> '.join(steps)}")


def print_matrix(table: Matrix, found: Sequence[Analysis]) -> None:
    """Several studies: the best of each cell, then the study that it is of."""
    by_place = {(one.row, one.column): one for one in table.cells}
    rows = [(row, *(_corner(by_place.get((row, column))) for column in table.columns)) for row in table.rows]
    print_table(("", *table.columns), rows, "")
    if any(one.is_best_of_column for one in table.cells):
        _say("*: the best of its column")
    details = [
        (one.row, one.column, number(one.best), str(one.trial) if one.trial is not None else "-", str(one.counted),
         str(one.trials), str(one.diverged), one_line(one.architecture, 120) or "-", ", ".join(one.studies))
        for one in table.cells
    ]  # fmt: skip
    headings = ("row", "column", "best", "trial", "with a value", "trials", "diverged", "architecture", "study")
    print_table(headings, details, "")
    for note in table.notes:
        _say(f"note: {note}")
    for one in found:
        for note in one.searched.notes:
            _say(f"note: {one.searched.name}: {note}")
    trials, diverged = (sum(getattr(one.figures, name) for one in found) for name in ("trials", "diverged"))
    _say(
        f"{len(found)} studies, {trials} trials, {diverged} diverged; `neat study analyze NAME` tells of one by its parameters"
    )


def _corner(one: Corner | None) -> str:
    if one is None or one.best is None:
        return "-"
    return number(one.best) + ("*" if one.is_best_of_column else "")


def _say(text: str) -> None:
    click.echo(without_controls(text))
