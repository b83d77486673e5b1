"""The machine's devices as `neat queue --devices --json` prints them and the page shows them: what is free, who holds what."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from neatd.lifesign import is_running
from neatd.models import Job
from neatd.pipeline.devices import devices_here, leased
from neatd.pipeline.waiting import shown_machine
from neatd.rules.leases import CPU, Device
from neatd.store import jobs, queued


def device_shapes(records: sqlite3.Connection, home: Path, now: datetime) -> list[dict[str, Any]]:
    """A look of this process's own, and what the daemon remembers of devices that do not answer any more. The machine itself
    is the last. Starting NVIDIA's library takes up to a second."""
    machine, running = shown_machine(home), jobs.running(records)
    groups = {name for name, parallel, *_ in queued.groups(records) if parallel is not None}
    known = machine.devices if is_running(home) else ()
    shapes = [_shape(one, running) for one in devices_here(running, now, known)]
    shapes[-1] |= {"slots": machine.cpu_slots, "slots_taken": _slots_taken(running, groups)}
    return shapes


def _shape(device: Device, running: list[Job]) -> dict[str, Any]:
    held = [{"id": job.id, "name": job.name, "bytes": size} for job, size in leased(running, device.key)]
    return {
        "device": device.key, "kind": device.kind, "number": device.number, "name": device.name,
        "total_bytes": device.total_bytes, "free_bytes": device.free_bytes, "foreign_bytes": device.foreign_bytes,
        "is_used_by_others": device.is_used, "answers": not device.is_gone, "jobs": held,
    }  # fmt: skip


def _slots_taken(running: list[Job], groups: set[str]) -> int:
    """Jobs on a GPU take none, nor those of a group with a number of its own."""
    return sum(job.group_name not in groups and all(key == CPU for key, _ in job.devices) for job in running)
