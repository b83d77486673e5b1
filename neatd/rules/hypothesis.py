"""Predictions written before a run, and the verdict computed from it. Pure.

`val/dice > 0.20` is supported when the best value the run reached says so; `val/loss < baseline - 2%` compares with the
best of the baseline run, 2 % being of that value.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.models import SeriesFact

_FORM = re.compile(
    r"^\s*(?P<metric>[^<>=\s][^<>=]*?)\s*(?P<op><=|>=|<|>)\s*"
    r"(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|baseline(?:\s*(?P<sign>[-+])\s*(?P<percent>\d+\.?\d*)\s*%)?)\s*$"
)


class Prediction(NamedTuple):
    """`metric op number`, or relative to the baseline by `percent` of its value when `number` is None."""

    metric: str
    op: str
    number: float | None
    percent: float


class HypothesisVerdict(NamedTuple):
    """supported, refuted or undecided, the reason with its numbers, and the evidence to store."""

    verdict: str
    reason: str
    evidence: list[dict[str, Any]]


def parse_prediction(text: str) -> Prediction:
    """Read a prediction; raises NeatError showing the two forms when it is neither."""
    found = _FORM.match(text)
    if not found:
        raise NeatError(
            f"not a prediction: {text!r}", 'write METRIC < NUMBER or METRIC < baseline - 2%, e.g. "val/dice > 0.20"'
        )
    percent = float(found["percent"] or 0) * (-1 if found["sign"] == "-" else 1)
    number = None if found["number"] is None else float(found["number"])
    return Prediction(found["metric"], found["op"], number, percent)


def best_of(prediction: Prediction, fact: SeriesFact) -> tuple[float, int] | None:
    """(value, step) of the best the series reached in the prediction's direction."""
    value, step = (fact.min, fact.min_step) if "<" in prediction.op else (fact.max, fact.max_step)
    return None if value is None or step is None else (value, step)


def judge_hypothesis(
    prediction: Prediction, run_id: str, series: dict[str, SeriesFact], baseline: dict[str, SeriesFact] | None
) -> HypothesisVerdict:
    """The verdict of an ended run. `baseline` are the baseline run's series, None when no baseline is named."""
    fact = series.get(prediction.metric)
    reached = best_of(prediction, fact) if fact else None
    if reached is None:
        return HypothesisVerdict("undecided", f"the run has no finite value of {prediction.metric}", [])
    target = _target(prediction, baseline)
    if target is None:
        return HypothesisVerdict("undecided", f"there is no baseline value of {prediction.metric}", [])
    value, step = reached
    is_met = {"<": value < target, "<=": value <= target, ">": value > target, ">=": value >= target}[prediction.op]
    reason = f"{prediction.metric} reached {value:.4g} at step {step}; predicted {prediction.op} {target:.4g}"
    evidence = [{"run": run_id, "metric": prediction.metric, "step": step, "value": value}]
    return HypothesisVerdict("supported" if is_met else "refuted", reason, evidence)


def _target(prediction: Prediction, baseline: dict[str, SeriesFact] | None) -> float | None:
    if prediction.number is not None:
        return prediction.number
    fact = (baseline or {}).get(prediction.metric)
    reached = best_of(prediction, fact) if fact else None
    return None if reached is None else reached[0] + abs(reached[0]) * prediction.percent / 100
