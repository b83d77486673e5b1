"""The machine's devices now: what the drivers tell, and what of it the jobs hold that run. `rules/devices.py` judges."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from neatd.errors import NeatError
from neatd.models import Job
from neatd.pipeline.scene import Scene
from neatd.pipeline.waiting import shown_machine
from neatd.read.gpu import GpuReader, GpuSample
from neatd.read.gpuvalues import Gpu
from neatd.read.memory import HostMemory, read_host
from neatd.read.proctable import ProcessRow, read_table, tree_of
from neatd.rules.devices import GRACE_S, MPS, ROCM, Holder, Seen, device_of, environment, gone, none_visible
from neatd.rules.leases import CPU, Device, Need, Share, lacking
from neatd.store import jobs


def look(scene: Scene) -> tuple[Device, ...]:
    """The devices now, the machine itself last. Remembers them: one that is not found any more is told of."""
    sample, host = scene.gpu.sample(scene.clock()), read_host(scene.memory.root)
    found = devices_of(sample, host, jobs.running(scene.records), scene.today(), scene.queue.known)
    scene.queue.known = {one.key: one for one in found}
    return found


def devices_of(
    sample: GpuSample, host: HostMemory, running: Sequence[Job], now: datetime, known: Mapping[str, Device]
) -> tuple[Device, ...]:
    """What the drivers told, with what the `running` jobs hold of it; `known` are the devices of the last look."""
    seen = list(_seen(sample))
    holders = _holders(running, now, any(one.processes for one in seen))
    found = [device_of(one, holders, known.get(one.key)) for one in seen]
    apple = apple_device(sys.platform, _machine(), host)
    lost = gone(known.values(), found, holders)
    return (
        *found, *lost, *([apple] if apple else []), Device(CPU, "cpu", 0, host.total_bytes, host.available_bytes),
    )  # fmt: skip


def devices_here(running: Sequence[Job], now: datetime, known: Iterable[Device] = ()) -> tuple[Device, ...]:
    """A look of a command's own. Starting NVIDIA's library takes up to a second."""
    reader = GpuReader()
    sample = reader.sample(0.0)
    reader.close()
    return devices_of(sample, read_host(Path("/")), running, now, {one.key: one for one in known})


def variables(shares: Sequence[Share], is_isolated: bool) -> dict[str, str]:
    """The variables by which a job sees the devices that it was given. One that was given no GPU sees what the environment
    says that it was queued with; with `is_isolated` none."""
    found = environment(shares)
    return none_visible() if is_isolated and not found and not any(key == MPS for key, _ in shares) else found


def refuse_too_much(home: Path, gpus: int, memory_bytes: int | None) -> None:
    """Raises NeatError for more than this machine has, whatever else runs on it. Looks itself before it says so."""
    need = Need(gpus, memory_bytes)
    if not lacking(need, shown_machine(home).devices):
        return
    if told := lacking(need, devices_here((), datetime.now(UTC))):
        raise NeatError(told, "`neat queue --devices` shows what there is; `neat doctor` tells of drivers")


def apple_device(platform: str, machine: str, host: HostMemory) -> Device | None:
    """Apple's GPU, which shares the machine's memory; None on another machine."""
    if platform != "darwin" or machine != "arm64":
        return None
    return Device(MPS, "mps", 0, host.total_bytes, host.available_bytes, name="Apple GPU")


def _machine() -> str:
    return os.uname().machine if hasattr(os, "uname") else ""


def _seen(sample: GpuSample) -> Iterator[Seen]:
    """Of a divided GPU its parts, which are all that can be computed on. One without a name for good is given to nobody."""
    for gpu in sample.gpus:
        for one in gpu.parts if gpu.is_divided else (gpu,):
            if one.uuid:
                yield _seen_one(one, sample.shows_processes)


def _seen_one(gpu: Gpu, shows_processes: bool) -> Seen:
    is_amd = gpu.maker == "amd"
    return Seen(
        f"{ROCM}{gpu.uuid}" if is_amd else gpu.uuid, "rocm" if is_amd else "cuda", gpu.number, gpu.name,
        gpu.memory_total_bytes, gpu.memory_used_bytes or 0, gpu.processes, frozenset(gpu.computing),
        shows_processes and not is_amd,
    )  # fmt: skip


def _holders(running: Sequence[Job], now: datetime, with_processes: bool) -> list[Holder]:
    held = [one for one in running if one.devices]
    table = read_table() if with_processes and held else {}
    return [Holder(one.id, one.devices, _tree(table, one.pid), _is_settled(one, now)) for one in held]


def _tree(table: Mapping[int, ProcessRow], pid: int | None) -> frozenset[int]:
    return frozenset(row.pid for row in tree_of(table, pid)) if pid is not None else frozenset()


def _is_settled(job: Job, now: datetime) -> bool:
    return job.started_at is None or (now - job.started_at).total_seconds() > GRACE_S


def leased(running: Collection[Job], key: str) -> list[tuple[Job, int | None]]:
    """The jobs that hold a device: (job, bytes or None for the whole)."""
    return [(job, size) for job in running for one, size in job.devices if one == key]
