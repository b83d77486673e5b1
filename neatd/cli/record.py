"""The short commands: keep a record, search the records. Stdlib and click only, so that they cost next to nothing."""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import Any

import click

from neatd.errors import NeatError
from neatd.place import here, neat_home

_ASSISTANTS = (("CLAUDECODE", "claude-code"), ("CODEX_SANDBOX", "codex"), ("CURSOR_TRACE_ID", "cursor"))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
tag_option = click.option("--tag", "tags", multiple=True, help="A word to find it by; may be given again.")


def source() -> str:
    """Who is typing: an assistant says so in its environment."""
    return next((name for variable, name in _ASSISTANTS if os.environ.get(variable)), "person")


def keep(kind: str, fields: dict[str, Any], as_json: bool) -> None:
    """Write the record and say its id."""
    from neatd.store.short import add_record

    text = (fields.get("title") or "").strip()
    if not text:
        raise NeatError(f"a {kind} without words", f'type it in quotes, e.g. neat {kind} "…"')
    fields = {**fields, "title": " ".join(text.splitlines()[0].split())}
    if "\n" in text:
        fields["body"] = text  # the lines as they were typed; the title is the first
    kept = {name: value for name, value in fields.items() if value not in (None, "", ())}
    record_id, inbox = add_record(neat_home(), here(), kind, kept, source())
    if as_json:
        click.echo(json.dumps({"id": record_id, "kind": kind, "inbox": str(inbox) if inbox else None}))
        return
    click.echo(f"{kind} {record_id[:8]} kept")
    if inbox:
        click.echo(f"the store is out of reach: it lies in {inbox}, and neatd takes it in from there", err=True)


@click.command(short_help="Keep a note.")
@click.argument("text", nargs=-1, required=True)
@tag_option
@json_option
def note(text: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """Keep a note.

    \b
    neat note "val loss stops falling after step 4000"
    neat note "batch 64 does not fit" --tag memory
    """
    keep("note", {"title": " ".join(text), "tags": tags}, as_json)


@click.command(short_help="Keep a decision, and why.")
@click.argument("title", nargs=-1, required=True)
@click.option("--why", help="The reason.")
@click.option("--context", help="What made it necessary.")
@click.option("--alternative", multiple=True, help="What else was possible; may be given again.")
@click.option("--implication", multiple=True, help="What follows; may be given again.")
@click.option("--supersedes", help="Id of the decision that this one replaces.")
@tag_option
@json_option
def decide(title: tuple[str, ...], as_json: bool, **fields: Any) -> None:
    """Keep a decision, and why.

    \b
    neat decide "train on 128 cubed patches" --why "160 does not fit" --alternative "160 cubed, batch 1"
    """
    keep("decision", {"title": " ".join(title), **fields}, as_json)


@click.command(short_help="Keep a hypothesis.")
@click.argument("title", nargs=-1, required=True)
@click.option("--predict", help='What the run will show: "val/dice > 0.20", "val/loss < baseline - 2%".')
@click.option("--run", help="Name or id of the run that decides; it may not exist yet.")
@tag_option
@json_option
def hypothesis(title: tuple[str, ...], as_json: bool, **fields: Any) -> None:
    """Keep a hypothesis; with --predict and --run its verdict is computed.

    The verdict comes when the run ends: supported, refuted, or undecided with the reason.

    \b
    neat hypothesis "a topology loss helps" --predict "val/dice > 0.20" --run topo
    """
    if fields.get("predict"):
        from neatd.rules.hypothesis import parse_prediction

        parse_prediction(fields["predict"])
    keep("hypothesis", {"title": " ".join(title), **fields}, as_json)


@click.command(short_help="Keep a bug.")
@click.argument("title", nargs=-1, required=True)
@click.option("--cause", help="Why it happened.")
@click.option("--fix", help="What mended it; a bug with a fix is kept as fixed.")
@click.option("--follow-up", help="What is still to do.")
@tag_option
@json_option
def bug(title: tuple[str, ...], as_json: bool, **fields: Any) -> None:
    """Keep a bug: its cause, its fix, what is still to do.

    \b
    neat bug "out of memory on load" --cause "all volumes at once" --fix "--max-samples" --follow-up "lazy loading"
    """
    status = "fixed" if fields.get("fix") else "open"
    keep("bug", {"title": " ".join(title), "status": status, **fields}, as_json)


@click.command(short_help="Keep a next step.")
@click.argument("text", nargs=-1, required=True)
@click.option("--after", help="Id of the task it comes after.")
@click.option("--top", is_flag=True, help="Put it before all others.")
@tag_option
@json_option
def task(text: tuple[str, ...], after: str | None, top: bool, tags: tuple[str, ...], as_json: bool) -> None:
    """Keep a next step.

    \b
    neat task "run the 2M sweep"
    neat task "commit the runner scripts" --top
    """
    if top and after:
        raise click.UsageError("--top and --after exclude each other")
    keep("task", {"title": " ".join(text), "after": after, "tags": tags, "position": "top" if top else None}, as_json)


@click.command(short_help="Search the records.")
@click.argument("query", nargs=-1, required=True)
@click.option("--kind", help="Only this kind: note, decision, hypothesis, bug, task.")
@click.option("--all-projects", is_flag=True, help="Not only this project.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="How many at the most.")
@json_option
def search(query: tuple[str, ...], kind: str | None, all_projects: bool, limit: int, as_json: bool) -> None:
    """Search the records: words as prefixes, phrases in quotes.

    \b
    neat search memory leak
    neat search '"lazy loading"' --kind bug
    """
    from neatd.store.opening import connect
    from neatd.store.search import search as find
    from neatd.store.short import FIELDS

    if kind is not None and kind not in FIELDS:
        raise NeatError(f"no kind {kind!r}", f"kinds: {', '.join(FIELDS)}")
    project_id = None if all_projects else here().project_id
    with closing(connect(neat_home())) as connection:
        hits = find(connection, " ".join(query), project_id, kind, limit)
    if as_json:
        click.echo(json.dumps([hit._asdict() for hit in hits], ensure_ascii=False))
        return
    for hit in hits:
        click.echo(f"{hit.id[:8]}  {hit.kind:<10}  {hit.status:<10}  {hit.created_at[:10]}  {hit.title or hit.excerpt}")
    if not hits:
        click.echo("nothing found", err=True)
