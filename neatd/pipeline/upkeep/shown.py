"""The schedule as `neat schedule --json` prints it and the page shows it: each job with what comes next and how it went."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from neatd.models import Maintenance
from neatd.pipeline.upkeep.scheduled import load_schedule, local_zone
from neatd.redact import redact
from neatd.rules.maintenance import Schedule, ScheduledJob, next_run
from neatd.store import maintenance


class Planned(NamedTuple):
    """A job, its last run, and when it comes: a moment that is over for one that is due, None for one switched off."""

    job: ScheduledJob
    last: Maintenance | None
    comes: datetime | None
    is_due: bool

    @property
    def shape(self) -> dict[str, Any]:
        """As JSON has it."""
        job, last = self.job, self.last
        return {
            "job": job.name, "what": redact(job.what), "cron": job.cron, "times": job.times, "enabled": job.enabled,
            "is_own": bool(job.command), "next": self.comes, "is_due": self.is_due,
            "last": run_shape(last) if last else None,
        }  # fmt: skip


def planned(
    records: sqlite3.Connection, schedule: Schedule, now: datetime, zone: tzinfo | None = None
) -> list[Planned]:
    """The schedule's jobs in its order; crontab's times are read in `zone`, by default this machine's."""
    zone = zone or local_zone()
    last, known = maintenance.newest(records), maintenance.last_runs(records)
    return [_planned(job, last.get(job.name), known.get(job.name), now, zone) for job in schedule.jobs]


def _planned(
    job: ScheduledJob, last: Maintenance | None, known: datetime | None, now: datetime, zone: tzinfo
) -> Planned:
    comes = None
    if job.enabled:
        comes = next_run(job.cron, (now if known is None else min(known, now)).astimezone(zone))
    return Planned(job, last, comes, comes is not None and comes.astimezone(UTC) <= now)


def schedule_shapes(records: sqlite3.Connection, home: Path, now: datetime) -> list[dict[str, Any]]:
    """What `neat schedule --json` prints."""
    return [one.shape for one in planned(records, load_schedule(home).schedule, now)]


def run_shape(row: Maintenance) -> dict[str, Any]:
    """One run of a job, as `neat maintain JOB --json` prints it."""
    return {**row.model_dump(), "took_s": row.took_s}


def history_shapes(records: sqlite3.Connection, job: str, most: int = 100) -> list[dict[str, Any]]:
    """The runs of a job, newest first."""
    return [run_shape(row) for row in maintenance.history(records, job, most)]
