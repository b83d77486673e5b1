"""NVIDIA's management library: the one place that loads it. Asks and never sets; a question that a device refuses is None.

The library is looked for only where a driver can be, because loading it in vain costs 5 ms and starting it with a driver
up to a second. One look at a device is about ten questions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from neatd.read.gpuvalues import Gpu, NvmlAnswers, as_text, cuda_version_of, gpu_of

_SIGNS = ("dev/nvidiactl", "proc/driver/nvidia/version", "dev/dxg")  # the last is Windows' below Linux


def can_have_nvidia(root: Path = Path("/")) -> bool:
    """Whether a driver of NVIDIA's can be here; three looks for a file."""
    if sys.platform == "darwin":
        return False
    if os.name == "nt":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvml.dll").exists()
    return any((root / sign).exists() for sign in _SIGNS)


class Nvml:
    """The library while it is open."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.driver = as_text(self._ask(library.nvmlSystemGetDriverVersion))
        self.cuda_version = cuda_version_of(self._ask(library.nvmlSystemGetCudaDriverVersion_v2) or 0)

    @classmethod
    def open(cls, root: Path = Path("/")) -> Nvml | None:
        """The library, started; None where there is no driver, or one that does not answer."""
        if not can_have_nvidia(root):
            return None
        import pynvml

        try:
            pynvml.nvmlInit()
        except (pynvml.NVMLError, OSError):
            return None
        return cls(pynvml)

    def close(self) -> None:
        self._ask(self._library.nvmlShutdown)

    def read(self) -> list[Gpu] | None:
        """Every device in the driver's order; None when the driver no longer answers (it was updated or unloaded)."""
        count = self._ask(self._library.nvmlDeviceGetCount)
        if count is None:
            return None
        handles = ((n, self._ask(self._library.nvmlDeviceGetHandleByIndex, n)) for n in range(count))
        return [self._gpu(n, handle) for n, handle in handles if handle is not None]

    def _gpu(self, number: int, handle: Any) -> Gpu:
        gpu, mode = gpu_of(number, self._answers(handle)), self._ask(self._library.nvmlDeviceGetMigMode, handle)
        if not mode or mode[0] != self._library.NVML_DEVICE_MIG_ENABLE:
            return gpu
        return gpu._replace(is_divided=True, parts=tuple(self._parts(number, handle)))

    def _parts(self, number: int, handle: Any) -> Iterator[Gpu]:
        """The instances of a divided device (MIG); numbers are given to them from 0, and some may be free."""
        most = self._ask(self._library.nvmlDeviceGetMaxMigDeviceCount, handle) or 0
        for index in range(most):
            part = self._ask(self._library.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
            if part is not None:
                yield gpu_of(number, self._answers(part))

    def _answers(self, handle: Any) -> NvmlAnswers:
        library, ask = self._library, self._ask
        memory = ask(library.nvmlDeviceGetMemoryInfo, handle)
        use = ask(library.nvmlDeviceGetUtilizationRates, handle)
        computing = ask(library.nvmlDeviceGetComputeRunningProcesses, handle) or ()
        drawing = ask(library.nvmlDeviceGetGraphicsRunningProcesses, handle) or ()
        return NvmlAnswers(
            uuid=ask(library.nvmlDeviceGetUUID, handle),
            name=ask(library.nvmlDeviceGetName, handle),
            utilization_percent=use.gpu if use else None,
            memory_used_bytes=memory.used if memory else None,
            memory_total_bytes=memory.total if memory else None,
            power_mw=ask(library.nvmlDeviceGetPowerUsage, handle),
            temperature_c=ask(library.nvmlDeviceGetTemperature, handle, library.NVML_TEMPERATURE_GPU),
            event_reasons=ask(library.nvmlDeviceGetCurrentClocksThrottleReasons, handle),
            processes=tuple((one.pid, one.usedGpuMemory) for one in (*computing, *drawing)),
            computing=tuple(sorted({one.pid for one in computing} - {one.pid for one in drawing})),
        )

    def _ask(self, question: Callable[..., Any], *given: Any) -> Any:
        """The answer, None when it is refused: not supported, not permitted, or the device is lost."""
        try:
            return question(*given)
        except (self._library.NVMLError, OSError):
            return None
