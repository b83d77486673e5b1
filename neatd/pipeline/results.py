"""What was measured of runs by jobs of kind eval and profile, as `pipeline/measured.py` kept it."""

from __future__ import annotations

import sqlite3
from typing import Any

from neatd.models import Event, Job
from neatd.store import events

KINDS = ("eval", "profile")  # of jobs, and the rules that their events name
MOST_SAID = 6  # numbers in the message of an event


def results_of(store: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """What was measured of a run, newest first: `values` by name, of which checkpoint (its hash too), by which job."""
    found = events.events(store, run_id=run_id)
    return [_shape(one) for one in found if one.rule in KINDS and one.details.get("condition") == one.rule]


def result_of(store: sqlite3.Connection, job: Job) -> dict[str, Any] | None:
    """What a job found; None where it kept nothing."""
    found = events.of_key(store, f"{job.kind}|{job.id}")
    return _shape(found) if found else None


def _shape(event: Event) -> dict[str, Any]:
    told = {name: event.details.get(name) for name in ("checkpoint", "hash", "job", "values", "set")}
    return {"kind": event.rule, "at": event.started_at, "step": event.step, **told, "event": event.id,
            "message": event.message}  # fmt: skip
