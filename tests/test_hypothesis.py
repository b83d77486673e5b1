"""Predictions and verdicts: what is understood, and what runs say of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.models import SeriesFact
from neatd.rules.hypothesis import (
    HypothesisVerdict,
    Measured,
    Prediction,
    judge_hypothesis,
    judge_value,
    parse_prediction,
)


def fact(name: str, low: float | None, high: float | None, last: float | None = None, last_step: int = 9) -> SeriesFact:
    """A series in numbers, its lowest at step 3 and its highest at 7; None where nothing was finite."""
    steps = (None if low is None else 3, None if high is None else 7)
    return SeriesFact(
        name=name, points=9, first_step=1, last_step=last_step, last=last, min=low, min_step=steps[0], max=high,
        max_step=steps[1],
    )  # fmt: skip


def ran(low: float | None, high: float | None, name: str = "runs/a", metric: str = "m", **more: object) -> Measured:
    """A run with one series."""
    last, last_step = more.pop("last", high), more.pop("last_step", 9)
    series = {metric: fact(metric, low, high, last, last_step)}  # type: ignore[arg-type]
    return Measured(f"r-{name}", name, series, **more)  # type: ignore[arg-type]


def along(*points: tuple[int, float], name: str = "runs/a", is_finished: bool = False) -> Measured:
    """A run whose metric m took these values at these steps."""
    values = [value for _, value in points]
    last = points[-1]
    series = {"m": fact("m", min(values), max(values), last[1], last[0])}
    return Measured(f"r-{name}", name, series, points, is_finished)


def judged(text: str, *runs: Measured, baseline: Measured | None = None) -> HypothesisVerdict:
    return judge_hypothesis(parse_prediction(text), runs, baseline)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("val/dice > 0.20", Prediction("val/dice", ">", 0.20)),
        ("val/loss<2.5", Prediction("val/loss", "<", 2.5)),
        ("  val loss  <=  -1e-3 ", Prediction("val loss", "<=", -0.001)),
        ("acc@1 >= .5", Prediction("acc@1", ">=", 0.5)),
        ("x < 1.", Prediction("x", "<", 1.0)),
        ("val/loss < baseline", Prediction("val/loss", "<", None)),
        ("val/loss < baseline - 2%", Prediction("val/loss", "<", None, -2.0)),
        ("val/dice>=baseline+0.5 %", Prediction("val/dice", ">=", None, 0.5)),
        ("val/loss < baseline - 0.05", Prediction("val/loss", "<", None, 0.0, -0.05)),
        ("val/dice > baseline+1e-2", Prediction("val/dice", ">", None, 0.0, 0.01)),
        ("val/dice > 0.20 at step 1000", Prediction("val/dice", ">", 0.20, 0.0, 0.0, "at", 1000)),
        ("val/dice > 0.20 by  step 50", Prediction("val/dice", ">", 0.20, 0.0, 0.0, "by", 50)),
        ("loss < baseline - 2% at end", Prediction("loss", "<", None, -2.0, 0.0, "end")),
    ],
)
def test_all_forms_are_understood(text: str, expected: Prediction) -> None:
    """METRIC op NUMBER, or baseline plus or minus a percentage or an amount, and when; with any spacing."""
    assert parse_prediction(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "loss", "loss is low", "loss = 2", "loss == 2", "loss != 2", "loss < ", "< 2", "loss < 2 or so", "2 < loss",
     "loss < baseline * 0.9", "loss < nan", "loss < 1e999", "loss < 20%", "a < b < 1", "loss ≤ 2", "loss < 2 by end",
     "loss < 2 at step", "loss < 2 at 100", "loss < 2 step 3", "loss < 2 at step -3", "loss < 2 at step 1.5"],
)  # fmt: skip
def test_what_is_no_form_is_an_error_that_shows_them(text: str) -> None:
    """Nothing is guessed: a verdict computed from a misread prediction would be worse than none."""
    with pytest.raises(NeatError) as caught:
        parse_prediction(text)
    assert repr(text) in caught.value.message
    assert all(form in caught.value.hint for form in ("NUMBER", "baseline - 2%", "baseline - 0.05", "at step"))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("m < 2.0", "refuted"),
        ("m <= 2.0", "supported"),
        ("m < 2.1", "supported"),
        ("m > 5.0", "refuted"),
        ("m >= 5.0", "supported"),
        ("m > 4.9", "supported"),
    ],
)
def test_the_best_value_in_the_predicted_direction_decides(text: str, verdict: str) -> None:
    """A run that reached 2.0 at its lowest and 5.0 at its highest; equal is not below."""
    assert judged(text, ran(2.0, 5.0)).verdict == verdict


def test_the_reason_and_the_evidence_hold_run_step_and_value() -> None:
    """The numbers that decided can be looked up."""
    found = judged("m < 2.5", ran(2.0, 5.0))
    assert found.reason == "m reached 2 at step 3; predicted < 2.5"
    assert found.evidence == [{"run": "r-runs/a", "metric": "m", "step": 3, "value": 2.0}]


def test_the_reason_tells_near_values_apart() -> None:
    """Two equal numbers, one of them called lower, would explain nothing."""
    assert judged("m < 0.95", ran(0.94999, 2.0)).reason == "m reached 0.94999 at step 3; predicted < 0.95"
    assert judged("m < 0.95", ran(0.95, 2.0)).reason == "m reached 0.95 at step 3; predicted < 0.95"


@pytest.mark.parametrize(
    ("text", "low", "verdict"),
    [
        ("m < baseline", 3.99, "supported"),
        ("m < baseline", 4.0, "refuted"),
        ("m < baseline - 2%", 3.93, "refuted"),
        ("m < baseline - 2%", 3.91, "supported"),
        ("m < baseline + 2%", 4.07, "supported"),
        ("m < baseline - 0.5", 3.6, "refuted"),
        ("m < baseline - 0.5", 3.4, "supported"),
    ],
)
def test_percent_and_amounts_are_of_the_baselines_best(text: str, low: float, verdict: str) -> None:
    """The baseline's lowest is 4.0, so 2 % are 0.08; without a sign of percent it is the metric's own unit."""
    assert judged(text, ran(low, 9.0), baseline=ran(4.0, 9.0, "runs/base")).verdict == verdict


def test_the_baselines_number_is_evidence_too() -> None:
    """It says whose number it is, and the reason shows it."""
    found = judged("m < baseline - 50%", ran(1.0, 9.0), baseline=ran(4.0, 9.0, "runs/base"))
    assert found.evidence[1] == {"run": "r-runs/base", "metric": "m", "step": 3, "value": 4.0, "role": "baseline"}
    assert found.reason == "m reached 1 at step 3; predicted < 2 (baseline runs/base: 4)"


def test_percent_of_a_negative_baseline_keeps_its_direction() -> None:
    """Minus 10 % of -4.0 is lower, -4.4, and not -3.6."""
    base = ran(-4.0, 0.0, "runs/base")
    assert judged("m < baseline - 10%", ran(-4.3, 0.0), baseline=base).verdict == "refuted"
    assert judged("m < baseline - 10%", ran(-4.5, 0.0), baseline=base).verdict == "supported"


@pytest.mark.parametrize(
    ("of_run", "of_baseline", "why"),
    [
        (ran(1.0, 2.0, metric="other"), None, "runs/a has no m: it has other"),
        (ran(None, None), None, "runs/a has no finite value of m"),
        (ran(1.0, 2.0), None, "no baseline is named"),
        (ran(1.0, 2.0), ran(1.0, 2.0, "runs/base", metric="other"), "runs/base has no m"),
        (ran(1.0, 2.0), ran(None, None, "runs/base"), "runs/base has no finite value of m"),
    ],
)
def test_what_cannot_be_decided_says_why(of_run: Measured, of_baseline: Measured | None, why: str) -> None:
    """Without values on either side the verdict is undecided, and no evidence is made up."""
    found = judged("m < baseline", of_run, baseline=of_baseline)
    assert found.verdict == "undecided" and why in found.reason and found.evidence == []


def test_at_end_the_last_value_decides() -> None:
    """A metric that was good in the middle and bad at the end."""
    run = along((1, 3.0), (2, 1.0), (3, 2.5))
    assert judged("m < 2", run).verdict == "supported"
    found = judged("m < 2 at end", run)
    assert found.verdict == "refuted" and found.reason == "m was 2.5 at step 3; predicted < 2 at end"


def test_a_run_that_ended_in_nan_is_refuted_at_end() -> None:
    """A loss that is no number is not below anything."""
    assert judged("m < 2 at end", ran(1.0, 3.0, last=None)).verdict == "refuted"


@pytest.mark.parametrize(("step", "value"), [(2, 1.0), (4, 2.5), (5, 2.5), (10, 0.5)])
def test_at_a_step_the_last_value_up_to_it_decides(step: int, value: float) -> None:
    """Evaluations do not fall on every step."""
    run = along((1, 3.0), (2, 1.0), (4, 2.5), (10, 0.5))
    found = judged(f"m < 9 at step {step}", run)
    assert found.evidence[0]["value"] == value


def test_by_a_step_the_best_up_to_it_decides() -> None:
    """What was reached later does not count."""
    run = along((1, 3.0), (2, 1.0), (4, 2.5), (10, 0.5))
    assert judged("m < 0.9 by step 5", run).verdict == "refuted"
    assert judged("m < 0.9 by step 10", run).verdict == "supported"
    diverged = Measured("r", "runs/d", run.series, [(1, 1.0), (2, math.nan), (3, 0.5), (10, 0.1)])
    assert judged("m < 2 by step 3", diverged).evidence[0]["value"] == 0.5
    assert judged("m > 2 by step 3", diverged._replace(points=[(1, math.nan), (2, 1.0)])).evidence[0]["value"] == 1.0


def test_a_run_that_ended_before_the_step_decides_only_what_it_met() -> None:
    """Killed at 4, it may have got there by 100; a run that finished as planned may not."""
    killed, finished = along((1, 3.0), (4, 2.5)), along((1, 3.0), (4, 2.5), is_finished=True)
    assert judged("m < 2.6 by step 100", killed).verdict == "supported"
    found = judged("m < 2 by step 100", killed)
    assert found.verdict == "undecided" and "ended at step 4, before step 100" in found.reason
    assert judged("m < 2 by step 100", finished).verdict == "refuted"
    assert judged("m < 9 at step 100", killed).verdict == "undecided"


def test_a_run_that_counts_from_zero_ends_at_the_step_before() -> None:
    """1,000 steps are 0 to 999."""
    assert judged("m < 2 at step 1000", along((0, 3.0), (999, 1.0), is_finished=True)).verdict == "supported"
    assert judged("m < 2 at step 1000", along((0, 3.0), (998, 1.0), is_finished=True)).verdict == "undecided"


def test_the_best_run_of_a_study_decides_and_is_named() -> None:
    """The reason says among how many; a run without the metric does not hinder."""
    runs = [ran(3.0, 4.0, "s/t1"), ran(1.5, 2.0, "s/t2"), ran(None, None, "s/t3")]
    found = judged("m < 2", *runs)
    assert (found.verdict, found.evidence[0]["run"]) == ("supported", "r-s/t2")
    assert found.reason == "best of 3 runs, s/t2: m reached 1.5 at step 3; predicted < 2"
    assert judged("m > 5", *runs).evidence[0]["value"] == 4.0


def test_the_baseline_is_measured_at_the_same_moment() -> None:
    """Its best lies at the end, which is not what it had at step 2."""
    base = along((1, 3.0), (2, 2.0), (3, 0.1), name="runs/base")
    assert judged("m < baseline by step 2", along((2, 1.0), (3, 1.0)), baseline=base).verdict == "supported"


def test_a_recorded_experiment_decides_by_its_value() -> None:
    """It has no steps; another metric or no value decides nothing."""
    assert judge_value(parse_prediction("m < 2"), "m", 1.5).verdict == "supported"
    assert judge_value(parse_prediction("m < 2 at end"), "m", 2.5).verdict == "refuted"
    for text, metric, value in (("m < 2", "other", 1.0), ("m < 2", "m", None), ("m < 2 by step 5", "m", 1.0)):
        assert judge_value(parse_prediction(text), metric, value).verdict == "undecided"


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(-1e6, 1e6), st.sampled_from("<>"))
def test_a_prediction_and_its_opposite_are_never_both_supported(value: float, target: float, op: str) -> None:
    """One value decides: strictly below and not below exclude each other."""
    other = {"<": ">=", ">": "<="}[op]
    found = [judge_hypothesis(Prediction("m", one, target), [ran(value, value)]).verdict for one in (op, other)]
    assert sorted(found) == ["refuted", "supported"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_was_written(number: float) -> None:
    """Whatever finite number Python prints comes back the same."""
    found = parse_prediction(f"val/loss < {number!r}").number
    assert found is not None and math.copysign(1, found) == math.copysign(1, number) and found == number
