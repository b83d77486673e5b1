"""What `when` of a rule may be: the conditions, their limits and defaults.

Judges nothing and reads nothing. Invariant: a condition that exists is valid, so no detector checks its parameters again.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from neatd.models import Goal, Model
from neatd.rules.formula import Formula

# Strict, so that `k: "6"` or `k: true` is a mistake that is named and not a number that was guessed.
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]  # the limit bounds a detector's memory and its stored state
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


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
    direction: Literal["up", "down", "both"] = "up"
    # Also so far above in the logarithm: a loss near zero jumps by many deviations and means nothing.
    log_k: Share = 0.0
    # But not of a value so many times the largest that the run has shown so far. 0: of every value.
    record: Share = 0.0
    # A point is told when so many of the last `of` points were flagged, itself included.
    flagged: Annotated[Count, Field(ge=1)] = 1
    of: Annotated[Count, Field(ge=1, le=64)] = 1

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
        if self.flagged > self.of:
            raise ValueError(f"flagged {self.flagged} is more than the {self.of} points of `of`")
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
    # And so many deviations of the series itself, by its last changes: 0 takes every fall for one.
    noise_k: Share = 0.0
    # A series with more points than this is taken for one of batches: means of 20 are compared then. 0: never.
    dense_points: Count = 0


class Diverging(Model):
    """Medians of successive blocks that rise without a break, well above the lowest there was."""

    condition: Literal["diverging"] = "diverging"
    block: Annotated[Count, Field(ge=1)] = 10  # points
    blocks: Annotated[Count, Field(ge=2)] = 3  # in a row, each above the one before
    min_rise: Share = 0.2  # of |lowest block median|
    # And in standard errors of a block's median: the lowest of many noisy blocks lies far down by chance alone. Without
    # this, noise of 25 % made 120 false alarms in 10,000 steady points. Blocks of one point show no noise to measure.
    k: Share = 8.0


class Flagged(Model):
    """A condition that needs several of the last points."""

    flagged: Annotated[Count, Field(ge=1)] = 1
    of: Annotated[Count, Field(ge=1, le=1000)] = 1

    @model_validator(mode="after")
    def _can_ever_be_told(self) -> Self:
        if self.flagged > self.of:
            raise ValueError(f"flagged {self.flagged} is more than the {self.of} points of `of`")
        return self


class Shift(Model):
    """The median of the last `points` lies far from the median of the `window` before them: a level that changed."""

    condition: Literal["shift"] = "shift"
    direction: Literal["up", "down", "both"] = "up"
    scale: Literal["linear", "log"] = "log"
    points: Annotated[Count, Field(ge=2)] = 10
    window: Annotated[Count, Field(ge=4)] = 100
    k: Positive = 6.0  # in robust deviations of such medians
    min_change: Share = 0.3  # of |the earlier median|


class Jump(Model):
    """A value that differs from the last one by a ratio that no schedule makes: for learning rates.

    Sigma says nothing of a learning rate, which has no noise. A ratio that comes again (steps of a decay) and a rise
    that begins a schedule anew (warm restarts) are the schedule's own.
    """

    condition: Literal["jump"] = "jump"
    ratio: Annotated[Positive, Field(gt=1)] = 3.0
    direction: Literal["up", "down", "both"] = "both"
    min_points: Count = 5
    back_points: Count = (
        50  # a jump that goes back within so many points is a glitch; one that stays is told as a change
    )


class Limit(Flagged):
    """A value above, or below, a fixed number, `flagged` times in the last `of` points."""

    condition: Literal["above", "below"]
    limit: Number
    min_points: Count = 0
    cooldown_points: Annotated[Count, Field(ge=1)] = 10


class Zero(Flagged):
    """A value of exactly 0.0 after others: a batch whose loss is 0 was masked out, empty, or learnt by heart."""

    condition: Literal["exact_zero"] = "exact_zero"
    min_points: Count = 10
    cooldown_points: Annotated[Count, Field(ge=1)] = 25


class Stalled(Model):
    """So much more time between two points than usual that the run stood still. Points without a time tell nothing."""

    condition: Literal["stalled"] = "stalled"
    factor: Annotated[Positive, Field(gt=1)] = 20.0  # times the usual gap, also the longest of the usual pauses
    min_gap_s: Share = 30.0
    min_points: Annotated[Count, Field(ge=2)] = 20


class Plateau(Model):
    """No gain worth the name over the last `window` points, against the ones before."""

    condition: Literal["plateau"] = "plateau"
    goal: Goal
    window: Annotated[Count, Field(ge=2)] = 500
    min_improvement: Share = 0.005  # of |the best median before|
    min_points: Count = 1000


class Growth(Model):
    """A value that grows without end, by a robust slope: memory that leaks."""

    condition: Literal["growth"] = "growth"
    block: Annotated[Count, Field(ge=1)] = 20  # points; their median is one value of the slope
    blocks: Annotated[Count, Field(ge=4, le=200)] = 20  # of which most pairs must rise
    min_growth: Share = 0.1  # of the first median, over all blocks
    rising: Annotated[float, Field(strict=True, gt=0.5, le=1)] = 0.85  # of all pairs of blocks
    skip_points: Count = 50  # caches fill at the start


class Gap(Model):
    """An evaluation that gets worse while training gets better: overfitting."""

    condition: Literal["gap"] = "gap"
    against: tuple[Pattern, ...]  # the training series, of the same source
    goal: Goal = "min"
    min_gap: Share = 0.2  # of |training value|, or of 1 where it is less
    worse_evals: Annotated[Count, Field(ge=1)] = 4  # evaluations in a row above the best one
    min_rise: Share = 0.05  # of |best evaluation|
    min_points: Annotated[Count, Field(ge=2)] = 5


class Relation(Model):
    """A series that no longer stands to another as it did: a gradient's norm beside the loss of the same lines."""

    condition: Literal["relation"] = "relation"
    against: tuple[Pattern, ...]
    direction: Literal["up", "down"] = "down"
    points: Annotated[Count, Field(ge=5, le=200)] = 20  # of a block
    blocks: Annotated[Count, Field(ge=6, le=50)] = 10  # that the newest ones are compared with
    newest: Annotated[Count, Field(ge=1, le=10)] = 2
    k: Positive = 2.9  # in what a block's median usually changes by
    min_change: Share = 0.12
    calm: Share = 1.0  # how far the other series may have moved, in its own robust deviations


class Vanished(Model):
    """A series that comes no more while those that came with it go on, such as the gradient norm of a frozen layer.

    Of the series that the rule looks at, those of one step make a line. Lines count in which at least half of those that
    stood beside the series' last point go on, and nothing else: when a phase ends, most end with it or others begin.
    """

    condition: Literal["vanished"] = "vanished"
    points: Annotated[Count, Field(ge=1)] = 10  # such lines without it; three times as many as it ever left out before
    min_points: Annotated[Count, Field(ge=2)] = 30  # of the series, before anything is judged
    siblings: Annotated[Count, Field(ge=1)] = 2  # that go on, at least


class Expression(Model):
    """What no other condition covers: an expression over a point and its history, evaluated by simpleeval.

    Names: value, step, time, points, last, mean, median, deviation (robust), least, largest, best (of the last `window`
    finite values before the point) and other("name"), the last value of another series of the same source, or None.
    """

    condition: Literal["expression"] = "expression"
    expression: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    window: Annotated[Count, Field(ge=1)] = 100
    min_points: Count = 10
    flagged: Annotated[Count, Field(ge=1)] = 1
    of: Annotated[Count, Field(ge=1, le=1000)] = 1
    cooldown_points: Annotated[Count, Field(ge=1)] = 10

    @field_validator("expression")
    @classmethod
    def _can_be_read(cls, expression: str) -> str:
        Formula(expression)  # raises ValueError with what is wrong
        return expression


class Predictions(Model):
    """Of the predictions of one evaluation: right but with a high loss, wrong but with a low one, or turned about.

    A number is the loss itself; `auto` is taken from the run's own distribution, since chance is ln(classes).
    """

    condition: Literal["predictions"] = "predictions"
    kind: Literal["unsure", "overconfident", "inverted"]
    loss: Positive | Literal["auto"] = "auto"
    least: Annotated[Count, Field(ge=1)] = 50  # of each of the right and the wrong ones, for `auto` and `inverted`
    share: Share = 0.05  # of the right (wrong) ones that must be beyond the loss
    top: Annotated[Count, Field(ge=1, le=100)] = 10  # examples kept with the event


When = (
    NonFinite | Spike | Best | Drop | Diverging | Shift | Jump | Limit | Zero | Stalled | Plateau | Growth | Gap
    | Relation | Vanished | Expression | Predictions
)  # fmt: skip
