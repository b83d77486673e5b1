"""Records read: list and show; and their ends: close, delete, link. Changing fields is in `edit.py`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from neatd.assist.claims import proof
from neatd.assist.render import one_line, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table, sync_plan_here
from neatd.cli.eventshown import show_event
from neatd.cli.jobshown import show_job
from neatd.cli.record import COMMANDS, EXAMPLES
from neatd.errors import NeatError
from neatd.knowledge import RECORD_KINDS
from neatd.models import Model
from neatd.pipeline.changing import link_of, record_of, relate, unrelate
from neatd.pipeline.jobnames import find_bare
from neatd.pipeline.recordlist import Asked, known_kind, listed
from neatd.pipeline.showing import find, record_shape, resolve_any
from neatd.store import links, records, runs
from neatd.who import source


@click.command("list", short_help="List records.")
@click.argument("kind", required=False)
@click.option("--open", "only_open", is_flag=True, help="Leave out what is closed.")
@click.option("--tag", help="Only those with this tag.")
@click.option("--deleted", is_flag=True, help="Only the deleted ones; `neat delete --undo ID` brings one back.")
@json_option
def list_(kind: str | None, only_open: bool, tag: str | None, deleted: bool, as_json: bool) -> None:
    """List records of a kind, or of all kinds.

    \b
    neat list
    neat list decision --json
    neat list task --open
    """
    known_kind(kind)
    opened = open_here(warn=False)
    if kind in (None, "task"):
        sync_plan_here(opened)
    asked = Asked(kind, only_open, tag, deleted)
    listing = listed(opened.records, opened.points, opened.project, opened.config, asked, datetime.now(UTC))
    if as_json:
        print_json(listing.shapes)
        return
    found, stale = listing.found, listing.stale
    shorts = records.shown_ids([one.id for _, one in found])
    rows = [
        (
            shorts[one.id],
            name,
            one.status,
            when(one.created_at),
            one_line(one.title or one.body, 100),
            one_line(stale.get(one.id, ""), 50),
        )
        for name, one in found
    ]
    empty = "" if rows else _nothing(opened, kind, only_open, tag, deleted)
    print_table(("id", "kind", "status", "since", "title", ""), rows, empty)


def _nothing(opened: Open, kind: str | None, only_open: bool, tag: str | None, deleted: bool) -> str:
    """Why a list is empty: nothing is there yet, or nothing of it was asked for."""
    if deleted:
        return f"no {kind or 'record'} is deleted" + (f" that has the tag {tag!r}" if tag else "")
    kinds = [kind] if kind else RECORD_KINDS
    count = sum(len(records.list_records(opened.records, name, opened.project.id)) for name in kinds)
    if not count:
        return f"no {kind} yet: {_maker(kind)}" if kind else "no records yet: `neat note`, `neat decide`, `neat task` …"
    asked = " ".join([*(["that is open"] if only_open else []), *([f"with the tag {tag!r}"] if tag else [])])
    return f"no {kind or 'record'} {asked} ({count} without that filter)"


_MAKERS = {"test": "neat test -- COMMAND", "data": "neat data add PATH", "handoff": "neat handoff"}


def _maker(kind: str) -> str:
    """The command that makes a record of a kind."""
    made = f'neat {COMMANDS.get(kind, kind)} "…"' if kind in EXAMPLES else _MAKERS.get(kind, "neat import FILE")
    return f"`{made}` makes one"


@click.command(short_help="Show a record.")
@click.argument("record_id", metavar="ID")
@json_option
def show(record_id: str, as_json: bool) -> None:
    """Show a record, run, event, snapshot or job, with its history.

    ID is the beginning of an id, or a run's name.

    \b
    neat show d-7k2q
    """
    opened = open_here(warn=False)
    if record_id.startswith("j-"):
        show_job(opened, record_id, as_json)
        return
    try:
        shown = find(opened.records, opened.project.id, record_id)
    except NeatError:
        job_id = find_bare(opened.records, record_id)
        if job_id is None:
            raise
        show_job(opened, job_id, as_json)
        return
    if as_json:
        print_json(record_shape(shown))
        return
    kind, found = shown.kind, shown.found
    click.echo(f"{kind} {found.id}" + (" (deleted)" if getattr(found, "is_deleted", False) else ""))
    if kind == "event":
        show_event(opened, found)
    else:
        _show_fields(opened, found)
    for link in shown.links:
        click.echo(f"  {link.a[:9]} {link.relation} {link.b[:9]}")
    for change in shown.history:
        old, new = (_said(opened, change.field, value) for value in (change.old, change.new))
        was = f" (was {old})" if change.old else ""
        value = "" if change.new is None else f" = {new}"
        click.echo(f"  {when(change.at)} {change.who}: {change.field}{value}{was}")


def _show_fields(opened: Open, found: Model) -> None:
    """What a record, run or snapshot has, a line each."""
    for name, value in found.model_dump().items():
        if name not in _ONLY_JSON and value not in ("", None, (), [], {}, False):
            said = _proof(opened, value) if name == "evidence" else _text(value)
            click.echo(f"  {name}: {said}")


_ONLY_JSON = frozenset({"id", "project_id", "worktree"})  # what programs ask for, and no reader


def _proof(opened: Open, evidence: Any) -> str:
    """Evidence as RUN:METRIC@STEP = VALUE."""
    names = {one.id: one.name for one in runs.all_runs(opened.records, opened.project.id)}
    return "; ".join(proof([piece], names).removeprefix("[").removesuffix("]") for piece in evidence)


def _said(opened: Open, field: str, value: Any) -> str:
    """A value of a record's history; lists lie in it as JSON."""
    if field != "evidence" or not isinstance(value, str):
        return _text(value)
    try:
        return _proof(opened, json.loads(value)) or "(none)"
    except (ValueError, TypeError):
        return value


def _text(value: Any) -> str:
    """A value as a person writes it: no brackets, no quotes."""
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={_text(one)}" for name, one in value.items() if one not in ("", None, (), [], {}))
    return "; ".join(map(_text, value)) if isinstance(value, tuple | list) else str(value)


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
    kind, full = record_of(opened.records, record_id)
    was = records.get(opened.records, kind, full).status
    status = records.close(opened.records, kind, full, outcome, source())
    if kind == "task":
        sync_plan_here(opened, is_changing=True)
    if as_json:
        print_json(records.get(opened.records, kind, full))
    else:
        click.echo(f"{kind} {full[:9]} is {status}{_as_before(status, outcome) if was == status else ''}")


def _as_before(status: str, outcome: str) -> str:
    if outcome:
        return " already; the outcome is kept"
    return " already; nothing changed" + ("" if status != "superseded" else ", another record stands in its place")


@click.command(short_help="Delete records, or bring them back.")
@click.argument("record_ids", metavar="ID…", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Bring them back.")
@json_option
def delete(record_ids: tuple[str, ...], undo: bool, as_json: bool) -> None:
    """Delete records, or bring them back with --undo.

    A deleted record is in no list, search or document, here and in every clone after `neat sync`; its history stays.

    \b
    neat delete n-4k2q
    neat delete --undo n-4k2q
    """
    opened = open_here(warn=False)
    call = records.restore if undo else records.delete
    done = [
        {"kind": kind, "id": full, "changed": call(opened.records, kind, full, source())}
        for kind, full in [record_of(opened.records, word) for word in record_ids]
    ]
    if as_json:
        print_json(done)
        return
    for one in done:
        state = _STATES[undo, bool(one["changed"])]
        click.echo(f"{one['kind']} {str(one['id'])[:9]} {state}")


_STATES = {
    (False, True): "is deleted; `neat delete --undo` brings it back",
    (False, False): "is deleted already",
    (True, True): "is back",
    (True, False): "was not deleted; nothing changed",
}  # by undo and whether it changed


@click.command(short_help="Link two records.")
@click.argument("a", metavar="A")
@click.argument("relation")
@click.argument("b", metavar="B")
@click.option("--remove", is_flag=True, help="Take the link back.")
@json_option
def link(a: str, relation: str, b: str, remove: bool, as_json: bool) -> None:
    """Link two records, runs or events: A RELATION B.

    RELATION is any word; one that supersedes ends B, and with --remove B is again what it was before.

    \b
    neat link d-7k2q supersedes d-1x9z
    neat link b-3f8e found-in runs/baseline
    """
    opened = open_here(warn=False)
    first, second = (resolve_any(opened.records, opened.project.id, word) for word in (a, b))
    call = unrelate if remove else relate
    is_changed = call(opened.records, first, relation, second, source())
    tie = link_of(first, relation, second)
    if as_json:
        print_json({**tie._asdict(), "changed": is_changed})
    elif not is_changed:
        click.echo("there is no such link" if remove else "that link is there already")
    else:
        click.echo(f"{tie.a[:9]} {tie.relation} {tie.b[:9]}" + (" no more" if remove else ""))
        if tie.relation == links.SUPERSEDES:
            click.echo(f"{second[0]} {tie.b[:9]} is {records.get(opened.records, *second).status}")
