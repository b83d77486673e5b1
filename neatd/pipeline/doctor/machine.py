"""What `neat doctor` says of the machine: Python, git, the trainers' libraries, GPUs."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
import sys
from collections.abc import Iterator

from neatd import __version__
from neatd.pipeline.doctor.finding import Finding


def machine() -> Iterator[Finding]:
    """What neat runs on, and what is missing of it."""
    yield Finding("neat", "ok", f"{__version__}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    if shutil.which("git"):
        yield Finding("git", "ok", "found")
    else:
        yield Finding("git", "note", "not found: branches and commits are not seen", "install git")
    if importlib.util.find_spec("torch") and importlib.util.find_spec("numpy"):
        yield Finding("trainers", "ok", "torch and numpy are installed")
    else:
        yield Finding("trainers", "note", "torch is not installed: `neat train` and `neat demo` need it", _TORCH)
    yield from _gpus()


_TORCH = "install neat with its extra: `pip install '.[trainers]'` in its clone"


def _gpus() -> Iterator[Finding]:
    from neatd.read.nvml import Nvml, can_have_nvidia

    nvidia = Nvml.open()
    found = nvidia.read() if nvidia else None
    if nvidia and found is not None:
        count = sum(len(one.parts) if one.is_divided else bool(one.uuid) for one in found)
        yield Finding(
            "gpu", "ok", f"{len(found)} NVIDIA, driver {nvidia.driver}; jobs are given {count}: `neat queue --devices`"
        )
        nvidia.close()
    elif can_have_nvidia():
        text = "an NVIDIA driver is here and does not answer: no job is given a GPU"
        yield Finding(
            "gpu", "note", text, "`nvidia-smi` may say why; a container needs the driver's library, `--gpus all`"
        )
    else:
        yield Finding("gpu", "ok", "no NVIDIA driver: trainings run on ROCm, MPS or the CPU")
