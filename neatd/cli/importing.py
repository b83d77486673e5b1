"""Notes that people have already, taken in: `neat import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from neatd.assist.notes.parse import Parsed
from neatd.assist.render import one_line
from neatd.cli.common import json_option, open_here, print_json, print_table
from neatd.pipeline.importing import Imported, import_file
from neatd.place import here
from neatd.redact import redact, redact_value
from neatd.store.imports import Outcome


@click.command("import", short_help="Take notes in as records.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE…")
@click.option("--dry-run", is_flag=True, help="Show what would become a record; keep nothing.")
@click.option("--prune", is_flag=True, help="Delete what a file no longer says, even when that is most of it.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@json_option
def import_(files: tuple[Path, ...], dry_run: bool, prune: bool, yes: bool, as_json: bool) -> None:
    """Take notes in as records: markdown, decision logs, tables, CSV, JSON.

    Handoffs, CLAUDE.md, ADRs, experiment tables, lists of trials, the memory of an MCP server. Every line ends up in a
    record that cites it, or is listed as not placed. The same file again changes nothing, an edited one updates. What it no
    longer says is deleted; when that is most of it, the file may be broken, and it takes --prune.

    \b
    neat import HANDOFF.md --dry-run
    neat import CLAUDE.md docs/decisions/*.md results.csv
    """
    opened, place = open_here(warn=False), here()
    if not (dry_run or yes or as_json) and _asks():
        previews = [import_file(opened.records, place, path, is_dry_run=True, is_pruning=prune) for path in files]
        _print(previews, is_dry_run=True)
        click.confirm("keep these records?", default=True, abort=True, err=True)
    done = [import_file(opened.records, place, path, is_dry_run=dry_run, is_pruning=prune) for path in files]
    if as_json:
        print_json(redact_value(_shape(done)))
    else:
        _print(done, dry_run)


def _asks() -> bool:
    return sys.stdin.isatty()


def _shape(done: list[Imported]) -> dict[str, Any]:
    """What other programs rely on: records, lines, placed, unplaced."""
    records = [
        {
            **parsed.fields, "id": outcome.record_id, "kind": parsed.kind, "file": one.file, "lines": parsed.cites,
            "section": parsed.section, "action": outcome.action,
        }
        for one in done
        for parsed, outcome in one.records
    ]  # fmt: skip
    return {
        "records": records,
        "lines": sum(one.lines for one in done),
        "placed": sum(one.placed for one in done),
        "unplaced": [{"file": one.file, "line": line, "text": text} for one in done for line, text in one.unplaced],
        "removed": [outcome.record_id for one in done for outcome in one.removed if outcome.action == "removed"],
    }


def _row(parsed: Parsed, outcome: Outcome) -> tuple[str, ...]:
    line = str(parsed.cites[0]) if parsed.cites else ""
    return line, parsed.kind, outcome.action, one_line(redact(str(parsed.fields.get("title", ""))), 100)


def _print(done: list[Imported], is_dry_run: bool) -> None:
    for one in done:
        if is_dry_run:
            rows = [_row(parsed, outcome) for parsed, outcome in one.records]
            print_table(("line", "kind", "", "title"), rows, f"{one.file}: nothing to take in")
        kinds: dict[str, int] = {}
        for parsed, _ in one.records:
            kinds[parsed.kind] = kinds.get(parsed.kind, 0) + 1
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda pair: -pair[1]))
        actions = {
            action: sum(o.action == action for _, o in one.records)
            for action in ("added", "updated", "restored", "unchanged")
        }
        said = ", ".join(f"{count} {action}" for action, count in actions.items() if count) or "nothing"
        gone = sum(outcome.action == "removed" for outcome in one.removed)
        gone_text = f", {gone} no longer there and deleted" if gone else ""
        kept = sum(outcome.action == "kept" for outcome in one.removed)
        gone_text += f", {kept} no longer there and kept; `--prune` deletes them" if kept else ""
        click.echo(f"{one.file}: {one.placed} of {one.lines} lines placed ({counted or 'no records'})")
        click.echo(f"  {'would be ' if is_dry_run else ''}{said}{gone_text}")
        for line, text in one.unplaced:
            click.echo(f"  not placed: {one.file}:{line}: {one_line(redact(text), 100)}", err=True)
