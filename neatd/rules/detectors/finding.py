"""What every detector is: points of one series in, at most one finding a point out, and a state that can be kept.

Invariant of all detectors: `dump`, JSON, `restore` in a new one at any point changes no later finding. So a state
holds finite numbers, whole numbers, booleans and lists of them, and nothing is remembered beside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Finding(NamedTuple):
    """Why a point is worth an event. `why` goes on from "loss 4.91 at step 210: "."""

    why: str
    score: float | None = None
    threshold: float | None = None
    since: int | None = None  # the step at which it began, where several points were needed to tell


Found = list[tuple[int, Finding]]
"""Findings of a stretch of points, each with the place of its point, in order."""


class Detector(Protocol):
    """One condition over one series. Points come in file order; values may be NaN or infinite."""

    def feed(self, step: int, value: float) -> Finding | None:
        """Take the next point in; a finding if it fires there."""

    def feed_many(self, steps: Any, values: Any) -> Found:
        """Take the next points in, numpy arrays of int64 and float64: what `feed` of one after the other gives."""

    def restart(self, first_step: int) -> None:
        """The run began anew from before `first_step`: forget what the abandoned points told."""

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the state that `dump` gave."""
