"""The end of a job as somebody asks for it: `neat stop`, and the page. `pipeline/halting.py` carries it out."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.jobs.bell import ring
from neatd.models import JOB_ENDED, Job, Run
from neatd.pipeline.halting import KIND
from neatd.store import jobs, queued, requests

CANCELLED = {"outcome": "cancelled before it began", "status": "cancelled"}  # the result of a job that waited


def ask(
    records: sqlite3.Connection, home: Path, job: Job, project_id: str | None, who: str, is_forced: bool = False
) -> str | None:
    """Cancel a job that waits: None. Else put down the request to end it, and return its id; `is_forced`: by KILL at once.
    Raises NeatError where it has ended."""
    if job.status == "queued" and queued.cancel(records, job.id, f"cancelled by {who}"):
        ring(home, job.id)
        return None
    job = jobs.get_job(records, job.id)
    if job.status in JOB_ENDED:
        raise NeatError(
            f"{job.name}, job {job.id[:9]}, has ended: {job.status}", f"`neat show {job.id[:9]}` tells more"
        )
    payload: dict[str, Any] = {"job": job.id, "who": who} | ({"wait_s": 0} if is_forced else {})
    asked = requests.ask(records, KIND, project_id, payload)
    ring(home, job.id)
    return asked


def not_ours(run: Run | None, word: str, hint: str = "") -> NeatError:
    """That neat did not start something, and what can be done all the same."""
    name = run.name if run else word
    pid = run.process.pid if run and run.process else None
    by_hand = f"`kill -INT {pid}`" if pid else "by hand"
    told = f"end it {by_hand}; or let a rule end it: `neat allow stop`, and `then: [stop]` in the rule"
    return NeatError(f"{name} was not started by neat", hint or told)
