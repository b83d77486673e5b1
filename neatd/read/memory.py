"""How much memory a run and its machine have left, in cheap samples: the process tree, the host, the control groups, swap,
pressure and shared memory. Reads only. What a system does not tell is None, never an error and never 0.

Measured on Linux 6.18, two busy cores: what the runs of a machine share 1.8 ms (90 processes), then 0.6 ms for each run with
four workers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from neatd.read.cgroups import find_mounts, groups_of, limits_of, oom_increase, oom_kills_of, pressure_of
from neatd.read.proctable import PROC, ProcessRow, memory_of, read_bytes, read_table, tree_of


class HostMemory(NamedTuple):
    """The machine's memory as the kernel counts it: `available` is what programs can get without swapping."""

    total_bytes: int | None = None
    available_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    psi_some_avg10: float | None = None
    psi_full_avg10: float | None = None
    shm_bytes: int | None = None


class Look(NamedTuple):
    """What all runs of a machine share at one moment: read once, handed to each run's reader."""

    table: Mapping[int, ProcessRow]
    host: HostMemory


def look(root: Path = Path("/")) -> Look:
    """The processes and the host's memory now. `root` is where the machine's files lie."""
    return Look(read_table(root / "proc"), read_host(root))


class MemorySample(NamedTuple):
    """One look at a run's memory. None where the system does not tell."""

    rss_bytes: int | None = None  # of the tree, shared memory counted once
    processes: int | None = None
    cpu_percent: float | None = None  # of one core, since the look before; None at the first
    host_total_bytes: int | None = None
    host_available_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    cgroup_limit_bytes: int | None = None  # of the group around the process with the least left
    cgroup_used_bytes: int | None = None  # of the same, without what the kernel would give back: file cache
    cgroup_headroom_bytes: int | None = None
    psi_some_avg10: float | None = None  # percent of the last 10 s in which some task of the host waited for memory
    psi_full_avg10: float | None = None
    cgroup_psi_some_avg10: float | None = None
    cgroup_psi_full_avg10: float | None = None
    shm_bytes: int | None = None  # in /dev/shm, where data loaders hand over their batches
    oom_kills: int | None = None  # in the process's control group since the first look

    @property
    def headroom_bytes(self) -> int | None:
        """What can still be taken: the least of what the host has available and what each group allows."""
        known = [one for one in (self.host_available_bytes, self.cgroup_headroom_bytes) if one is not None]
        return min(known) if known else None

    def values(self) -> dict[str, float]:
        """Series name -> number, of everything that is known."""
        known = {**self._asdict(), "headroom_bytes": self.headroom_bytes}
        return {f"system/{name}": float(value) for name, value in known.items() if value is not None}


class MemoryReader:
    """Looks at one run's process tree again and again; remembers what two looks are needed for."""

    def __init__(self, pid: int, root: Path = Path("/")) -> None:
        self.pid = pid
        self._root = root
        self._mounts = find_mounts(root)
        self._cpu: tuple[float, dict[tuple[int, int], float]] | None = None
        self._first_kills: dict[Path, int] = {}  # of each control group, at the first look at it
        self._last_kills: dict[Path, int] = {}  # at the last look that found the process; the innermost group first
        self.groups: list[Path] = []  # around the process, the innermost first, at that look
        self.pids: frozenset[int] = frozenset()  # of the tree at that look
        self.last = MemorySample()  # what that look saw

    def sample(self, now: float, shared: Look | None = None) -> MemorySample:
        """One look. `now` is monotonic seconds; `shared` what was read for several runs at once."""
        table, host = shared or look(self._root)
        tree = tree_of(table, self.pid)
        groups = groups_of(self.pid, self._mounts, self._root) if tree else []
        if tree:
            self.groups, self.pids = groups, frozenset(row.pid for row in tree)
        if groups:
            self._last_kills = oom_kills_of(groups)
            self._first_kills = self._last_kills | self._first_kills
        own = next(iter(self._last_kills), None)
        found = MemorySample(
            rss_bytes=tree_rss(tree, self._root / "proc") if tree else None,
            processes=len(tree) or None,
            cpu_percent=self._cpu_percent(tree, now),
            host_total_bytes=host.total_bytes,
            host_available_bytes=host.available_bytes,
            swap_total_bytes=host.swap_total_bytes,
            swap_used_bytes=host.swap_used_bytes,
            psi_some_avg10=host.psi_some_avg10,
            psi_full_avg10=host.psi_full_avg10,
            shm_bytes=host.shm_bytes,
            oom_kills=self._last_kills[own] - self._first_kills[own] if own else None,
            **_group_values(groups),
        )
        self.last = found if tree else self.last
        return found

    def oom_kills_at_end(self) -> int:
        """How many processes the kernel has killed for memory in the run's control group since the last look that found
        the run's process. Asked when that process has gone; 0 where nothing counts them."""
        return oom_increase(self._last_kills, oom_kills_of(self._last_kills))

    def _cpu_percent(self, tree: list[ProcessRow], now: float) -> float | None:
        """Of one core, by the processes that were there at both looks and by those that are new."""
        spent = {(row.pid, row.start_ticks): row.cpu_s for row in tree}
        before, self._cpu = self._cpu, (now, spent) if tree else None
        if before is None or not tree or now <= before[0]:
            return None
        used = sum(max(0.0, cpu_s - before[1].get(key, 0.0)) for key, cpu_s in spent.items())
        return 100.0 * used / (now - before[0])


def tree_rss(tree: Iterable[ProcessRow], proc: Path = PROC) -> int:
    """Resident bytes of a tree. What is shared (libraries, /dev/shm) counts once, as the largest share of any process: each
    one's own part is summed. Two groups that share different things are told too low, a fork's unwritten pages too high."""
    own = shared = 0
    for row in tree:
        resident, common = memory_of(row.pid, proc) or (row.rss_bytes, 0)
        own += max(0, resident - common)
        shared = max(shared, common)
    return own + shared


def read_host(root: Path = Path("/")) -> HostMemory:
    """The machine's memory, from /proc or by psutil where there is none."""
    known = _meminfo(root) or (asked_host() if root == Path("/") else HostMemory())
    some, full = pressure_of(root / "proc" / "pressure" / "memory") or (None, None)
    return known._replace(psi_some_avg10=some, psi_full_avg10=full, shm_bytes=read_shm(root))


def _meminfo(root: Path) -> HostMemory | None:
    try:
        text = read_bytes(root / "proc" / "meminfo").decode()
        kib = {name: int(value) for name, value in (line.split()[:2] for line in text.splitlines())}
        swap = kib.get("SwapTotal:", 0)
        available = kib["MemAvailable:" if "MemAvailable:" in kib else "MemFree:"]  # before Linux 3.14 no estimate
        used = swap - kib.get("SwapFree:", swap)
        return HostMemory(kib["MemTotal:"] << 10, available << 10, swap << 10, used << 10)
    except (OSError, ValueError, KeyError):
        return None


def asked_host() -> HostMemory:
    """By psutil: macOS and Windows."""
    try:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    except (psutil.Error, OSError, RuntimeError):
        return HostMemory()
    return HostMemory(memory.total, memory.available, swap.total, swap.used)


def read_shm(root: Path = Path("/")) -> int | None:
    """Bytes in /dev/shm by everybody; None where it is no file system of its own."""
    path = root / "dev" / "shm"
    try:
        if not os.path.ismount(path):
            return None
        state = os.statvfs(path)
    except (OSError, AttributeError):  # Windows has no statvfs
        return None
    return (state.f_blocks - state.f_bfree) * state.f_frsize


def _group_values(groups: list[Path]) -> dict[str, Any]:
    """Of the group with the least left; the pressure is that of the process's own."""
    pressure = pressure_of(groups[0] / "memory.pressure") if groups else None
    found: dict[str, Any] = {}
    if pressure is not None:
        found |= {"cgroup_psi_some_avg10": pressure[0], "cgroup_psi_full_avg10": pressure[1]}
    tightest = min(limits_of(groups), key=lambda one: one.headroom_bytes, default=None)
    if tightest is not None:
        used = max(0, tightest.used_bytes - tightest.reclaimable_bytes)
        found |= {"cgroup_limit_bytes": tightest.limit_bytes, "cgroup_used_bytes": used}
        found["cgroup_headroom_bytes"] = tightest.headroom_bytes
    return found
