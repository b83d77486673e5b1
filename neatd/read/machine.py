"""The machine a run is on, in facts that do not change while it runs. Reads only; asked once in a daemon's life."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from neatd.files import read_small
from neatd.read.gpu import GpuSample
from neatd.read.memory import read_host

_SYSCTL = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]


def machine_facts(gpus: GpuSample, root: Path = Path("/")) -> dict[str, Any]:
    """Host, system, processors, memory, accelerators with their driver. What is not known is left out. 0.3 ms on Linux."""
    memory = read_host(root).total_bytes
    facts = {
        "host": platform.node(),
        "os": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "cpu": _cpu_name(root),
        "cpu_count": os.cpu_count(),
        "usable_cpu_count": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_bytes": memory,
        "gpus": [gpu.name for gpu in gpus.gpus] or _apple_gpu(),
        "gpu_memory_bytes": [gpu.memory_total_bytes for gpu in gpus.gpus if gpu.memory_total_bytes is not None],
        "driver": gpus.driver or _text(root / "sys" / "module" / "amdgpu" / "version"),
        "cuda_version": gpus.cuda_version,
        "rocm_version": _text(root / "opt" / "rocm" / ".info" / "version"),
    }
    return {name: value for name, value in facts.items() if value not in (None, "", [])}


def _cpu_name(root: Path) -> str:
    lines = _text(root / "proc" / "cpuinfo", 1 << 22).splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or _apple_chip() or platform.processor()


def _apple_gpu() -> list[str]:
    """Apple's chip is its own graphics processor and has the machine's memory."""
    return [f"{_apple_chip()} (MPS)"] if sys.platform == "darwin" and platform.machine() == "arm64" else []


def _apple_chip() -> str:
    if sys.platform != "darwin":
        return ""
    try:
        return subprocess.run(_SYSCTL, capture_output=True, text=True, timeout=2).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _text(path: Path, most: int = 4096) -> str:
    try:
        return read_small(path, most).decode("utf-8", "replace").strip()
    except OSError:
        return ""
