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
from neatd.pipeline.devicesshown import device_shapes
from neatd.rules.headroom import amount
from neatd.store.opening import connect


def print_devices(home: Path, as_json: bool) -> None:
    """As JSON, or a line for each."""
    with closing(connect(home)) as store:
        shapes = device_shapes(store, home, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(shapes, ensure_ascii=False))
        return
    for one in shapes:
        click.echo("  ".join(plain(cell, 200) for cell in _cells(one) if cell))


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
