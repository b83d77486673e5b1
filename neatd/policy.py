"""What is kept of a run's checkpoints: the policy, and the plan that it makes of a run's catalogue. Pure.

Frozen values; `actions/retention.py` plans with them. Invariant: a policy that exists keeps something.
"""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from neatd.models import Checkpoint, Goal, Model

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(\d{1,6}(?:\.\d+)?)\s*([mhdw])")


class RetentionPolicy(Model):
    """What is kept of a run's checkpoints: whatever any of these keeps, stays. 0 turns a rule off.

    The first three numbers are seed practice: 20 recent, 20 at half density, every 1000th step.
    """

    newest: int = Field(default=20, ge=0)
    half: int = Field(default=20, ge=0)  # every second of so many before the newest
    every_steps: int = Field(default=1000, ge=0)  # the save nearest to each multiple
    every_saves: int = Field(default=0, ge=0)  # every k-th save, counted from the first of the run
    best_n: int = Field(default=1, ge=1)  # so many of the best values of each metric; the best itself stays always
    best_metrics: dict[str, Goal] = Field(default_factory=dict)  # besides the primary metric or all evaluations
    younger_than: str = ""  # 90m, 36h, 2d, 1w
    hourly: int = Field(default=0, ge=0)  # the first save of each of the last so many hours that have one
    daily: int = Field(default=0, ge=0)  # likewise of days (UTC)

    @field_validator("younger_than")
    @classmethod
    def _is_age(cls, value: str) -> str:
        if value and not _AGE.fullmatch(value):
            raise ValueError("write a number and m, h, d or w, as in 90m, 36h, 2d, 1w")
        return value

    @model_validator(mode="after")
    def _keeps_something(self) -> RetentionPolicy:
        """An empty policy is a mistake of typing, and not the wish to lose everything."""
        if not (self._goes_by_place or self.goes_by_age or self.best_n > 1 or self.best_metrics):
            raise ValueError("keeps nothing: every rule is turned off; leave one on, as in newest: 1")
        return self

    @property
    def younger_s(self) -> float:
        """The age up to which everything stays; 0: by no age."""
        found = _AGE.fullmatch(self.younger_than)
        return float(found[1]) * _SECONDS[found[2]] if found else 0.0

    @property
    def goes_by_age(self) -> bool:
        """Whether a checkpoint's time decides anything."""
        return bool(self.younger_s or self.hourly or self.daily)

    @property
    def is_best_alone(self) -> bool:
        """Whether nothing but values keeps a checkpoint: a run without values must then lose nothing."""
        return not (self._goes_by_place or self.goes_by_age)

    @property
    def _goes_by_place(self) -> bool:
        return bool(self.newest or self.half or self.every_steps or self.every_saves)


class Kept(Model):
    """A checkpoint that stays, with every reason for it."""

    checkpoint: Checkpoint
    reasons: tuple[str, ...]


class Dropped(Model):
    """A checkpoint that goes, with the reason."""

    checkpoint: Checkpoint
    reason: str


class RetentionPlan(Model):
    """What a policy says of one run's catalogue. Nothing has been done yet."""

    run_id: str
    keep: tuple[Kept, ...] = ()
    delete: tuple[Dropped, ...] = ()
    note: str = ""  # why nothing could be judged

    @property
    def bytes_before(self) -> int:
        return sum(k.checkpoint.size_bytes for k in self.keep) + self.bytes_freed

    @property
    def bytes_freed(self) -> int:
        return sum(d.checkpoint.size_bytes for d in self.delete)

    @property
    def is_most(self) -> bool:
        """Whether more than half of the run's bytes would go."""
        return 2 * self.bytes_freed > self.bytes_before
