"""Maintenance: what is scheduled, how it went, and a job now."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from neatd.assist.render import one_line, size, when
from neatd.cli.common import json_option, print_json, print_table, scene_here, warn_if_unwatched
from neatd.errors import NeatError
from neatd.lifesign import is_running
from neatd.models import Maintenance
from neatd.pipeline.upkeep.asked import ask
from neatd.pipeline.upkeep.scheduled import Loaded, find_job, load_schedule
from neatd.pipeline.upkeep.shown import Planned, planned, run_shape
from neatd.place import neat_home
from neatd.redact import redact
from neatd.store import maintenance, requests
from neatd.store.opening import connect

_POLL_S = 0.1
_ABOUT_ROOM = ("before_bytes", "after_bytes", "freed_bytes")


@click.command(short_help="Show the scheduled maintenance: next, last, result, duration.")
@json_option
def schedule(as_json: bool) -> None:
    """Show the scheduled maintenance: next, last, result, duration.

    Times are crontab's, in this machine's time zone; what was missed is done once after the start. To change a job, or to
    schedule a command of yours, write maintenance.yaml under NEAT_HOME.

    \b
    neat schedule
    neat schedule --json
    """
    home = neat_home()
    loaded = load_schedule(home)
    with closing(connect(home)) as records:
        rows = planned(records, loaded.schedule, datetime.now(UTC))
    if as_json:
        print_json([row.shape for row in rows])
    else:
        warn_if_unwatched(home)
        print_table(("job", "when", "next", "last", "result", "took"), [_cells(row) for row in rows], "no jobs")
    _say_mistake(loaded)


def _cells(row: Planned) -> tuple[str, ...]:
    job, last = row.job, row.last
    comes = "off" if row.comes is None else "due" if row.is_due else when(row.comes)
    if last is None:
        return job.name, job.times, comes, "never", redact(job.what), ""
    result = one_line(f"{last.status}: {last.summary}", 110)
    return job.name, job.times, comes, when(last.started_at), result, _took(last)


def _took(row: Maintenance) -> str:
    return "" if row.took_s is None else f"{row.took_s:.1f} s" if row.took_s < 100 else f"{row.took_s / 60:.0f} min"


def _say_mistake(loaded: Loaded) -> None:
    if loaded.mistake:
        click.echo(f"note: {loaded.mistake.message}", err=True)
        click.echo(f"note: what was in force before stays; {loaded.mistake.hint}", err=True)


@click.command(short_help="Run a job of maintenance now, or list the jobs.")
@click.argument("job", required=False)
@json_option
def maintain(job: str | None, as_json: bool) -> None:
    """Run a job of maintenance now, or list the jobs.

    neatd carries it out, one job at a time; without neatd it is carried out here. Ctrl-C only stops the waiting.

    \b
    neat maintain
    neat maintain backup
    neat maintain trash
    """
    home = neat_home()
    if job is None:
        _list(home, as_json)
        return
    find_job(home, job)
    row = _by_daemon(home, job) if is_running(home) else None
    row = row or _here(home, job)
    if as_json:
        print_json(run_shape(row))
    else:
        _report(row)
    if row.status != "done":
        raise click.exceptions.Exit(1)


def _list(home: Path, as_json: bool) -> None:
    loaded = load_schedule(home)
    jobs = loaded.schedule.jobs
    if as_json:
        print_json([{"job": one.name, "what": redact(one.what), "enabled": one.enabled} for one in jobs])
    else:
        print_table(("job", "what it does"), [(one.name, redact(one.what)) for one in jobs], "no jobs")
    _say_mistake(loaded)


def _by_daemon(home: Path, job: str) -> Maintenance | None:
    """Ask neatd and wait; None when it ended before it began with the job."""
    with closing(connect(home)) as records:
        request_id = ask(records, home, job)
        try:
            with _progress(job) as tell:
                return _await_end(home, records, request_id, tell)
        except KeyboardInterrupt:
            click.echo(f"{job} goes on in neatd; `neat schedule` shows how it ends", err=True)
            raise click.exceptions.Exit(130) from None


def _await_end(
    home: Path, records: sqlite3.Connection, request_id: str, tell: Callable[[str], None]
) -> Maintenance | None:
    while True:
        request, row = requests.get_request(records, request_id), maintenance.get(records, request_id)
        if request.status == "failed":
            raise NeatError(str(request.result.get("error")), str(request.result.get("hint", "")))
        if request.status == "done" and row is not None:
            return row
        if not is_running(home):
            if row is None:
                requests.set_request(records, request_id, "failed", {"error": "neatd ended before it began"})
                return None
            raise NeatError("neatd ended meanwhile", "the job begins anew with the next `neatd start`")
        tell(row.summary if row else "waits until neatd has time for it")
        time.sleep(_POLL_S)


def _here(home: Path, job: str) -> Maintenance:
    from neatd.pipeline.upkeep.here import run_here

    click.echo("note: neatd is not running: carried out here", err=True)
    with scene_here(home) as scene:
        if scene is None:
            raise NeatError("another neat command or a starting neatd has the store's lock", "try again in a moment")
        with _progress(job) as tell:
            return run_here(scene, job, tell)


@contextmanager
def _progress(job: str) -> Iterator[Callable[[str], None]]:
    """A line that says how far the job has come, where somebody looks on."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(job)
        yield lambda text: progress.update(task, description=one_line(f"{job}: {text}", 100))


def _report(row: Maintenance) -> None:
    click.echo(f"{row.job} {row.status} in {_took(row)}: {redact(row.summary)}")
    room = [f"{name.removesuffix('_bytes')} {size(row.details[name])}" for name in _ABOUT_ROOM if name in row.details]
    if room:
        click.echo(f"  {', '.join(room)}")
    for key in ("wrong", "stays", "output"):
        for line in row.details.get(key, ()):
            click.echo(f"  {line}")
