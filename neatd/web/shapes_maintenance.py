"""Answers about upkeep and retention as types, and what is asked for there."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from neatd.web.api.given import Word
from neatd.web.shapes import Shape


class ScheduledShape(Shape):
    """A job of the schedule: when it comes, how it went."""

    job: str
    what: str
    cron: str
    times: str
    enabled: bool
    next: str | None
    is_due: bool
    last: dict[str, Any] | None


class BackupShape(Shape):
    """A backup's file."""

    file: str
    label: str
    at: str
    age_s: float
    size_bytes: int


class FindingShape(Shape):
    """What was looked at, how it stands, how to mend it."""

    what: str
    state: Literal["ok", "note", "bad"]
    text: str
    mend: str


class ConsentShape(Shape):
    """Something that is allowed or not; `type` is the command that changes that."""

    what: str
    meaning: str
    since: str | None
    type: str


class PlanShape(Shape):
    """What would go of a run, and why the rest stays."""

    run: str
    name: str
    project_id: str
    bytes_before: int
    bytes_freed: int
    bytes_after: int
    keep: list[dict[str, Any]]
    delete: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    needs_yes: bool
    note: str


class BatchesShape(Shape):
    """What lies in the trash, by the batch."""

    batches: list[dict[str, Any]]
    more: int
    checkpoints: int
    bytes: int


class RequestShape(Shape):
    """Something that neatd was asked to do, and what became of it."""

    id: str | None  # None where nothing was left to do
    kind: str
    status: Literal["pending", "running", "done", "failed"]
    result: dict[str, Any]
    said: str  # how far it has come


class Asking(BaseModel):
    """A body that holds nothing else than it says."""

    model_config = ConfigDict(extra="forbid")


class MaintainAsked(Asking):
    """A job of maintenance to be run now."""

    job: Word


class ApplyAsked(Asking):
    """What the plan gives up to be moved into the trash: of one run, or of all of the project's folder."""

    project: Word | None = None
    run: Word | None = Field(default=None, min_length=1)
    yes: bool = Field(
        default=False, description="also more than half of a run's bytes; of all runs: agrees to the policy"
    )


class UndoAsked(Asking):
    """A batch to be brought back from the trash."""

    batch: Word = Field(min_length=1)
    project: Word | None = None


class StopAsked(Asking):
    """How a job is to be ended."""

    force: bool = Field(default=False, description="by KILL at once: it saves nothing")
