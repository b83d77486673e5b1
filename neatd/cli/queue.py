"""The queue: what runs, what waits and why; pausing, draining and ordering it. Stdlib and click only for who looks."""

from __future__ import annotations

import gc
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from neatd.errors import NeatError

EVERY = "*"  # the group that a pause of the whole queue is of: `rules/admission.py`
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(invoke_without_command=True, short_help="Show the queue.")
@click.option("--all", "with_ended", is_flag=True, help="Also what has ended, newest first.")
@click.option("--group", help="Only the jobs of this group.")
@click.option(
    "--devices", "of_devices", is_flag=True, help="The machine's devices instead, and who holds what of them."
)
@json_option
@click.pass_context
def queue(context: click.Context, with_ended: bool, group: str | None, of_devices: bool, as_json: bool) -> None:
    """Show what runs, what waits, why, and when it is likely to end.

    The queue is the machine's: the jobs of all projects are in it, in the order in which they begin. The estimate comes
    from the last jobs of the same program that ended well.

    \b
    neat queue
    neat queue --all --json
    neat queue --devices
    neat queue pause --why "the GPU is needed"
    neat queue top j-7k2q
    """
    if context.invoked_subcommand:
        return
    if gc.isenabled():  # a third of the time for ten thousand jobs, of which nothing is garbage before the end
        gc.disable()
        context.call_on_close(gc.enable)
    from neatd.cli.queuetext import SHOWN, group_lines, table
    from neatd.lifesign import not_watching
    from neatd.pipeline.queueshown import queue_objects
    from neatd.place import neat_home
    from neatd.store import queuelist

    home = neat_home()
    if of_devices:
        from neatd.cli.devices import print_devices

        print_devices(home, as_json)
        return
    most = -1 if as_json or group is not None else SHOWN
    with _store(home) as store:
        objects = queue_objects(store, home, datetime.now(UTC), with_ended, most, group)
        counts, paused = ({}, {}) if as_json else _groups(store)
        _, waits, ended = (0, 0, 0) if as_json else queuelist.count(store)
    if note := not_watching(home):
        click.echo(f"note: {note}", err=True)
    if as_json:
        sys.stdout.write(f"[{', '.join(objects)}]\n")  # click.echo would look for colours in six megabytes
        return
    shapes = [json.loads(one) for one in objects]
    if group is not None:
        waits = sum(one["status"] == "queued" for one in shapes)
        ended = len(shapes) - waits
    lines = (*table(shapes, waits, ended if with_ended else 0), *group_lines(counts, paused))
    for line in lines:
        click.echo(line)
    if not shapes:
        click.echo("nothing runs and nothing waits; `neat launch -- COMMAND` queues one", err=True)


@queue.command(short_help="Start nothing more.")
@click.argument("group", required=False)
@click.option("--why", default="", help="The reason, for who looks at the queue.")
@json_option
def pause(group: str | None, why: str, as_json: bool) -> None:
    """Start nothing more of a group, or of the whole queue; what runs goes on.

    \b
    neat queue pause
    neat queue pause sweeps --why "the deadline run goes first"
    """
    _set_pause(group, why, is_paused=True)
    shape = {"group": group, "paused": True, "why": why}
    _say(as_json, shape, f"{_named(group)} is paused; {_ends(group)}")


@queue.command("go-on", short_help="End a pause.")
@click.argument("group", required=False)
@json_option
def go_on(group: str | None, as_json: bool) -> None:
    """End the pause of a group, or without GROUP every pause of the queue.

    \b
    neat queue go-on
    neat queue go-on sweeps
    """
    _set_pause(group, "", is_paused=False)
    _say(as_json, {"group": group, "paused": False}, f"{_named(group)} goes on")


@queue.command(short_help="Pause, and wait for what runs.")
@click.argument("group", required=False)
@click.option("--why", default="", help="The reason, for who looks at the queue.")
@click.option("--no-wait", is_flag=True, help="Return at once.")
@json_option
def drain(group: str | None, why: str, no_wait: bool, as_json: bool) -> None:
    """Start nothing more, and return when what runs has ended: before a reboot, for example.

    Ctrl-C ends the waiting and not the pause.

    \b
    neat queue drain
    neat queue drain sweeps --no-wait
    """
    _set_pause(group, why or "drained", is_paused=True)
    try:
        left = _running(group) if no_wait else _wait_for_end(group)
    except KeyboardInterrupt:
        click.echo(f"\n{_named(group)} stays paused; {_ends(group)}", err=True)
        raise click.exceptions.Exit(130) from None
    text = f"{left} still run" if left else "nothing of it runs any more"
    shape = {"group": group, "paused": True, "running": left}
    _say(as_json, shape, f"{_named(group)} is paused; {text}; {_ends(group)}")


@queue.command("group", short_help="Set a group's parallelism.")
@click.argument("name")
@click.option(
    "--parallel", type=click.IntRange(0, 10_000), help="How many of it run at once; 0: as many as CPU slots are free."
)
@json_option
def group_(name: str, parallel: int | None, as_json: bool) -> None:
    """Say how many jobs of a group run side by side.

    Without --parallel: says how it stands. Groups without a number share the machine's CPU slots.

    \b
    neat queue group sweeps --parallel 2
    neat queue group default --parallel 4
    """
    from neatd.jobs.bell import ring
    from neatd.place import neat_home

    _check_name(name)
    with _store(neat_home()) as store:
        if parallel is not None:
            _set(store, name, parallel=parallel or None)
            ring(neat_home(), _BELL)
        row = store.execute("SELECT parallel, paused_at FROM job_group WHERE name = ?", (name,)).fetchone()
    found = row[0] if row else None
    shown = {"group": name, "parallel": found, "paused": bool(row and row[1])}
    _say(as_json, shown, f"group {name}: {f'{found} at once' if found else 'shares the CPU slots'}")


@queue.command(short_help="Let a job be the next.")
@click.argument("job_id", metavar="ID")
@json_option
def top(job_id: str, as_json: bool) -> None:
    """Put a queued job in front of all others.

    \b
    neat queue top j-7k2q
    """
    from neatd.jobs.bell import ring
    from neatd.pipeline.jobnames import find_id
    from neatd.place import neat_home
    from neatd.store import queuelist
    from neatd.store.connection import transaction

    home = neat_home()
    with _store(home) as store:
        full = find_id(store, job_id)
        with transaction(store):
            is_first = queuelist.place_first(store, full)
    if not is_first:
        raise NeatError(f"{full[:9]} does not wait", "`neat queue` shows what waits")
    ring(home, full)
    _say(as_json, {"job": full, "place": 1}, f"{full[:9]} is the next one")


_BELL = "j-queue"  # no job's: something of the whole queue changed


@contextmanager
def _store(home: Path) -> Iterator[sqlite3.Connection]:
    from neatd.store.opening import connect

    with closing(connect(home)) as store:
        yield store


def _set_pause(group: str | None, why: str, is_paused: bool) -> None:
    from neatd.jobs.bell import ring
    from neatd.place import neat_home
    from neatd.store import queuelist
    from neatd.store.moments import utc_now

    if group is not None:
        _check_name(group)
    home = neat_home()
    with _store(home) as store:
        if is_paused:
            if group is not None and not queuelist.is_group(store, group):
                click.echo(f"note: no job is of group {group} yet", err=True)
            _set(store, group or EVERY, paused_at=utc_now(), paused_why=why)
        else:
            rows = store.execute("SELECT name FROM job_group WHERE paused_at IS NOT NULL").fetchall()
            for name in [group] if group else [row[0] for row in rows]:
                _set(store, name, paused_at=None, paused_why="")
    ring(home, _BELL)


def _set(store: sqlite3.Connection, name: str, **fields: object) -> None:
    from neatd.store.jobs import set_group

    set_group(store, name, **fields)


def _check_name(name: str) -> None:
    if name == EVERY or not name.strip() or len(name) > 60:
        raise NeatError(f"not a group's name: {name!r}", "leave it out to mean the whole queue")


def _running(group: str | None) -> int:
    from neatd.place import neat_home
    from neatd.store import queuelist

    with _store(neat_home()) as store:
        counts = queuelist.count_by_group(store)
    return sum(runs for name, (runs, _) in counts.items() if group in (None, name))


def _wait_for_end(group: str | None) -> int:
    """Waits, with what still runs in the line; how many do at the end: 0."""
    import time

    from neatd.cli.waiting import waiting

    with waiting("waits for what runs") as say:
        while left := _running(group):
            say(f"{left} still run")
            time.sleep(0.5)
            _settle_without_daemon(group)
    return 0


def _settle_without_daemon(group: str | None) -> None:
    """Where no daemon runs nobody else writes down that a job has ended."""
    from neatd.jobs.folder import job_folder
    from neatd.jobs.reconcile import observe
    from neatd.lifesign import is_running
    from neatd.place import neat_home
    from neatd.store import queued

    home = neat_home()
    if is_running(home):
        return
    with _store(home) as store:
        running = [job_id for job_id, name, _ in queued.held(store) if group in (None, name)]
    if all(observe(job_folder(home, one)).status == "running" for one in running):
        return
    from neatd.cli.common import scene_here
    from neatd.pipeline.queueing import turn_here

    with scene_here(home) as scene:
        if scene is not None:
            turn_here(scene)


def _named(group: str | None) -> str:
    return f"group {group}" if group else "the queue"


def _ends(group: str | None) -> str:
    return f"`neat queue go-on{f' {group}' if group else ''}` ends that"


def _say(as_json: bool, shape: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(shape, ensure_ascii=False) if as_json else text)


def _groups(store: sqlite3.Connection) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int | None, bool, str]]]:
    from neatd.store import queued, queuelist

    return queuelist.count_by_group(store), {one[0]: one[1:] for one in queued.groups(store)}
