"""Queue the scoring of a checkpoint, or the timing of a trainer's steps; neat keeps the result against the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from neatd.assist.render import number, one_line
from neatd.cli.common import Open, json_option, open_here, print_json
from neatd.cli.joboptions import Options, job_options, say, submit, wanted
from neatd.cli.waiting import waiting
from neatd.errors import NeatError
from neatd.lifesign import is_running
from neatd.models import JOB_ENDED, Job
from neatd.pipeline import measuring, results, training
from neatd.store import jobs

_LOOK_S = 0.1
trainer_option = click.option("--trainer", help="Whose command it is; by default the one that made the run.")
wait_option = click.option("--wait", "is_waiting", is_flag=True, help="Wait for the result, and print it.")


@click.command("eval", short_help="Score a checkpoint, and keep the result against its run.")
@click.argument("checkpoint")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE…]")
@click.option("--run", "run_word", metavar="ID", help="The run it is of, where its place does not tell.")
@trainer_option
@wait_option
@job_options
@json_option
def eval_(
    checkpoint: str, parameters: tuple[str, ...], run_word: str | None, trainer: str | None, is_waiting: bool, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Score a checkpoint, and keep the result against its run.

    CHECKPOINT is a path, the beginning of an id, or a run, whose best checkpoint is meant then. The trainer's `eval` command
    runs as a job; the last line that it prints, a JSON object of numbers, is kept with the checkpoint's hash.

    \b
    neat eval runs/baseline --wait
    neat eval runs/baseline/checkpoints/step_000100.pt windows=512
    neat eval c-7k2q --run baseline --gpus 1
    """
    opened, options = open_here(), Options(**given)
    found = measuring.target(opened.records, opened.points, opened.project, opened.config, checkpoint, run_word)
    asked = measuring.evaluation(opened.records, found, trainer, parameters)
    if found.best_by:
        click.echo(f"note: {one_line(str(found.path), 200)}, the best by {found.best_by}", err=True)
    _submit(opened, asked, options, "eval", is_waiting, as_json)


@click.command("profile", short_help="Measure where the time of a trainer's steps goes.")
@click.argument("word", metavar="RUN|TRAINER")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE…]")
@trainer_option
@wait_option
@job_options
@json_option
def profile(
    word: str, parameters: tuple[str, ...], trainer: str | None, is_waiting: bool, as_json: bool, **given: Any
) -> None:  # fmt: skip
    """Measure where the time of a trainer's steps goes.

    Of a run with its parameters, of a trainer with its defaults. The trainer's `profile` command runs as a job; what it prints
    is in `neat logs`, the numbers of its last line in `neat run show`.

    \b
    neat profile runs/baseline --wait
    neat profile lm dim=512 batch=32 profile_steps=20
    """
    opened, options = open_here(), Options(**given)
    asked = measuring.profiling(opened.records, opened.project, word, trainer, parameters)
    _submit(opened, asked, options, "profile", is_waiting, as_json)


def _submit(
    opened: Open, asked: measuring.Measure, options: Options, kind: str, is_waiting: bool, as_json: bool
) -> None:  # fmt: skip
    if options.gpus > 1:
        raise NeatError(f"`neat {kind}` takes one GPU", "`--gpus 1`")
    by = training.interpreter_for(opened.root, opened.config, asked.spec)
    more = {"name": options.name or asked.name, "kind": kind, "params": asked.params, "cwd": opened.root}
    job = submit(opened, wanted(opened, options, asked.command, **more), by)
    if not is_waiting:
        say(opened, job, "runs", as_json)
        return
    job = _ended(opened, job)
    if job.status != "finished":
        raise NeatError(
            f"{job.name}: {job.status}: {one_line(job.reason, 300)}", f"`neat logs {job.id[:9]}` shows its output"
        )
    _print(opened, job, as_json)


def _ended(opened: Open, job: Job) -> Job:
    """The job when it has ended; without a daemon this process looks after it. Ctrl-C ends the waiting, not the job."""
    import time

    from neatd.cli.joboptions import look_here

    with waiting(f"{job.name} runs") as tell:
        while job.status not in JOB_ENDED:
            if not is_running(opened.home):
                look_here(opened)
            tell(f"{job.name}: {job.reason or job.status}")
            time.sleep(_LOOK_S)
            job = jobs.get_job(opened.records, job.id)
    return job


def _print(opened: Open, job: Job, as_json: bool) -> None:
    found = results.result_of(opened.records, job)
    if as_json:
        print_json({"job": job.id, "name": job.name, "status": job.status, "reason": job.reason, "result": found})
        return
    if found is None:
        raise NeatError(f"{job.name}: {job.reason}", f"`neat logs {job.id[:9]}` shows its output")
    click.echo(one_line(found["message"], 500))
    for line in _rows(found["values"]) if len(found["values"]) > results.MOST_SAID else ():
        click.echo(line)


def _rows(values: dict[str, Any]) -> Sequence[str]:
    return [f"  {name} {number(value) if isinstance(value, int | float) else value}" for name, value in values.items()]
