"""Fields of a record changed, by FIELD=VALUE or in the person's editor; the old values stay in its history."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from neatd.cli.common import json_option, open_here, print_json, sync_plan_here
from neatd.cli.record import checked, parameter, source
from neatd.cli.records import no_circle, record_of
from neatd.errors import NeatError
from neatd.kinds import FIELDS, KINDS
from neatd.rules.hypothesis import parse_prediction
from neatd.store import records
from neatd.store.short import resolve_in

_TRUE, _FALSE = ("yes", "true", "1", "on"), ("no", "false", "0", "off", "")


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
    kind, full = record_of(opened, record_id)
    if not changes:
        current = records.get(opened.records, kind, full).model_dump(mode="json")
        changes = _in_editor(kind, current)
    fields: dict[str, Any] = {}
    for name, value in (_field(kind, change) for change in changes):
        several = fields.get(name)
        if isinstance(several, list):
            value = [*several, *value]
        fields[name] = several | value if isinstance(several, dict) else value
    for name in ("parent", "after"):
        if kind == "task" and fields.get(name):
            fields[name] = resolve_in(opened.records, "task", fields[name])
    if kind == "hypothesis" and {"predict", "run", "study", "experiment"} & set(fields):  # judged anew
        fields = {"verdict": "", "verdict_reason": "", "evidence": [], "status": "open"} | fields
    if kind == "decision" and fields.get("supersedes"):
        fields["supersedes"] = resolve_in(opened.records, "decision", fields["supersedes"])
        no_circle(opened, full, fields["supersedes"])
    before = records.get(opened.records, kind, full)
    records.change(opened.records, kind, full, fields, source())
    if kind == "decision" and fields.get("supersedes"):  # as when it is said at the beginning
        records.change(opened.records, kind, fields["supersedes"], {"status": "superseded"}, source())
    after = records.get(opened.records, kind, full)
    if kind == "task":
        sync_plan_here(opened, is_changing=True)
    if as_json:
        print_json(after)
        return
    changed = [name for name in fields if getattr(before, name) != getattr(after, name)]
    click.echo(
        f"{kind} {full[:9]} " + (f"changed: {', '.join(changed)}" if changed else "is as it was: nothing changed")
    )


def _in_editor(kind: str, current: dict[str, Any]) -> tuple[str, ...]:
    """The lines a person changed, as FIELD=VALUE. Empty when the editor was left without saving."""
    names = [name for name in FIELDS[kind] if name != "position"]
    lines = [f"{name}: {json.dumps(current[name], ensure_ascii=False)}" for name in names]
    text = click.edit(
        "\n".join([f"# {kind} {current['id']}: values are JSON; leave a line as it is to keep it", *lines])
    )
    changed = []
    for line in (text or "").splitlines():
        name, colon, value = line.partition(":")
        if line.startswith("#") or not colon or line in lines or name not in names:
            continue
        try:
            read = json.loads(value)
        except ValueError as error:
            raise NeatError(f"not JSON: {line!r}", 'write text in double quotes, lists as ["a", "b"]') from error
        if isinstance(read, dict):
            changed += [f"{name}={key}={one}" for key, one in read.items()]
        elif isinstance(read, list):
            changed += [f"{name}={','.join(map(str, read))}"] if name == "tags" else [f"{name}={one}" for one in read]
        else:
            changed.append(f"{name}={'' if read is None else read}")
    return tuple(changed)


def _field(kind: str, change: str) -> tuple[str, Any]:
    """(field, value as its column takes it) of FIELD=VALUE; raises NeatError for what the kind has not."""
    name, equals, value = change.partition("=")
    name = name.replace("-", "_")
    if not equals or name not in (*FIELDS[kind], "evidence", "valid_while"):
        raise NeatError(
            f"not a field of a {kind}: {change!r}",
            f"write FIELD=VALUE with one of {', '.join((*FIELDS[kind], 'evidence', 'valid_while'))}",
        )
    if name == "tags":
        return name, [one.strip() for one in value.split(",") if one.strip()]
    if name in ("evidence", "valid_while"):
        from neatd.cli.vouched import conditions, evidence

        return name, (evidence if name == "evidence" else conditions)([value] if value else [])
    if name == "predict" and value:
        parse_prediction(value)
    if name in ("status", "title") and not value.strip():
        raise NeatError(
            f"a {kind} without a {name}", f"a {name} may be changed, not emptied; `neat close` ends a record"
        )
    return name, _typed(kind, name, checked(kind, name, value))


def _typed(kind: str, name: str, value: str) -> Any:
    type_ = next((field.type for field in KINDS[kind].fields if field.name == name), "text")
    if type_ == "list":
        return [value] if value else []
    if type_ == "json":
        return dict([parameter(value)]) if value else {}
    if type_ == "flag" and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    if type_ in ("flag", "number"):
        return _number(name, value)
    return value


def _number(name: str, value: str) -> float | None:
    if not value and name != "position":
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise NeatError(f"not a number: '{name}={value}'", f"write {name}=1.5, or yes and no where it is a choice")
    return int(number) if number.is_integer() and name != "position" else number
