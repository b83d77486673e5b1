"""What rules and retention work on, read: events, snapshots, checkpoints, rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line, size, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.errors import NeatError
from neatd.files import data_path
from neatd.pipeline.showing import event_shapes
from neatd.rules.load import load_rule, load_rules
from neatd.store import checkpoints as saves
from neatd.store import eventlog, events, records, runs

_GRAVE = ("info", "warning", "critical")


@click.command("events", short_help="List anomalies, best values and mishaps.")
@click.option("--follow", is_flag=True, help="One line for each new event, until Ctrl-C.")
@click.option("--run", "word", help="Only this run's.")
@click.option("--severity", type=click.Choice(_GRAVE), default="info", help="This or graver.")
@click.option("--since", metavar="ID", help="Only those that were written after this event.")
@json_option
def events_(follow: bool, word: str | None, severity: str, since: str | None, as_json: bool) -> None:
    """List anomalies, best values and mishaps, newest first.

    With --follow each new one is one line as soon as it is there, once; with --json, one object a line. It ends with
    whoever reads it or started it. `--follow --since ID` goes on after an event.

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

        wanted = eventlog.Wanted(opened.project.id, run_id, _graver(severity))
        following.follow(opened, wanted, mark, as_json)
        return
    shapes = _shapes(opened, run_id, severity)
    if mark:
        newer = eventlog.ids_after(opened.records, mark)
        shapes = [one for one in shapes if one["id"] in newer]
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
            one_line(one["message"], 110),
            one["snapshot"] or "",
        )
        for one in shapes
    ]
    print_table(("id", "at", "severity", "rule", "what", "snapshot"), rows, "no events")


def _shapes(opened: Open, run_id: str | None, severity: str) -> list[dict[str, Any]]:
    wanted = _graver(severity)
    return [one for one in event_shapes(opened.records, opened.project.id, run_id) if one["severity"] in wanted]


def _graver(severity: str) -> tuple[str, ...]:
    return _GRAVE[_GRAVE.index(severity) :]


@click.command(short_help="List snapshots.")
@json_option
def snapshots(as_json: bool) -> None:
    """List the snapshots that events took.

    \b
    neat snapshots
    """
    opened = open_here()
    folders = {run.id: run for run in runs.all_runs(opened.records, opened.project.id)}
    found = events.snapshots(opened.records, opened.project.id)
    if as_json:
        print_json(found)
        return
    found = [one for one in found if one.path or one.status != "done"]  # the others had nothing to keep
    shorts = records.unique_prefixes([one.id for one in found])
    rows = [
        (
            shorts[one.id], folders[one.run_id].name if one.run_id in folders else "?", one.status, one.mode,
            size(one.size_bytes), one.path or one.reason,
        )
        for one in found
    ]  # fmt: skip
    print_table(("id", "run", "status", "mode", "size", "folder in the run"), rows, "no snapshots")


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


@click.group(short_help="List the rules, or check a rule file.")
def rules() -> None:
    """List the rules, or check a rule file."""


@rules.command("list", short_help="List the rules in force here.")
@json_option
def rules_list(as_json: bool) -> None:
    """List the rules in force here: the shipped ones, yours, the project's, by name.

    \b
    neat rules list
    """
    opened = open_here(warn=False)
    folders = [data_path("rules"), opened.home / "rules", opened.root / ".neat" / "rules"]
    found, mistakes = load_rules([folder for folder in folders if folder.is_dir()])
    for mistake in mistakes:
        click.echo(f"mistake: {mistake.message}", err=True)
    if as_json:
        print_json(list(found))
        return
    rows = [
        (one.rule, "on" if one.enabled else "off", one.severity, ", ".join(one.metrics), one_line(one.description, 80))
        for one in found
    ]
    print_table(("rule", "", "severity", "metrics", "what it looks for"), rows, "no rules")


@rules.command("show", short_help="Print a shipped rule's file.")
@click.argument("name")
def rules_show(name: str) -> None:
    """Print a shipped rule's file, to change it in .neat/rules/ (or to switch it off there: enabled: false).

    \b
    neat rules show spike > .neat/rules/spike.yaml
    """
    path = data_path("rules") / f"{name}.yaml"
    if "/" in name or not path.is_file():
        known = ", ".join(sorted(one.stem for one in data_path("rules").glob("*.yaml")))
        raise NeatError(f"no shipped rule {name!r}", f"there are {known}")
    click.echo(path.read_text(encoding="utf-8"), nl=False)


@rules.command("check", short_help="Check a rule file.")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def rules_check(file: Path, as_json: bool) -> None:
    """Check a rule file; every mistake is named with its line, field and value.

    \b
    neat rules check .neat/rules/spike.yaml
    """
    rule = load_rule(file)
    if as_json:
        print_json(rule)
    else:
        click.echo(f"{file}: {rule.rule} is good ({rule.when.condition}, {'on' if rule.enabled else 'off'})")
