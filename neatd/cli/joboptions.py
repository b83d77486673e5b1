"""What `neat launch` and `neat train` share: the options of a job, queueing it, and what is said then."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from neatd.assist.render import one_line
from neatd.cli.common import Open, print_json, scene_here
from neatd.errors import NeatError
from neatd.jobs.interpreter import Interpreter
from neatd.lifesign import is_running
from neatd.models import JOB_ENDED, Job
from neatd.pipeline import worktrees
from neatd.pipeline.enqueueing import Wanted, enqueue
from neatd.pipeline.jobnames import find_after, ids_beginning
from neatd.rules.admission import ANY
from neatd.store import jobs

ANSWER_S = 10.0  # for the daemon to say whether the job begins; it needs some milliseconds
BEGIN_S = 2.0  # for what has room to have begun, so that a program that is not there is told at once
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?B)?", re.I)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
Function = TypeVar("Function", bound=Callable[..., Any])


class Options(NamedTuple):
    """What was asked for besides the command."""

    name: str | None
    gpus: int
    memory: int | None
    no_torchrun: bool
    after: tuple[str, ...]
    after_any: tuple[str, ...]
    retry: int
    priority: int
    group: str
    env: tuple[str, ...]
    why: str
    frozen: bool


class Memory(click.ParamType):
    """Bytes, as people write them: 8G and 8GiB are 8 * 2^30, 8GB are 8 * 10^9."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes; a usage error for what is none."""
        found = _BYTES.fullmatch(str(value).strip())
        count = 0
        if found:
            base = 1000 if (found[3] or "").upper() == "B" and found[2] else 1024
            count = int(float(found[1]) * base ** _POWERS[found[2].upper()])
        if count <= 0:
            self.fail(f"{value!r} is no size: write for example 8G or 500M", param, ctx)
        return count


class Variable(click.ParamType):
    """NAME=VALUE of an environment."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it was typed; a usage error without a name."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=[^\0]*", str(value), re.S):
            self.fail("write NAME=VALUE", param, ctx)  # the value may be a secret: it is not repeated
        return str(value)


def complete_jobs(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    """Ids of jobs for a shell, and names for who types one."""
    from contextlib import closing

    from click.shell_completion import CompletionItem

    from neatd.place import neat_home
    from neatd.store.connection import database_path
    from neatd.store.opening import connect

    if not database_path(neat_home(), "neat").exists():
        return []
    with closing(connect(neat_home())) as store:
        found = ids_beginning(store, incomplete)
    return [
        CompletionItem(job_id if job_id.startswith(incomplete) else name, help=f"{name} {status}")
        for job_id, name, status in found
    ]


def job_options(function: Function) -> Function:
    """The options of a job, as the keyword arguments of `Options`."""
    decorators = (
        click.option("--name", help="The job's name; of `neat train` also the run's: it goes to runs/NAME."),
        click.option("--gpus", type=click.IntRange(0, 1024), default=0, help="Whole GPUs that it is given."),
        click.option("--memory", type=Memory(), help="Memory of a device that it shares, such as 8G."),
        click.option("--no-torchrun", is_flag=True, help="One process for all of its GPUs, not one for each."),
        click.option("--after", multiple=True, metavar="ID", shell_complete=complete_jobs,
                     help="Begin when this job or study has ended well; once for each."),
        click.option("--after-any", multiple=True, metavar="ID", shell_complete=complete_jobs,
                     help="Begin when it has ended, however."),
        click.option("--retry", type=click.IntRange(0, 100), default=0, help="Try again so often when it fails."),
        click.option("--priority", type=click.IntRange(-1_000_000, 1_000_000), default=0, help="The highest begins first."),
        click.option("--group", default="default", help="Jobs of a group have a parallelism of their own."),
        click.option("--env", type=Variable(), multiple=True, help="A variable for it; once for each."),
        click.option("--why", default="", help="What it is for."),
        click.option("--frozen", is_flag=True, help="Run from a worktree of the files as they are now."),
    )  # fmt: skip
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def wanted(opened: Open, options: Options, command: tuple[str, ...], **more: Any) -> Wanted:
    """The job as it is asked for. `more` are further fields of Wanted."""
    group = options.group.strip()
    if not group or group == "*" or len(group) > 60:
        raise NeatError(f"not a group's name: {options.group!r}", "use letters, digits, - and _")

    def full(word: str) -> str:
        return find_after(opened.records, word, opened.project.id)

    after = (*(full(one) for one in options.after), *(ANY + full(one) for one in options.after_any))
    env = dict(one.split("=", 1) for one in options.env)
    asked = Wanted(
        command, options.name or "", gpus=options.gpus, memory_bytes=options.memory, after=after, retries=options.retry,
        priority=options.priority, group=group, env=env, why=options.why, is_frozen=options.frozen,
        is_distributed=not options.no_torchrun,
    )  # fmt: skip
    return asked._replace(**more)


def submit(opened: Open, asked: Wanted, interpreter: Interpreter | None = None) -> Job:
    """Queue it; the job as it stands once it was seen whether it begins."""
    asked = asked._replace(interpreter=interpreter)
    job = enqueue(opened.records, opened.home, opened.root, opened.project, asked, opened.config)
    for name in worktrees.left_out(opened.home, job.id)[:3] if asked.is_frozen else ():
        click.echo(f"note: {one_line(name, 100)} is large and not in git: it is not in the frozen copy", err=True)
    return answered(opened, job)


def answered(opened: Open, job: Job) -> Job:
    """The job once a daemon has looked at it; without one this process looks, and starts what may begin."""
    if not is_running(opened.home):
        look_here(opened)
    deadline = time.monotonic() + ANSWER_S
    while is_running(opened.home) and _is_unseen(job := jobs.get_job(opened.records, job.id)):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    deadline = time.monotonic() + BEGIN_S
    while (job := jobs.get_job(opened.records, job.id)).status == "running" and job.pid is None:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
        if not is_running(opened.home):
            look_here(opened)
    return job


def _is_unseen(job: Job) -> bool:
    return job.status == "queued" and not job.reason


def look_here(opened: Open) -> None:
    """A turn of the queue in this process, where no daemon runs."""
    from neatd.pipeline.queueing import turn_here

    with scene_here(opened.home) as scene:
        if scene is not None:
            turn_here(scene)


def say(opened: Open, job: Job, verb: str, as_json: bool) -> None:
    """What became of it. Raises NeatError for one that could not even be started."""
    waits, until = _why(opened, job)
    if as_json:
        shape = {
            "job": job.id, "name": job.name, "status": job.status, "folder": job.run_folder,
            "command": jobs.shown_command(job), "python": job.python, "commit": job.commit_id, "dirty": job.dirty,
        }  # fmt: skip
        print_json(shape | ({"waits": waits, "until": until} if waits else {}))
        return
    short, name = job.id[:9], one_line(job.name, 100)
    if job.status in JOB_ENDED and job.status != "finished":
        raise NeatError(
            f"{name}, job {short}: {job.status}: {one_line(job.reason, 300)}", f"`neat logs {short}` shows its output"
        )
    if waits:
        click.echo(f"{name} waits as job {short}: {one_line(waits, 300)}")
        click.echo(until)
    elif job.status == "finished":
        click.echo(f"{name} has ended well as job {short}; `neat logs {short}` shows its output")
    else:
        word = job.run_folder or short
        click.echo(f"{name} {verb} as job {short}; `neat logs {word} -f` follows it")


def _why(opened: Open, job: Job) -> tuple[str, str]:
    """(why it waits, what lets it begin); ("", "") for a job that does not."""
    if job.status != "queued":
        return "", ""
    from neatd.pipeline.waiting import why_waiting

    decision = why_waiting(opened.records, opened.home).get(job.id)
    reason = decision.reason if decision and decision.reason else job.reason.removeprefix("waits: ")
    if not is_running(opened.home):
        return reason or "neatd is not running", "`neatd start`: it begins by itself when there is room"
    told = decision.until if decision else ""
    return reason or "neatd has not looked at it yet", told or "it starts by itself; `neat queue` shows the order"
