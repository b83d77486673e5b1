"""What a rule is: one YAML file is one Rule. Its conditions are in `rules/conditions.py`.

Holds the fields, their limits and defaults; judges nothing and reads nothing. Invariant: a Rule that exists is valid.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from neatd.models import Model, Severity
from neatd.now import is_system
from neatd.rules.conditions import Count, Pattern, When
from neatd.rules.fitting import fits, is_evaluation

Consequence = Literal["event", "snapshot", "alert", "bug", "pause_queue", "stop"]
Phase = Literal["any", "train", "eval"]

# Raised when a detector's state changes its meaning: every stored state is then left aside and begun anew.
STATE_FORMAT = 3


class Guard(Model):
    """When a rule holds its tongue, whatever its condition says."""

    min_points: Count = 0  # finite points of the attempt before anything is told
    warmup_steps: Annotated[int, Field(strict=True, ge=0)] = 0  # from the first step of the attempt
    resume_points: Count = 0  # after a restart
    schedule_points: Count = 0  # after the learning rate jumped, in lines of the source


class Budget(Model):
    """How much a rule may say and keep."""

    cooldown_points: Annotated[Count, Field(ge=1)] = 10  # points back within the threshold that end an episode
    storm_points: Count = 25  # lines in which other series say the same: one event with their names
    snapshots_per_hour: Annotated[Count, Field(ge=0, le=1000)] = 6  # of one run by one rule
    keep_beaten: Annotated[bool, Field(strict=True)] = (
        False  # best values that were beaten keep their snapshots for ever
    )


class Rule(Model):
    """One rule: which series it looks at, what it looks for, and what follows."""

    rule: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=80)]
    description: str = ""
    enabled: Annotated[bool, Field(strict=True)] = True
    metrics: tuple[Pattern, ...]
    exclude: tuple[Pattern, ...] = ()
    phase: Phase = "any"
    when: Annotated[When, Field(discriminator="condition")]
    guard: Guard = Guard()
    budget: Budget = Budget()
    severity: Severity = "warning"
    then: tuple[Consequence, ...] = ("event",)

    @field_validator("metrics")
    @classmethod
    def _looks_at_something(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        if not metrics:
            raise ValueError("needs at least one pattern")
        return metrics

    @field_validator("then")
    @classmethod
    def _always_an_event(cls, then: tuple[Consequence, ...]) -> tuple[Consequence, ...]:
        return tuple(dict.fromkeys(("event", *then)))

    def matches(self, metric: str) -> bool:
        """Whether the rule looks at the series `metric`. Case does not count.

        What the machine tells (system/…) is looked at by patterns that say "system", and not by "*".
        """
        patterns = [p for p in self.metrics if "system" in p] if is_system(metric) else self.metrics
        if not fits(metric, patterns) or fits(metric, self.exclude):
            return False
        return self.phase == "any" or is_evaluation(metric) == (self.phase == "eval")

    @property
    def wants_snapshot(self) -> bool:
        """Whether its events ask for the checkpoint from before to be kept."""
        return "snapshot" in self.then

    @property
    def state_key(self) -> str:
        """Name and hash of what it judges by. A new description or severity keeps the history; a new `k` does not."""
        definition = f"{STATE_FORMAT}:{self.when.model_dump_json()}{self.guard.model_dump_json()}"
        return f"{self.rule}:{hashlib.sha256(definition.encode()).hexdigest()[:12]}"
