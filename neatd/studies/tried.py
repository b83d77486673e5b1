"""A study as its analysis sees it, whoever made it: what was tried, with what, and what came of it. Pure.

Invariant: every trial is one of four kinds, so counts by kind add up to all trials. That it diverged is said besides: such
a trial counts if it finished with a finite value, and has failed otherwise, whatever number was written down for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

Kind = Literal["counted", "pruned", "failed", "open"]
OPEN = frozenset({"planned", "queued", "running"})


class Tried(NamedTuple):
    """A trial. `params` were chosen, `derived` was made of them, `more` is whatever else was told of it."""

    number: int
    status: str  # planned, queued, running; finished, pruned, failed, cancelled
    params: Mapping[str, Any]
    derived: Mapping[str, Any] = {}
    value: float | None = None
    value_step: int | None = None
    diverged: str = ""  # why it is said to have diverged; "" where it has not
    reason: str = ""
    seconds: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    chosen_by: str = ""  # sampler, person or retry
    retry_of: int | None = None
    why: str = ""
    run: str = ""
    job: str = ""
    more: Mapping[str, Any] = {}
    space: Mapping[str, str] = {}  # parameter -> its distribution, as Optuna writes it in JSON

    @property
    def kind(self) -> Kind:
        """Which of the four it is."""
        if self.status in OPEN:
            return "open"
        if self.status == "pruned":
            return "pruned"
        has_value = self.value is not None and math.isfinite(self.value)
        return "counted" if self.status == "finished" and has_value else "failed"

    @property
    def all_values(self) -> dict[str, Any]:
        """What was chosen and what was made of it: its architecture, whole."""
        return {**self.derived, **self.params}


class Searched(NamedTuple):
    """A study with all its trials."""

    name: str
    source: str  # where it comes from: neat, or the file
    metric: str
    goal: Literal["min", "max"]
    trials: tuple[Tried, ...]
    planned: int | None = None  # points that it was to try
    budget: str = ""  # what limits the points besides their ranges, in words
    spec: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()  # what a reader has to know of how it was read

    @property
    def last_tries(self) -> tuple[Tried, ...]:
        """The trials without those that were lost and tried again."""
        again = {one.retry_of for one in self.trials}
        return tuple(one for one in self.trials if one.number not in again)

    @property
    def counted(self) -> list[Tried]:
        """The trials whose values are compared."""
        return [one for one in self.trials if one.kind == "counted"]

    def is_better(self, value: float, than: float) -> bool:
        """Whether one value is better than another."""
        return value < than if self.goal == "min" else value > than


def value_of(trial: Tried) -> float:
    """The value of a trial that counts."""
    assert trial.value is not None
    return trial.value


def best_of(trials: Sequence[Tried], goal: str) -> Tried | None:
    """The best of trials that count; of equal ones the first."""
    sign = 1 if goal == "min" else -1
    return min(trials, key=lambda one: (sign * value_of(one), one.number), default=None)
