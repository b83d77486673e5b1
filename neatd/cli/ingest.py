"""Machines that share no disk: which may send lines into this project."""

from __future__ import annotations

import click

from neatd.assist.render import when
from neatd.cli.common import json_option, open_here, print_json, print_table
from neatd.pipeline.ingestnames import check_machine
from neatd.store import ingest as tokens


@click.group(short_help="Let machines that share no disk send lines of metrics into this project.")
def ingest() -> None:
    """Let machines that share no disk send lines of metrics into this project.

    A token each. Lines are sent to /api/ingest of the page, over an ssh tunnel: README.md, "Machines without a common disk".
    """


@ingest.command(short_help="Make a token for a machine; it is shown once.")
@click.argument("name")
@json_option
def add(name: str, as_json: bool) -> None:
    """Make a token for a machine; it is shown once.

    Only its SHA-256 is kept. With it the machine may send lines into this project's folder, and nothing else.

    \b
    neat ingest add gpu2
    """
    check_machine(name)
    opened = open_here(warn=False)
    token = tokens.add(opened.records, opened.project.id, opened.project.root, name)
    if as_json:
        print_json({"machine": name, "token": token})
        return
    click.echo(token)
    click.echo(f"shown this once: put it where {name} keeps its secrets", err=True)


@ingest.command("list", short_help="List the machines that may send lines.")
@json_option
def list_(as_json: bool) -> None:
    """List the machines that may send lines, and when lines came last.

    \b
    neat ingest list
    neat ingest list --json
    """
    opened = open_here(warn=False)
    found = tokens.senders(opened.records, opened.project.id)
    if as_json:
        print_json([one.model_dump(include={"machine", "root", "created_at", "seen_at"}) for one in found])
        return
    rows = [(one.machine, when(one.created_at), when(one.seen_at) if one.seen_at else "never") for one in found]
    print_table(("machine", "added", "last lines"), rows, "no machine may send lines: `neat ingest add NAME`")


@ingest.command(short_help="Take a machine's token back.")
@click.argument("name")
def remove(name: str) -> None:
    """Take a machine's token back. What it sent stays.

    \b
    neat ingest remove gpu2
    """
    opened = open_here(warn=False)
    tokens.revoke(opened.records, opened.project.id, name)
    click.echo(f"the token of {name} no longer holds; what it sent stays")
