"""What a job holds of the machine's devices: whole ones, or a part of one by bytes. Pure.

A share is (device, bytes of it), or (device, None) for the whole. Nothing that other programs hold is given to a job, and of
no device more than it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from neatd.rules.headroom import amount

Share = tuple[str, int | None]
CPU = "cpu"  # the key of the machine itself
PART = "MIG-"  # what the UUID of a part of a divided GPU begins with


class Device(NamedTuple):
    """One device as it was seen. `cpu` is the machine itself: only its memory is shared out here."""

    key: str  # CUDA's UUID, `rocm:` and AMD's, `mps:0`, `cpu`
    kind: Literal["cuda", "rocm", "mps", "cpu"]
    number: int = 0  # in the driver's order
    total_bytes: int | None = None
    free_bytes: int | None = None
    foreign_bytes: int = 0  # what programs hold that are no jobs of ours, or jobs that were not given it
    display_bytes: int = 0  # of those, what a display and the driver take: no reason against giving it whole
    over_bytes: int = 0  # what jobs hold beyond their shares
    is_gone: bool = False  # its driver does not answer, or it was taken away from under a job: nothing of it is given
    name: str = ""

    @property
    def is_used(self) -> bool:
        """Whether other programs use it, so that it is not given whole."""
        return self.foreign_bytes > self.display_bytes


class Need(NamedTuple):
    """What a job asks for: so many whole GPUs, or so many bytes of one device; neither: a CPU slot and nothing else."""

    gpus: int = 0
    memory_bytes: int | None = None

    @property
    def is_of_gpu(self) -> bool:
        """Whether it names whole GPUs."""
        return self.gpus > 0


def fit(
    gpus: int, memory_bytes: int | None, devices: Sequence[Device], held: Iterable[Share]
) -> tuple[Share, ...] | str:
    """The shares for such a job beside what is `held`, or the reason why there are none. () when it asks for none.

    Whole devices are the first free ones. A part comes from the device on which the least would be left, so that whole
    ones stay free.
    """
    need = Need(gpus, memory_bytes)
    if not need.is_of_gpu and memory_bytes is None:
        return ()
    taken = _taken(held)
    suited = candidates(need, devices)
    if need.is_of_gpu:
        free = [one for one in suited if one.key not in taken and not (one.is_used or one.is_gone)]
        if len(free) >= gpus:
            return tuple((one.key, None) for one in free[:gpus])
        return _few_whole(need, devices, suited, len(free))
    rooms = [(room(one, taken.get(one.key, ())), one.number, one.key) for one in suited]
    found = min((one for one in rooms if one[0] >= (memory_bytes or 0)), default=None)
    if found is not None:
        return ((found[2], memory_bytes),)
    return _little_room(need, devices, max((one[0] for one in rooms), default=None))


def candidates(need: Need, devices: Sequence[Device]) -> list[Device]:
    """The devices of the kind that such a job takes, large enough, in their order: CUDA's, else AMD's, else Apple's, else,
    for bytes alone, the machine's memory. A process sees one part of a divided GPU (MIG) at the most, so several GPUs are
    whole ones."""
    kinds = ("cuda", "rocm", "mps") if need.is_of_gpu else ("cuda", "rocm", "mps", "cpu")
    kind = next((kind for kind in kinds if any(one.kind == kind for one in devices)), None)
    least = need.memory_bytes or 0
    suited = (one for one in devices if one.kind == kind and not (need.gpus > 1 and one.key.startswith(PART)))
    fitting = (one for one in suited if one.total_bytes is None or one.total_bytes >= least)
    return sorted(fitting, key=lambda one: (one.number, one.key))


def usable(need: Need, devices: Sequence[Device]) -> frozenset[str]:
    """The devices it could be given if no job held anything; none when even then it could not begin: it is too large, or
    other programs hold what it needs."""
    devices = [one._replace(over_bytes=0) for one in devices]
    if not isinstance(shares := fit(need.gpus, need.memory_bytes, devices, ()), tuple) or not shares:
        return frozenset()
    return frozenset(one.key for one in candidates(need, devices) if isinstance(_alone(need, one), tuple))


def room(device: Device, shares: Sequence[int | None]) -> int:
    """The bytes of a device that a further job may take beside these shares."""
    if device.total_bytes is None or device.is_gone or None in shares:
        return 0
    return device.total_bytes - device.foreign_bytes - device.over_bytes - sum(size or 0 for size in shares)


def lacking(need: Need, devices: Sequence[Device]) -> str:
    """What there is too little of for such a job on the whole machine, whatever else runs; "" where there is enough."""
    suited = [one for one in candidates(need, devices) if not (one.is_gone or one.total_bytes is None)]
    if len(suited) >= max(1, need.gpus) or not (need.is_of_gpu or need.memory_bytes):
        return ""
    return _few_whole(need, devices, suited, 0) if need.is_of_gpu else _little_room(need, devices, None)


def _alone(need: Need, device: Device) -> tuple[Share, ...] | str:
    return fit(min(need.gpus, 1), need.memory_bytes, [device], ())


def _taken(held: Iterable[Share]) -> dict[str, tuple[int | None, ...]]:
    taken: dict[str, tuple[int | None, ...]] = {}
    for key, size in held:
        taken[key] = (*taken.get(key, ()), size)
    return taken


def _few_whole(need: Need, devices: Sequence[Device], suited: Sequence[Device], free: int) -> str:
    every = sum(one.kind != "cpu" for one in devices)
    wanted = "a GPU" if need.gpus == 1 else f"{need.gpus} GPUs"
    if not every:
        return f"needs {wanted}: this machine has none that neat sees"
    if len(suited) < need.gpus:
        size = f" of {amount(need.memory_bytes)}" if need.memory_bytes else ""
        return f"needs {wanted}{size}: this machine has {len(suited)}"
    others, gone = sum(one.is_used for one in suited), sum(one.is_gone for one in suited)
    held = f", other programs hold {others}" if others else ""
    lost = f", {gone} of them {'do' if gone > 1 else 'does'} not answer" if gone else ""
    return f"needs {wanted}: {free} of {len(suited)} free{held}{lost}"


def _little_room(need: Need, devices: Sequence[Device], most: int | None) -> str:
    wanted = f"needs {amount(need.memory_bytes or 0)}"
    if most is None:
        if any(one.kind != "cpu" for one in devices):
            return f"{wanted}: no GPU here has so much memory"
        total = max((one.total_bytes or 0 for one in devices), default=0)
        return f"{wanted}: this machine has {amount(total)}" if total else f"{wanted}: no device is known"
    return f"{wanted} of a device: {amount(max(0, most))} free"
