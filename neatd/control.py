"""The daemon from outside: is it running, since when not, start it, stop it. One per user: per NEAT_HOME.

Whether one lives is in `lifesign.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from neatd import __version__
from neatd.errors import NeatError
from neatd.lifesign import is_running, last_seen, lock_path, read_state
from neatd.notify import VARIABLES
from neatd.redact import redact

START_S = 30.0
STOP_S = 20.0


def log_path(home: Path) -> Path:
    """The daemon's log."""
    return home / "logs" / "neatd.log"


def start(home: Path) -> tuple[int, bool]:
    """Start the daemon in the background; returns (pid, whether it is new) when it watches and answers.

    Raises NeatError with the end of its log when it does not come up.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if is_running(home):
            state = _await_answer(home, None)
            if state:
                return int(state["pid"]), False
            continue  # a command held the lock for a moment
        process, begun = _spawn(home)
        state = _await_answer(home, process, begun)
        if state:
            return int(state["pid"]), state["pid"] == process.pid
    raise NeatError(f"neatd cannot start: {lock_path(home)} is held by another command", "wait for it, then try again")


def _spawn(home: Path) -> tuple[subprocess.Popen[bytes], int]:
    """(the daemon's process, where its part of the log begins). No descriptor of ours stays open in it."""
    log_path(home).parent.mkdir(parents=True, exist_ok=True)
    with log_path(home).open("ab") as log:
        begun = log.tell()
        flags: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
        process = subprocess.Popen(
            [sys.executable, "-m", "neatd.daemon"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home,
            env=_environment() | {"NEAT_HOME": str(home)}, close_fds=True, **flags,
        )  # fmt: skip
    return process, begun


def _environment() -> dict[str, str]:
    """Ours, but for what the manager of another service told us: a daemon in the background speaks for none."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}


def _await_answer(home: Path, process: subprocess.Popen[bytes] | None, log_from: int = 0) -> dict[str, Any]:
    """The state of a daemon that answers; {} when whoever held the lock let it go without answering."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        state = read_state(home)
        mine = process is None or state.get("pid") == process.pid
        if mine and state.get("door") and is_running(home) and answers(str(state["door"])):
            return state
        if process is not None and process.poll() is not None:
            if is_running(home):  # another start was faster
                process = None
                continue
            raise NeatError(f"neatd ended at once:\n{_log_end(home, log_from)}", f"the whole log: {log_path(home)}")
        if process is None and not is_running(home):
            return {}
        time.sleep(0.03)
    raise NeatError(
        f"neatd does not answer after {START_S:.0f} s", f"`neatd logs`, or the log itself: {log_path(home)}"
    )


def _log_end(home: Path, log_from: int) -> str:
    with log_path(home).open("rb") as log:
        log.seek(log_from)
        lines = redact(log.read().decode(errors="replace")).strip().splitlines()
    return "\n".join(lines[-12:])


def answers(url: str) -> bool:
    """Whether the daemon answers at its own door. Loopback only: proxies are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url + "/status.json", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def stop(home: Path) -> int | None:
    """Ask the daemon to end and wait for it; returns its pid, None when none was running.

    Jobs go on: they do not belong to the daemon. Raises NeatError when it does not end in time.
    """
    import psutil

    if not is_running(home):
        return None
    state = read_state(home)
    pid = int(state.get("pid", 0))
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - float(state.get("born", 0))) > 1.0:
            raise psutil.NoSuchProcess(pid)  # the pid went to another process: it is none of ours to end
        process.terminate()
    except psutil.Error as error:
        raise NeatError(
            f"the running neatd cannot be told to stop: {error}", f"its lock is {lock_path(home)}"
        ) from error
    deadline = time.monotonic() + STOP_S
    while is_running(home):
        if time.monotonic() > deadline:
            raise NeatError(
                f"neatd (pid {pid}) has not ended after {STOP_S:.0f} s", f"`neatd logs`; then `kill -9 {pid}`"
            )
        time.sleep(0.03)
    return pid


def status(home: Path) -> dict[str, Any]:
    """The daemon's state as `neatd status --json` gives it."""
    running = is_running(home)
    state = read_state(home)
    live: dict[str, Any] = {}
    if running and state.get("door"):
        live = _ask(str(state["door"]) + "/status.json")
    seen = last_seen(home)
    return {
        "running": running,
        "pid": state.get("pid") if running else None,
        "url": state.get("url") if running else None,
        "version": state.get("version", __version__) if running else __version__,
        "projects": live.get("projects", []),
        "roots": live.get("roots", []),
        "home": str(home),
        "runs": live.get("runs"),
        "trouble": live.get("trouble", ""),
        "memory": live.get("memory"),
        "paused": live.get("paused", []),
        "settings_mistake": live.get("settings_mistake", ""),
        "last_seen": seen.isoformat() if seen else None,
    }


def _ask(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2.0) as answer:
            found = json.loads(answer.read())
    except (OSError, ValueError, urllib.error.URLError):
        return {}
    return found if isinstance(found, dict) else {}
