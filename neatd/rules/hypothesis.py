"""Predictions written before a run, and the verdict computed from it. Pure.

`val/dice > 0.20` is supported when the best value the run reached says so; `val/loss < baseline - 2%` compares with the
best of the baseline run, 2 % being of that value, and `baseline - 0.05` means 0.05 of the metric. `at step 1000`,
`by step 1000` and `at end` say when; the baseline is then measured at the same moment. Of several runs (a study) the
best one decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from neatd.errors import NeatError
from neatd.models import SeriesFact
from neatd.now import is_system

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FORM = re.compile(
    r"^\s*(?P<metric>[^<>=\s][^<>=]*?)\s*(?P<op><=|>=|<|>)\s*"
    rf"(?:(?P<number>[-+]?{_NUMBER})|baseline(?:\s*(?P<sign>[-+])\s*(?P<by>{_NUMBER})\s*(?P<percent>%)?)?)"
    r"(?:\s+(?P<when>at|by)\s+(?:step\s+(?P<step>\d{1,18})|(?P<end>end)))?\s*$"
)
_HINT = (
    "write METRIC < NUMBER, METRIC < baseline - 2% or METRIC < baseline - 0.05, and if it matters"
    ' `at step 1000`, `by step 1000` or `at end`, e.g. "val/dice > 0.20"'
)


class Prediction(NamedTuple):
    """`metric op number`; with `number` None relative to the baseline, by `percent` of its value plus `offset`."""

    metric: str
    op: str
    number: float | None
    percent: float = 0.0
    offset: float = 0.0
    moment: Literal["best", "at", "by", "end"] = "best"
    step: int = 0  # for `at` and `by`


class Measured(NamedTuple):
    """An ended run as a prediction needs it. `points` are (step, value) of the predicted metric, for `at` and `by`."""

    run: str
    name: str
    series: Mapping[str, SeriesFact]
    points: Sequence[tuple[int, float]] = ()
    is_finished: bool = False  # it ended as planned: no later step was ever to come


class HypothesisVerdict(NamedTuple):
    """supported, refuted or undecided, the reason with its numbers, and the evidence to store."""

    verdict: str
    reason: str
    evidence: list[dict[str, Any]]


class _Reached(NamedTuple):
    of: Measured
    value: float
    step: int


def parse_prediction(text: str) -> Prediction:
    """Read a prediction; raises NeatError showing the forms when it is none."""
    found = _FORM.match(text)
    numbers = [float(found[name] or 0) for name in ("number", "by")] if found else []
    if not found or (found["when"] == "by" and found["end"]) or not all(map(math.isfinite, numbers)):
        raise NeatError(f"not a prediction: {text!r}", _HINT)
    number = None if found["number"] is None else numbers[0]
    by = numbers[1] * (-1 if found["sign"] == "-" else 1)
    percent, offset = (by, 0.0) if found["percent"] else (0.0, by)
    moment: Any = "end" if found["end"] else found["when"] or "best"
    return Prediction(found["metric"], found["op"], number, percent, offset, moment, int(found["step"] or 0))


def judge_hypothesis(
    prediction: Prediction, runs: Sequence[Measured], baseline: Measured | None = None
) -> HypothesisVerdict:
    """The verdict of ended runs, the best of which decides. `baseline` is None when no baseline is named."""
    answers = [_measure(prediction, one) for one in runs]
    reached = [one for one in answers if isinstance(one, _Reached)]
    if not reached:
        whys = [one for one in answers if isinstance(one, str)]
        return HypothesisVerdict("undecided", whys[0] if whys else "no run has ended", [])
    best = min(reached, key=lambda one: _rank(prediction, one.value))
    target = _target(prediction, baseline)
    if isinstance(target, str):
        return HypothesisVerdict("undecided", target, [])
    is_met = _compare(best.value, prediction.op, target[0])
    if not is_met and prediction.moment == "by" and not any(_has_come_to(one.of, prediction.step) for one in reached):
        return HypothesisVerdict(
            "undecided", f"{_said(prediction, best)}, and {_ended_before(best.of, prediction)}", []
        )
    among = f"best of {len(runs)} runs, {best.of.name}: " if len(runs) > 1 else ""
    digits = _digits(best.value, target[0])
    reason = f"{among}{_said(prediction, best, digits)}; predicted {_predicted(prediction, digits, *target)}"
    evidence = [_evidence(best, prediction)]
    if target[1]:
        evidence.append({**_evidence(target[1], prediction), "role": "baseline"})
    return HypothesisVerdict("supported" if is_met else "refuted", reason, evidence)


def judge_value(
    prediction: Prediction, metric: str, value: float | None, baseline: Measured | None = None
) -> HypothesisVerdict:
    """The verdict of a recorded experiment, which has one value and no steps. Its evidence is the caller's to name."""
    if value is None or metric != prediction.metric:
        has = f"it tells {metric}" if metric and value is not None else "it has no value yet"
        return HypothesisVerdict("undecided", f"the experiment tells no {prediction.metric}: {has}", [])
    if prediction.moment in ("at", "by"):
        return HypothesisVerdict("undecided", "a recorded experiment has one value and no steps", [])
    target = _target(prediction, baseline)
    if isinstance(target, str):
        return HypothesisVerdict("undecided", target, [])
    verdict = "supported" if _compare(value, prediction.op, target[0]) else "refuted"
    digits = _digits(value, target[0])
    reason = f"{metric} was {value:.{digits}g}; predicted {_predicted(prediction, digits, *target)}"
    evidence = [{**_evidence(target[1], prediction), "role": "baseline"}] if target[1] else []
    return HypothesisVerdict(verdict, reason, evidence)


def _measure(prediction: Prediction, of: Measured) -> _Reached | str:
    """What a run reached at the predicted moment, or why that cannot be told."""
    fact = of.series.get(prediction.metric)
    low = "<" in prediction.op
    if fact is None:
        has = ", ".join(sorted(of.series, key=lambda name: (is_system(name), name))[:6]) or "no metrics at all"
        return f"{of.name} has no {prediction.metric}: it has {has}"
    value, step = (fact.min, fact.min_step) if low else (fact.max, fact.max_step)
    if value is None or step is None:
        return f"{of.name} has no finite value of {prediction.metric}"
    if prediction.moment == "best":
        return _Reached(of, value, step)
    if prediction.moment == "end":
        return _Reached(of, math.nan if fact.last is None else fact.last, fact.last_step)
    return _measure_by(prediction, of)


def _measure_by(prediction: Prediction, of: Measured) -> _Reached | str:
    """`at step N` is the last value up to it, of a run that came so far; `by step N` the best value up to it."""
    upto = [(step, value) for step, value in of.points if step <= prediction.step]
    if not upto:
        return f"{of.name} has no {prediction.metric} up to step {prediction.step}"
    if prediction.moment == "at":
        if not _has_come_to(of, prediction.step, is_exact=True):
            return _ended_before(of, prediction)
        step, value = max(enumerate(upto), key=lambda one: (one[1][0], one[0]))[1]
        return _Reached(of, value, step)
    step, value = min(upto, key=lambda one: _rank(prediction, one[1]))
    return _Reached(of, value, step)


def _has_come_to(of: Measured, step: int, is_exact: bool = False) -> bool:
    """Whether a run trained up to a step; one that counts from 0 ends at the step before it."""
    last = _last_step(of)
    return last >= step or (of.is_finished and (not is_exact or last == step - 1))


def _last_step(of: Measured) -> int:
    return max((fact.last_step for fact in of.series.values()), default=0)


def _ended_before(of: Measured, prediction: Prediction) -> str:
    return f"{of.name} ended at step {_last_step(of)}, before step {prediction.step}"


def _rank(prediction: Prediction, value: float) -> float:
    """Smallest is best in the predicted direction; what is no number comes last."""
    if math.isnan(value):
        return math.inf
    return value if "<" in prediction.op else -value


def _compare(value: float, op: str, target: float) -> bool:
    return {"<": value < target, "<=": value <= target, ">": value > target, ">=": value >= target}[op]


def _target(prediction: Prediction, baseline: Measured | None) -> tuple[float, _Reached | None] | str:
    """(what is to be compared with, the baseline's value behind it), or why there is none."""
    if prediction.number is not None:
        return prediction.number, None
    if baseline is None:
        return f"there is no baseline value of {prediction.metric}: no baseline is named"
    reached = _measure(prediction, baseline)
    if isinstance(reached, str) or math.isnan(reached.value):
        return (
            f"there is no baseline value of {prediction.metric}: {reached if isinstance(reached, str) else 'it is nan'}"
        )
    return reached.value + abs(reached.value) * prediction.percent / 100 + prediction.offset, reached


def _said(prediction: Prediction, one: _Reached, digits: int = 4) -> str:
    verb = "reached" if prediction.moment in ("best", "by") else "was"
    return f"{prediction.metric} {verb} {one.value:.{digits}g} at step {one.step}"


def _predicted(prediction: Prediction, digits: int, target: float, base: _Reached | None) -> str:
    """The target, and the baseline's value it was computed from."""
    when = {"best": "", "end": " at end"}.get(prediction.moment, f" {prediction.moment} step {prediction.step}")
    more = f" (baseline {base.of.name}: {base.value:.4g})" if base else ""
    return f"{prediction.op} {target:.{digits}g}{when}{more}"


def _digits(value: float, target: float) -> int:
    """As many digits as tell two numbers apart, four where they do: "reached 0.95; predicted < 0.95" explains nothing."""
    return next((n for n in range(4, 17) if f"{value:.{n}g}" != f"{target:.{n}g}"), 4)


def _evidence(one: _Reached, prediction: Prediction) -> dict[str, Any]:
    return {"run": one.of.run, "metric": prediction.metric, "step": one.step, "value": one.value}
