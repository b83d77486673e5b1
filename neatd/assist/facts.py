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
from neatd.models import Event, GitState, Goal, Model


class RunFact(Model):
    """A run as a row of the experiment table. `delta` is against the baseline, in the metric's own unit."""

    id: str
    short: str
    name: str
    status: str  # a RunStatus, or what a recorded experiment says of itself
    reason: str
    step: int | None = None
    planned_steps: int | None = None
    metric: str = ""
    value: float | None = None
    value_step: int | None = None
    last: tuple[
        tuple[str, float | None], ...
    ] = ()  # while it goes on: the last values people look at first; None for NaN
    delta: float | None = None
    is_baseline: bool = False
    is_better: bool | None = None
    changed: tuple[str, ...] = ()  # parameters that differ from the baseline's: "lr 0.003 -> 0.01"
    commit: str = ""
    is_dirty: bool = False
    started_at: datetime
    ended_at: datetime | None = None
    need: int = 0  # its place when there is no room for all: the highest are left out first
    hours: float | None = None
    accuracy: str = ""  # of the last evaluation's examples: "41 of 64 correct at step 200"
    is_comparable: bool | None = None  # with the baseline; None where there is nothing to compare
    not_comparable: tuple[str, ...] = ()  # why not: its delta says nothing, and it is never better
    is_reported: bool = False  # a recorded experiment, as somebody stated it: no run was watched
    params: int | None = None  # of the model
    samples: int | None = None
    data: str = ""  # what it was trained on, with the version where that is registered: "data/raw@3fa9c1d2"
    data_fraction: float | None = None  # 0 to 1
    code: str = ""  # how its code differs from the baseline's: "commit 1f2e3d4c (2 files, +9 -1: eval.py, …)"
    notes: tuple[str, ...] = ()
    attempt: int = 1


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


class TouchedFact(Model):
    """A record that was made or changed in the session that a handoff tells of."""

    id: str
    short: str
    kind: str
    how: str  # created, changed, deleted
    title: str = ""  # "" of a deleted one
    status: str = ""
    changed: tuple[str, ...] = ()  # "status: open -> done", "body"
    who: str = ""


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
    previous: str = ""  # id of the handoff before
    since: datetime | None = None  # when the session began that a handoff tells of: with the handoff before
    touched: tuple[TouchedFact, ...] = ()  # the records made and changed since
    session_files: tuple[tuple[str, str], ...] = ()  # (path, mark) that git has seen change since
    more_runs: int = 0  # those that are not in `runs`
    more_events: int = 0
    watching: str = ""  # "" while a daemon watches, else since when none does
    paused: str = ""  # why no job begins
    version: str = ""
