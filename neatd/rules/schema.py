"""What a rule is: one YAML file is one Rule, and `when` is one of five conditions.

Holds the fields, their limits and defaults; judges nothing and reads nothing. Invariant: a Rule that exists is
valid, so no detector checks its parameters again.
"""

from __future__ import annotations

import hashlib
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from neatd.models import Goal, Model, Severity

# Strict, so that `k: "6"` or `k: true` is a mistake that is named and not a number that was guessed.
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]  # the limit bounds a detector's memory and its stored state
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Consequence = Literal["event", "snapshot"]

# Raised when a detector's state changes its meaning: every stored state is then left aside and begun anew.
STATE_FORMAT = 1


class NonFinite(Model):
    """A NaN or an infinity after a finite value, or at the start."""

    condition: Literal["non_finite"] = "non_finite"


class Spike(Model):
    """A value far above its own recent history, in robust or standard deviations."""

    condition: Literal["spike"] = "spike"
    estimator: Literal["robust", "zscore"] = "robust"
    # 6 robust deviations made 0 to 31 false alarms in 10,000 steps of four noises, where 3 plain ones made 12 to 136.
    k: Positive = 6.0
    window: Annotated[Count, Field(ge=2)] = 100  # points
    min_points: Annotated[Count, Field(ge=2)] = 30  # in the window before anything is judged
    min_rise: Share = 0.10  # of |centre|: a rise below a tenth is no event, however quiet the series was
    cooldown_points: Count = 25  # unflagged points in a row that end an episode

    @model_validator(mode="before")
    @classmethod
    def _literal_zscore(cls, data: Any) -> Any:
        """`estimator: zscore` means the plain rule that people know: k of 3, and no guard."""
        if isinstance(data, dict) and data.get("estimator") == "zscore":
            return {"k": 3.0, "min_rise": 0.0} | data
        return data

    @model_validator(mode="after")
    def _can_ever_judge(self) -> Spike:
        if self.min_points > self.window:
            raise ValueError(f"min_points {self.min_points} is more than the window of {self.window} ever holds")
        return self


class Best(Model):
    """A value better than every earlier one, and by enough over the last one that was reported."""

    condition: Literal["best"] = "best"
    goal: Goal
    min_points: Count = 3  # before anything is reported: the first evaluations of a run are all "best"
    min_improvement: Share = 0.01  # of |last reported value|: bounds the reports of a slowly falling loss


class Drop(Model):
    """A value, of which more is better, far below the best so far."""

    condition: Literal["drop"] = "drop"
    fraction: Annotated[Share, Field(gt=0, lt=1)] = 0.10
    of: Literal["relative", "points"] = "relative"
    min_points: Annotated[Count, Field(ge=1)] = 3  # before anything is judged
    # Points in a row that are back, before an episode ends: an accuracy of single batches jumps over the line and back.
    cooldown_points: Annotated[Count, Field(ge=1)] = 3


class Diverging(Model):
    """Medians of successive blocks that rise without a break, well above the lowest there was."""

    condition: Literal["diverging"] = "diverging"
    block: Annotated[Count, Field(ge=1)] = 10  # points
    blocks: Annotated[Count, Field(ge=2)] = 3  # in a row, each above the one before
    min_rise: Share = 0.2  # of |lowest block median|
    # And in standard errors of a block's median: the lowest of many noisy blocks lies far down by chance alone. Without
    # this, noise of 25 % made 120 false alarms in 10,000 steady points. Blocks of one point show no noise to measure.
    k: Share = 8.0


When = NonFinite | Spike | Best | Drop | Diverging


class Rule(Model):
    """One rule: which series it looks at, what it looks for, and what follows."""

    rule: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=80)]
    description: str = ""
    enabled: Annotated[bool, Field(strict=True)] = True
    metrics: tuple[Pattern, ...]
    exclude: tuple[Pattern, ...] = ()
    when: Annotated[When, Field(discriminator="condition")]
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
        """Whether the rule looks at the series `metric`. Case counts, on every system alike."""
        return any(fnmatchcase(metric, p) for p in self.metrics) and not any(
            fnmatchcase(metric, p) for p in self.exclude
        )

    @property
    def wants_snapshot(self) -> bool:
        """Whether its events ask for the checkpoint from before to be kept."""
        return "snapshot" in self.then

    @property
    def state_key(self) -> str:
        """Name and hash of what it judges by. A new description or severity keeps the history; a new `k` does not."""
        definition = f"{STATE_FORMAT}:{self.when.model_dump_json()}"
        return f"{self.rule}:{hashlib.sha256(definition.encode()).hexdigest()[:12]}"
