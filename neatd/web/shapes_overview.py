"""Answers about the machine as types: overview, projects, queue, devices, events, memory."""

from __future__ import annotations

from typing import Any, Literal

from neatd.models import Goal
from neatd.web.shapes import Number, RunShape, Shape


class ValueShape(Shape):
    """A series' last value."""

    name: str
    value: Number
    step: int | None


class PrimaryShape(ValueShape):
    """The same of the series that people look at first, with its best value where it has a goal."""

    goal: Goal | None
    best: Number | None
    best_step: int | None


class GoingRun(RunShape):
    """A run that goes on: how far it is, what it said last, what memory it holds, the gravest of its events."""

    project_id: str
    progress: float | None
    primary: PrimaryShape | None
    values: list[ValueShape]
    rss_bytes: float | None
    anomalies: int
    gravest: str


class ListedRun(RunShape):
    """A run of the list: `gravest` of its anomalies as "critical non_finite at step 120"."""

    project_id: str
    ended_at: str | None
    primary: PrimaryShape | None
    anomalies: int
    gravest: str


class EndedRun(RunShape):
    """A run that ended lately."""

    project_id: str
    ended_at: str | None
    anomalies: int
    gravest: str


class JobShape(Shape):
    """A job: why it waits, when it is likely to begin and to end."""

    id: str
    name: str
    status: str
    exit_code: int | None
    after: list[str]
    why: str


class QueueShape(Shape):
    """The queue in short."""

    running: list[JobShape]
    waiting: list[JobShape]
    counts: dict[str, int]
    paused: dict[str, str] | None
    groups: list[dict[str, Any]]
    stopped: list[dict[str, Any]]


class EventShape(Shape):
    """An event."""

    id: str
    run: str | None
    rule: str
    metric: str
    step: int | None
    started_at: str
    severity: Literal["info", "warning", "critical"]
    message: str


class DiskShape(Shape):
    """The disk of a folder."""

    root: str
    free_bytes: int
    total_bytes: int
    used_percent: float | None


class ServiceShape(Shape):
    """A service, as it was put down."""

    id: str
    title: str
    url: str
    about: str
    status: str
    project: str


class OverviewShape(Shape):
    """What goes on now."""

    counts: dict[str, int]
    running: list[GoingRun]
    more_running: int
    recent: list[EndedRun]
    queue: QueueShape
    events: list[EventShape]
    disk: list[DiskShape]
    memory: dict[str, Any] | None
    gpus: list[dict[str, Any]]
    schedule: list[dict[str, Any]]
    backup_age_h: float | None
    services: list[ServiceShape]
    projects: list[dict[str, Any]]
    watching: str


class ProjectShape(Shape):
    """A project and where it stands."""

    id: str
    name: str
    roots: list[str]
    runs: dict[str, int]


class DaemonShape(Shape):
    """What the daemon says of itself."""

    running: bool
    pid: int | None
    url: str | None
    version: str | None


class DeviceShape(Shape):
    """A device of the machine."""

    device: str
    kind: str
    name: str
    total_bytes: int | None
    free_bytes: int | None
    answers: bool
    jobs: list[dict[str, Any]]


class MemoryShape(Shape):
    """The machine's memory now."""

    system: dict[str, Any]
    training: dict[str, Any]
    gpus: list[dict[str, Any]]
    oom_risk: Literal["LOW", "MEDIUM", "HIGH"] | None
    reason: str
    source: Literal["neatd", "look"]
    at: str
