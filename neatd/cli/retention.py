"""Retention by hand: the plan with its reasons, apply, undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line, size, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table, wait_for_request
from neatd.models import RetentionPlan, Run
from neatd.pipeline.retaining import plan_run
from neatd.store import checkpoints, requests, runs


@click.group(short_help="Thin checkpoints: plan, apply, undo.")
def retention() -> None:
    """Thin checkpoints: plan, apply, undo.

    Nothing is thinned by itself until `neat allow retention`. What goes is renamed into .neat/trash and can come back.
    """


def _plans(opened: Open, word: str | None) -> list[tuple[Run, RetentionPlan]]:
    chosen = (
        [runs.find_run(opened.records, word, opened.project.id)]
        if word
        else runs.all_runs(opened.records, opened.project.id)
    )
    here = [run for run in chosen if run.root == opened.project.root]
    return [(run, plan_run(opened.records, opened.points, run, opened.config)) for run in here]


def _shape(run: Run, plan: RetentionPlan) -> dict[str, Any]:
    return {
        "run": run.id, "name": run.name, "bytes_before": plan.bytes_before, "bytes_freed": plan.bytes_freed,
        "bytes_after": plan.bytes_before - plan.bytes_freed,
        "keep": [{"path": k.checkpoint.path, "step": k.checkpoint.step, "reasons": k.reasons} for k in plan.keep],
        "delete": [{"path": d.checkpoint.path, "step": d.checkpoint.step, "reason": d.reason} for d in plan.delete],
    }  # fmt: skip


@retention.command(short_help="Show what would go, and why each file stays.")
@click.argument("word", metavar="[RUN]", required=False)
@json_option
def plan(word: str | None, as_json: bool) -> None:
    """Show what would go, and why each file stays. Changes nothing.

    \b
    neat retention plan
    neat retention plan baseline --json
    """
    opened = open_here()
    plans = _plans(opened, word)
    if as_json:
        print_json([_shape(run, one) for run, one in plans])
        return
    for run, one in plans:
        if one.keep or one.delete:
            freed, before = size(one.bytes_freed), size(one.bytes_before)
            click.echo(f"{run.name}: {len(one.keep)} stay, {len(one.delete)} go; frees {freed} of {before}")
            rows = [
                ("keep", k.checkpoint.path, size(k.checkpoint.size_bytes), one_line("; ".join(k.reasons), 120))
                for k in one.keep
            ]
            rows += [("go", d.checkpoint.path, size(d.checkpoint.size_bytes), d.reason) for d in one.delete]
            print_table(("", "file", "size", "why"), rows, "")
    if not any(one.keep or one.delete for _, one in plans):
        click.echo("no checkpoints", err=True)


@retention.command(short_help="Move what the plan gives up into the trash.")
@click.argument("word", metavar="[RUN]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def apply(word: str | None, yes: bool, as_json: bool) -> None:
    """Move what the plan gives up into the trash.

    \b
    neat retention apply
    neat retention apply --yes
    """
    opened = open_here(warn=False)
    plans = [(run, one) for run, one in _plans(opened, word) if one.delete]
    count, freed = sum(len(one.delete) for _, one in plans), sum(one.bytes_freed for _, one in plans)
    if not plans:
        _report(
            as_json, {"batch": None, "moved": 0, "freed_bytes": 0, "refused": []}, "nothing to do: everything stays"
        )
        return
    if not yes:
        click.confirm(
            f"move {count} checkpoints ({size(freed)}) of {len(plans)} run(s) into the trash?", abort=True, err=True
        )
    payload = {"run_ids": [run.id for run, _ in plans]}
    result = wait_for_request(opened, requests.ask(opened.records, "retention-apply", opened.project.id, payload))
    freed_text = size(result["freed_bytes"])
    text = f"{result['moved']} checkpoints are in the trash ({freed_text}); `neat retention undo` brings them back"
    _report(as_json, result, text)


def _report(as_json: bool, result: dict[str, Any], text: str) -> None:
    if as_json:
        print_json(result)
        return
    click.echo(text)
    for one in result["refused"]:
        click.echo(f"stays: {one['path']}: {one['note']}", err=True)


@retention.command(short_help="Bring back what lies in the trash.")
@click.argument("batch", required=False)
@click.option("--list", "only_list", is_flag=True, help="Only show what can come back.")
@click.option("--all", "take_all", is_flag=True, help="Bring back every batch.")
@json_option
def undo(batch: str | None, only_list: bool, take_all: bool, as_json: bool) -> None:
    """Bring back what lies in the trash: the newest batch, the one named, or all. What came back stays.

    \b
    neat retention undo --list
    neat retention undo
    neat retention undo --all
    """
    opened = open_here(warn=False)
    if only_list:
        _list(opened, as_json)
        return
    result = wait_for_request(
        opened, requests.ask(opened.records, "retention-undo", opened.project.id, {"batch": batch, "all": take_all})
    )
    _report(as_json, result, f"{result['restored']} checkpoints are back ({size(result['bytes'])})")


def _list(opened: Open, as_json: bool) -> None:
    ours = {run.id for run in runs.all_runs(opened.records, opened.project.id)}
    found = [one for one in checkpoints.trashed(opened.records) if one.run_id in ours]
    if as_json:
        print_json(found)
        return
    rows = [
        (one.batch, when(one.created_at), size(one.size_bytes), _short(opened, one.from_path), one.reason)
        for one in found
    ]
    print_table(("batch", "since", "size", "file", "why it went"), rows, "the trash is empty")


def _short(opened: Open, path: str) -> str:
    """A path relative to the project, where it lies in it."""
    return str(Path(path).relative_to(opened.root)) if opened.root in Path(path).parents else path
