"""Jobs that are there: end one, try one again, go on with one, read what one wrote."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line
from neatd.cli.common import Open, carry_out_here, json_option, open_here, print_json
from neatd.cli.daemon import print_file
from neatd.cli.joboptions import answered, complete_jobs, say
from neatd.cli.waiting import waiting
from neatd.errors import NeatError
from neatd.jobs.folder import LOG, job_folder
from neatd.lifesign import is_running
from neatd.models import JOB_ENDED, Job
from neatd.pipeline import stopjob
from neatd.pipeline.enqueueing import again
from neatd.pipeline.resuming import job_of, plan, resumable
from neatd.pipeline.stopjob import not_ours
from neatd.redact import redact
from neatd.store import jobs, requests
from neatd.who import PERSON, source

_LOOK_S = 0.1


@click.command(short_help="End a job.")
@click.argument("word", metavar="ID", shell_complete=complete_jobs)
@click.option("--force", is_flag=True, help="Kill it at once: it saves nothing.")
@json_option
def stop(word: str, force: bool, as_json: bool) -> None:
    """End a job: one that waits is cancelled, one that runs gets INT, TERM, KILL, with time between to save.

    The signals go to all processes of the job. ID is a job's id or name, or a run's. Only what neat started is ended.

    \b
    neat stop j-7k2q
    neat stop runs/variant --force
    """
    opened = open_here(warn=False)
    job, run = job_of(opened.records, word, opened.project.id)
    if job is None:
        raise not_ours(run, word)
    asked = stopjob.ask(opened.records, opened.home, job, opened.project.id, _who(), force)
    result = stopjob.CANCELLED if asked is None else _until_ended(opened, job, asked)
    _say_end(job, result, as_json)


@click.command(short_help="Run an ended job again.")
@click.argument("word", metavar="ID", shell_complete=complete_jobs)
@json_option
def retry(word: str, as_json: bool) -> None:
    """Run an ended job again: a new job with the same command, folder and environment.

    ID is a job's id or name, or a run's. The files are as they are now, unless the job was launched with --frozen.

    \b
    neat retry j-7k2q
    """
    opened = open_here()
    job, run = job_of(opened.records, word, opened.project.id)
    if job is None:
        raise not_ours(run, word)
    _refuse_trial(job)
    if job.status not in JOB_ENDED:
        raise NeatError(f"{job.name}, job {job.id[:9]}, is {job.status}", "`neat queue` shows it")
    holds = job.run_folder and (Path(job.root) / job.run_folder / "metrics.jsonl").exists()
    if holds and job.kind == "train" and "resume=true" not in job.command:
        raise NeatError(
            f"{job.run_folder} holds a run, and a trainer begins none anew",
            f"go on with it: `neat resume {job.id[:9]}`",
        )
    made = again(opened.records, opened.home, job, opened.config)
    _note_other_code(job, made)
    say(opened, answered(opened, made), "runs", as_json)


class _Words(click.Command):
    """Its options stand before the words that follow the ID: from the first of those on all are the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The options, which are flags, wherever they stand up to there."""
        at = [n for n, word in enumerate(args) if not word.startswith("-")][1:2]
        if at and "--" not in args[: at[0]]:
            args = [*args[: at[0]], "--", *args[at[0] :]]
        return super().parse_args(ctx, args)


@click.command(cls=_Words, short_help="Go on with a run from its last good checkpoint.")
@click.argument("word", metavar="ID", shell_complete=complete_jobs)
@click.option("--yes", is_flag=True, help="Also one that has ended well.")
@json_option
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[-- WORDS…]")
def resume(word: str, yes: bool, as_json: bool, more: tuple[str, ...]) -> None:
    """Go on with a run from its last good checkpoint: a new job of the same command, folder and environment.

    ID is a run's or a job's. neat's trainers know how (parameters may follow, such as steps=2000). For a program of your
    own add the words that it takes: in them {checkpoint} becomes the path of the checkpoint.

    \b
    neat resume runs/variant
    neat resume j-7k2q -- --resume {checkpoint}
    """
    opened = open_here()
    job, run = job_of(opened.records, word, opened.project.id)
    if job is None:
        raise not_ours(run, word, "its command is not known: `neat launch -- COMMAND…` goes on with it")
    _refuse_trial(job)
    if not word.startswith("j-"):  # of those of a name the newest that has something to go on from
        job, run = resumable(opened.records, opened.points, job, run, yes)
    found = plan(opened.records, opened.points, job, run, more, yes)
    if found.note:
        click.echo(f"note: {one_line(found.note, 300)}", err=True)
    where = f" after step {found.step}" if found.step is not None else ""
    made = again(
        opened.records,
        opened.home,
        job,
        opened.config,
        found.command,
        why=job.why or f"goes on with {job.id[:9]}{where}",
    )
    _note_other_code(job, made)
    say(opened, answered(opened, made), f"goes on{where}", as_json)


@click.command(short_help="Print what a job wrote.")
@click.argument("word", metavar="ID", shell_complete=complete_jobs)
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows, also before it has begun; Ctrl-C ends.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many lines from the end."
)
def logs(word: str, follow: bool, lines: int) -> None:
    """Print what a job wrote.

    ID is a job's id or name, or a run's.

    \b
    neat logs baseline
    neat logs j-7k2q -f
    """
    opened = open_here(warn=False)
    job, run = job_of(opened.records, word, opened.project.id)
    if job is None:
        raise NeatError(
            f"{run.name if run else word} was not started by neat: its output went elsewhere",
            "`neat launch` and `neat train` keep theirs",
        )
    path = job_folder(opened.home, job.id) / LOG
    packed = path.with_name(path.name + ".gz")
    if packed.exists() and not path.exists():  # it ended long ago: `neat maintain logs` compressed it
        _print_packed(packed, lines)
        return
    if follow:
        with _quiet_interrupt():
            _await_file(opened, job, path)
    if not path.exists():
        job = jobs.get_job(opened.records, job.id)
        said = f"; {job.status}: {one_line(job.reason, 200)}" if job.reason else ""
        raise NeatError(f"no output yet: {path}{said}", f"`neat show {job.id[:9]}` shows how it stands")
    with _quiet_interrupt():
        print_file(path, lines, follow)


@contextmanager
def _quiet_interrupt() -> Iterator[None]:
    """Ctrl-C is how following ends: nothing is said of it."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _await_file(opened: Open, job: Job, path: Path) -> None:
    """Until a job that waits has begun to write, or has ended."""
    with waiting(f"{job.name} waits to begin") as tell:
        while not path.exists():
            now = jobs.get_job(opened.records, job.id)
            if now.status in JOB_ENDED:
                return
            tell(f"{job.name}: {now.reason or now.status}")
            time.sleep(5 * _LOOK_S)


def _print_packed(path: Path, lines: int) -> None:
    import gzip

    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        shown = deque(file, maxlen=lines)
    click.echo(redact("".join(shown)), nl=False)


def _until_ended(opened: Open, job: Job, asked: str) -> dict[str, Any]:
    """What became of a request to end a job, however long that takes; Ctrl-C ends the waiting, not the request."""
    with waiting(f"ending {job.name}") as tell:
        while True:
            request = requests.get_request(opened.records, asked)
            if request.status == "done":
                return request.result
            if request.status == "failed":
                raise NeatError(str(request.result.get("error")), str(request.result.get("hint", "")))
            if not is_running(opened.home):
                carry_out_here(opened.home)
                continue
            sent = request.result.get("sent") or []
            tell(f"{job.name}: {sent[-1][0]} sent, waits for its end" if sent else f"ending {job.name}")
            time.sleep(_LOOK_S)


def _say_end(job: Job, result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        shape = {"job": job.id, "name": job.name, "status": result.get("status"), "outcome": result.get("outcome")}
        print_json({**shape, "reason": result.get("reason", ""), "exit_code": result.get("exit_code")})
        return
    reason = f": {one_line(str(result['reason']), 200)}" if result.get("reason") else ""
    click.echo(f"{one_line(job.name, 100)}, job {job.id[:9]}: {result.get('outcome')}{reason}")


def _refuse_trial(job: Job) -> None:
    """A study counts its trials itself."""
    if job.study_id:
        raise NeatError(
            f"{job.name} is trial {job.trial} of a study",
            "`neat study resume` goes on; `neat study enqueue` tries a point",
        )


def _note_other_code(before: Job, after: Job) -> None:
    if before.commit_id != after.commit_id:
        click.echo(
            f"note: the code is at {after.commit_id[:8] or 'no commit'} now, it was at {before.commit_id[:8] or 'none'}",
            err=True,
        )


def _who() -> str:
    """Who ends it, as its reason says it."""
    return "a person" if source() == PERSON else source()
