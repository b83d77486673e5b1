"""The schedule of maintenance: the form of its file, and which jobs are due.

Pure: the schedule, when each job ran last and the time in, names out. A job that was missed while nothing ran is due once,
however often it was missed. Whoever carries jobs out decides nothing here, and nobody else decides what is due.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import Field, field_validator, model_validator

from neatd.models import Model
from neatd.rules.cron import Cron, parse_cron
from neatd.rules.crontimes import cron_words, next_moment

# What neat itself can do, in words, with the options that a job takes besides `cron` and `enabled`.
JOBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "backup": ("back the records up, and open the copy to check it", ()),
    "checkpoints": ("thin the checkpoints of all runs by the project's policy", ()),
    "snapshots": ("move snapshots into the trash that are older than `days`, never that of the best value", ("days",)),
    "temporary": ("move unfinished checkpoints into the trash that rest for `days`", ("days",)),
    "logs": ("compress logs of runs and jobs that ended `days` ago", ("days",)),
    "trash": (
        "empty the trash of what lies there for `days`, and of more when `free_gib` are not free", ("days", "free_gib")
    ),
    "integrity": ("check both databases whole, and bring what SQLite knows of them up to date", ()),
    "disk": ("say what takes the room, and what was freed since the last time", ()),
    "service": ("check that neatd can do its work: store, room, folders, what waits", ("free_gib",)),
    "documents": ("write the index of the project's documents, .neat/documents.md", ()),
    "knowledge": ("write the records as plain text under NEAT_HOME", ()),
}  # fmt: skip
_OWN = ("command", "folder", "timeout_s")  # options of a user's command
_OPTIONS = ("days", "free_gib", *_OWN)
AHEAD = timedelta(days=1)  # a last run so far in the future is a clock that was wrong


class JobSpec(Model):
    """A job as a file says it; what is left out is as it was shipped."""

    name: str
    cron: str | None = None
    enabled: bool | None = None
    days: float | None = Field(default=None, ge=0, le=36_500)
    free_gib: float | None = Field(default=None, ge=0)
    command: tuple[str, ...] | None = Field(default=None, min_length=1)  # words; no shell reads them
    folder: str | None = None  # where it runs; your home folder
    timeout_s: float | None = Field(default=None, gt=0, le=7 * 86_400)

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is not None:
            parse_cron(value)
        return value

    @model_validator(mode="after")
    def _fits(self) -> JobSpec:
        known = JOBS.get(self.name)
        if known is None and (self.command is None or self.cron is None):
            names = ", ".join(JOBS)
            raise ValueError(f"neat has no job {self.name!r} ({names}); one of your own needs `cron` and `command`")
        allowed = _OWN if known is None else known[1]
        odd = [name for name in _OPTIONS if getattr(self, name) is not None and name not in allowed]
        if odd:
            takes = ", ".join(("cron", "enabled", *allowed))
            raise ValueError(f"{self.name} takes no {' and no '.join(odd)}; it takes {takes}")
        return self


class ScheduleFile(Model):
    """maintenance.yaml: jobs by name."""

    jobs: dict[str, JobSpec] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _with_names(cls, data: Any) -> Any:
        """Each job knows its name; nobody writes it twice."""
        jobs = data.get("jobs") if isinstance(data, dict) else None
        if not isinstance(jobs, dict):
            return data
        named = {name: {**one, "name": str(name)} if isinstance(one, dict) else one for name, one in jobs.items()}
        return {**data, "jobs": named}


class ScheduledJob(Model):
    """A job with all that there is to know for it to run."""

    name: str
    cron: str
    enabled: bool = True
    days: float = 30.0
    free_gib: float = 0.0
    command: tuple[str, ...] = ()  # the user's own; empty for a job of neat's
    folder: str = ""
    timeout_s: float = 3600.0

    @property
    def what(self) -> str:
        """What it does, in words."""
        return " ".join(self.command) if self.command else JOBS[self.name][0]

    @property
    def times(self) -> str:
        """When it runs, in words."""
        return cron_words(_parsed(self.cron))

    @property
    def is_frequent(self) -> bool:
        """It runs more often than once an hour, on its days: a run that ends as the one before is no news."""
        cron = _parsed(self.cron)
        return len(cron.minutes) * len(cron.hours) > 24


class Schedule(Model):
    """All jobs, in the order in which they run when several are due."""

    jobs: tuple[ScheduledJob, ...] = ()

    def get(self, name: str) -> ScheduledJob | None:
        """The job of that name."""
        return next((one for one in self.jobs if one.name == name), None)


def merged(*files: ScheduleFile) -> Schedule:
    """The files in order, a later one over an earlier one, field by field."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for name, spec in file.jobs.items():
            found.setdefault(name, {}).update(spec.model_dump(exclude_none=True))
    return Schedule(jobs=tuple(ScheduledJob.model_validate(one) for one in found.values()))


@lru_cache(maxsize=256)
def _parsed(text: str) -> Cron:
    return parse_cron(text)


def next_run(cron: str, after: datetime) -> datetime | None:
    """When `cron` comes next after `after`, an aware moment in whose zone it is read; None when it never does."""
    return next_moment(_parsed(cron), after)


def due(schedule: Schedule, last_runs: Mapping[str, datetime], now: datetime) -> list[str]:
    """The jobs to run now, in the schedule's order. `now` is aware, in the zone in which the expressions are read.

    `last_runs` says when each job ran last, or for one that never ran since when it is known; one that is not in it is not
    due. A last run more than a day ahead of `now` was written by a clock that was wrong: the job is due.
    """
    return [one.name for one in schedule.jobs if one.enabled and _is_due(one, last_runs.get(one.name), now)]


def _is_due(job: ScheduledJob, last: datetime | None, now: datetime) -> bool:
    if last is None:
        return False
    if last.astimezone(UTC) - now.astimezone(UTC) > AHEAD:
        return True
    comes = next_run(job.cron, last.astimezone(now.tzinfo))
    return comes is not None and comes.astimezone(UTC) <= now.astimezone(UTC)


def next_wake(schedule: Schedule, last_runs: Mapping[str, datetime], now: datetime) -> datetime | None:
    """The first moment after `now` at which a job becomes due; None when none ever does."""
    known = [(one.cron, last_runs[one.name]) for one in schedule.jobs if one.enabled and one.name in last_runs]
    bases = [(cron, max(last.astimezone(UTC), now.astimezone(UTC)).astimezone(now.tzinfo)) for cron, last in known]
    found = [moment for cron, base in bases if (moment := next_run(cron, base)) is not None]
    return min(found, key=lambda moment: moment.astimezone(UTC), default=None)
