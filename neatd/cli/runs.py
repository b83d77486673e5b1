"""Runs read: the list, one run, its series."""

from __future__ import annotations

import shlex
from typing import Any

import click

from neatd.assist.markdown import without_controls
from neatd.assist.render import one_line, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.cli.runheader import span, step_of
from neatd.cli.runtext import print_run
from neatd.errors import NeatError
from neatd.models import Run
from neatd.now import is_system
from neatd.pipeline.profile import start_diff_of, start_shape
from neatd.pipeline.showing import matching, run_shapes, whole_detail
from neatd.store import points, records, runs, window

SHOWN = 50  # runs that a person reads; JSON has all


@click.command("runs", short_help="List the runs.", context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[FILTER]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help=f"Show all runs, not the newest {SHOWN} and those that go on.")
@json_option
def runs_(words: tuple[str, ...], is_all: bool, as_json: bool) -> None:
    """List the runs, newest first.

    FILTER: words that all hold. Each is a part of a name or a status; a minus before it turns it around; OR parts
    alternatives; "quotes" keep a word with spaces whole. A word may say where to look: status:failed, name:base,
    reason:memory; a parameter, as cfg.lr>=1e-3 or cfg.data:wiki; note:TEXT or tag:TAG of a record that names the run as
    its evidence. The page's list takes the same. JSON has all of them.

    \b
    neat runs
    neat runs running --json
    neat runs 'wide -failed'
    neat runs 'cfg.lr>=1e-3 status:finished OR tag:keep'
    """
    filter_, opened = " ".join(words), open_here()
    if as_json:
        found = matching(opened.records, opened.project.id, filter_)
        print_json(run_shapes(opened.points, opened.project, found))
        return
    found, left = runs.listed_runs(opened.records, opened.project.id, filter_, None if is_all else SHOWN)
    shapes = {one["id"]: one for one in run_shapes(opened.points, opened.project, found)}
    shorts = records.shown_ids([run.id for run in found])
    rows = [_row(run, shapes[run.id], shorts[run.id]) for run in found]
    print_table(
        ("id", "name", "status", "step", "left", "last line", "why"), rows, "" if rows else _no_runs(opened, filter_)
    )
    if left:
        click.echo(f"… and {left} more: `{shlex.join(['neat', 'runs', *words, '--all'])}`")


def _row(run: Run, shape: dict[str, Any], short: str) -> tuple[str, ...]:
    left = "" if shape["eta_s"] is None else span(shape["eta_s"])
    return short, run.name, run.status, step_of(shape), left, when(shape["updated_at"]), one_line(run.reason, 90)


def _no_runs(opened: Open, filter_: str) -> str:
    count = runs.count_runs(opened.records, opened.project.id)
    if count:
        of = f"({count} run{'s' if count != 1 else ''})"
        return f"no run matches {filter_!r} {of}: a part of a name, or a status; `neat runs --help` has more"
    return f"no runs in {opened.root} yet: a run is a folder with a metrics.jsonl; `neat train lm` makes one"


@click.group(short_help="Look at one run.")
def run() -> None:
    """Look at one run."""


@run.command("show", short_help="Show a run: how it stands, its series, checkpoints, events, configuration, code.")
@click.argument("word", metavar="ID")
@click.option("--system", "is_system_too", is_flag=True, help="List the series of the machine too.")
@click.option(
    "--diff",
    "is_diff",
    is_flag=True,
    help="Print what was changed against the commit when the run started, and the names of files that git did not know.",
)
@json_option
def show(word: str, is_system_too: bool, is_diff: bool, as_json: bool) -> None:
    """Show a run: how it stands, its series, checkpoints, events, configuration, code.

    ID is the beginning of its id, its name, or the end of its name, from a slash on.

    The trend of predictions is over the last 5 evaluations, each example against itself where examples come back:
    improving or regressing where the answers rise or fall with the evaluations by more than 2.1 standard deviations of
    what mere chance of the same answers in another order gives (Mantel's test for trend, continuity corrected); else
    stable.

    \b
    neat run show baseline
    neat run show baseline --diff
    neat run show r-7k2q --json
    """
    opened = open_here()
    found = runs.find_run(opened.records, word, opened.project.id)
    if is_diff:
        _print_diff(opened, found, as_json)
        return
    shape = whole_detail(opened.records, opened.points, opened.project, opened.config, found)
    if as_json:
        print_json(shape)
    else:
        print_run(found, shape, is_system_too)


def _print_diff(opened: Open, found: Run, as_json: bool) -> None:
    text = start_diff_of(opened.records, found)
    if text is None:
        hint = "neatd keeps them when it finds a run that began within the last five minutes, in a git repository"
        raise NeatError(f"the changes that {found.name} started from are not kept", hint)
    if as_json:
        print_json({**start_shape(opened.records, found), "diff": text})
        return
    untracked = start_shape(opened.records, found)["untracked"]
    if text:
        click.echo(without_controls(text), nl=False)
    for name in untracked:
        click.echo(without_controls(f"untracked: {name}"))
    if not text and not untracked:
        click.echo(f"{found.name} started from its commit: nothing was changed", err=True)


@click.command(short_help="Print the points of one series.")
@click.argument("word", metavar="ID")
@click.argument("metric")
@click.option("--from", "first", type=int, help="First step.")
@click.option("--to", "last", type=int, help="Last step.")
@click.option("--points", "count", type=click.IntRange(min=2), help="At most about so many; the extremes stay.")
@json_option
def series(word: str, metric: str, first: int | None, last: int | None, count: int | None, as_json: bool) -> None:
    """Print the points of one series.

    Each is step, value, time (unix seconds; null where the trainer wrote none).

    \b
    neat series baseline val/loss
    neat series r-7k2q train/loss --from 100 --to 200 --json
    """
    opened = open_here()
    found = runs.find_run(opened.records, word, opened.project.id)
    names = sorted((fact.name for fact in points.series_of(opened.points, found.id)), key=is_system)
    if metric not in names:
        raise NeatError(f"no series {metric!r} in {found.name}", f"it has {', '.join(names) or 'none yet'}")
    if count is None:
        rows = window.points_of(opened.points, found.id, metric, first, last)
    else:
        from neatd.store.resolution import at_resolution  # numpy

        rows = at_resolution(opened.points, found.id, metric, count, first, last)
    if as_json:
        print_json([list(row) for row in rows])
        return
    for step, value, time in rows:
        click.echo(f"{step}\t{value!r}\t{time if time is not None else ''}")
