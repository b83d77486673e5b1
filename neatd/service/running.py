"""Starting and stopping the daemon by whatever runs it: its service where one is installed for this home, else by hand.

A start by hand is never refused and never waits: it forgives the failures that a service would wait for.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from neatd import control
from neatd.errors import NeatError
from neatd.lifesign import is_running, read_state
from neatd.service.calling import Words, call
from neatd.service.here import installed_for, kind_here
from neatd.service.manager import Manager, State
from neatd.starts import forgive, read_starts


def start(home: Path) -> tuple[int, bool]:
    """Start the daemon; returns (pid, whether it is new) when it watches and answers. Raises NeatError when it does not."""
    manager = installed_for(home)
    if manager is None or not manager.state().is_reachable:
        return control.start(home)
    pid = answering(home)
    return (pid, False) if pid else (start_service(home, manager), True)


def start_service(home: Path, manager: Manager) -> int:
    """Have the manager start it; returns its pid when it answers."""
    forgive(home)
    begun = time.time()
    told(manager.start)
    return await_answer(home, begun)


def stop(home: Path) -> int | None:
    """End the daemon, and for good: its manager does not begin it again before the next login. None when none was running."""
    manager = installed_for(home)
    pid = None
    if manager and (state := manager.state()).is_held:
        pid = read_state(home).get("pid") if is_running(home) else state.pid
        told(manager.stop)
    return control.stop(home) or pid


def told(words: Words) -> None:
    """Call a manager's command. Raises NeatError when it fails."""
    done = call(words)
    if done.code:
        raise NeatError(f"`{' '.join(words)}` failed: {done.why}", "type it yourself; `neat doctor` checks the service")


def answering(home: Path) -> int | None:
    """The pid of a daemon that answers now."""
    state = read_state(home)
    is_there = is_running(home) and state.get("door") and control.answers(str(state["door"]))
    return int(state["pid"]) if is_there else None


def await_answer(home: Path, begun: float) -> int:
    """The pid of the daemon that a manager started at `begun`, once it answers."""
    deadline = time.monotonic() + control.START_S
    while time.monotonic() < deadline:
        pid = answering(home)
        if pid:
            return pid
        crash = read_starts(home).last_crash
        if crash and crash.at >= begun:
            hint = f"it is tried again, later each time; `neatd stop` ends that; the log: {control.log_path(home)}"
            raise NeatError(f"neatd ended at once: {crash.reason}", hint)
        time.sleep(0.05)
    raise NeatError(f"neatd does not answer after {control.START_S:.0f} s", "`neatd logs`; `neat doctor`")


def service_shape(home: Path, manager: Manager | None, state: State | None) -> dict[str, Any]:
    """The service of this home as `neatd status --json` gives it."""
    found = state or State()
    return {
        "kind": kind_here(),
        "path": str(manager.path) if manager else None,
        "installed": manager is not None,
        "enabled": found.is_enabled,
        "active": found.is_active,
        "linger": found.linger,
    }
