"""The experiment table and the baseline it compares with."""

from __future__ import annotations

from typing import Any

import click

from neatd.assist.facts import RunFact
from neatd.assist.render import number, one_line
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.errors import NeatError
from neatd.models import Run
from neatd.pipeline.experiments import Table, experiment_table
from neatd.pipeline.tablefile import table_csv
from neatd.rules.comparable import is_same_metric
from neatd.store import projects, runs

SHOWN = 50  # rows of a table that a person reads; JSON and CSV have all


@click.command(short_help="Compare the experiments with the baseline.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, all columns and rows.")
@click.option("--metric", default="", help="Compare by another metric than the primary one.")
@click.option("--all", "is_all", is_flag=True, help=f"Show all rows, not the newest {SHOWN}.")
@json_option
def table(as_csv: bool, metric: str, is_all: bool, as_json: bool) -> None:
    """Compare the experiments with the baseline.

    The metric is `primary` in neat.yaml, else the commonest evaluation; `neat baseline RUN` names the baseline.
    A difference in brackets is not comparable; the last column says why.

    \b
    neat table
    neat table --metric val/dice --csv > table.csv
    """
    opened = open_here()
    found = experiment_table(
        opened.records, opened.points, opened.project, opened.config, metric=metric, home=opened.home
    )
    if found.problem and metric:
        raise NeatError(found.problem, found.hint)
    if found.problem:
        click.echo(f"note: {found.problem}, the primary metric of neat.yaml; {found.hint}", err=True)
    if as_json:
        print_json(list(found.rows))
    elif as_csv:
        click.echo(table_csv(found.rows, "\n"), nl=False)
    else:
        _print(opened, found, found.rows if is_all else found.rows[:SHOWN])


def _print(opened: Open, found: Table, rows: tuple[RunFact, ...]) -> None:
    rows = tuple(_in_column(row, found.metric) for row in rows)
    columns = [one for one in _COLUMNS if one[0] not in _OPTIONAL or any(one[1](row) != "—" for row in rows)]
    headings = [found.metric or "best" if name == "value" else name for name, _ in columns]
    empty = f"no runs in {opened.root} yet: a run is a folder with a metrics.jsonl; `neat train lm` makes one"
    print_table(headings, [[show(row) for _, show in columns] for row in rows], empty)
    if len(rows) < len(found.rows):
        click.echo(f"… and {len(found.rows) - len(rows)} more: `neat table --all`")
    if rows and not any(row.is_baseline for row in found.rows):
        click.echo("no baseline is named: `neat baseline RUN`", err=True)


def _delta(row: RunFact) -> str:
    if row.is_baseline:
        return "baseline"
    if row.delta is None:
        return "—"
    return f"{row.delta:+.4g}" if row.is_comparable else f"[{row.delta:+.4g}]"


def _name(row: RunFact) -> str:
    return f"{row.name} (reported)" if row.is_reported else row.name


def _in_column(row: RunFact, metric: str) -> RunFact:
    """The row as it stands below `metric`: a value of another metric is a remark."""
    if row.value is None or is_same_metric(row.metric, metric):
        return row
    reasons = tuple(one for one in row.not_comparable if not one.startswith("other metric"))
    notes = (f"{number(row.value)} {row.metric}", *row.notes)
    return row.model_copy(update={"value": None, "value_step": None, "not_comparable": reasons, "notes": notes})


def _remarks(row: RunFact) -> str:
    parts = [f"not comparable: {'; '.join(row.not_comparable)}"] if row.not_comparable else []
    parts += [f"attempt {row.attempt}"] if row.attempt > 1 else []
    return one_line("; ".join([*parts, *row.notes]), 160) or "—"


def _count(value: int | None) -> str:
    """A size for people: 12.7M."""
    if value is None:
        return "—"
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= size:
            return f"{value / size:.4g}{unit}"
    return str(value)


def _data(row: RunFact) -> str:
    share = f"{100 * row.data_fraction:.3g} % of it" if row.data_fraction is not None else ""
    return " ".join(part for part in (row.data, share) if part) or "—"


def _different(row: RunFact) -> str:
    return one_line("; ".join([*row.changed, *([row.code] if row.code else [])]), 160)


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("id", lambda row: row.short),
    ("experiment", _name),
    ("value", lambda row: number(row.value)),
    ("at step", lambda row: str(row.value_step if row.value_step is not None else "—")),
    ("vs baseline", _delta),
    ("status", lambda row: row.status),
    ("hours", lambda row: f"{row.hours:.2f}" if row.hours is not None else "—"),
    ("params", lambda row: _count(row.params)),
    ("samples", lambda row: f"{row.samples:,}" if row.samples is not None else "—"),
    ("data", _data),
    ("different from the baseline", _different),
    ("remarks", _remarks),
)
_OPTIONAL = ("params", "samples", "data", "remarks")  # shown where some row has one


@click.command(short_help="Name the run that others are compared with.")
@click.argument("word", metavar="[RUN]", required=False)
@click.option("--clear", "is_cleared", is_flag=True, help="Name none.")
@json_option
def baseline(word: str | None, is_cleared: bool, as_json: bool) -> None:
    """Name the run that others are compared with.

    Without RUN it says which one that is.

    \b
    neat baseline runs/plain
    neat baseline --clear
    """
    if word and is_cleared:
        raise click.UsageError("a RUN, or --clear, not both")
    opened = open_here(warn=False)
    found: Run | None = None
    if word:
        found = runs.find_run(opened.records, word, opened.project.id)
    elif not is_cleared and opened.project.baseline:
        found = runs.get_run(opened.records, opened.project.baseline)
    if word or is_cleared:
        projects.set_baseline(opened.records, opened.project.id, found.id if found else "")
    if as_json:
        print_json({"baseline": {"id": found.id, "name": found.name} if found else None})
    else:
        click.echo(f"baseline: {found.name if found else '(none); `neat baseline RUN` names one'}")
