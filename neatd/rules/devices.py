"""The machine's devices as jobs are given them, made of what their drivers tell; and how a job is told which are its own. Pure.

What a job was promised counts in full from its start to its end, whether its memory has appeared or not: the start-up of a
training takes a minute. What it holds beyond that counts too. All else that is held of a device is other programs':
- Where the driver tells every process, memory is those processes'. A device on which a process of others computes is not
  given whole; what only draws on it, and what the driver keeps for itself, does not matter up to SMALL_BYTES or SMALL_SHARE
  of the device, but is taken from its room.
- Where it does not (in a container, on Windows, AMD), memory that was there before a job began is others', and so is what
  all jobs on it that began more than GRACE_S ago cannot account for by their shares.
Invariant: nothing here makes a share smaller than it was declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from neatd.rules.leases import CPU, Device, Share

GRACE_S = 60.0  # imports, and the model's way to the device; one that takes longer is counted twice for a while
SMALL_BYTES = 1 << 30  # a display server has some hundred MB, a driver keeps 0.6 GB of an 80 GB device for itself
SMALL_SHARE = 0.01
MPS = "mps:0"
ROCM = "rocm:"  # before the number of an AMD device in its key


class Seen(NamedTuple):
    """A device as its driver tells of it."""

    key: str
    kind: Literal["cuda", "rocm"]
    number: int = 0
    name: str = ""
    total_bytes: int | None = None
    used_bytes: int = 0
    processes: Mapping[int, int] = {}  # PID -> bytes
    computing: frozenset[int] = frozenset()
    tells_processes: bool = False  # by the numbers that this process knows them by


class Holder(NamedTuple):
    """A job that runs, and what it was given."""

    id: str
    shares: tuple[Share, ...]
    pids: frozenset[int] = frozenset()
    is_settled: bool = True  # it began more than GRACE_S ago

    def declared(self, key: str) -> int:
        """Bytes of the device that it was promised, where it was not given the whole."""
        return sum(size or 0 for one, size in self.shares if one == key)

    def has_whole(self, key: str) -> bool:
        """Whether the device is its alone."""
        return (key, None) in self.shares


class _Use(NamedTuple):
    """How the memory in use is divided."""

    foreign: int
    over: int = 0
    is_computing: bool = False  # others compute on it


def device_of(seen: Seen, holders: Iterable[Holder], before: Device | None = None) -> Device:
    """The device, with what is held of it by whom. `before`: as it was at the last look."""
    here = [one for one in holders if any(key == seen.key for key, _ in one.shares)]
    small = max(SMALL_BYTES, int(SMALL_SHARE * (seen.total_bytes or 0)))
    is_told = seen.tells_processes and seen.used_bytes - sum(seen.processes.values()) <= small
    use = _told(seen, here) if is_told else _reckoned(seen, here, before)
    display = use.foreign if use.foreign <= small and not use.is_computing else 0
    free = None if seen.total_bytes is None else max(0, seen.total_bytes - seen.used_bytes)
    return Device(
        seen.key, seen.kind, seen.number, seen.total_bytes, free, use.foreign, display, use.over, name=seen.name
    )


def gone(known: Iterable[Device], found: Sequence[Device], holders: Iterable[Holder]) -> list[Device]:
    """The devices that are not found any more: those on which a job runs, and all that were known of a driver that does not
    answer at all. What a driver leaves out that tells of others was taken away, and is forgotten."""
    keys, kinds = {one.key for one in found}, {one.kind for one in found}
    held = sorted({key for one in holders for key, _ in one.shares} - {CPU, MPS})
    by_key = {key: Device(key, "rocm" if key.startswith(ROCM) else "cuda") for key in held}
    by_key |= {one.key: one for one in known}
    lost = (one for one in by_key.values() if one.key not in keys and one.kind in ("cuda", "rocm"))
    return [
        one._replace(is_gone=True, free_bytes=None, foreign_bytes=0, display_bytes=0, over_bytes=0)
        for one in lost
        if one.key in held or one.kind not in kinds
    ]


def environment(shares: Iterable[Share]) -> dict[str, str]:
    """What tells a job which devices are its own; {} for one that was given none, or the one that there is.

    AMD's are chosen by ROCR, which numbers them anew; HIP's own variable, which a shell may have set for all of the machine's,
    counts from those.
    """
    keys = [key for key, _ in shares if key not in (CPU, MPS)]
    amd = [key.removeprefix(ROCM) for key in keys if key.startswith(ROCM)]
    if amd:
        return {
            "ROCR_VISIBLE_DEVICES": ",".join(f"GPU-{one}" for one in amd),
            "HIP_VISIBLE_DEVICES": ",".join(map(str, range(len(amd)))),
        }
    return {"CUDA_VISIBLE_DEVICES": ",".join(keys), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if keys else {}


def none_visible() -> dict[str, str]:
    """What keeps CUDA's and AMD's devices from a job that asked for none."""
    return {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}


def _told(seen: Seen, here: Sequence[Holder]) -> _Use:
    held = {one.id: sum(seen.processes.get(pid, 0) for pid in one.pids) for one in here}
    over = sum(
        max(0, held[one.id] - one.declared(seen.key)) for one in here if not one.has_whole(seen.key)
    )  # fmt: skip
    ours = frozenset().union(*(one.pids for one in here))
    return _Use(max(0, seen.used_bytes - sum(held.values())), over, bool(seen.computing - ours))


def _reckoned(seen: Seen, here: Sequence[Holder], before: Device | None) -> _Use:
    """Between what is left if no job that began just now has taken anything, and what is left if all have taken all of
    theirs; within that, as much as there was before they began."""
    if any(one.has_whole(seen.key) for one in here):
        return _Use(0)
    most = max(0, seen.used_bytes - sum(one.declared(seen.key) for one in here if one.is_settled))
    least = max(0, seen.used_bytes - sum(one.declared(seen.key) for one in here))
    if before is None or before.is_gone:
        return _Use(most)
    return _Use(min(most, max(least, before.foreign_bytes)))
