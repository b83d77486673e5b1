"""Snapshots listed: of which event of which run, what each takes, and until when it is kept."""

from __future__ import annotations

from typing import Any

import click

from neatd.assist.render import one_line, size
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.models import Snapshot
from neatd.pipeline.lasting import lasting, standing
from neatd.pipeline.upkeep.scheduled import load_schedule
from neatd.store import events, records, runs


@click.command(short_help="List the snapshots that events took.")
@click.option("--run", "word", metavar="ID", help="Only this run's, by id or name.")
@json_option
def snapshots(word: str | None, as_json: bool) -> None:
    """List the snapshots that events took.

    Newest first, with what each takes and until when it is kept. That of the best value stays for ever; the others go into
    the trash by the schedule, those of values that were beaten among them.

    \b
    neat snapshots
    neat snapshots --run baseline --json
    """
    opened = open_here()
    run_id = runs.find_run(opened.records, word, opened.project.id).id if word else None
    shapes = _shapes(opened, events.snapshots(opened.records, opened.project.id, run_id))
    if as_json:
        print_json(shapes)
        return
    shapes = [one for one in shapes if one["kept"] != "kept nothing"]
    shorts = records.unique_prefixes([one["id"] for one in shapes])
    rows = [
        (
            shorts[one["id"]], one["run"], f"{one['rule']} at {one['step']}" if one["step"] is not None else one["rule"],
            one["mode"], size(one["size_bytes"]), one["kept"], one["path"] or one_line(one["reason"]),
        )
        for one in shapes
    ]  # fmt: skip
    print_table(
        ("id", "run", "event", "mode", "size", "kept until", "folder in the run, or why none"), rows, "no snapshots"
    )
    if rows:
        here = [one for one in shapes if one["status"] == "done"]
        click.echo(f"{len(here)} here, {size(sum(one['size_bytes'] for one in here))}")


def _shapes(opened: Open, found: list[Snapshot]) -> list[dict[str, Any]]:
    """Each with its run's name, its event and how long it is kept; `kept_until` is null where it has no date."""
    names = {run.id: run.name for run in runs.all_runs(opened.records, opened.project.id)}
    stays = {run_id: standing(opened.records, run_id) for run_id in {one.run_id for one in found}}
    job = load_schedule(opened.home).schedule.get("snapshots")
    days = job.days if job and job.enabled else None
    shapes = []
    for one in found:
        event = events.get_event(opened.records, one.event_id)
        kept = lasting(opened.records, one, event, stays[one.run_id], days)
        more = {"run": names.get(one.run_id, "?"), "kept_until": kept.until, "kept": kept.said}
        shapes.append({**one.model_dump(), **event.model_dump(include={"rule", "metric", "step", "value"}), **more})
    return shapes
