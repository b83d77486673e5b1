"""Rules over predictions: what is odd about the answers of one evaluation, literally and by the run's own losses."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from neatd.models import Verdict
from neatd.rules.conditions import Predictions
from neatd.rules.predicted import METRIC, Answer, Evaluation, PredictionJudge, limit_of
from neatd.rules.schema import Rule


def over(name: str = "odd", **when: Any) -> Rule:
    """A rule over predictions."""
    return Rule.model_validate({"rule": name, "metrics": [METRIC], "when": {"condition": "predictions"} | when})


def answers(right: Sequence[float], wrong: Sequence[float] = ()) -> list[Answer]:
    """One answer a loss, the right ones first."""
    every = [(loss, True) for loss in right] + [(loss, False) for loss in wrong]
    return [Answer(seq, f"q{seq}", is_correct, loss) for seq, (loss, is_correct) in enumerate(every, 1)]


def judged(
    judge: PredictionJudge, some: list[Answer], step: int = 5, first: int = 1
) -> list[tuple[Verdict, Sequence[Answer]]]:
    return judge.feed(Evaluation(some[-1].seq, step, some), first, lambda: some)


def said(rule: Rule, right: Sequence[float], wrong: Sequence[float] = ()) -> list[tuple[Verdict, Sequence[Answer]]]:
    return judged(PredictionJudge([rule]), answers(right, wrong))


def test_right_answers_that_cost_much_are_unsure() -> None:
    """Over the loss that the rule says, and as many of them as it says; the worst comes first."""
    rule = over(kind="unsure", loss=1.5, share=0.2, top=2)
    ((verdict, examples),) = said(rule, [0.1, 1.6, 3.0, 1.7, 1.5, 0.2], [9.0, 9.0])
    assert verdict.message == ("predictions 0.5 at step 5: 3 of 6 right answers (50 %) have a loss over 1.5, up to 3")
    assert [one.example for one in examples] == ["q3", "q4"]
    assert verdict.details == {"right": 6, "wrong": 2, "beyond": 3, "loss_limit": 1.5}
    assert said(rule, [0.1] * 9 + [2.0]) == []


def test_wrong_answers_that_cost_little_are_overconfident() -> None:
    """Under the loss that the rule says."""
    rule = over(kind="overconfident", loss=0.3)
    ((verdict, examples),) = said(rule, [0.1, 0.2], [0.05, 2.0, 0.29, 0.3])
    assert verdict.message.endswith("2 of 4 wrong answers (50 %) have a loss under 0.3, down to 0.05")
    assert [one.loss for one in examples] == [0.05, 0.29]


def test_losses_that_are_turned_about_are_told_when_it_begins() -> None:
    """Of 50 right and 50 wrong ones; not again at the next evaluation, but after one that was as it should be."""
    judge = PredictionJudge([over(kind="inverted")])
    turned, good = answers([2.0] * 50, [1.0] * 50), answers([1.0] * 50, [2.0] * 50)
    found = [len(judged(judge, some, step)) for step, some in enumerate([turned, turned, good, turned])]
    assert found == [1, 0, 0, 1]
    assert said(over(kind="inverted"), [2.0] * 49, [1.0] * 50) == []
    assert said(over(kind="inverted"), [1.0] * 50, [1.0] * 50) == []


def test_a_loss_that_was_not_written_counts_for_nothing() -> None:
    """An answer without one is counted as right or wrong, and no more."""
    assert said(over(kind="unsure", loss=1.5), [math.nan] * 9, [math.nan]) == []
    ((verdict, _),) = said(over(kind="unsure", loss=1.5), [math.nan, math.inf])
    assert verdict.details["right"] == 2 and "1 of 1 right" in verdict.message


# ---- auto ----


def losses(rng: random.Random, count: int, centre: float, width: float = 0.6) -> list[float]:
    """As losses lie: by their logarithms."""
    return [centre * math.exp(width * rng.gauss(0, 1)) for _ in range(count)]


@pytest.mark.parametrize("classes", [2, 10, 1000, 50_000])
def test_auto_is_silent_on_an_ordinary_evaluation(classes: int) -> None:
    """Whatever chance is: right answers cost less than wrong ones, and both have their tails."""
    chance, rng = math.log(classes), random.Random(classes)
    for _ in range(30):
        right, wrong = losses(rng, 300, 0.2 * chance), losses(rng, 120, 1.2 * chance)
        for kind in ("unsure", "overconfident", "inverted"):
            assert said(over(kind=kind), right, wrong) == []


@pytest.mark.parametrize("classes", [2, 10, 1000, 50_000])
def test_auto_finds_answers_that_lie_with_the_other_kind(classes: int) -> None:
    """A tenth of the right ones cost what wrong ones cost, and the other way round."""
    chance, rng = math.log(classes), random.Random(classes)
    right, wrong = losses(rng, 270, 0.1 * chance), losses(rng, 108, 1.5 * chance, 0.3)
    assert said(over(kind="unsure"), right + losses(rng, 30, 3 * chance, 0.2), wrong)
    assert said(over(kind="overconfident"), right, wrong + losses(rng, 12, 0.02 * chance, 0.2))


def test_auto_needs_to_know_enough_of_both() -> None:
    """With 49 wrong answers nothing is known of wrong ones."""
    when = Predictions(kind="unsure")
    assert limit_of(when, lambda: answers([0.1] * 50, [2.0] * 49)) is None
    assert limit_of(when, lambda: answers([0.1] * 50, [2.0] * 50)) == 2.0


# ---- once ----


def test_a_rule_speaks_once_of_an_evaluation() -> None:
    """Also where it goes on after it was judged, and over a new object made from the stored text."""
    rules = [over(kind="unsure", loss=1.5)]
    judge = PredictionJudge(rules)
    assert len(judged(judge, answers([2.0] * 3), step=5)) == 1
    judge = PredictionJudge(rules, json.loads(json.dumps(judge.dump())))
    assert judged(judge, answers([2.0] * 6), step=5) == []
    assert len(judged(judge, answers([2.0] * 3), step=6, first=7)) == 1


def test_a_guard_holds_back_the_first_evaluations() -> None:
    """Points are evaluations here, and steps those since the first one."""
    rule = over(kind="unsure", loss=1.5).model_dump() | {"guard": {"min_points": 1, "warmup_steps": 20}}
    judge = PredictionJudge([Rule.model_validate(rule)])
    assert [len(judged(judge, answers([2.0]), step, step)) for step in (10, 20, 30, 40)] == [0, 0, 1, 1]


def test_only_rules_that_name_predictions_look_at_them() -> None:
    """And those that are on."""
    off = over(kind="unsure", loss=1.5).model_copy(update={"enabled": False})
    other = over(kind="unsure", loss=1.5).model_copy(update={"metrics": ("loss",)})
    assert PredictionJudge([off, other]).rules == []
