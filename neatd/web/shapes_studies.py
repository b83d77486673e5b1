"""Studies as types: what `/api/studies` and what is below it answer. Fields are only ever added; each allows more."""

from __future__ import annotations

from typing import Any

from neatd.web.shapes import Number, Shape


class BestTrial(Shape):
    """The best trial so far."""

    trial: int
    value: Number
    step: int | None
    params: dict[str, Any]
    derived: dict[str, Any]
    run: str | None


class StudyShape(Shape):
    """How a study stands."""

    id: str
    name: str
    status: str
    reason: str
    trials: int
    ended: int
    metric: str
    goal: str
    best: BestTrial | None
    created_at: str
    ended_at: str | None


class StudyDetail(StudyShape):
    """The same with what stood in its file."""

    spec: dict[str, Any]


class TrialShape(Shape):
    """A point of the search as it ended the last time. `kind` is counted, pruned, failed or open."""

    number: int
    status: str
    kind: str
    params: dict[str, Any]
    derived: dict[str, Any]
    value: Number | None
    is_diverged: bool
    reason: str
    seconds: float | None
    started_at: str | None
    ended_at: str | None
    run: str
    job: str


class AnalysisShape(Shape):
    """What a study showed."""

    name: str
    metric: str
    goal: str
    importances: dict[str, Any]
    parameters: list[dict[str, Any]]
    history: list[dict[str, Any]]
    notes: list[str]
