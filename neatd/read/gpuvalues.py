"""One graphics processor as plain values, and what the answers of NVIDIA's driver mean. Pure: answers in, values out.

A driver answers in milliwatts, bit masks and lists; what it does not support is None here and never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

# Bits of nvmlClocksEventReasons. Idle, set clocks and display clocks are no throttling.
THROTTLING = {
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}


class Gpu(NamedTuple):
    """What one processor does now. None where its driver does not tell."""

    number: int  # in its driver's order, from 0
    uuid: str = ""
    name: str = ""
    utilization_percent: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    power_w: float | None = None
    temperature_c: float | None = None
    throttled_by: tuple[str, ...] | None = None
    processes: dict[int, int] = {}  # noqa: RUF012 - never written to; PID -> bytes, by the host's numbers
    computing: tuple[int, ...] = ()  # of the processes, those that compute and do not draw
    maker: Literal["nvidia", "amd"] = "nvidia"
    is_divided: bool = False  # into instances (MIG): only they can be computed on
    parts: tuple[Gpu, ...] = ()  # those instances, as far as a look may see them

    def values(self) -> dict[str, float]:
        """Name -> number of what is known; `throttled` is 1 while anything slows it down."""
        names = ("utilization_percent", "memory_used_bytes", "memory_total_bytes", "power_w", "temperature_c")
        found = {name: float(getattr(self, name)) for name in names if getattr(self, name) is not None}
        return found if self.throttled_by is None else found | {"throttled": float(bool(self.throttled_by))}


class NvmlAnswers(NamedTuple):
    """What NVML said of one device, as it said it; None for a question that it refused."""

    uuid: str | bytes | None = None
    name: str | bytes | None = None
    utilization_percent: int | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    power_mw: int | None = None
    temperature_c: int | None = None
    event_reasons: int | None = None
    processes: tuple[tuple[int, int | None], ...] = ()  # (PID, bytes or None), computing and drawing ones together
    computing: tuple[int, ...] = ()  # PIDs of those that compute and do not draw


def gpu_of(number: int, answers: NvmlAnswers) -> Gpu:
    """A processor from what NVML said of it."""
    return Gpu(
        number=number,
        uuid=as_text(answers.uuid),
        name=as_text(answers.name),
        utilization_percent=answers.utilization_percent,
        memory_used_bytes=answers.memory_used_bytes,
        memory_total_bytes=answers.memory_total_bytes,
        power_w=None if answers.power_mw is None else answers.power_mw / 1000,
        temperature_c=answers.temperature_c,
        throttled_by=None if answers.event_reasons is None else throttling(answers.event_reasons),
        processes=held_by(answers.processes),
        computing=answers.computing,
    )


def throttling(mask: int) -> tuple[str, ...]:
    """What slows a processor down, from the bits of its clock's reasons."""
    return tuple(name for bit, name in THROTTLING.items() if mask & bit)


def held_by(listed: Iterable[tuple[int, int | None]]) -> dict[int, int]:
    """PID -> bytes. A process that computes and draws is listed twice with the same memory; one without a number is left
    out (Windows keeps it to itself)."""
    found: dict[int, int] = {}
    for pid, size in listed:
        if size is not None:
            found[pid] = max(size, found.get(pid, 0))
    return found


def cuda_version_of(number: int) -> str:
    """12040 -> "12.4"."""
    return f"{number // 1000}.{number % 1000 // 10}" if number > 0 else ""


def as_text(value: str | bytes | None) -> str:
    """Old bindings answer in bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
