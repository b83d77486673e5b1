"""Whom the kernel killed for memory, from its own log. Reads only; [] where the log may not be read, as in most containers.

The kernel names processes by the host's numbers: where those are not ours, nothing is told. Asked when a process has gone.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from neatd.read.gpu import has_host_pids

DEVICE = Path("/dev/kmsg")
MOST_RECORDS = 50_000  # the largest ring that is usual, 16 MB, holds fewer that are of any length
_KILLED = re.compile(r"Killed process (\d+) \((.*?)\),? .*?anon-rss:(\d+)kB, file-rss:(\d+)kB(?:, shmem-rss:(\d+)kB)?")


class KernelKill(NamedTuple):
    """One process that the out-of-memory killer took. `at`: unix seconds."""

    pid: int
    name: str
    rss_bytes: int
    at: float
    is_of_group: bool  # a control group's limit was reached, and not the machine's


def kernel_kills(path: Path = DEVICE) -> list[KernelKill]:
    """The kills that the log still holds, oldest first. 0.6 us a record."""
    if not has_host_pids():
        return []
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return []
    try:
        found = [kill_of(record, time.time() - time.monotonic()) for record in _records(handle)]
    finally:
        os.close(handle)
    return [one for one in found if one is not None]


def _records(handle: int) -> list[bytes]:
    """Each read gives one; one that was overwritten meanwhile is an error, and the next one is read."""
    records: list[bytes] = []
    for _ in range(MOST_RECORDS):
        try:
            record = os.read(handle, 8192)
        except BrokenPipeError:
            continue
        except OSError:  # no more for now, or not allowed
            break
        if not record:
            break
        if b"Killed process" in record:
            records.append(record)
    return records


def kill_of(record: bytes, boot: float) -> KernelKill | None:
    """The kill that a record "level,number,microseconds,flags;text" tells of. `boot`: unix seconds when the log's clock
    began."""
    head, _, text = record.decode("utf-8", "replace").partition(";")
    found, fields = _KILLED.search(text), head.split(",")
    if found is None or len(fields) < 3 or not fields[2].isdigit():
        return None
    rss = sum(int(part or 0) for part in found.group(3, 4, 5)) << 10
    return KernelKill(int(found[1]), found[2], rss, boot + int(fields[2]) / 1e6, "cgroup" in text[: found.start()])
