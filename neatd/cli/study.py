"""Studies: searches over parameters whose trials are jobs of the queue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.cli.studyanalysis import analyze, export
from neatd.cli.studytext import as_text
from neatd.errors import NeatError
from neatd.lifesign import is_running
from neatd.pipeline.studyshown import as_object, shown
from neatd.store import studies
from neatd.store.belonging import session_here
from neatd.who import PERSON, source

if TYPE_CHECKING:
    from neatd.pipeline.trials import Template
    from neatd.studies.spec import StudyFile


@click.group(short_help="Search over parameters: trials as jobs, with a budget, constraints, early stops.")
def study() -> None:
    """Search over parameters: trials as jobs, with a budget, constraints, early stops.

    \b
    neat study create lm-200M.yaml
    neat study status
    neat study enqueue lm-200M dim=768 heads=16 --why "deeper than the winner"
    """


study.add_command(analyze)
study.add_command(export)


@study.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "is_check", is_flag=True, help="Only say what it would search.")
@json_option
def create(file: Path, is_check: bool, as_json: bool) -> None:
    """Begin the study that a YAML file declares.

    Its trials are jobs of the queue, in a group of their own; what they run with is as it is now.

    \b
    neat study create lm-200M.yaml --check
    neat study create lm-200M.yaml
    """
    from neatd.pipeline import studyorders
    from neatd.studies.spec import load_study

    opened = open_here(warn=not is_check)
    spec = load_study(file)
    is_taken = studies.find_named(opened.records, opened.project.id, spec.name) is not None
    if is_taken and not is_check:
        raise _taken(spec.name)
    template = _template(opened, spec)
    size = studyorders.check(spec, opened.root, template, is_named=is_taken).size
    if size is not None and size < spec.trials:
        click.echo(f"note: the space has {size} feasible points, fewer than {spec.trials} trials", err=True)
    if is_check:
        if is_taken:  # told after all else that may be wrong with the file
            raise _taken(spec.name)
        _say_size(spec, size, as_json)
        return
    who, session = source(), session_here(opened.records) or None
    made = studyorders.create(opened.records, opened.home, opened.project, spec, template, who, session)
    if as_json:
        print_json({"id": made.id, "name": made.name, "trials": made.trials, "feasible": size})
        return
    click.echo(f"study {made.name} begins as {made.id[:9]}: {_planned(spec)}; `neat study status {made.name}` shows it")
    if not is_running(opened.home):
        click.echo("note: its trials begin when neatd runs: `neatd start`", err=True)


@study.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the studies, newest first.

    \b
    neat study list
    """
    opened = open_here()
    found = [shown(opened.records, one) for one in studies.studies(opened.records, opened.project.id)]
    if as_json:
        print_json([as_object(one) for one in found])
        return
    rows = [
        (one.study.name, one.study.status, f"{one.ended}/{one.planned}", one.best_text, one.study.id[:9])
        for one in found
    ]
    print_table(("Study", "Status", "Trials", "Best", "Id"), rows, "no study yet: `neat study create FILE.yaml`")


@study.command()
@click.argument("name", required=False)
@json_option
def status(name: str | None, as_json: bool) -> None:
    """Say how a study stands: trials, the best with its architecture, what diverged, when it ends.

    NAME is a study's name or id; without one it is the newest study.

    \b
    neat study status
    neat study status lm-200M --json
    """
    opened = open_here()
    found = shown(opened.records, studies.find_study(opened.records, opened.project.id, name))
    if as_json:
        print_json(as_object(found))
    else:
        click.echo(as_text(found))


@study.command()
@click.argument("name")
@click.argument("words", nargs=-1, required=True, metavar="K=V…")
@click.option("--why", default="", help="What it is to show.")
@click.option("--outside", is_flag=True, help="Also a point outside of the space or its constraints.")
@json_option
def enqueue(name: str, words: tuple[str, ...], why: str, outside: bool, as_json: bool) -> None:
    """Add a trial of your own to a study, besides those of the search.

    The parameter that the budget decides may be left out. A point that was tried is not tried again.

    \b
    neat study enqueue lm-200M lr=0.003 dim=768 heads=16 --why "deeper than the winner"
    """
    from neatd.pipeline import studyorders

    opened = open_here()
    found = studies.find_study(opened.records, opened.project.id, name)
    numbers = studyorders.add_trial(opened.records, found, words, why, outside)
    if as_json:
        print_json({"study": found.id, "trials": numbers})
    else:
        click.echo(f"{found.name}: trial {', '.join(map(str, numbers))} waits")


@study.command()
@click.argument("name")
@click.option("--wait", "lets_run", is_flag=True, help="Let the trials that run come to their end.")
def stop(name: str, lets_run: bool) -> None:
    """Stop a study: what waits is cancelled, what runs is ended.

    \b
    neat study stop lm-200M --wait
    """
    from neatd.pipeline import studyorders

    opened = open_here()
    found = studies.find_study(opened.records, opened.project.id, name)
    if found.status != "running" and not studies.open_trials(opened.records, found.id):
        more = " --trials N" if found.status == "finished" else ""
        does = "adds more, to N points in all" if more else "goes on with it"
        raise NeatError(
            f"study {found.name} has ended: {found.status}", f"`neat study resume {found.name}{more}` {does}"
        )
    who = "a person" if source() == PERSON else source()
    cancelled, running = studyorders.stop(opened.records, found, who, lets_run)
    ends = "run to their end" if lets_run else "are ended"
    click.echo(f"{found.name} is stopped: {cancelled} that waited cancelled, {running} that run {ends}")


@study.command()
@click.argument("name")
@click.option("--trials", type=click.IntRange(min=1), help="So many points in all; the file's number otherwise.")
@click.option("--metric", default="", help="The metric that was meant, where no trial has a value of the file's yet.")
def resume(name: str, trials: int | None, metric: str) -> None:
    """Go on with a study that was stopped, has failed, or is to have more trials.

    Trials that were cancelled are tried again, as new ones that are linked to them.

    \b
    neat study resume lm-200M
    neat study resume lm-200M --trials 80
    neat study resume lm-200M --metric val/loss
    """
    from neatd.pipeline import studyorders

    opened = open_here()
    found = studies.find_study(opened.records, opened.project.id, name)
    if found.status == "running":
        raise NeatError(f"study {found.name} goes on already", f"`neat study status {found.name}` shows it")
    if found.status == "finished" and trials is None:
        raise NeatError(f"study {found.name} is finished", "--trials N lets it go on, to N points in all")
    again = studyorders.resume(opened.records, found, trials, metric)
    click.echo(f"{found.name} goes on" + (f"; {again} cancelled trials are tried again" if again else ""))


def _taken(name: str) -> NeatError:
    return NeatError(f"there is a study {name} already", "give the new one another `name`")


def _template(opened: Open, spec: StudyFile) -> Template:
    """What the trials run with, as of now: the interpreter, the folder, the whole environment."""
    from neatd.cli.train import interpreter_for
    from neatd.jobs.distributed import on_gpus, python_words
    from neatd.jobs.interpreter import resolved, with_environment
    from neatd.pipeline import studyorders
    from neatd.pipeline.devices import refuse_too_much
    from neatd.pipeline.enqueueing import interpreter_of
    from neatd.pipeline.trials import Template

    environ = {key: value for key, value in os.environ.items() if key not in _NOT_FROZEN}
    trainer = studyorders.trainer_of(spec)
    refuse_too_much(opened.home, spec.gpus, spec.memory)
    if trainer and spec.gpus > 1 and not trainer.distributed:
        raise NeatError(f"{spec.trainer} trains on one GPU", "write `gpus: 1`")
    cwd = opened.root if trainer else Path.cwd()
    by = interpreter_for(opened, trainer) if trainer else interpreter_of(opened.root, cwd, opened.config, environ)
    command = by.words if trainer else resolved(spec.command or (), by, environ, cwd)
    if spec.command and not trainer:
        command = on_gpus(command, python_words(spec.command, command), spec.gpus)
    return Template(tuple(command), str(cwd), with_environment(environ, by), by.python)


_NOT_FROZEN = ("NEAT_JOB_ID", "_NEAT_COMPLETE", "_NEATD_COMPLETE")


def _planned(spec: StudyFile) -> str:
    repeats = f" × {len(spec.repeats.values)}" if spec.repeats else ""
    return f"{spec.trials}{repeats} trials, {spec.parallel} at a time, by sampler {spec.sampler.kind}"


def _say_size(spec: StudyFile, size: int | None, as_json: bool) -> None:
    if as_json:
        print_json({"name": spec.name, "trials": spec.trials, "feasible": size, "searched": list(spec.space)})
        return
    points = "more feasible points than can be counted" if size is None else f"{size} feasible points"
    click.echo(f"{spec.name}: {points} of {', '.join(spec.space)}; {_planned(spec)}; nothing was begun")
