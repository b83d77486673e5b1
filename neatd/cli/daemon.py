"""neatd's commands: start, stop, restart, status, logs."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from neatd import __version__, control, lifesign
from neatd.errors import NeatError
from neatd.pipeline.settingsfile import in_force
from neatd.place import neat_home, short_path
from neatd.redact import redact
from neatd.service import running
from neatd.service.here import installed_for
from neatd.service.manager import Manager, State
from neatd.starts import Starts, known_starts

NOT_RUNNING = 3  # as systemctl and the init scripts of the Linux Standard Base have it
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command(short_help="Start watching.")
@click.option("--foreground", is_flag=True, help="Stay in this terminal, for services and for looking on.")
@click.option("--service", is_flag=True, hidden=True, help="As `neatd install` starts it: waits after failures.")
@click.option("--home", "told_home", type=click.Path(path_type=Path), hidden=True, help="NEAT_HOME, as an argument.")
def start(foreground: bool, service: bool, told_home: Path | None) -> None:
    """Start watching, in the background.

    Returns when it watches and answers. One daemon serves all your projects; starting it again is harmless.

    \b
    neatd start
    neatd start --foreground
    """
    if told_home:  # a scheduled task of Windows has no variables
        os.environ["NEAT_HOME"] = str(told_home)
    home = neat_home()
    if service:
        from neatd.served import serve

        serve(home)
        return
    if foreground:
        from neatd.daemon import run

        run(home, is_foreground=True)
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    pid, is_new = running.start(home)
    state = control.status(home)
    verb = "watches" if is_new else "is already running, and watches"
    click.echo(f"neatd {verb} {len(state['roots'])} project folder(s) (pid {pid}), {state['url']}")
    if state["version"] != __version__:
        click.echo(f"note: it is neat {state['version']}, this is {__version__}: `neatd restart`", err=True)


@click.command(short_help="Stop watching.")
def stop() -> None:
    """Stop watching. Trainings go on.

    \b
    neatd stop
    """
    pid = running.stop(neat_home())
    click.echo("neatd was not running" if pid is None else f"neatd has ended (pid {pid}); trainings go on")


@click.command(short_help="Stop and start again.")
def restart() -> None:
    """Stop and start again.

    \b
    neatd restart
    """
    home = neat_home()
    running.stop(home)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    pid, _ = running.start(home)
    click.echo(f"neatd watches (pid {pid})")


@click.command(short_help="Say whether neatd watches.")
@json_option
def status(as_json: bool) -> None:
    """Say whether neatd watches, and what.

    Exits with 0 when it is running, and with 3 when it is not, as `systemctl status` does. With --json the answer is
    `running`, and the exit code is 0.

    \b
    neatd status
    neatd status --json
    """
    home = neat_home()
    state = control.status(home)
    manager = installed_for(home)
    held = manager.state() if manager else None
    starts = known_starts(home)
    if not state["running"]:
        state["settings_mistake"] = in_force(home).told
    if as_json:
        service = running.service_shape(home, manager, held)
        click.echo(json.dumps(state | {"service": service, "crash": starts.crash_shape(time.time())}))
        return
    if not state["running"]:
        click.echo(lifesign.not_watching(home))
        _say_service(manager, held)
        _say_crash(starts, is_running=False)
        _say_settings(state)
        raise click.exceptions.Exit(NOT_RUNNING)
    click.echo(f"neatd {state['version']} watches (pid {state['pid']}), {state['url']}")
    click.echo(f"store: {short_path(neat_home())}; {state['runs']} runs known")
    for project in state["projects"]:
        click.echo(f"  {project['name']}  {short_path(Path(project['root']))}")
    if state["memory"]:
        click.echo(f"memory: risk {state['memory']['risk']}: {state['memory']['reason']}")
    for pause in state["paused"]:
        click.echo(f"paused: {pause['reason']}; `neat rules go-on` in its project lets jobs begin again")
    if state["trouble"]:
        click.echo(f"trouble: {state['trouble']}")
    _say_service(manager, held)
    _say_crash(starts, is_running=True)
    _say_settings(state)


def _say_settings(state: dict[str, Any]) -> None:
    if state["settings_mistake"]:
        click.echo(f"settings: {state['settings_mistake']}")


def _say_service(manager: Manager | None, state: State | None) -> None:
    if manager and state:
        how = (
            "active" if state.is_active else "not active" if state.is_reachable else "its manager does not answer here"
        )
        enabled = "enabled" if state.is_enabled else "not enabled"
        click.echo(f"service: {manager.kind}, {enabled}, {how}, {short_path(manager.path)}")


def _say_crash(starts: Starts, is_running: bool) -> None:
    """The crash that it lies down of; while it runs, one that is news."""
    now = time.time()
    crash = starts.told_crash(now)
    if crash is None or crash.ended_at is None or (not is_running and crash != starts.lives[-1]):
        return
    click.echo(f"its last crash, {datetime.fromtimestamp(crash.ended_at).astimezone():%Y-%m-%d %H:%M}: {crash.reason}")
    if (wait_s := starts.wait_s(now)) and not is_running:
        again = f"as a service it is tried again in {wait_s:.0f} s; `neatd start` tries now"
        click.echo(f"{starts.in_a_row} starts in a row ended at once: {again}")


@click.command(short_help="Print the daemon's log.")
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows; Ctrl-C ends.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many lines from the end."
)
def logs(follow: bool, lines: int) -> None:
    """Print the daemon's log.

    \b
    neatd logs
    neatd logs -f
    """
    path = control.log_path(neat_home())
    if not path.exists():
        raise NeatError(f"no log yet: {path}", "`neatd start` begins one")
    print_file(path, lines, follow)


def print_file(path: Path, lines: int, follow: bool) -> None:
    """The last lines of a file, and with `follow` what is added, until Ctrl-C. A rotated file is followed anew.

    Secrets are taken out. A line that is still being written waits until it ends, or rests for a turn: half a key is
    not known as one.
    """
    with path.open("rb") as file:
        text = file.read()
        position = file.tell()
    whole, _, rest = text.rpartition(b"\n") if follow else (text, b"", b"")
    shown = whole.decode(errors="replace").splitlines()[-lines:] if lines else []
    if shown:
        click.echo(redact("\n".join(shown)))
    while follow:
        size = os.stat(path).st_size if path.exists() else 0  # noqa: PTH116
        position, rest = (0, b"") if size < position else (position, rest)
        if size > position:
            with path.open("rb") as file:
                file.seek(position)
                whole, end, rest = (rest + file.read()).rpartition(b"\n")
                position = file.tell()
            click.echo(redact((whole + end).decode(errors="replace")), nl=False)
        elif rest:
            click.echo(redact(rest.decode(errors="replace")), nl=False)
            rest = b""
        time.sleep(0.2)
