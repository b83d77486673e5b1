"""Answers about records as types."""

from __future__ import annotations

from typing import Any

from neatd.web.shapes import Shape


class RecordShape(Shape):
    """A record of any kind; its kind's own fields come besides."""

    id: str
    kind: str
    project_id: str | None
    title: str
    body: str
    status: str
    tags: list[str]
    created_at: str
    updated_at: str
    source: str
    evidence: list[dict[str, Any]]
    stale: str  # why it may no longer hold; "" when it holds
    is_closed: bool
    unverified: list[str]  # fields with numbers that no evidence has
    run_id: str | None  # of the run that it names, where that is there
    run_names: dict[str, str]  # of the runs in its evidence


class Tied(Shape):
    """What is at the other end of a link or a reference."""

    id: str
    kind: str
    title: str
    status: str


class RecordPage(RecordShape):
    """A record with what it is tied to and what became of it."""

    is_deleted: bool
    superseded_by: list[str]
    links: list[dict[str, str]]
    history: list[dict[str, Any]]
    linked: dict[str, Tied]


class HitShape(Shape):
    """One found record; `excerpt` marks the words with [ ]."""

    id: str
    kind: str
    title: str
    status: str
    created_at: str
    excerpt: str
    branch: str


class BriefShape(Shape):
    """The brief as an assistant sees it, and what it may take."""

    text: str
    bytes: int
    budget_bytes: int
    project: str
    project_id: str
