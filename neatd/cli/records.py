"""Records read and changed: list, show, edit, close."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import click

from neatd.assist.render import one_line, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.cli.record import source
from neatd.errors import NeatError
from neatd.models import RECORD_KINDS, Record
from neatd.rules.hypothesis import parse_prediction
from neatd.store import records, runs


@click.command("list", short_help="List records.")
@click.argument("kind", required=False)
@click.option("--open", "only_open", is_flag=True, help="Leave out what is closed.")
@json_option
def list_(kind: str | None, only_open: bool, as_json: bool) -> None:
    """List records of a kind, or of all kinds.

    \b
    neat list
    neat list decision --json
    """
    if kind is not None and kind not in RECORD_KINDS:
        raise NeatError(
            f"no kind {kind!r}", f"kinds: {', '.join(RECORD_KINDS)}; runs and events have `neat runs`, `neat events`"
        )
    opened = open_here(warn=False)
    kinds = [kind] if kind else list(RECORD_KINDS)
    found: list[tuple[str, Record]] = [
        (name, one) for name in kinds for one in records.list_records(opened.records, name, opened.project.id)
    ]
    if only_open:
        found = [(name, one) for name, one in found if one.status not in records.CLOSED]
    if as_json:
        print_json([one.model_dump() if kind else {"kind": name, **one.model_dump()} for name, one in found])
        return
    shorts = records.unique_prefixes([one.id for _, one in found])
    rows = [
        (shorts[one.id], name, one.status, when(one.created_at), one_line(one.title or one.body, 100))
        for name, one in found
    ]
    print_table(
        ("id", "kind", "status", "since", "title"), rows, "no records yet: `neat note`, `neat decide`, `neat task` …"
    )


@click.command(short_help="Show a record.")
@click.argument("record_id", metavar="ID")
@json_option
def show(record_id: str, as_json: bool) -> None:
    """Show a record, run, event or snapshot, with its history.

    ID is the beginning of an id, or a run's name.

    \b
    neat show d-7k2q
    """
    opened = open_here(warn=False)
    kind, full = _resolve_any(opened, record_id)
    found = records.get_any(opened.records, kind, full)
    changes = records.history(opened.records, full)
    if as_json:
        print_json({"kind": kind, **found.model_dump(), "history": [change.model_dump() for change in changes]})
        return
    click.echo(f"{kind} {full}")
    for name, value in found.model_dump().items():
        if name != "id" and value not in ("", None, (), [], {}):
            click.echo(f"  {name}: {_text(value)}")
    for change in changes:
        was = f" (was {change.old!r})" if change.old else ""
        click.echo(f"  {when(change.at)} {change.who}: {change.field} = {change.new!r}{was}")


def _resolve_any(opened: Open, word: str) -> tuple[str, str]:
    """(kind, id) of an id's beginning, or of a run's name."""
    try:
        return records.resolve(opened.records, word)
    except NeatError:
        if runs.named(runs.all_runs(opened.records, opened.project.id), word) is None:
            raise
        return "run", runs.find_run(opened.records, word, opened.project.id).id


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return when(value)
    is_list = isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return "; ".join(value) if is_list else str(value)


@click.command(short_help="Change a record.")
@click.argument("record_id", metavar="ID")
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE…")
@json_option
def edit(record_id: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Change fields of a record; the old values stay in its history.

    Tags are separated by commas; alternative and implication may be given again.

    \b
    neat edit d-7k2q why="160 does not fit" status=open
    neat edit d-7k2q tags=memory,patches alternative="160 cubed, batch 1"
    """
    opened = open_here(warn=False)
    kind, full = records.resolve(opened.records, record_id)
    if kind not in RECORD_KINDS:
        raise NeatError(f"a {kind} is not changed by hand", "notes, decisions, hypotheses, bugs and tasks are")
    fields: dict[str, Any] = {}
    for name, value in (_field(kind, change) for change in changes):
        fields[name] = [*fields.get(name, []), *value] if isinstance(value, list) else value
    if kind == "hypothesis" and {"predict", "run"} & set(fields):  # what is predicted anew is judged anew
        fields = {"verdict": "", "verdict_reason": "", "evidence": [], "status": "open"} | fields
    records.change(opened.records, kind, full, fields, source())
    if as_json:
        print_json(records.get(opened.records, kind, full))
    else:
        click.echo(f"{kind} {full[:8]} changed: {', '.join(fields)}")


def _field(kind: str, change: str) -> tuple[str, Any]:
    from neatd.store.short import FIELDS

    name, equals, value = change.partition("=")
    known = (*FIELDS.get(kind, ()), "status")
    if not equals or name not in known:
        raise NeatError(
            f"not a field of a {kind}: {change!r}", f"write FIELD=VALUE with one of {', '.join(dict.fromkeys(known))}"
        )
    if name == "tags":
        return name, [one.strip() for one in value.split(",") if one.strip()]
    if name in ("alternative", "implication"):
        return name, [value] if value else []
    if name == "predict" and value:
        parse_prediction(value)
    if name == "status" and value not in ("open", *records.CLOSED):
        raise NeatError(f"no such status: {value!r}", f"one of open, {', '.join(records.CLOSED)}")
    if name == "title" and not value.strip():
        raise NeatError(f"a {kind} without words", "a title may be changed, not emptied")
    return name, _number(change, value) if name == "position" else value


def _number(change: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise NeatError(f"not a number: {change!r}", "a task's position orders the tasks, smallest first: position=1.5")
    return number


@click.command(short_help="End a record.")
@click.argument("record_id", metavar="ID")
@click.option("--outcome", default="", help="How it ended.")
@json_option
def close(record_id: str, outcome: str, as_json: bool) -> None:
    """End a record: a task is done, a bug fixed, others closed.

    \b
    neat close t-9x41 --outcome "342 tests pass"
    """
    opened = open_here(warn=False)
    kind, full = records.resolve(opened.records, record_id)
    if kind not in RECORD_KINDS:
        raise NeatError(f"a {kind} is not closed by hand", "notes, decisions, hypotheses, bugs and tasks are")
    status = records.close(opened.records, kind, full, outcome, source())
    if as_json:
        print_json(records.get(opened.records, kind, full))
    else:
        click.echo(f"{kind} {full[:8]} is {status}")
