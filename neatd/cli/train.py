"""Jobs: start a shipped trainer, read what it wrote."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from pathlib import Path

import click

from neatd.assist.render import one_line
from neatd.cli.common import Open, json_option, open_here, print_json, wait_for_request
from neatd.cli.daemon import print_file
from neatd.errors import NeatError
from neatd.files import data_path
from neatd.jobs.trainers import TrainerSpec, build_command, load_trainers, missing_needs
from neatd.pipeline.checking import say_before_launch
from neatd.pipeline.following import job_folder
from neatd.redact import redact
from neatd.store import jobs, requests, runs
from neatd.store.belonging import session_here
from neatd.store.short import resolve_in


@click.command(short_help="Start a shipped trainer.", context_settings={"ignore_unknown_options": False})
@click.argument("trainer", required=False)
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE…]")
@click.option("--name", help="The run's name: it goes to runs/NAME.")
@json_option
def train(trainer: str | None, parameters: tuple[str, ...], name: str | None, as_json: bool) -> None:
    """Start a shipped trainer as a job that outlives the daemon.

    Without TRAINER: lists the trainers and their parameters.

    \b
    neat train
    neat train lm --name baseline steps=300
    neat train lm --name variant lr=0.01 fault_at=200
    """
    known = load_trainers(data_path("trainers"))
    if trainer is None:
        if as_json:
            print_json([spec.model_dump(mode="json") for spec in known.values()])
            return
        for spec in known.values():
            click.echo(f"{spec.name}: {spec.description}")
            for key, parameter in spec.parameters.items():
                click.echo(f"  {key}={parameter.default}  {parameter.help}")
        return
    if trainer not in known:
        raise NeatError(f"no trainer {trainer!r}", f"shipped: {', '.join(known)}")
    missing = missing_needs(known[trainer])
    if missing:
        raise NeatError(f"{trainer} needs {', '.join(missing)}", 'pip install "neat-notebook[trainers]"')
    opened = open_here()
    folder = _folder(name or f"{trainer}-{datetime.now():%Y%m%d-%H%M%S}")
    out = opened.root / folder
    if (out / "metrics.jsonl").exists() and "resume=true" not in parameters:
        raise NeatError(f"{folder} holds a run already", "choose another --name, or go on with it: resume=true")
    busy = next(
        (job for job in jobs.jobs(opened.records, opened.project.id, True) if job.run_folder == folder), None
    )
    if busy:
        raise NeatError(f"{folder} is being trained by job {busy.id}", "choose another --name, or wait for it")
    command = build_command(known[trainer], out, parameters)
    if "resume=true" not in parameters:
        say_what_is_known(opened, command, known[trainer])
    job = jobs.add(opened.records, opened.project.id, folder, list(command), str(opened.root), folder)
    payload = {"job_id": job.id, "root": str(opened.root), "session": session_here(opened.records)}
    result = wait_for_request(opened, requests.ask(opened.records, "launch", opened.project.id, payload))
    waits = str(result.get("waits", ""))
    if as_json:
        shape = {"job": job.id, "name": folder, "folder": folder, "command": jobs.shown_command(job)}
        print_json(shape | ({"waits": waits} if waits else {}))
    elif waits:
        click.echo(f"{folder} waits as job {job.id[:8]}: {one_line(waits, 300)}")
        click.echo(result.get("until") or "it starts by itself when the risk is lower; `neatd status` shows the risk")
    else:
        click.echo(f"{folder} trains as job {job.id[:8]}; `neat logs {folder} -f` follows it")


def say_what_is_known(opened: Open, command: tuple[str, ...], spec: TrainerSpec) -> None:
    """The same configuration, or a refuted one near it: two lines at the most, and the launch goes on."""
    defaults = {name: parameter.default for name, parameter in spec.parameters.items()}
    project = opened.project
    for line in say_before_launch(
        opened.records, opened.points, project.id, opened.config, command, opened.root, defaults
    ):
        click.echo(f"note: {one_line(line, 300)}", err=True)


def _folder(name: str) -> str:
    """runs/NAME; raises NeatError for a name that would lead elsewhere, or be another name of the same folder."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or part.startswith("~") for part in parts):
        raise NeatError(f"not a name for a run: {name!r}", "use letters, digits, - and _, and / for folders in between")
    return f"runs/{name}"


@click.command(short_help="Print what a run's job wrote.")
@click.argument("word", metavar="ID")
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows; Ctrl-C ends.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many lines from the end."
)
def logs(word: str, follow: bool, lines: int) -> None:
    """Print what a run's job wrote.

    ID is a run's id or name, or a job's id.

    \b
    neat logs baseline
    neat logs baseline -f
    """
    opened = open_here(warn=False)
    path = _log_of(opened.home, word, opened.records, opened.project.id)
    packed = path.with_name(path.name + ".gz")
    if packed.exists() and not path.exists():  # it ended long ago: `neat maintain logs` compressed it
        _print_packed(packed, lines)
        return
    if not path.exists():
        raise NeatError(f"no output yet: {path}", "`neat runs` shows how the run stands")
    print_file(path, lines, follow)


def _print_packed(path: Path, lines: int) -> None:
    import gzip

    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        shown = deque(file, maxlen=lines)
    click.echo(redact("".join(shown)), nl=False)


def _log_of(home: Path, word: str, records: object, project_id: str) -> Path:
    import sqlite3

    assert isinstance(records, sqlite3.Connection)
    job_id: str | None
    if word.startswith("j-"):
        job_id = resolve_in(records, "job", word)
    else:
        run = runs.find_run(records, word, project_id)
        job_id = run.job_id
    if job_id is None:
        raise NeatError(
            f"{word} was not started by neat: its output went elsewhere", "`neat train` and jobs keep theirs"
        )
    return job_folder(home, job_id) / "output.log"
