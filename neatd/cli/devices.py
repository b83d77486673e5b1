"""The machine's devices for `neat queue --devices`: what is free, which job holds what, what other programs hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from neatd.cli.queuetext import plain
from neatd.lifesign import is_running
from neatd.models import Job
from neatd.pipeline.devices import devices_here, leased
from neatd.pipeline.waiting import shown_machine
from neatd.rules.headroom import amount
from neatd.rules.leases import CPU, Device
from neatd.store import jobs, queued
from neatd.store.opening import connect


def print_devices(home: Path, as_json: bool) -> None:
    """A look of this process's own, and what the daemon remembers of devices that do not answer any more."""
    machine = shown_machine(home)
    with closing(connect(home)) as store:
        running = jobs.running(store)
        groups = {name for name, parallel, *_ in queued.groups(store) if parallel is not None}
    known = machine.devices if is_running(home) else ()
    found = devices_here(running, datetime.now(UTC), known)
    shapes = [_shape(one, running) for one in found]
    shapes[-1] |= {"slots": machine.cpu_slots, "slots_taken": _slots_taken(running, groups)}
    if as_json:
        click.echo(json.dumps(shapes, ensure_ascii=False))
        return
    for one in shapes:
        click.echo("  ".join(plain(cell, 200) for cell in _cells(one) if cell))


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


def _cells(one: dict[str, Any]) -> Iterator[str]:
    is_gpu = one["kind"] in ("cuda", "rocm")
    yield f"gpu {one['number']}" if is_gpu else one["kind"]
    yield one["name"]
    yield one["device"] if is_gpu else ""
    if "slots" in one:
        yield f"{one['slots_taken']} of {one['slots']} slots taken"
    if not one["answers"]:
        yield "does not answer: `nvidia-smi` may say why"
    elif one["total_bytes"] is not None:
        yield f"{amount(one['free_bytes'] or 0)} of {amount(one['total_bytes'])} free"
    yield ", ".join(_holds(job) for job in one["jobs"])
    if one["is_used_by_others"]:
        yield f"other programs hold {amount(one['foreign_bytes'])}: not given whole"


def _holds(job: dict[str, Any]) -> str:
    size = "all of it" if job["bytes"] is None else amount(job["bytes"])
    return f"{job['id'][:9]} {job['name']}: {size}"
