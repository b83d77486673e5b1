"""What the API tells of one run besides its numbers, as types: marks, predictions, checkpoints."""

from __future__ import annotations

from typing import Any, Literal

from neatd.web.shapes import Number, Shape


class RailMark(Shape):
    """Something that happened. `near_step` and `near_time` come close to what is not known of it."""

    kind: Literal["checkpoint", "evaluation", "event", "commit", "restart", "note"]
    step: int | None
    time: float | None
    text: str
    id: str | None
    severity: str | None
    details: dict[str, Any]
    near_step: float | None
    near_time: float | None


class Rail(Shape):
    """Marks in their order, and by kind how many are not among them."""

    marks: list[RailMark]
    left_out: dict[str, int]


class Suspects(Shape):
    """Predictions that look wrong, and the losses beyond which they do."""

    limits: dict[str, dict[str, Any]]
    examples: list[dict[str, Any]]
    is_cut: bool


class Predicted(Shape):
    """How the accuracy goes, null where nothing tells it, and the predictions that look wrong."""

    trends: dict[str, Any] | None
    suspects: Suspects


class KeptCheckpoint(Shape):
    """A checkpoint, where it stands, and why."""

    id: str
    path: str
    step: int | None
    size_bytes: int
    completed_at: str
    status: str
    stands: str
    reasons: list[str]
    best_of: list[str]


class KeptCheckpoints(Shape):
    """Checkpoints, the newest first, with what the policy would free."""

    checkpoints: list[KeptCheckpoint]
    more: int
    bytes_before: Number | None
    bytes_freed: Number | None
    bytes_after: Number | None
    note: str
    best: list[dict[str, Any]]
