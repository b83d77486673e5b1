"""Runs read: the list, one run, its series."""

from __future__ import annotations

from typing import Any

import click

from neatd.assist.render import number, one_line, size, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.errors import NeatError
from neatd.models import Run
from neatd.pipeline.showing import matching, run_detail, run_shapes
from neatd.store import points, records, runs, window


@click.command("runs", short_help="List the runs.")
@click.argument("filter_", metavar="[FILTER]", required=False, default="")
@json_option
def runs_(filter_: str, as_json: bool) -> None:
    """List the runs, newest first.

    FILTER keeps those whose name or status contains it.

    \b
    neat runs
    neat runs running --json
    """
    opened = open_here()
    found = matching(opened.records, opened.project.id, filter_)
    if as_json:
        print_json(run_shapes(opened.points, opened.project, found))
        return
    progress = runs.progress(opened.points)
    shorts = records.shown_ids([run.id for run in found])
    rows = []
    for run in found:
        step, at = progress.get(run.id, (None, run.updated_at))
        planned = f" of {run.planned_steps}" if run.planned_steps else ""
        rows.append(
            (
                shorts[run.id],
                run.name,
                run.status,
                f"{step}{planned}" if step is not None else "—",
                when(at),
                one_line(run.reason, 90),
            )
        )
    print_table(("id", "name", "status", "step", "last line", "why"), rows, _no_runs(opened, filter_))


def _no_runs(opened: Open, filter_: str) -> str:
    count = len(runs.all_runs(opened.records, opened.project.id))
    if count:
        return f"no run matches {filter_!r} ({count} run{'s' if count != 1 else ''}): a part of a name, or a status"
    return f"no runs in {opened.root} yet: a run is a folder with a metrics.jsonl; `neat train lm` makes one"


@click.group(short_help="Look at one run.")
def run() -> None:
    """Look at one run."""


@run.command("show", short_help="Show a run: its series, checkpoints, events, configuration, git.")
@click.argument("word", metavar="ID")
@json_option
def show(word: str, as_json: bool) -> None:
    """Show a run: its series, checkpoints, events, configuration, git.

    ID is the beginning of its id, its name, or the last part of its name.

    \b
    neat run show baseline
    neat run show r-7k2q --json
    """
    opened = open_here()
    found = runs.find_run(opened.records, word, opened.project.id)
    shape = run_detail(opened.records, opened.points, opened.project, found)
    if as_json:
        print_json(shape)
    else:
        _print_run(found, shape)


def _print_run(found: Run, shape: dict[str, Any]) -> None:
    click.echo(f"{found.name}  ({found.id})")
    click.echo(f"  status: {found.status}: {found.reason}")
    planned = f" of {found.planned_steps}" if found.planned_steps else ""
    click.echo(
        f"  step {shape['step']}{planned}; began {when(found.started_at)}, last line {when(shape['updated_at'])}"
    )
    git = found.git
    dirty = f" with {len(git.dirty)} changed file(s)" if git.dirty else ""
    click.echo(f"  git: {git.branch or '(none)'} {git.commit[:8]}{dirty}")
    if shape["attempt"] > 1:
        click.echo(
            f"  attempt {shape['attempt']}: it was restarted from an earlier step; the abandoned points are kept"
        )
    if shape["bad_lines"]:
        click.echo(f"  {shape['bad_lines']} line(s) could not be read")
    rows = [
        (
            name,
            str(s["points"]),
            f"{s['first_step']}–{s['last_step']}",
            number(s["last"]),
            number(s["best"]),
            str(s["best_step"] or "—"),
        )
        for name, s in shape["series"].items()
    ]
    print_table(("series", "points", "steps", "last", "best", "at step"), rows, "  no points yet")
    here = [one for one in shape["checkpoints"] if one["status"] == "present"]
    total = size(sum(one["size_bytes"] for one in here))
    click.echo(f"checkpoints: {len(here)} ({total}); `neat checkpoints {found.name}`")
    for event in shape["events"][:10]:
        click.echo(f"event: {event['severity']} {event['rule']}: {event['message']}")
    if found.config:
        click.echo("config: " + ", ".join(f"{key}={value}" for key, value in found.config.items()))


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
    names = [fact.name for fact in points.series_of(opened.points, found.id)]
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
