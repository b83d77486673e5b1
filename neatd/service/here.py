"""Which service manager this machine has, and which service is there for a home."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from neatd.errors import NeatError
from neatd.service.manager import Launchd, Manager, Systemd, Task

BOOTED = Path("/run/systemd/system")  # what sd_booted(3) looks at: systemctl alone may lie in a container too
ENTRY_POINT = "neatd start"
KINDS = ("systemd", "launchd", "task", "none")  # task: of Windows; none: a container, another init


def kind_here() -> str:
    """systemd, launchd, task (of Windows), or none: a container, another init."""
    if sys.platform == "darwin":
        return "launchd"
    if sys.platform == "win32":
        return "task"
    return "systemd" if BOOTED.is_dir() and shutil.which("systemctl") else "none"


def manager_here(home: Path, is_system: bool) -> Manager:
    """The one to install into. Raises NeatError where there is none, and where it takes other rights."""
    kind = kind_here()
    if kind == "none":
        raise NeatError(
            "no service manager runs here (a container?): nothing is installed",
            f"put this line into the container's entry point, before what it runs: `{ENTRY_POINT}`",
        )
    _check_kind(kind, is_system)
    if kind == "systemd":
        _check_rights(is_system)
    return manager_of(kind, home, is_system)


def _check_kind(kind: str, is_system: bool) -> None:
    if is_system and kind != "systemd":
        raise NeatError("--system is for systemd", "`neatd install` alone begins it when you log in")


def _check_rights(is_system: bool) -> None:
    is_root, by = os.getuid() == 0, os.environ.get("SUDO_USER", "root")
    if is_root and by != "root" and not is_system:
        raise NeatError(f"this would be root's service, and not {by}'s", "`neatd install` without sudo")
    if is_system and not is_root:
        raise NeatError("a service of the machine takes root", "`neatd install` alone makes it your own service")
    if is_system and by != "root":
        raise NeatError(
            f"--system runs neat as root, and would not find {by}'s projects",
            "`neatd install` without sudo; or, where one works as root, `neatd install --system` in a root shell",
        )


def manager_of(kind: str, home: Path, is_system: bool = False) -> Manager:
    """The one of a kind, whether or not this machine has it. Raises NeatError for --system of another than systemd."""
    _check_kind(kind, is_system)
    if kind == "launchd":
        return Launchd(os.getuid() if hasattr(os, "getuid") else 0)
    if kind == "task":
        domain = os.environ.get("USERDOMAIN", "")
        return Task(home, f"{domain}\\{os.environ.get('USERNAME', '')}".removeprefix("\\"))
    return Systemd(is_system)


def all_managers(home: Path) -> Iterator[Manager]:
    """Those in which a service of ours may be."""
    kind = kind_here()
    if kind != "none":
        yield manager_of(kind, home)
    if kind == "systemd":
        yield manager_of(kind, home, is_system=True)


def installed_for(home: Path) -> Manager | None:
    """The service that runs the daemon of this home; None for none, and where it runs another home's."""
    for manager in all_managers(home):
        if manager.read() and manager.program().served_home == home:
            return manager
    return None
