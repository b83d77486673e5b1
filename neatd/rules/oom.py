"""Whether a run ended for want of memory, told from the last line of its traceback; and all that is known of such an end.
Pure.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Where = Literal["host", "gpu", "shm"]
_GPU = re.compile(
    r"(?:CUDA|HIP|XPU|NPU|MPS backend) out of memory|CU(?:BLAS|DNN)_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation"
    r"|^(?:\w+\.)*OutOfMemoryError\b|RESOURCE_EXHAUSTED: .*[Oo]ut of memory"
)
_SHM = re.compile(r"insufficient shared memory|workers are out of shared memory|killed by signal: Bus error")
_WORKER = re.compile(r"DataLoader worker .*killed by signal: Killed")
_HOST = re.compile(
    r"^(?:\w+\.)*(?:_Array)?MemoryError\b|DefaultCPUAllocator: (?:can't allocate|not enough) memory|std::bad_alloc"
    r"|Cannot allocate memory|not enough memory: you tried to allocate"
)
_SIZE = r"(\d+(?:\.\d+)?) ?(bytes|B|[kKMGT]i?B)"
_WANTED = re.compile(rf"(?:[Tt]ried to allocate|[Uu]nable to allocate|trying to allocate) {_SIZE}")
_FREE, _TOTAL = re.compile(rf"of which {_SIZE} is free|{_SIZE} free"), re.compile(rf"total capacity of {_SIZE}")
_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}  # what programs call a GB is 2**30 as a rule


class Said(NamedTuple):
    """What an error says of the memory that was not to be had. None where it does not."""

    where: Where
    wanted_bytes: int | None = None
    free_bytes: int | None = None
    total_bytes: int | None = None
    is_worker: bool = False  # a data loader's worker was killed: most often for memory, but nothing proves it


class MemoryEnd(NamedTuple):
    """A run that ended for want of memory: how that is known, and the numbers. None where nothing tells."""

    how: str  # as a reason reads it
    where: Where = "host"
    is_sure: bool = True
    limit: str = ""  # its name
    limit_bytes: int | None = None
    peak_bytes: int | None = None  # of the run's processes, or on the GPU
    others_bytes: int | None = None  # below the same limit, by programs that are not the run
    left_bytes: int | None = None  # at the last look
    wanted_bytes: int | None = None

    @property
    def short_bytes(self) -> int | None:
        """By how much memory was short, where the error names what it asked for."""
        if self.wanted_bytes is None or self.left_bytes is None or self.wanted_bytes <= self.left_bytes:
            return None
        return self.wanted_bytes - self.left_bytes


def said_by(error: str) -> Said | None:
    """What the last line of a traceback says of memory; None when it is about something else."""
    where: Where
    if _SHM.search(error):
        where = "shm"
    elif _HOST.search(error) or _WORKER.search(error):
        where = "host"
    elif _GPU.search(error):
        where = "gpu"
    else:
        return None
    wanted, free, total = (_bytes(pattern.search(error)) for pattern in (_WANTED, _FREE, _TOTAL))
    return Said(where, wanted, free, total, is_worker=_WORKER.search(error) is not None)


def _bytes(found: re.Match[str] | None) -> int | None:
    if found is None:
        return None
    number, unit = (one for one in found.groups() if one is not None)
    return int(float(number) * (1 << _UNITS.get(unit[0].upper(), 0)))
