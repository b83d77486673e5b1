"""`neatd install` and `neatd uninstall`: neatd as a service of the login or the machine."""

from __future__ import annotations

import getpass
import json
import shlex
import sys
from pathlib import Path

import click

from neatd.errors import NeatError
from neatd.place import neat_home, short_path
from neatd.service.calling import call
from neatd.service.here import KINDS, all_managers, kind_here, manager_here
from neatd.service.installing import Plan, Removed, plan_install
from neatd.service.installing import install as put_there
from neatd.service.installing import uninstall as take_away
from neatd.service.printing import printed
from neatd.service.program import program_here
from neatd.service.running import service_shape

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command(short_help="Run as a service.")
@click.option("--system", is_flag=True, help="For the machine, as root: where one works as root.")
@click.option("--print", "only_print", is_flag=True, help="Print what would be installed, and change nothing.")
@click.option("--kind", type=click.Choice(KINDS), help="With --print: for a machine of that kind; none: a container.")
@click.option("--linger", is_flag=True, help="Also let your services go on after logout: `loginctl enable-linger`.")
@click.option("--yes", is_flag=True, help="Ask nothing: an edited unit is kept beside and replaced.")
@json_option
def install(system: bool, only_print: bool, kind: str | None, linger: bool, yes: bool, as_json: bool) -> None:
    """Run neatd as a service: with the login or the machine, and again after a failure.

    A systemd user unit on Linux, a launchd agent on macOS, a scheduled task on Windows; for a container it says what to put
    into the entry point. A daemon started by hand is handed over. Says what it does; safe to run twice.

    \b
    neatd install
    neatd install --print
    neatd install --print --kind systemd
    neatd install --linger
    neatd install --system
    """
    home, program = neat_home(), program_here(system)
    if only_print:
        click.echo(printed(kind or kind_here(), home, program, system), nl=False)
        return
    if kind is not None:
        raise NeatError(
            f"--kind {kind} is for --print: what is installed is what this machine has ({kind_here()})",
            f"`neatd install --print --kind {kind}`, or `neatd install` alone",
        )
    manager = manager_here(home, system)
    plan = plan_install(manager, program)
    _ask(plan, yes)
    if not as_json:
        _show(plan)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept, pid = put_there(plan)
    is_lingering = _linger(plan, linger, is_asked=not yes and not as_json)
    if as_json:
        shape = {
            "changed": plan.has_changed,
            "kept": str(kept) if kept else None,
            "pid": pid,
            "to_type": _to_type(plan),
        }
        service = service_shape(home, manager, manager.state())
        click.echo(json.dumps({**shape, "service": {**service, "linger": is_lingering}}))
        return
    _say(plan, kept, pid)
    _say_linger(is_lingering)


def _show(plan: Plan) -> None:
    """What will be done, in the words that a person would type."""
    path = short_path(plan.manager.path)
    is_new = not plan.before
    click.echo(f"{path}: {'written' if is_new else 'replaced' if plan.has_changed else 'as it should be'}")
    if plan.has_changed:
        for words in plan.commands:
            click.echo(f"  {shlex.join(words)}")


def _ask(plan: Plan, yes: bool) -> None:
    """A unit that is not as neat wrote it, or that is for another home, is not replaced in silence."""
    other = plan.other_home
    if yes or not plan.has_changed or not (plan.is_edited or other):
        return
    what = f"{plan.manager.path} " + (f"runs neatd for {other}" if other else "was edited")
    if not sys.stdin.isatty():
        beside = "`systemctl --user edit neatd` keeps changes beside it" if plan.manager.kind == "systemd" else ""
        hint = (
            "`neatd install --yes` keeps it as .bak and writes it anew" if plan.is_edited else "`neatd install --yes`"
        )
        raise NeatError(what, "; ".join(filter(None, (hint, beside))))
    click.confirm(
        f"{what}; replace it{' (the old one is kept as .bak)' if plan.is_edited else ''}?", abort=True, err=True
    )


def _to_type(plan: Plan) -> list[str]:
    """What is left for a person to type where the manager did not answer."""
    return [] if plan.state.is_reachable else [shlex.join(words) for words in plan.commands]


def _say(plan: Plan, kept: Path | None, pid: int | None) -> None:
    if kept:
        click.echo(f"the edited one is kept: {short_path(kept)}")
    if pid:
        click.echo(f"neatd watches as a service (pid {pid}); `neatd stop` and `neatd start` go by it")
        return
    click.echo(
        "its manager does not answer here (no login session?): it begins with your next login. To start it, type there:"
    )
    for line in _to_type(plan):
        click.echo(f"  {line}")


def _linger(plan: Plan, is_told: bool, is_asked: bool) -> bool | None:
    """Whether the user's services outlive the login, after it was switched on if wanted. None where there is no such thing."""
    is_on = plan.manager.state().linger
    if is_on is not False:
        return is_on
    asks = is_asked and sys.stdin.isatty()
    if is_told or (asks and click.confirm("keep neatd running after you log out (linger)?", default=False, err=True)):
        done = call(("loginctl", "enable-linger", getpass.getuser()))
        if done.code:
            raise NeatError(f"linger is not switched on: {done.why}", _LINGER)
        return True
    return False


_LINGER = "`loginctl enable-linger` (some machines want sudo)"


def _say_linger(is_on: bool | None) -> None:
    if is_on is False:
        click.echo("without linger your services end when you log out, and begin at your next login.")
        click.echo(
            f"to keep it watching after that, and from the machine's start: {_LINGER}, or `neatd install --linger`"
        )


@click.command(short_help="Be no service any more.")
@json_option
def uninstall(as_json: bool) -> None:
    """Take the service out again: the daemon ends, its unit goes; what neat keeps stays.

    Safe where nothing is installed. A unit that was edited is kept beside, as .bak.

    \b
    neatd uninstall
    """
    home = neat_home()
    found = [manager for manager in all_managers(home) if manager.read()]
    ours = [manager for manager in found if manager.program().served_home == home]
    if found and not ours:
        other = found[0]
        raise NeatError(
            f"{other.path} runs neatd for {other.program().served_home}, and not for {home}",
            f"`NEAT_HOME={shlex.quote(str(other.program().served_home))} neatd uninstall`",
        )
    gone = [take_away(manager, home) for manager in ours]
    if as_json:
        click.echo(json.dumps({"removed": [str(one.path) for one in gone], "home": str(home)}))
        return
    for one in gone:
        _say_gone(one)
    click.echo(f"{'' if gone else 'no service is installed; '}{short_path(home)} stays as it is")


def _say_gone(one: Removed) -> None:
    click.echo(
        f"{short_path(one.path)}: removed" + (f", the edited one is kept: {short_path(one.kept)}" if one.kept else "")
    )
    if one.pid:
        click.echo(f"neatd has ended (pid {one.pid}); trainings go on; `neatd start` begins it by hand")
    for line in one.failed:
        click.echo(f"note: {line}", err=True)
