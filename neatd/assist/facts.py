"""What a document says, gathered before it is rendered: values only, so that the same facts give the same bytes."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from neatd.knowledge import (
    Assessment,
    Bug,
    Challenge,
    Change,
    Command,
    Data,
    Decision,
    Document,
    Experiment,
    Hypothesis,
    Insight,
    Lesson,
    Machine,
    Note,
    Phase,
    Preference,
    Service,
    Session,
    Style,
    Task,
    TestRun,
)  # fmt: skip
from neatd.knowledge import (
    Goal as GoalRecord,
)
from neatd.models import Event, GitState, Goal, Model, RunStatus


class RunFact(Model):
    """A run as a row of the experiment table. `delta` is against the baseline, in the metric's own unit."""

    id: str
    short: str
    name: str
    status: RunStatus
    reason: str
    step: int | None = None
    planned_steps: int | None = None
    metric: str = ""
    value: float | None = None
    value_step: int | None = None
    delta: float | None = None
    is_baseline: bool = False
    is_better: bool | None = None
    changed: tuple[str, ...] = ()  # parameters that differ from the baseline's: "lr 0.003 -> 0.01"
    commit: str = ""
    is_dirty: bool = False
    started_at: datetime
    hours: float | None = None
    accuracy: str = ""  # of the last evaluation's examples: "41 of 64 correct at step 200"


class EventFact(Model):
    """An event with the names a person knows."""

    event: Event
    short: str
    run: str
    snapshot: str = ""  # folder of its snapshot, relative to the project
    snapshot_mode: str = ""


class SavesFact(Model):
    """A run's checkpoints in numbers."""

    run: str
    present: int
    present_bytes: int
    trashed: int
    trashed_bytes: int


class Facts(Model):
    """Everything a brief or a handoff may say of a project."""

    project: str
    root: str
    now: datetime
    git: GitState
    phase: str = ""
    metric: str = ""
    goal: Goal | None = None
    baseline: str = ""
    runs: tuple[RunFact, ...] = ()
    events: tuple[EventFact, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    decisions: tuple[Decision, ...] = ()
    bugs: tuple[Bug, ...] = ()
    tasks: tuple[Task, ...] = ()  # open ones, in their order
    done: tuple[Task, ...] = ()  # ended ones, newest first
    notes: tuple[Note, ...] = ()
    preferences: tuple[Preference, ...] = ()
    phases: tuple[Phase, ...] = ()  # the one changed last first: it is the current one
    machines: tuple[Machine, ...] = ()
    commands: tuple[Command, ...] = ()
    styles: tuple[Style, ...] = ()
    documents: tuple[Document, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    insights: tuple[Insight, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    challenges: tuple[Challenge, ...] = ()
    goals: tuple[GoalRecord, ...] = ()
    tests: tuple[TestRun, ...] = ()  # newest first
    data: tuple[Data, ...] = ()
    experiments: tuple[Experiment, ...] = ()  # imported and planned ones; runs are `runs`
    changes: tuple[Change, ...] = ()
    services: tuple[Service, ...] = ()
    sessions: tuple[Session, ...] = ()
    stale: dict[str, str] = Field(default_factory=dict)  # record id -> why it may no longer hold, or not hold here
    shows_addresses: bool = False  # `neat allow addresses`: hosts, ports and keys of machines may be written
    saves: tuple[SavesFact, ...] = ()
    shorts: dict[str, str] = Field(default_factory=dict)
    watching: str = ""  # "" while a daemon watches, else since when none does
    version: str = ""
