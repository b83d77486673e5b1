"""Comparisons as types: what `/api/compare` answers. Fields are only ever added; each allows more."""

from __future__ import annotations

from typing import Any

from neatd.web.shapes import Number, Shape


class SideShape(Shape):
    """A run of a comparison. `delta`, `code` and `not_comparable` are against the first one."""

    id: str
    name: str
    status: str
    reason: str
    step: int | None
    value: Number | None
    delta: Number | None
    is_comparable: bool | None
    not_comparable: list[str]
    commit: str
    is_dirty: bool
    code: str


class SharedShape(Shape):
    """A series that at least two of the runs have: one value for each run, null where it has none."""

    name: str
    goal: str | None
    last: list[Number | None]
    last_step: list[int | None]
    best: list[Number | None]
    best_step: list[int | None]


class ChangesShape(Shape):
    """The code that a run stood on."""

    commit: str
    branch: str
    subject: str
    is_repo: bool
    dirty: list[str]
    untracked: list[str]
    unnamed: int


class ComparisonShape(Shape):
    """Runs side by side. `parameters` are those that differ, `same` those that do not."""

    metric: str
    goal: str | None
    runs: list[SideShape]
    series: list[SharedShape]
    parameters: dict[str, list[Any]]
    same: dict[str, Any]
    changes: list[ChangesShape]
