"""What rules and retention work on, read: events and checkpoints. Snapshots are in `cli/snapshots.py`."""

from __future__ import annotations

from typing import Any

import click

from neatd.assist.eventwords import course
from neatd.assist.render import one_line, size, when
from neatd.cli.common import json_option, open_here, print_json, print_table
from neatd.pipeline.eventlist import GRAVE, event_list, graver
from neatd.store import checkpoints as saves
from neatd.store import eventlog, records, runs


@click.command("events", short_help="List anomalies, best values and mishaps.")
@click.option("--follow", is_flag=True, help="One line for each new event, until Ctrl-C.")
@click.option("--run", "word", help="Only this run's.")
@click.option("--severity", type=click.Choice(GRAVE), default="info", help="This or graver.")
@click.option("--since", metavar="ID", help="Only those that were written after this event.")
@json_option
def events_(follow: bool, word: str | None, severity: str, since: str | None, as_json: bool) -> None:
    """List anomalies, best values and mishaps, newest first.

    With --follow each new one is one line as soon as it is there, once; with --json, one object a line. It ends with
    whoever reads it or started it. `--follow --since ID` goes on after an event. `neat show ID` has all of one: its window,
    examples, and the difference to the last good run.

    \b
    neat events
    neat events --run variant --json
    neat events --severity warning
    neat events --follow --severity warning
    """
    opened = open_here()
    run_id = runs.find_run(opened.records, word, opened.project.id).id if word else None
    mark = eventlog.place_of(opened.records, since) if since is not None else None
    if follow:
        from neatd.cli import following

        wanted = eventlog.Wanted(opened.project.id, run_id, graver(severity))
        following.follow(opened, wanted, mark, as_json)
        return
    shapes = event_list(opened.records, opened.project.id, run_id, severity, mark)
    if as_json:
        print_json(shapes)
        return
    shorts = records.unique_prefixes([one["id"] for one in shapes])
    rows = [
        (
            shorts[one["id"]],
            when(one["started_at"]),
            one["severity"],
            one["rule"],
            _what(one),
            one["snapshot"] or "",
        )
        for one in shapes
    ]
    print_table(("id", "at", "severity", "rule", "what", "snapshot"), rows, "no events")


def _what(one: dict[str, Any]) -> str:
    """The message, and below it how it went on."""
    more = course(one)
    return one_line(one["message"], 110) + (f"\n{one_line(more, 110)}" if more else "")


@click.command(short_help="List checkpoints.")
@click.argument("word", metavar="[RUN]", required=False)
@json_option
def checkpoints(word: str | None, as_json: bool) -> None:
    """List the checkpoints of the runs.

    \b
    neat checkpoints
    neat checkpoints baseline --json
    """
    opened = open_here()
    chosen = (
        [runs.find_run(opened.records, word, opened.project.id)]
        if word
        else runs.all_runs(opened.records, opened.project.id)
    )
    found = [(run, one) for run in chosen for one in saves.catalogue(opened.records, run.id)]
    if as_json:
        print_json([{"run": run.name, **one.model_dump()} for run, one in found])
        return
    rows = [
        (
            run.name,
            str(one.step if one.step is not None else "—"),
            one.status,
            size(one.size_bytes),
            when(one.completed_at),
            one.path,
        )
        for run, one in found
    ]
    print_table(("run", "step", "status", "size", "complete", "file"), rows, "no checkpoints")
