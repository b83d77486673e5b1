"""Predictions and verdicts: what is understood, and what a run says of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.models import SeriesFact
from neatd.rules.hypothesis import Prediction, judge_hypothesis, parse_prediction


def series(
    name: str, low: float | None, high: float | None, low_step: int = 3, high_step: int = 7
) -> dict[str, SeriesFact]:
    """One series in numbers; None where nothing was finite."""
    steps = (None if low is None else low_step, None if high is None else high_step)
    fact = SeriesFact(
        name=name,
        points=9,
        first_step=1,
        last_step=9,
        last=high,
        min=low,
        min_step=steps[0],
        max=high,
        max_step=steps[1],
    )
    return {name: fact}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("val/dice > 0.20", Prediction("val/dice", ">", 0.20, 0.0)),
        ("val/loss<2.5", Prediction("val/loss", "<", 2.5, 0.0)),
        ("  val loss  <=  -1e-3 ", Prediction("val loss", "<=", -0.001, 0.0)),
        ("acc@1 >= .5", Prediction("acc@1", ">=", 0.5, 0.0)),
        ("x < 1.", Prediction("x", "<", 1.0, 0.0)),
        ("val/loss < baseline", Prediction("val/loss", "<", None, 0.0)),
        ("val/loss < baseline - 2%", Prediction("val/loss", "<", None, -2.0)),
        ("val/dice>=baseline+0.5 %", Prediction("val/dice", ">=", None, 0.5)),
    ],
)
def test_both_forms_are_understood(text: str, expected: Prediction) -> None:
    """METRIC op NUMBER and METRIC op baseline ± percent, with any spacing."""
    assert parse_prediction(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "loss", "loss is low", "loss = 2", "loss == 2", "loss < ", "< 2", "loss < 2 or so", "loss < baseline - 2", "2 < loss",
     "loss < baseline * 0.9", "loss < nan", "loss < 20%", "a < b < 1", "loss ≤ 2"],
)  # fmt: skip
def test_what_is_neither_form_is_an_error_that_shows_both(text: str) -> None:
    """Nothing is guessed: a verdict computed from a misread prediction would be worse than none."""
    with pytest.raises(NeatError) as caught:
        parse_prediction(text)
    assert repr(text) in caught.value.message
    assert "baseline - 2%" in caught.value.hint and "NUMBER" in caught.value.hint


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
    assert judge_hypothesis(parse_prediction(text), "r-1", series("m", 2.0, 5.0), None).verdict == verdict


def test_the_reason_and_the_evidence_hold_run_step_and_value() -> None:
    """The numbers that decided can be looked up."""
    found = judge_hypothesis(parse_prediction("m < 2.5"), "r-1", series("m", 2.0, 5.0), None)
    assert found.reason == "m reached 2 at step 3; predicted < 2.5"
    assert found.evidence == [{"run": "r-1", "metric": "m", "step": 3, "value": 2.0}]


@pytest.mark.parametrize(
    ("text", "low", "verdict"),
    [
        ("m < baseline", 3.99, "supported"),
        ("m < baseline", 4.0, "refuted"),
        ("m < baseline - 2%", 3.93, "refuted"),
        ("m < baseline - 2%", 3.91, "supported"),
        ("m < baseline + 2%", 4.07, "supported"),
    ],
)
def test_percent_is_of_the_baselines_best(text: str, low: float, verdict: str) -> None:
    """The baseline's lowest is 4.0, so 2 % are 0.08."""
    assert (
        judge_hypothesis(parse_prediction(text), "r-1", series("m", low, 9.0), series("m", 4.0, 9.0)).verdict == verdict
    )


def test_percent_of_a_negative_baseline_keeps_its_direction() -> None:
    """Minus 10 % of -4.0 is lower, -4.4, and not -3.6."""
    prediction = parse_prediction("m < baseline - 10%")
    assert judge_hypothesis(prediction, "r-1", series("m", -4.3, 0.0), series("m", -4.0, 0.0)).verdict == "refuted"
    assert judge_hypothesis(prediction, "r-1", series("m", -4.5, 0.0), series("m", -4.0, 0.0)).verdict == "supported"


@pytest.mark.parametrize(
    ("of_run", "of_baseline", "why"),
    [
        ({}, None, "no finite value of m"),
        (series("other", 1.0, 2.0), None, "no finite value of m"),
        (series("m", None, None), None, "no finite value of m"),
        (series("m", 1.0, 2.0), None, "no baseline value of m"),
        (series("m", 1.0, 2.0), {}, "no baseline value of m"),
        (series("m", 1.0, 2.0), series("m", None, None), "no baseline value of m"),
    ],
)
def test_what_cannot_be_decided_says_why(
    of_run: dict[str, SeriesFact], of_baseline: dict[str, SeriesFact] | None, why: str
) -> None:
    """Without values on either side the verdict is undecided, and no evidence is made up."""
    found = judge_hypothesis(parse_prediction("m < baseline"), "r-1", of_run, of_baseline)
    assert found.verdict == "undecided" and why in found.reason and found.evidence == []


def test_a_number_needs_no_baseline() -> None:
    """An absolute prediction is decided without one."""
    assert judge_hypothesis(parse_prediction("m < 2"), "r-1", series("m", 1.0, 2.0), None).verdict == "supported"


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(-1e6, 1e6), st.sampled_from("<>"))
def test_a_prediction_and_its_opposite_are_never_both_supported(value: float, target: float, op: str) -> None:
    """One value decides: strictly below and not below exclude each other."""
    other = {"<": ">=", ">": "<="}[op]
    found = [
        judge_hypothesis(Prediction("m", one, target, 0.0), "r-1", series("m", value, value), None).verdict
        for one in (op, other)
    ]
    assert sorted(found) == ["refuted", "supported"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_was_written(number: float) -> None:
    """Whatever finite number Python prints comes back the same."""
    found = parse_prediction(f"val/loss < {number!r}").number
    assert found is not None and math.copysign(1, found) == math.copysign(1, number) and found == number
