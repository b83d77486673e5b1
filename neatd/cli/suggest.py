"""What to try next, by rules over what was tried."""

from __future__ import annotations

import shlex

import click

from neatd.cli.common import json_option, open_here, print_json, print_table
from neatd.pipeline.suggesting import suggestions

SHOWN = 10


@click.command(short_help="Say what to try next, by stated rules over what was tried.")
@click.option("--metric", default="", help="Judge by another metric than the primary one.")
@click.option("--all", "is_all", is_flag=True, help=f"Show all suggestions, not the first {SHOWN}.")
@json_option
def suggest(metric: str, is_all: bool, as_json: bool) -> None:
    """Say what to try next, by stated rules over what was tried.

    Each suggestion changes one parameter of the best run. The rules: train longer where the last evaluation was the best;
    another seed where there was one; beyond the largest or smallest value where the best has it and nothing failed there;
    between two values more than a factor of two apart; another choice that other runs had. No model is asked, and what was
    tried is not suggested.

    \b
    neat suggest
    neat suggest --metric val/dice --json
    """
    opened = open_here()
    judged_by, found = suggestions(opened.records, opened.points, opened.project, opened.config, metric)
    if as_json:
        print_json(found)
        return
    shown = found if is_all else found[:SHOWN]
    rows = [(f"{one['parameter']} {one['before']} -> {one['value']}", one["base"], one["why"]) for one in shown]
    what = f"by {judged_by}" if judged_by else "yet"
    empty = f"nothing to suggest {what}: it takes runs with parameters, a metric, and two values of something"
    print_table(("change", "of", "because"), rows, empty)
    for one in shown:
        if one["command"]:
            click.echo(shlex.join(one["command"]))
    if len(shown) < len(found):
        click.echo(f"… and {len(found) - len(shown)} more: `neat suggest --all`")
