"""A control group with a limit, made for a test where this machine lets us; and programs that take memory in known shapes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neatd.read.cgroups import find_mounts, groups_of

MB = 1 << 20
# Each takes memory as real programs do; `take` keeps what it takes, `let_go` gives it back to the system.
HEAD = """
import mmap, os, sys, time
held = []
def take(mb):
    block = mmap.mmap(-1, mb << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, mb << 20, 4096):
        block[at] = 1
    held.append(block)
def let_go(count):
    for _ in range(count):
        held.pop().close()
def grow(mb_s, to, step=0.25):
    begun, taken = time.monotonic(), 0
    while taken < to:
        due = min(to, int((time.monotonic() - begun) * mb_s))
        if due > taken:
            take(due - taken)
            taken = due
        time.sleep(step)
def saw(low, high, rise_s, teeth, leak=0):
    take(low)
    for _ in range(teeth):
        for _ in range(8):
            take((high - low) // 8)
            time.sleep(rise_s / 8)
        let_go(8)
        if leak:
            take(leak)
sys.stdin.readline()
"""
SHAPES = {  # name -> program; sizes in MB of a limit of 300
    "all samples at once": "grow(60, 400)",
    "fast ramp": "take(40)\ngrow(15, 400)",
    "ramp after a flat minute": "take(100)\ntime.sleep(60)\ngrow(10, 400)",
    "slow leak": "take(170)\ngrow(0.6, 400)",
    "leak under a loader's saw": "saw(120, 180, 6, 60, 4)\ngrow(1, 400)",
    "loader's saw": "saw(100, 180, 8, 14)",
    "high saw over 70 %": "saw(140, 232, 20, 8)",
    "a cache that fills": (
        "take(60)\nbegun = time.monotonic()\nwhile time.monotonic() - begun < 40:\n"
        "    with open(sys.argv[1], 'rb') as file:\n        while file.read(4 << 20): time.sleep(0.02)"
    ),
    "a model that is loaded": "grow(25, 160)\ntime.sleep(60)",
}  # fmt: skip
LIMIT = 300 * MB


class Group:
    """A control group of our own."""

    def __init__(self, folder: Path, is_v2: bool) -> None:
        self.folder, self.is_v2 = folder, is_v2

    def limit(self, size: int) -> None:
        (self.folder / ("memory.max" if self.is_v2 else "memory.limit_in_bytes")).write_text(str(size))
        swap = self.folder / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")

    def run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program, put it into the group, let it begin."""
        command = [sys.executable, "-c", HEAD + program, *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        (self.folder / "cgroup.procs").write_text(str(process.pid))
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        return process

    def holds(self, pid: int) -> bool:
        """Whether a process is in it: a service manager may move what it knows to groups of its own."""
        return str(pid) in (self.folder / "cgroup.procs").read_text().split()

    def remove(self) -> None:
        """Take it away; its last process may have left a moment ago."""
        for _ in range(100):
            try:
                self.folder.rmdir()
            except OSError:
                time.sleep(0.05)
            else:
                return


def _parents() -> list[tuple[Path, bool]]:
    """Groups around this process below which one with a limit of its own may be made, without changing them. The outermost
    first: a service manager sweeps those that it made."""
    mounts = find_mounts()
    if mounts.v1 is None and mounts.v2 is None:
        return []
    is_v2 = mounts.v1 is None
    return [
        (folder, is_v2)
        for folder in reversed(groups_of(os.getpid(), mounts))
        if not is_v2 or "memory" in (folder / "cgroup.subtree_control").read_text().split()
    ]


@contextmanager
def made_group(size: int, name: str = "neat-test") -> Iterator[Group | None]:
    """A group with a limit, None where this machine lets us make none; gone afterwards."""
    for parent, is_v2 in _parents():
        group = Group(parent / f"{name}-{os.getpid()}-{time.monotonic_ns()}", is_v2)
        try:
            group.folder.mkdir()
        except OSError:
            continue
        try:
            group.limit(size)
        except OSError:
            group.remove()
            continue
        try:
            yield group
        finally:
            group.remove()
        return
    yield None
