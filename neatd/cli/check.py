"""`neat check`: what is known of a configuration, before it runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from neatd.assist.render import one_line
from neatd.cli.common import json_option, open_here, print_json
from neatd.errors import NeatError
from neatd.pipeline.checking import check_command, missing_files


@click.command(
    "check", short_help="Say whether a configuration was tried.", context_settings={"ignore_unknown_options": True}
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@click.option("--strict", is_flag=True, help="Exit code 1 when it, or a refuted one near it, was tried.")
@json_option
@click.pass_context
def check(context: click.Context, command: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Say whether a configuration, or one near it, was tried, and how it ended.

    The command is taken apart and not run: --lr 0.01, --lr=0.01, lr=0.01 and the parameter files it names are compared
    with the runs' configurations and with recorded experiments. What refuted a hypothesis is named with it.

    \b
    neat check -- python train.py --lr 0.01 --config configs/base.yaml
    """
    opened = open_here(warn=False)
    words = _words(command)
    for name in missing_files(words, Path.cwd()):
        click.echo(f"note: there is no file {name!r}: what it would set is not compared", err=True)
    found = check_command(opened.records, opened.points, opened.project.id, opened.config, words, Path.cwd())
    if as_json:
        print_json(found)
    for one in [] if as_json else found:
        click.echo(one_line(one.text, 300))
    if not found and not as_json:
        click.echo("nothing like it was tried")
    is_known = any(one.relation == "same" or one.verdict == "refuted" for one in found)
    context.exit(1 if strict and is_known else 0)


def _words(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command's words; one that was quoted as a whole is taken apart as a shell would, and that is said."""
    if len(command) != 1 or not any(map(str.isspace, command[0].strip())):
        return command
    try:
        words = tuple(shlex.split(command[0]))
    except ValueError as error:
        raise NeatError(f"cannot take the command apart: {error}", "give it unquoted behind --") from error
    click.echo(f"note: the quoted command is read as {len(words)} words", err=True)
    return words
