"""The documents: brief and handoff."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.lifesign import not_watching
from neatd.pipeline import documents
from neatd.pipeline.gathering import brief_text, gather
from neatd.place import here
from neatd.who import source


@click.command(short_help="Print where things stand.")
@click.option("--budget", type=click.IntRange(min=200), help="Bytes at the most (default: neat.yaml, else 6000).")
@json_option
def brief(budget: int | None, as_json: bool) -> None:
    """Print where things stand, within a byte budget.

    The daemon keeps the same text in .neat/brief.md, rewritten on every event.

    \b
    neat brief
    neat brief --budget 2000
    """
    opened = open_here(warn=False)
    watching = not_watching(opened.home)
    text = brief_text(opened.records, opened.points, opened.project, opened.config, budget, watching)
    if as_json:
        facts = gather(opened.records, opened.points, opened.project, opened.config, watching)
        print_json({"text": text, "bytes": len(text.encode()), "facts": facts})
    else:
        click.echo(text, nl=False)


@click.command(short_help="Write the session handoff.")
@click.option(
    "--template", default="handoff", show_default=True, help="handoff, notes, report, claude, or one of yours."
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write instead of the terminal.")
@click.option("--force", is_flag=True, help="With --out: replace a file that neat did not write.")
@click.option("--no-keep", is_flag=True, help="Print only: keep no record, write no documents.")
@click.option("--list", "as_list", is_flag=True, help="List the handoffs that were kept.")
@json_option
def handoff(template: str, out: Path | None, force: bool, no_keep: bool, as_list: bool, as_json: bool) -> None:
    """Write the session handoff.

    It tells what was done since the handoff before, is kept as a record linked to that one, and brings the documents
    that neat.yaml names up to date. Templates of yours lie in .neat/templates. A file that neat did not write is left as
    it is; what you write below neat's last line stays.

    \b
    neat handoff
    neat handoff --out HANDOFF.md
    neat handoff --template report --no-keep
    """
    opened = open_here(warn=False)
    if as_list:
        _print_kept(opened, as_json)
        return
    if out:  # before anything is kept
        documents.check_out(out, force)
    made = _make(opened, template, not no_keep)
    if out and documents.write_out(out, made, template, datetime.now(UTC), force):
        click.echo(f"replaced: {out} was not written by neat", err=True)
    if as_json:
        print_json({"text": made.text, "out": str(out) if out else None, "id": made.id, "previous": made.previous})
    elif out:
        click.echo(f"written: {out}")
    else:
        click.echo(made.text, nl=False)
    if not no_keep:
        _finish(opened, made)


def _make(opened: Open, template: str, is_kept: bool) -> documents.Made:
    facts = gather(opened.records, opened.points, opened.project, opened.config, not_watching(opened.home))
    known = (opened.records, facts, opened.project, opened.config)
    if not is_kept:
        return documents.handoff(*known, template)
    return documents.keep_handoff(*known, here(), source(), template)


def _finish(opened: Open, made: documents.Made) -> None:
    """Say on stderr what was kept, and write the documents; one that cannot be is the command's error."""
    if made.inbox:
        click.echo(f"the store is out of reach: it lies in {made.inbox}, and neatd takes it in from there", err=True)
    elif not made.is_new:
        click.echo(f"nothing has changed since {made.id} but perhaps in git: that is the one above", err=True)
    else:
        click.echo(f"kept: {made.id}", err=True)
    _share(opened)
    for path in documents.write_documents(opened.records, opened.points, opened.project, opened.config):
        click.echo(f"written: {path}", err=True)


def _share(opened: Open) -> None:
    """Bring .neat/knowledge.jsonl up to date where there is one: a handoff is when people commit."""
    from neatd.store.sync import knowledge_path, sync

    if knowledge_path(opened.root).exists():
        done = sync(opened.records, opened.root, opened.project.id, datetime.now(UTC))
        if done.is_written:
            click.echo(f"written: {done.path}", err=True)


def _print_kept(opened: Open, as_json: bool) -> None:
    kept = documents.kept_handoffs(opened.records, opened.project)
    if as_json:
        names = ("id", "title", "created_at", "source", "template", "previous", "records")
        print_json([{name: getattr(one, name) for name in names} for one in kept])
        return
    rows = [
        (one.id, f"{one.created_at.astimezone():%Y-%m-%d %H:%M}", one.template, str(len(one.records)), one.previous)
        for one in kept
    ]
    print_table(("id", "written", "template", "records", "previous"), rows, "no handoff yet: `neat handoff` makes one")
