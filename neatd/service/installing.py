"""Putting the service there and taking it away. What a person edited is kept beside, never lost; twice is as good as once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from neatd import control
from neatd.errors import NeatError
from neatd.files import write_atomic
from neatd.lifesign import is_running, read_state
from neatd.service.calling import Words, call
from neatd.service.manager import Manager, State
from neatd.service.program import ARGUMENTS, Program
from neatd.service.running import answering, start_service, stop, told

_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # a service has none of a shell's


class Plan(NamedTuple):
    """What an installation would do. `before` is the file that lies there, "" for none."""

    manager: Manager
    program: Program
    text: str
    before: str
    is_edited: bool
    state: State

    @property
    def has_changed(self) -> bool:
        """The file is written."""
        return self.before != self.text

    @property
    def other_home(self) -> Path | None:
        """The home that the service there works for, when it is another than ours."""
        served = self.manager.program().served_home if self.before else self.program.served_home
        return served if served != self.program.served_home else None

    @property
    def commands(self) -> tuple[Words, ...]:
        """What is called after the file is written."""
        return (*self.manager.begin, self.manager.start)


def plan_install(manager: Manager, program: Program) -> Plan:
    """Look at what is there; changes nothing."""
    before = manager.read()
    is_edited = bool(before) and not manager.is_as_written()
    return Plan(manager, program, manager.text(program), before, is_edited, manager.state())


def check_program(program: Program) -> None:
    """Raises NeatError when a service, which has neither this folder nor this shell's variables, would not find neat."""
    done = call((program.interpreter, *ARGUMENTS[:3], "--version"), cwd=Path(Path.home().anchor), without=_OURS)
    if done.code:
        said = done.err.strip().splitlines() or [done.why]
        raise NeatError(
            f"a service would not find neat: {program.interpreter}: {said[-1]}",
            "install it into that Python: `pip install .` in its clone",
        )


def install(plan: Plan) -> tuple[Path | None, int | None]:
    """Write the file, make it known, hand a daemon over that was started by hand, start it.

    Returns (where an edited file is kept now, the daemon's pid; None where the manager does not answer).
    """
    check_program(plan.program)
    kept = _keep_aside(plan.manager.path) if plan.is_edited else None
    if plan.has_changed:
        _write(plan.manager, plan.text)
    if not plan.state.is_reachable:
        for words in plan.manager.unheard:
            call(words)
        return kept, None
    home = plan.program.served_home
    is_ours = answering(home) and (plan.state.pid in (None, read_state(home).get("pid"))) and plan.state.is_active
    if plan.has_changed or not plan.state.is_enabled:
        _make_known(plan)
    if is_ours and not plan.has_changed:
        return kept, answering(home)
    stop(home)
    return kept, start_service(home, plan.manager)


def _make_known(plan: Plan) -> None:
    if plan.manager.kind == "launchd" and plan.state.is_enabled:  # it holds on to what it has read
        for words in plan.manager.end:
            call(words)
    for words in plan.manager.begin:
        told(words)


def _write(manager: Manager, text: str) -> None:
    try:
        write_atomic(manager.path, manager.encoded(text))
    except PermissionError as error:
        raise NeatError(f"{manager.path} cannot be written: {error.strerror}", "check who owns its folder") from error


def _keep_aside(path: Path) -> Path:
    """Rename a file to the first free name beside it, which no manager reads."""
    names = (path.with_name(f"{path.name}.bak{number or ''}") for number in range(1000))
    aside = next(name for name in names if not os.path.lexists(name))
    path.rename(aside)
    return aside


class Removed(NamedTuple):
    """What an uninstallation did."""

    path: Path
    kept: Path | None
    failed: tuple[str, ...]
    pid: int | None


def uninstall(manager: Manager, home: Path) -> Removed:
    """End the service and take everything out that install put there; the home stays as it is."""
    is_edited, state = not manager.is_as_written(), manager.state()
    pid = int(read_state(home).get("pid", 0)) if is_running(home) and state.is_held else None
    failed = [f"`{' '.join(words)}`: {done.why}" for words in manager.end if (done := call(words)).code]
    if pid and state.is_reachable:
        control.stop(home)  # its manager was told already, but for Windows
    kept = _keep_aside(manager.path) if is_edited else None
    manager.path.unlink(missing_ok=True)
    for link in manager.leftovers():
        link.unlink()
    for words in manager.forget:
        call(words)  # nothing is left to forget, often
    return Removed(manager.path, kept, tuple(failed) if state.is_reachable else (), pid)
