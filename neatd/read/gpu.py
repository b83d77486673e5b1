"""What the graphics processors of this machine do now: use, memory, power, temperature, and each process's memory where the
driver shows it. Reads only: no setting is touched, MIG neither.

A machine without one costs three looks for a file a minute. NVIDIA through NVML (`read/nvml.py`), AMD through sysfs
(`read/amdgpu.py`). Apple's tell nothing without Metal and are not among them; they share the
machine's memory, so what `read/memory.py` says of the host and of a run's processes is theirs too.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from neatd.read.amdgpu import read_amd
from neatd.read.gpuvalues import Gpu
from neatd.read.nvml import Nvml

RETRY_S = 60.0  # after which a driver that was not there is looked for again
_HOST_PIDS = "pid:[4026531836]"  # the kernel's fixed name for the first namespace of process numbers


class GpuSample(NamedTuple):
    """One look at all processors, in the driver's order: `gpu0` is not the first of CUDA_VISIBLE_DEVICES."""

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda_version: str = ""
    shows_processes: bool = False  # False in a container: the driver names processes by the host's numbers

    def values(self) -> dict[str, float]:
        """Series name -> number, of everything that is known."""
        found: dict[str, float] = {}
        for gpu in self.gpus:
            found |= {f"system/gpu{gpu.number}/{name}": value for name, value in gpu.values().items()}
        return found

    def of_processes(self, pids: Collection[int]) -> dict[str, float]:
        """Series name -> number for one run: what its processes hold on each processor. {} where that is not visible."""
        if not self.shows_processes:
            return {}
        held = {gpu.number: [gpu.processes[pid] for pid in pids if pid in gpu.processes] for gpu in self.gpus}
        return {f"system/gpu{n}/process_memory_bytes": float(sum(parts)) for n, parts in held.items() if parts}


class GpuReader:
    """Looks at the processors again and again; keeps the driver's library open, which starts it once (up to a second)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._nvml: Nvml | None = None
        self._next_try = float("-inf")
        self._shows_processes = has_host_pids(root)

    def sample(self, now: float) -> GpuSample:
        """One look; `now` is monotonic seconds."""
        amd = read_amd(self._root)
        nvidia = self._opened(now)
        found = nvidia.read() if nvidia else None
        if nvidia is None or found is None:
            self.close()
            return GpuSample(tuple(amd))
        gpus = (*found, *(one._replace(number=one.number + len(found)) for one in amd))
        return GpuSample(gpus, nvidia.driver, nvidia.cuda_version, self._shows_processes)

    def close(self) -> None:
        """Let go of the driver's library."""
        if self._nvml is not None:
            self._nvml.close()
            self._nvml = None

    def _opened(self, now: float) -> Nvml | None:
        if self._nvml is None and now >= self._next_try:
            self._next_try = now + RETRY_S
            self._nvml = Nvml.open(self._root)
        return self._nvml


def has_host_pids(root: Path = Path("/")) -> bool:
    """Whether this process counts processes as the machine does: not in a container with numbers of its own."""
    try:
        return str((root / "proc" / "self" / "ns" / "pid").readlink()) == _HOST_PIDS
    except OSError:
        return not (root / "proc" / "self").exists()  # other systems have one numbering
