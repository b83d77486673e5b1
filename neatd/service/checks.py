"""What `neat doctor` says of the service and of crashes: each with its mend."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from neatd import __version__
from neatd.lifesign import is_running, read_state
from neatd.service.calling import call
from neatd.service.here import ENTRY_POINT, all_managers, installed_for, kind_here
from neatd.service.manager import Manager, State
from neatd.service.program import ARGUMENTS, Program, program_here
from neatd.starts import FREE, known_starts

_INSTALL = "`neatd install`"


class Check(NamedTuple):
    """What was looked at, how it stands (ok, note, bad), and the mend."""

    what: str
    state: str
    text: str
    mend: str = ""


def service_checks(home: Path) -> Iterator[Check]:
    """The service of this home, if there is one; and how the daemon's lives ended."""
    manager = installed_for(home)
    if manager:
        state = manager.state()
        yield _stands(manager, state)
        yield from _runs(manager)
        yield from _outside(home, manager, state)
    else:
        yield _missing(home)
    yield from crash_checks(home)


def _missing(home: Path) -> Check:
    if kind_here() == "none":
        mend = f"in a container: the line `{ENTRY_POINT}` in its entry point"
        return Check("service", "note", "no service manager runs here: neatd is begun by hand", mend)
    other = next((one for one in all_managers(home) if one.read()), None)
    if other:
        text = f"{other.path} runs neatd for {other.program().served_home}, and not for {home}"
        return Check("service", "note", text, "`neatd start` for this one")
    return Check("service", "note", "not installed: neatd does not begin with your login", _INSTALL)


def _stands(manager: Manager, state: State) -> Check:
    where = f"{manager.kind}, {manager.path}"
    if not state.is_reachable:
        return Check("service", "note", f"{where}: its manager does not answer here", "log in, then `neat doctor`")
    if not state.is_enabled:
        return Check("service", "note", f"{where}: not enabled, it does not begin by itself", _INSTALL)
    if manager.kind == "systemd" and not state.is_active:
        text = "failed or waits to be tried again" if state.is_held else "not active"
        return Check("service", "note", f"{where}: {text}", "`neatd start`; `neatd logs` tells more")
    return Check("service", "ok", f"{where}: enabled" + (", active" if state.is_active else ""))


def _runs(manager: Manager) -> Iterator[Check]:
    """Whether what it runs is there, and is this neat."""
    program = manager.program()
    if not Path(program.interpreter).is_file():
        text = f"it runs {program.interpreter or 'nothing that neat knows'}, which is not there"
        yield Check("service program", "bad", text, _INSTALL)
        return
    version = __version__ if program.interpreter == sys.executable else _version(program)
    if version != __version__:
        has = f"neat {version}" if version else "no neat"
        text = f"it runs {program.interpreter}, which has {has}; this is neat {__version__} of {sys.executable}"
        yield Check("service program", "note" if version else "bad", text, _INSTALL)
    elif not manager.is_as_written():
        mend = (
            "`systemctl --user edit neatd` keeps changes beside it"
            if manager.kind == "systemd"
            else "nothing, if you did"
        )
        yield Check("service program", "note", f"{manager.path} was edited", mend)
    elif manager.read() != manager.text(_as_told(program)):
        yield Check("service program", "note", f"{manager.path} is of another version of neat", _INSTALL)


def _as_told(program: Program) -> Program:
    """The same program; its search path as it would be written now."""
    return program._replace(path=program_here().path)


def _version(program: Program) -> str:
    done = call(
        (program.interpreter, *ARGUMENTS[:3], "--version"), cwd=Path(Path.home().anchor), without=("PYTHONPATH",)
    )
    return done.out.split()[-1] if done.code == 0 and done.out.split() else ""


def _outside(home: Path, manager: Manager, state: State) -> Iterator[Check]:
    """What the daemon's life hangs on besides."""
    pid = read_state(home).get("pid")
    if state.is_reachable and manager.kind != "task" and is_running(home) and pid != state.pid:
        yield Check(
            "service", "note", f"the running neatd (pid {pid}) was started by hand, outside of it", "`neatd restart`"
        )
    if state.linger is False:
        text = "off: neatd, and trainings that it started, end when you log out"
        yield Check("linger", "note", text, "`loginctl enable-linger`, or `neatd install --linger`")


def crash_checks(home: Path) -> Iterator[Check]:
    """Starts that fail again and again; else the last crash, while it is news."""
    starts, now = known_starts(home), time.time()
    crash = starts.told_crash(now)
    if crash is None or crash.ended_at is None:
        return
    at = datetime.fromtimestamp(crash.ended_at).astimezone()
    if starts.in_a_row > FREE:
        waits = f"; a service tries again in {starts.wait_s(now):.0f} s" if starts.wait_s(now) else ""
        text = f"{starts.in_a_row} starts in a row ended at once, the last {at:%Y-%m-%d %H:%M}: {crash.reason}{waits}"
        yield Check("crash loop", "bad", text, "mend what it names (`neatd logs` tells more), then `neatd start`")
    else:
        yield Check("last crash", "note", f"{at:%Y-%m-%d %H:%M}: {crash.reason}", "`neatd logs` tells more")
