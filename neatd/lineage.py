"""The processes above this one: which assistant a command belongs to, whether it still lives, and when it ends.

A process is known by its number and the moment it began, because numbers are given again. Read from /proc where there is
one, a tenth of a millisecond each; elsewhere psutil is loaded.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_FARTHEST = 16  # processes above this one that are looked at
POLL_S = 1.0  # where the system cannot tell of a process's end
# What stands between an assistant and what it starts, and ends with that.
_BETWEEN = frozenset(
    {"sh", "bash", "zsh", "dash", "fish", "ksh", "busybox", "cmd", "powershell", "pwsh", "env", "uv", "uvx", "pipx", "poetry",
     "nice", "timeout", "setsid", "stdbuf", "time", "neat", "neatd"}
)  # fmt: skip

_PARENT = os.getppid() if sys.platform != "win32" else 0  # as early as can be: later it may be another


class Ancestor(NamedTuple):
    """A process: `born` tells it from a later one with its number."""

    pid: int
    born: str
    name: str = ""


def lineage() -> tuple[Ancestor, ...]:
    """The processes above this one, the nearest first."""
    return ancestors_of(os.getppid())


def ancestors_of(pid: int) -> tuple[Ancestor, ...]:
    """A process and those above it, the nearest first."""
    found: list[Ancestor] = []
    while pid > 1 and len(found) < _FARTHEST:
        one, parent = _look(pid)
        if one is None:
            break
        found.append(one)
        pid = parent
    return tuple(found)


def starter(above: tuple[Ancestor, ...]) -> Ancestor | None:
    """The nearest process above that is no shell and no wrapper: whoever wanted this one run."""
    return next((one for one in above if one.name.removesuffix(".exe").lower() not in _BETWEEN), None)


def is_alive(pid: int, born: str) -> bool:
    """Whether that very process still runs."""
    one, _ = _look(pid)
    return one is not None and one.born == born


def _look(pid: int) -> tuple[Ancestor | None, int]:
    """(the process, its parent's number); (None, 0) when there is none, or it has ended and nobody asked how."""
    if not sys.platform.startswith("linux"):
        return _look_by_psutil(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None, 0
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    if fields[0] in "ZX":
        return None, 0
    return Ancestor(pid, f"{fields[19]}@{_boot()}", name), int(fields[1])


def environment_of(pid: int) -> bytes:
    """What a process of this user was started with, NAME=VALUE with NUL between; b"" where that cannot be seen."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return b""
    import psutil

    try:
        return "\0".join(f"{name}={value}" for name, value in psutil.Process(pid).environ().items()).encode()
    except psutil.Error:
        return b""


_booted: list[str] = []


def _boot() -> str:
    """Which life of the machine this is: processes are counted in ticks since it began."""
    if not _booted:
        try:
            _booted.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8])
        except OSError:
            _booted.append("")
    return _booted[0]


def _look_by_psutil(pid: int) -> tuple[Ancestor | None, int]:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None, 0
        return Ancestor(pid, f"{process.create_time():.2f}", process.name()), process.ppid()
    except psutil.Error:
        return None, 0


def on_parent_death(call: Callable[[], None]) -> None:
    """Have `call` run, in a thread of its own, as soon as the process that started this one has ended. Where that is out of
    sight, in another container, it never does."""
    parent = os.getppid()
    if parent <= 0:
        return
    known = _look(parent)[0]

    def wait() -> None:
        if known:
            wait_for_end(parent, known.born)
        while not known and os.getppid() == parent:  # a system that hides the processes of others
            time.sleep(POLL_S)
        call()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def on_starter_death(call: Callable[[], None]) -> None:
    """Have `call` run as soon as the process that started this one has ended, or the one above the shell that did."""
    parent = os.getppid()
    if parent <= 0:  # it is outside of what can be seen, as for `docker exec`
        return
    on_parent_death(call)
    above = starter(lineage())
    if above and above.pid != parent:
        threading.Thread(target=_call_after, args=(above, call), name="starter", daemon=True).start()


def _call_after(process: Ancestor, call: Callable[[], None]) -> None:
    wait_for_end(process.pid, process.born)
    call()


def is_orphan() -> bool:
    """Whether whoever started this process had ended before it looked, and another took its place. One that reads from a
    terminal or a file is never taken for one; one that leads a session of its own cannot be told."""
    return _PARENT > 0 and _is_fed() and (os.getppid() != _PARENT or _is_of_another_session())


def _is_of_another_session() -> bool:
    """Whether this process has neither its parent's session nor one of its own: then another process began it."""
    try:
        return os.getsid(0) not in (os.getsid(_PARENT), os.getpid())
    except (OSError, AttributeError):  # a system that does not tell
        return False


def _is_fed() -> bool:
    """Whether stdin is a pipe or a socket, by which an assistant speaks."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def wait_for_end(pid: int, born: str) -> None:
    """Return when that process has ended, or is no longer the parent it was."""
    try:
        handle = os.pidfd_open(pid) if sys.platform.startswith("linux") else -1
    except (OSError, AttributeError):
        handle = -1
    if handle >= 0 and is_alive(pid, born):
        try:
            _poll(handle)
        finally:
            os.close(handle)
        return
    while is_alive(pid, born):
        time.sleep(POLL_S)


def _poll(handle: int) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll()
