"""Queue a command as a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line
from neatd.cli.common import Open, json_option, open_here
from neatd.cli.joboptions import Options, job_options, say, submit, wanted
from neatd.pipeline.checking import say_before_launch


@click.command(short_help="Queue a command as a job.", context_settings={"allow_interspersed_args": False})
@job_options
@json_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
def launch(command: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Queue a command as a job that outlives the terminal and the daemon.

    It begins as soon as there is room. What is queued is what runs: the command, the folder and the whole environment are
    kept as they are now, and the commit with what is not committed is written down; with --frozen the files, too.
    Options of neat stand before the command: from its first word on all words are the command's.
    `python` is the project's own: `python:` of neat.yaml, the active environment, .venv, `uv run`, or the one on PATH.

    \b
    neat launch -- python train.py --lr 0.01
    neat launch --name wide --gpus 1 --why "is width enough?" -- python train.py --dim 512
    neat launch --after wide --retry 2 -- bash evaluate.sh
    neat launch --memory 8G --env SEED=2 --frozen -- python train.py
    """
    opened = open_here()
    cwd = Path.cwd()
    say_what_is_known(opened, command, cwd)
    job = submit(opened, wanted(opened, Options(**given), command, cwd=cwd))
    say(opened, job, "runs", as_json)


def say_what_is_known(
    opened: Open, command: tuple[str, ...], cwd: Path, defaults: dict[str, Any] | None = None
) -> None:
    """The same configuration, or a refuted one near it: two lines at the most, and the launch goes on."""
    found = say_before_launch(opened.records, opened.points, opened.project.id, opened.config, command, cwd, defaults)
    for line in found:
        click.echo(f"note: {one_line(line, 300)}", err=True)
