"""What `neat show j-…` prints of a job."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from neatd.assist.render import flat, size, when
from neatd.cli.common import Open, print_json
from neatd.pipeline.jobnames import find_id
from neatd.pipeline.jobshown import job_shape
from neatd.store import jobs

_ORDER = (
    "name", "status", "reason", "waits", "until", "exit_code", "why", "who", "session", "what", "command", "cwd", "python",
    "branch", "commit_id", "dirty", "diff", "worktree", "group_name", "priority", "after", "gpus", "memory_bytes", "devices",
    "retries", "peak_bytes", "pid", "run", "study_id", "trial", "created_at", "started_at", "ended_at", "log",
)  # fmt: skip
_NAMES = {
    "commit_id": "commit",
    "group_name": "group",
    "memory_bytes": "memory",
    "peak_bytes": "peak memory",
    "what": "kind",
}


def show_job(opened: Open, word: str, as_json: bool) -> None:
    """Print one job, by the beginning of its id."""
    job = jobs.get_job(opened.records, find_id(opened.records, word))
    shape = job_shape(opened.records, opened.home, job)
    if as_json:
        print_json(shape)
        return
    click.echo(f"job {job.id}")
    for line in _lines(shape):
        click.echo(f"  {line}")


def _lines(shape: dict[str, Any]) -> Iterator[str]:
    for name in _ORDER:
        value = shape[name]
        if value not in ("", None, (), [], {}, False) and (value != 0 or name == "exit_code"):
            yield f"{_NAMES.get(name, name)}: {flat(_text(name, value))}"
    for one in shape["tries"]:
        yield f"try {one['id'][:9]}: {one['status']}" + (f", {flat(one['reason'])}" if one["reason"] else "")


def _text(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return when(value)
    if name == "command":
        return shlex.join(value)
    if name in ("memory_bytes", "peak_bytes"):
        return size(value)
    if name == "dirty":
        return f"{value} file(s) not as committed"
    if name == "devices":
        return ", ".join(key + (f" ({size(part)})" if part else "") for key, part in value)
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
