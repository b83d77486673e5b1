"""The records of people and assistants as frozen models, one class a kind. The same kinds and fields as in `kinds.py`,
which the short commands read because this module loads pydantic; a test compares the two and the tables.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from neatd.kinds import CLOSED
from neatd.models import Model


class Record(Model):
    """The fields every kind of record has."""

    id: str
    project_id: str | None = None
    title: str = ""
    body: str = ""
    status: str = "open"
    tags: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime
    source: str = "person"  # person, an assistant's name, daemon, import
    worktree: str = ""
    branch: str = ""
    commit: str = ""
    evidence: tuple[dict[str, Any], ...] = ()  # {run, metric, step, value, source, hash}
    valid_while: tuple[str, ...] = ()  # conditions: "file PATH HASH", "ancestor COMMIT", "run ID"
    origin: tuple[str, ...] = ()  # where it was imported from: "notes/log.md:12-15"
    deleted_at: str = ""  # the record is deleted while this is later than restored_at; both only grow
    restored_at: str = ""

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at > self.restored_at

    @property
    def is_closed(self) -> bool:
        return self.status.lower() in CLOSED


class Note(Record):
    """Something worth keeping that is none of the other kinds."""


class Decision(Record):
    """What was decided, and why; what else was possible; what follows."""

    why: str = ""
    context: str = ""
    alternative: tuple[str, ...] = ()
    implication: tuple[str, ...] = ()
    supersedes: str = ""


class Hypothesis(Record):
    """A claim with a prediction written before the run, and the verdict computed from the run."""

    predict: str = ""
    run: str = ""
    study: str = ""
    experiment: str = ""
    verdict: str = ""  # "", supported, refuted, undecided
    verdict_reason: str = ""


class Bug(Record):
    """A fault: what caused it, what fixed it, what was measured before and after, what is still to do."""

    cause: str = ""
    fix: str = ""
    follow_up: str = ""
    before: str = ""
    after: str = ""
    file: tuple[str, ...] = ()


class Task(Record):
    """A next step; `position` orders the open ones, smallest first; `plan` is its checkbox in the plan file."""

    after: str = ""
    position: float = 0.0
    parent: str = ""
    horizon: str = ""
    phase: str = ""
    plan: str = ""


class Insight(Record):
    """What was understood of a part of the system."""

    component: str = ""
    phase: str = ""
    forever: bool = False


class Preference(Record):
    """How the person wants it: authoritative, in every brief word for word."""

    about: str = ""


class Phase(Record):
    """A phase of the project; `status` is free text. The one changed last is the current one."""


class Machine(Record):
    """A machine that is trained on. Host, port and key stay out of documents unless allowed."""

    host: str = ""
    port: str = ""
    key: str = ""
    gpu: str = ""
    driver: str = ""
    provider: str = ""
    memory: str = ""


class Command(Record):
    """A command to run: the title is the command, the body the rest of a longer one."""

    about: str = ""


class Style(Record):
    """A rule of code style."""

    about: str = ""


class Document(Record):
    """A document people should know; its status is draft, approved or implemented."""

    path: str = ""
    must_read: bool = False


class Assessment(Record):
    """Where things stand, as somebody judged it."""

    component: str = ""
    phase: str = ""


class Lesson(Record):
    """What was learned the hard way."""

    phase: str = ""


class Challenge(Record):
    """What lies ahead and is hard."""

    phase: str = ""


class Goal(Record):
    """What it is all for."""

    horizon: str = ""


class TestRun(Record):
    """A run of the project's tests. `tree` is the state of the files it tested."""

    command: str = ""
    exit_code: int | None = None
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failing: tuple[str, ...] = ()
    seconds: float | None = None
    tree: str = ""


class Data(Record):
    """One version of a data file or folder."""

    path: str = ""
    stage: str = ""  # raw or processed
    hash: str = ""
    size_bytes: int | None = None
    rows: int | None = None
    files: int | None = None


class Experiment(Record):
    """An experiment that no watched run tells of: done elsewhere, or planned. `params` are its columns by name."""

    metric: str = ""
    value: float | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    run: str = ""


class Change(Record):
    """What was changed, with before and after."""

    before: str = ""
    after: str = ""
    file: tuple[str, ...] = ()


class Service(Record):
    """A service that runs beside the training."""

    url: str = ""
    about: str = ""


class Session(Record):
    """A working session of a person or an assistant."""

    started: str = ""
    ended: str = ""
    assistant: str = ""
    file: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()  # "1f2e3d4c subject"
    records: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


class Handoff(Record):
    """A handoff as it was written: the body is its text."""

    previous: str = ""
    template: str = ""
    records: tuple[str, ...] = ()


RECORD_KINDS: dict[str, type[Record]] = {
    "note": Note, "decision": Decision, "hypothesis": Hypothesis, "bug": Bug, "task": Task, "insight": Insight,
    "preference": Preference, "phase": Phase, "machine": Machine, "command": Command, "style": Style,
    "document": Document, "assessment": Assessment, "lesson": Lesson, "challenge": Challenge, "goal": Goal,
    "test": TestRun, "data": Data, "experiment": Experiment, "change": Change, "service": Service, "session": Session,
    "handoff": Handoff,
}  # fmt: skip
