"""The control groups around a process, versions 1 and 2: what each allows of memory, what it uses, its pressure and its
out-of-memory kills. Reads only. In a container the groups outside of it cannot be seen, and are not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from neatd.read.proctable import read_bytes

RECLAIMABLE = ("inactive_file", "active_file", "slab_reclaimable")
UNLIMITED = 1 << 60  # bytes: version 1 writes a number near 2**63 for "no limit"


class Mounts(NamedTuple):
    """Where the groups are mounted: (mount point, what of the hierarchy is mounted there) of either version."""

    v1: tuple[Path, str] | None = None
    v2: tuple[Path, str] | None = None


class CgroupMemory(NamedTuple):
    """One group with a limit. What the kernel gives back before it kills counts as free, as in the host's MemAvailable: file
    cache, idle and active, and slabs that can be dropped. Files in /dev/shm are no cache.

    A data set that is read in every epoch is active cache. Measured (Linux 6.18, a limit of 200 MB): with 150 MB of it, 150 MB
    more could be taken, and no one was killed.
    """

    folder: Path
    limit_bytes: int
    used_bytes: int
    reclaimable_bytes: int

    @property
    def headroom_bytes(self) -> int:
        return max(0, self.limit_bytes - max(0, self.used_bytes - self.reclaimable_bytes))


def find_mounts(root: Path = Path("/")) -> Mounts:
    """Where this machine has its groups. 0.15 ms: ask once and keep it. `root` is where the machine's files lie."""
    v1 = v2 = None
    try:
        lines = (root / "proc" / "self" / "mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return Mounts()
    for line in lines:
        left, _, right = line.partition(" - ")
        fields, about = left.split(), right.split()
        if len(fields) < 5 or len(about) < 3:
            continue
        place = (root / fields[4].lstrip("/"), fields[3])
        if about[0] == "cgroup2":
            v2 = v2 or place
        elif about[0] == "cgroup" and "memory" in about[2].split(","):
            v1 = v1 or place
    return Mounts(v1, v2)


def groups_of(pid: int, mounts: Mounts, root: Path = Path("/")) -> list[Path]:
    """The folders of a process's own group and of those around it, the innermost first; [] where there are none. 57 us.

    The version that accounts for memory is taken: on a machine with both that is the first.
    """
    try:
        text = read_bytes(root / "proc" / str(pid) / "cgroup").decode("utf-8", "replace")
    except OSError:
        return []
    paths = {}
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0" and not names:
            paths["v2"] = path
        elif "memory" in names.split(","):
            paths["v1"] = path
    for key, mount in (("v1", mounts.v1), ("v2", mounts.v2)):
        if mount is not None and key in paths:
            return _folders(mount, paths[key])
    return []


def _folders(mount: tuple[Path, str], path: str) -> list[Path]:
    """From the group's own folder up to the mount point. A path out of the mounted part stands for the mount point."""
    point, top = mount
    inner = path.removeprefix(top.rstrip("/")) if path.startswith(top) else path
    parts = [part for part in inner.split("/") if part]
    if ".." in parts or not (point / Path(*parts)).is_dir():
        parts = []
    return [point.joinpath(*parts[:n]) for n in range(len(parts), -1, -1)]


def limits_of(folders: Iterable[Path]) -> list[CgroupMemory]:
    """The groups that have a limit, with what they use. 17 us for one without."""
    found = []
    for folder in folders:
        limit, used_name, before = _number(f"{folder}/memory.max"), "memory.current", ""
        if limit is None:
            limit = _number(f"{folder}/memory.limit_in_bytes")
            used_name, before = "memory.usage_in_bytes", "total_"
        if limit is None or limit >= UNLIMITED:
            continue
        used = _number(f"{folder}/{used_name}")
        if used is not None:
            stat = _fields(f"{folder}/memory.stat")
            free = sum(stat.get(before + name, 0) for name in RECLAIMABLE)
            found.append(CgroupMemory(folder, limit, used, min(free, used)))
    return found


def pressure_of(path: Path) -> tuple[float, float] | None:
    """(some, full): percent of the last 10 seconds in which some or all tasks waited for memory. From /proc/pressure/memory
    or a group's memory.pressure; None where the kernel keeps none. 16 us."""
    try:
        lines = read_bytes(path).decode().splitlines()
        kinds = {line.split()[0]: float(line.split()[1].removeprefix("avg10=")) for line in lines}
        return kinds["some"], kinds.get("full", 0.0)
    except (OSError, ValueError, KeyError, IndexError):
        return None


def oom_kills_of(folders: Iterable[Path]) -> dict[Path, int]:
    """How many processes the kernel's out-of-memory killer has taken, of each group that counts. 19 us a group."""
    found = {}
    for folder in folders:
        for name in ("memory.events", "memory.oom_control"):
            count = _fields(f"{folder}/{name}").get("oom_kill")
            if count is not None:
                found[folder] = count
                break
    return found


def oom_increase(before: Mapping[Path, int], after: Mapping[Path, int]) -> int:
    """Kills between two looks, by the innermost group that is in both: a group may end with its last process, and those
    around it count its kills too. `before` is in the order of `groups_of`."""
    for folder, count in before.items():
        if folder in after:
            return max(0, after[folder] - count)
    return 0


def _number(path: str) -> int | None:
    """The one number in a file; None for "max", and where there is no such file."""
    try:
        return int(read_bytes(path))
    except (OSError, ValueError):
        return None


def _fields(path: str) -> dict[str, int]:
    """Lines of a name and a number."""
    try:
        pairs = (line.split() for line in read_bytes(path).decode().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}
