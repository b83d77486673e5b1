"""The documents: brief and handoff."""

from __future__ import annotations

from pathlib import Path

import click

from neatd.cli.common import json_option, open_here, print_json
from neatd.control import not_watching
from neatd.files import write_atomic
from neatd.pipeline.gathering import brief_text, gather, handoff_text


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
@click.option("--template", default="handoff", show_default=True, help="Template name in .neat/templates or shipped.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write instead of the terminal.")
@json_option
def handoff(template: str, out: Path | None, as_json: bool) -> None:
    """Write the session handoff.

    \b
    neat handoff
    neat handoff --out notes/handoff.md
    """
    opened = open_here(warn=False)
    watching = not_watching(opened.home)
    text = handoff_text(opened.records, opened.points, opened.project, opened.config, template, watching)
    if out:
        write_atomic(out, text.encode())
    if as_json:
        print_json({"text": text, "out": str(out) if out else None})
    elif out:
        click.echo(f"written: {out}")
    else:
        click.echo(text, nl=False)
