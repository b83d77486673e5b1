"""Queue a shipped trainer as a job; list the trainers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from neatd.cli import launch
from neatd.cli.common import Open, json_option, open_here, print_json
from neatd.cli.joboptions import Options, job_options, say, submit, wanted
from neatd.errors import NeatError
from neatd.files import data_path
from neatd.jobs.interpreter import Interpreter
from neatd.jobs.trainers import TrainerSpec, build_command, load_trainers
from neatd.pipeline import training


@click.command(short_help="Queue a shipped trainer as a job.")
@click.argument("trainer", required=False)
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE…]")
@job_options
@json_option
def train(trainer: str | None, parameters: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Queue a shipped trainer as a job that outlives the daemon.

    Without TRAINER: lists the trainers and their parameters. It runs with the project's own Python where that has what
    the trainer needs, else with neat's.

    \b
    neat train
    neat train lm --name baseline steps=300
    neat train lm --name variant lr=0.01 fault_at=200
    neat train lm --name next --after baseline --gpus 1 --why "twice as deep" layers=6
    """
    known = load_trainers(data_path("trainers"))
    if trainer is None:
        _list(known, as_json)
        return
    if trainer not in known:
        raise NeatError(f"no trainer {trainer!r}", f"shipped: {', '.join(known)}")
    options = Options(**given)
    opened = open_here()
    spec = known[trainer]
    if options.gpus > 1 and not spec.distributed:
        raise NeatError(f"{trainer} trains on one GPU", "`--gpus 1`: several jobs train side by side")
    folder = training.run_folder_of(options.name or f"{trainer}-{datetime.now():%Y%m%d-%H%M%S}")
    is_resumed = "resume=true" in parameters
    training.refuse_taken(opened.records, opened.root, opened.project.id, folder, is_resumed)
    by = interpreter_for(opened, spec)
    if options.retry and spec.parameters.get("resume") and not any(one.startswith("resume=") for one in parameters):
        parameters = (*parameters, "resume=true")  # the next try goes on where the last one ended; the first begins
    command = build_command(spec, opened.root / folder, parameters)
    command = training.with_project_python(spec.command, command)
    if not is_resumed:
        say_what_is_known(opened, command, spec)
    asked = wanted(opened, options, command, name=folder, run_folder=folder, kind="train", params=_params(parameters))
    say(opened, submit(opened, asked, by), "trains", as_json)


def interpreter_for(opened: Open, spec: TrainerSpec) -> Interpreter:
    """The project's Python if it has what the trainer needs, else neat's own; raises NeatError when neither has."""
    return training.interpreter_for(opened.root, opened.config, spec)


def say_what_is_known(opened: Open, command: tuple[str, ...], spec: TrainerSpec) -> None:
    """As of any launch; what a parameter is when nobody names it is known here."""
    defaults = {name: parameter.default for name, parameter in spec.parameters.items()}
    launch.say_what_is_known(opened, command, opened.root, defaults)


def _list(known: dict[str, TrainerSpec], as_json: bool) -> None:
    if as_json:
        print_json([spec.model_dump(mode="json") for spec in known.values()])
        return
    for spec in known.values():
        click.echo(f"{spec.name}: {spec.description}")
        for key, parameter in spec.parameters.items():
            click.echo(f"  {key}={parameter.default}  {parameter.help}")


def _params(parameters: tuple[str, ...]) -> dict[str, str]:
    return dict(one.partition("=")[::2] for one in parameters)
