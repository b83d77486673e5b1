"""Fields of a record changed, by FIELD=VALUE or in the person's editor; the old values stay in its history."""

from __future__ import annotations

import json
from typing import Any

import click

from neatd.cli.common import json_option, open_here, print_json, sync_plan_here
from neatd.cli.record import source
from neatd.errors import NeatError
from neatd.kinds import FIELDS
from neatd.pipeline import changing
from neatd.pipeline.changing import as_changes, record_of
from neatd.place import here
from neatd.store import records


@click.command(short_help="Change a record.")
@click.argument("record_id", metavar="ID")
@click.argument("changes", nargs=-1, metavar="[FIELD=VALUE…]")
@json_option
def edit(record_id: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Change fields of a record; the old values stay in its history.

    Without FIELD=VALUE the record opens in your editor. Tags are separated by commas; what is a list (alternative,
    implication, file, evidence, valid_while) may be given again and replaces what was there.

    \b
    neat edit d-7k2q why="160 does not fit" status=open
    neat edit d-7k2q tags=memory,patches alternative="160 cubed, batch 1"
    neat edit d-7k2q evidence=runs/a:val/loss
    """
    opened = open_here(warn=False)
    kind, full = record_of(opened.records, record_id)
    if not changes:
        current = records.get(opened.records, kind, full).model_dump(mode="json")
        changes = _in_editor(kind, current)
    edited = changing.edit(opened.records, opened.home, here(), kind, full, changes, source())
    if kind == "task":
        sync_plan_here(opened, is_changing=True)
    if as_json:
        print_json(edited.record)
        return
    what = f"changed: {', '.join(edited.changed)}" if edited.changed else "is as it was: nothing changed"
    click.echo(f"{kind} {full[:9]} {what}")


def _in_editor(kind: str, current: dict[str, Any]) -> tuple[str, ...]:
    """The lines a person changed, as FIELD=VALUE. Empty when the editor was left without saving."""
    names = [name for name in FIELDS[kind] if name != "position"]
    lines = [f"{name}: {json.dumps(current[name], ensure_ascii=False)}" for name in names]
    text = click.edit(
        "\n".join([f"# {kind} {current['id']}: values are JSON; leave a line as it is to keep it", *lines])
    )
    changed: list[str] = []
    for line in (text or "").splitlines():
        name, colon, value = line.partition(":")
        if line.startswith("#") or not colon or line in lines or name not in names:
            continue
        try:
            changed += as_changes(name, json.loads(value))
        except ValueError as error:
            raise NeatError(f"not JSON: {line!r}", 'write text in double quotes, lists as ["a", "b"]') from error
    return tuple(changed)
