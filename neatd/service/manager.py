"""The service managers as one interface: where each keeps its file, what is in it, and the commands that turn it on and off."""

from __future__ import annotations

import getpass
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

from neatd.service import agent, task, unit
from neatd.service.calling import Words, call
from neatd.service.mark import is_as_written
from neatd.service.program import NAME, Program

SYSTEM_UNITS = Path("/etc/systemd/system")
LINGER = Path("/var/lib/systemd/linger")  # a file for each user whose manager outlives the login


class State(NamedTuple):
    """What a manager says of the service. `is_reachable` False: it does not answer, and the rest is by the files."""

    is_reachable: bool = True
    is_enabled: bool = False
    is_active: bool = False
    is_held: bool = False  # it runs it, or is about to start it again
    pid: int | None = None
    linger: bool | None = None  # None where there is no such thing


class Manager(ABC):
    """`path` is the file that is the service; the commands are what a person would type, in their order."""

    kind: str
    comment = "# {}"  # how a line of the file is one that its manager passes over
    path: Path
    begin: tuple[Words, ...]  # after the file is written: known, and begun with the machine or the login
    start: Words  # returns at once
    stop: Words
    end: tuple[Words, ...]  # before the file goes
    forget: tuple[Words, ...] = ()  # after it has gone
    unheard: tuple[Words, ...] = ()  # in place of `begin` where it does not answer: begun with the next login

    @abstractmethod
    def text(self, program: Program) -> str:
        """The file that makes `program` a service."""

    @abstractmethod
    def program(self) -> Program:
        """What the file that lies there runs."""

    @abstractmethod
    def state(self) -> State:
        """How the service stands. Asks the manager, a process of its own."""

    def encoded(self, text: str) -> bytes:
        """The file's bytes."""
        return text.encode()

    def read(self) -> str:
        """The file that lies there; "" for none."""
        try:
            return self.path.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def is_as_written(self) -> bool:
        """Whether nobody has edited it."""
        return is_as_written(self.read(), self.comment)

    def leftovers(self) -> list[Path]:
        """Links to it that a manager which does not answer leaves."""
        return []


class Systemd(Manager):
    """A unit of the user's manager, or of the machine's."""

    kind = "systemd"

    def __init__(self, is_system: bool) -> None:
        self.is_system, self.path = is_system, _units(is_system) / f"{NAME}.service"
        program = ("systemctl",) if is_system else ("systemctl", "--user")
        service = self.path.name
        self.begin = ((*program, "daemon-reload"), (*program, "enable", service))
        self.start, self.stop = (*program, "start", "--no-block", service), (*program, "stop", service)
        self.end = ((*program, "disable", "--now", service),)
        self.forget = ((*program, "daemon-reload"), (*program, "reset-failed", service))
        self.unheard = (("env", "SYSTEMD_OFFLINE=1", *self.begin[-1]),)
        self._show = (*program, "show", service, "--property=LoadState,UnitFileState,ActiveState,MainPID")

    def text(self, program: Program) -> str:
        return unit.unit_text(program, self.is_system)

    def program(self) -> Program:
        return unit.read_unit(self.read())

    def leftovers(self) -> list[Path]:
        links = [folder / self.path.name for folder in sorted(self.path.parent.glob("*.wants"))]
        return [link for link in links if link.is_symlink()]  # which the unit may be gone from

    def state(self) -> State:
        linger = None if self.is_system else (LINGER / getpass.getuser()).exists()
        done = call(self._show)
        if done.code:
            return State(False, bool(self.leftovers()), linger=linger)
        told = dict(line.split("=", 1) for line in done.out.splitlines() if "=" in line)
        active, pid = told.get("ActiveState", ""), told.get("MainPID", "0")
        is_held = active in ("active", "activating", "reloading", "deactivating")
        return State(
            True, told.get("UnitFileState") == "enabled", active == "active", is_held,
            int(pid) if pid.isdecimal() and int(pid) else None, linger,
        )  # fmt: skip


def _units(is_system: bool) -> Path:
    if is_system:
        return SYSTEM_UNITS
    chosen = os.environ.get("XDG_CONFIG_HOME", "")  # a relative one is not taken, says its specification
    return (Path(chosen) if chosen.startswith("/") else Path.home() / ".config") / "systemd" / "user"


class Launchd(Manager):
    """An agent of the user's login."""

    kind, comment = "launchd", agent.COMMENT

    def __init__(self, uid: int) -> None:
        self.path = Path.home() / "Library" / "LaunchAgents" / f"{agent.LABEL}.plist"
        domain, service = f"gui/{uid}", f"gui/{uid}/{agent.LABEL}"
        self.begin = (("launchctl", "enable", service), ("launchctl", "bootstrap", domain, str(self.path)))
        self.start = ("launchctl", "kickstart", service)
        self.stop = ("launchctl", "kill", "SIGTERM", service)  # it ends as it was told to, and is not kept alive
        self.end = (("launchctl", "bootout", service),)
        self._print = ("launchctl", "print", service)

    def text(self, program: Program) -> str:
        return agent.agent_text(program)

    def program(self) -> Program:
        return agent.read_agent(self.read())

    def state(self) -> State:
        done = call(self._print)
        told = dict(line.strip().split(" = ", 1) for line in done.out.splitlines() if " = " in line)
        pid = told.get("pid", "")
        is_loaded = done.code == 0
        return State(True, is_loaded, pid.isdecimal(), pid.isdecimal(), int(pid) if pid.isdecimal() else None)


class Task(Manager):
    """A scheduled task of the user's logon. Its XML stays in NEAT_HOME: Windows keeps a copy of its own."""

    kind, comment = "task", task.COMMENT

    def __init__(self, home: Path, user: str) -> None:
        self.path, self.user = home / f"{NAME}-task.xml", user
        self.begin = (("schtasks", "/Create", "/TN", NAME, "/XML", str(self.path), "/F"),)
        self.start, self.stop = ("schtasks", "/Run", "/TN", NAME), ("schtasks", "/End", "/TN", NAME)
        self.end = (("schtasks", "/Delete", "/TN", NAME, "/F"),)

    def text(self, program: Program) -> str:
        return task.task_text(program, self.user)

    def encoded(self, text: str) -> bytes:
        return text.encode("utf-16")

    def read(self) -> str:
        try:
            return self.path.read_bytes().decode("utf-16", "replace")
        except FileNotFoundError:
            return ""

    def program(self) -> Program:
        return task.read_task(self.read())

    def state(self) -> State:
        is_known = call(("schtasks", "/Query", "/TN", NAME)).code == 0
        return State(True, is_known, is_known, False)  # whether it runs it says in the system's language only
