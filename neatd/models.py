"""Frozen values shared by all stages: what was read, what was judged, what is kept.

Rows become these models in `store/` and nowhere else. Nothing here touches disk or clock. Times are aware UTC
datetimes in records and unix seconds (float) in samples, because trainers write unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

RunStatus = Literal["starting", "running", "stalled", "finished", "failed", "killed", "interrupted", "lost"]
ENDED: frozenset[str] = frozenset({"finished", "failed", "killed", "interrupted", "lost"})
Severity = Literal["info", "warning", "critical"]
Goal = Literal["min", "max"]
FileMark = Literal["new", "modified", "deleted", "renamed", "conflicted"]


class Model(BaseModel):
    """Base of every shared value: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- reading: plain tuples, because there are a hundred thousand of them a second ----


class Line(NamedTuple):
    """One line of a metrics file: `values` maps series name to number (NaN and infinities kept)."""

    seq: int  # 1-based ordinal of the line within its source, over all generations of the file
    attempt: int  # 1 for the first life of the run, one more after each restart from an earlier step
    step: int
    time: float | None  # unix seconds as the trainer wrote them; None if it wrote none
    values: dict[str, float]


class Stretch(NamedTuple):
    """Many rows in file order that name the same series and their steps, as columns: a tenth of the work of single rows.

    Rows that name other series may lie between them: of two stretches each may begin before the other one ends.
    """

    seqs: Sequence[int]
    steps: Sequence[int]
    times: Sequence[float | None]
    columns: Mapping[str, Sequence[float]]  # series name -> values
    attempt: int = 0  # 0: not known yet

    @property
    def seq(self) -> int:
        """Where it begins, as of a single row."""
        return self.seqs[0]


class Column(NamedTuple):
    """Points of one series in file order, as numpy arrays of one length."""

    name: str
    seqs: Any  # int64
    attempts: Any  # int64
    steps: Any  # int64
    values: Any  # float64
    times: Any  # float64; NaN where the source tells none


class Sample(NamedTuple):
    """One point of one series, in file order."""

    seq: int
    attempt: int
    step: int
    value: float
    time: float | None


class Prediction(NamedTuple):
    """One line of predictions.jsonl: how the model did on one example at one step."""

    seq: int
    step: int
    example_id: str
    is_correct: bool
    loss: float
    prompt: str | None
    expected: str | None
    answer: str | None


class AttemptStart(NamedTuple):
    """Attempt `attempt` of a source begins at line `from_seq`, whose step is `from_step`."""

    attempt: int
    from_seq: int
    from_step: int


class Cursor(Model):
    """Where reading of one source stands. Committed in one transaction with the lines that it counts."""

    reading_id: str = ""  # new whenever the source is first read into this points.db
    generation: int = 1  # one more when the file was replaced or cut
    offset: int = 0
    seq: int = 0
    attempt: int = 1
    head_len: int = 0
    head_hash: str = ""
    anchor_hash: str = ""  # hash of the (up to) 256 bytes before `offset`
    bad_lines: int = 0
    first_bad: str = ""  # "line 12: not JSON"
    is_skipping: bool = False  # inside a line longer than the limit
    is_missing: bool = False
    has_steps: bool = False  # some line so far named its step
    stream: str = ""  # what the source belongs to: itself, or several files that go on from each other
    format: str = ""
    label: str = ""  # goes before the names of its series
    device: int = 0  # hints to a renamed file; they prove nothing
    inode: int = 0
    state: dict[str, Any] = Field(default_factory=dict)  # of the format's parser
    told: dict[str, Any] = Field(default_factory=dict)  # what the source says of its run
    chain: list[Any] = Field(default_factory=list)  # fingerprint of its rows, for files that are rewritten whole
    replay: list[Any] = Field(default_factory=list)  # what a rewritten file has to repeat before it is taken for new


class GitState(Model):
    """Git as it stood: every field empty when there is no repository, `commit` empty before the first commit."""

    branch: str = ""  # empty when HEAD is detached
    commit: str = ""
    subject: str = ""
    is_repo: bool = False
    is_detached: bool = False
    dirty: tuple[str, ...] = ()  # paths changed against HEAD, relative to the worktree
    untracked: tuple[str, ...] = ()
    marks: dict[str, FileMark] = Field(default_factory=dict)  # what became of each dirty path
    unlisted: int = 0  # changed and untracked paths beyond the ones that are kept
    upstream: str = ""  # the remote branch that this one follows
    ahead: int | None = None  # commits the upstream does not have; None without one
    behind: int | None = None


class ProcessFact(Model):
    """The process behind a run, identified over PID reuse by its start time (unix seconds), and, where the system tells
    them, by the clock-proof pair of ticks since the machine's start and that start's name."""

    pid: int
    started: float
    command: str = ""
    start_ticks: int | None = None
    boot_id: str = ""
    cwd: str = ""
    host: str = ""
    interpreter: str = ""
    started_by: str = ""  # tmux, screen, slurm, ssh, jupyter, cron, systemd, terminal; "" when nothing tells
    env_names: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)  # of a short list of variables, as they were when it began
    libraries: dict[str, str] = Field(default_factory=dict)  # torch, cuda, hip -> version
    device: str = ""  # cuda or rocm when it has one open


class Project(Model):
    """What `neat init` registered: the UUID in neat.yaml, and one root per worktree or clone."""

    id: str
    name: str
    root: str
    baseline: str = ""  # run id the others are compared with


class Run(Model):
    """One training run, found from its files: `folder` is relative to `root`."""

    id: str
    project_id: str
    root: str
    folder: str
    name: str
    status: RunStatus = "starting"
    reason: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    git: GitState = GitState()
    process: ProcessFact | None = None
    job_id: str | None = None
    planned_steps: int | None = None
    facts: dict[str, Any] = Field(default_factory=dict)  # told: what its trackers say; machine: where it ran
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None


class SeriesFact(Model):
    """A series of the current attempt in numbers; `best` follows the metric's goal. None where nothing is finite."""

    name: str
    source: str = ""
    points: int
    first_step: int
    last_step: int
    last: float | None  # None stands for NaN
    min: float | None = None
    min_step: int | None = None
    max: float | None = None
    max_step: int | None = None
    nonfinite: int = 0


CheckpointStatus = Literal["present", "changing", "trashed", "deleted", "gone"]  # changing: never kept, seen in a plan


class Checkpoint(Model):
    """A complete saved state of a run. `path` is relative to the run's folder; `ordinal` counts saves from 0, for ever."""

    id: str
    run_id: str
    path: str
    step: int | None = None  # None when the name tells none: such a file is never deleted
    ordinal: int
    size_bytes: int
    mtime_ns: int
    inode: int = 0
    is_folder: bool = False
    parts: tuple[str, ...] = ()  # names beside `path` that belong to the same save: shards, optimizer, index
    status: CheckpointStatus = "present"
    completed_at: datetime


class Episode(Model):
    """What became of an event: an episode that is over, or another series that says the same."""

    begin: tuple[str, int, float, float | None]  # metric, step, value and time of the point that the event tells of
    rule: str = ""  # of the event; "" for the verdict's own
    kind: Literal["end", "joined"] = "end"
    end_step: int = 0  # the first step that was back
    peak_step: int = 0
    peak: float = 0.0
    points: int = 0  # that were beyond


class Verdict(Model):
    """What a rule said about one point. Pure output of judging; becomes an event when stored."""

    rule: str
    condition: str
    metric: str
    seq: int
    attempt: int
    step: int
    time: float | None
    value: float
    score: float | None = None
    threshold: float | None = None
    severity: Severity = "warning"
    message: str
    window: tuple[tuple[int, float], ...] = ()  # the last (step, value) pairs before the point, oldest first
    then: tuple[str, ...] = ()  # what follows besides the event: snapshot, alert, bug, pause_queue, stop
    snapshots_per_hour: int = 0  # the rule's budget; 0 for none
    episode: Episode | None = None  # of a verdict that closes the event of its begin, or joins it: no event of its own
    details: dict[str, Any] = Field(default_factory=dict)  # what else the event keeps
    goal: Goal | None = None  # for `best`

    @property
    def wants_snapshot(self) -> bool:
        """Whether the checkpoint from before is to be kept."""
        return "snapshot" in self.then

    @property
    def wants_alert(self) -> bool:
        """Whether the user is to be told by the channels that they set up."""
        return "alert" in self.then


class Event(Model):
    """An anomaly, a best value or a mishap, stored once: `dedupe` is unique."""

    id: str
    project_id: str | None = None
    run_id: str | None = None
    rule: str
    metric: str = ""
    step: int | None = None
    started_at: datetime
    created_at: datetime
    severity: Severity = "warning"
    value: float | None = None
    score: float | None = None
    threshold: float | None = None
    message: str = ""
    details: dict[str, Any] = Field(default_factory=dict)
    dedupe: str = ""


class Alert(Model):
    """An event on its way to somebody: by one channel, or by those that are still to be found (`channel` is "")."""

    id: str
    event_id: str
    channel: str
    # told: with another's message; logged: in the log alone, as no channel took it
    status: Literal["pending", "sending", "sent", "told", "failed", "skipped", "logged", "passed"]
    tries: int = 0
    next_at: datetime  # when it is sent; of a sent one until when others of its kind are held back
    note: str = ""
    created_at: datetime
    updated_at: datetime


class Snapshot(Model):
    """A copy of a run's state at an event. `mode` says how the checkpoint was kept."""

    id: str
    project_id: str
    event_id: str
    run_id: str
    status: Literal["pending", "done", "failed", "expired"] = "pending"  # expired: in the trash, or emptied from it
    mode: Literal["", "reflink", "copy", "pin", "none"] = ""
    path: str = ""
    size_bytes: int = 0
    checkpoint_id: str | None = None
    best_checkpoint_id: str | None = None
    reason: str = ""
    created_at: datetime
    updated_at: datetime


class Deletion(Model):
    """One line of the trash's journal: planned before the rename, moved after it."""

    id: str
    batch: str
    run_id: str
    checkpoint_id: str
    from_path: str
    trash_path: str
    parts: tuple[str, ...] = ()  # names beside both paths that go and come with it
    size_bytes: int
    reason: str
    status: Literal["planned", "moved", "restored", "refused", "emptying", "deleted"] = "planned"
    note: str = ""
    created_at: datetime
    updated_at: datetime


JobStatus = Literal["queued", "running", "finished", "failed", "killed", "interrupted", "lost", "cancelled"]
JOB_ENDED: frozenset[JobStatus] = frozenset({"finished", "failed", "killed", "interrupted", "lost", "cancelled"})


class Job(Model):
    """A program neat launches: its command, what it waits for, what it holds, how it ended."""

    id: str
    project_id: str
    name: str
    command: tuple[str, ...]
    cwd: str
    root: str = ""  # the project's folder it was queued in
    run_folder: str = ""  # relative to the project's root; "" where only the program knows
    kind: Literal["command", "train", "eval", "profile"] = "command"
    params: dict[str, Any] = Field(default_factory=dict)
    status: JobStatus = "queued"
    reason: str = ""
    why: str = ""  # what a person said it is for
    who: str = ""
    session: str | None = None
    group_name: str = "default"
    priority: int = 0  # the highest first
    place: int = 0  # among equals the least first; then the oldest
    after: tuple[str, ...] = ()  # jobs and studies that have to end first
    gpus: int = 0
    memory_bytes: int | None = None
    devices: tuple[tuple[str, int | None], ...] = ()  # the lease: device, bytes of it or None for the whole
    retries: int = 0  # how often it may be tried again when it fails
    retry_of: str | None = None
    python: str = ""
    branch: str = ""
    commit_id: str = ""
    dirty: int = 0  # files that were not as committed
    worktree: str = ""
    study_id: str | None = None
    trial: int | None = None
    pid: int | None = None
    exit_code: int | None = None
    peak_bytes: int | None = None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


StudyStatus = Literal["running", "finished", "failed", "cancelled"]
TrialStatus = Literal["planned", "queued", "running", "finished", "pruned", "failed", "cancelled"]
TRIAL_OPEN: frozenset[TrialStatus] = frozenset({"planned", "queued", "running"})


class Study(Model):
    """A search over parameters: what its file declared, and how it stands."""

    id: str
    project_id: str
    root: str
    name: str
    spec: dict[str, Any]  # as `studies/spec.py` reads it
    status: StudyStatus = "running"
    reason: str = ""
    who: str = ""
    session: str | None = None
    trials: int  # points of the search, those that a person added besides
    counted_from: int = 0  # trials before this one say nothing of whether it is hopeless
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None


class Trial(Model):
    """One point of a search, tried by a job: with what, and what came of it."""

    study_id: str
    number: int
    status: TrialStatus
    reason: str = ""
    params: dict[str, Any]
    derived: dict[str, Any] = Field(default_factory=dict)
    job_id: str | None = None
    run_id: str | None = None
    value: float | None = None
    value_step: int | None = None
    last_step: int | None = None
    diverged: bool = False
    pruned_step: int | None = None
    chosen_by: Literal["sampler", "person", "retry"] = "sampler"
    retry_of: int | None = None
    why: str = ""
    fingerprint: str
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in TRIAL_OPEN


class Request(Model):
    """Something to be done to the world by the daemon: launch, delete, undo."""

    id: str
    kind: str
    project_id: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
    status: Literal["pending", "running", "done", "failed"] = "pending"
    result: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime
    updated_at: datetime


class Maintenance(Model):
    """A job of the schedule as it ran: why, how it ended, what it said and freed."""

    id: str
    job: str
    cause: str  # schedule, missed, asked, disk; "seen" for one that was only met
    status: Literal["running", "done", "failed", "interrupted", "seen"] = "running"
    started_at: datetime
    ended_at: datetime | None = None
    summary: str = ""
    details: dict[str, Any] = Field(default_factory=dict)  # before_bytes, after_bytes, freed_bytes where it applies

    @property
    def took_s(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


class Change(Model):
    """One line of a record's history."""

    at: datetime
    who: str
    kind: str
    record_id: str
    field: str
    old: Any = None
    new: Any = None
