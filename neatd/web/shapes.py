"""The API's answers as types, for programs that read /openapi.json. Fields are only ever added; each allows more."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Number = float | Literal["NaN", "Infinity", "-Infinity"]
Point = tuple[int, Number, float | None]  # step, value, unix seconds


class Shape(BaseModel):
    """An answer that may have more fields than it tells."""

    model_config = ConfigDict(extra="allow", defer_build=True)  # few are ever used but by /openapi.json


class Told(Shape):
    """What went wrong, and what to do."""

    error: str
    hint: str


class RunShape(Shape):
    """A run in short."""

    id: str
    name: str
    status: str
    reason: str
    project: str
    folder: str
    step: int | None
    started_at: str
    updated_at: str


class SeriesFacts(Shape):
    """A series in numbers."""

    points: int
    first_step: int | None
    last_step: int | None
    last: Number | None
    best: Number | None


class RunStudy(Shape):
    """The study that a run is a trial of, and how the trial stands there."""

    id: str
    name: str
    trial: int
    status: str
    reason: str


class RunDetail(RunShape):
    """A run with what belongs to it."""

    series: dict[str, SeriesFacts]
    checkpoints: list[dict[str, Any]]
    events: list[dict[str, Any]]
    config: dict[str, Any]
    study: RunStudy | None
    git: dict[str, Any]


class DrawnSeries(Shape):
    """Points of one series at a resolution; what restarts gave up by attempt."""

    points: list[Point]
    total: int
    is_whole: bool
    abandoned: list[list[Point]]


class DrawnRun(Shape):
    """The series of one run, and where they go on."""

    name: str
    cursor: str
    attempt: int
    started_at: str
    series: dict[str, DrawnSeries]


class SeriesAnswer(Shape):
    """Points of several runs; `missing` are the words that name none."""

    runs: dict[str, DrawnRun]
    missing: list[str]
