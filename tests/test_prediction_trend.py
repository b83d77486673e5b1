"""Predictions in numbers: what counts once, the change, and a trend that noise does not feign."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.models import Prediction
from neatd.pipeline.predicted import prediction_shape, trend_of
from neatd.rules.predictions import RULE, Answer, Evaluation, change_percent, share_correct, trend
from neatd.store import points, predicted, readings

RUN = (f"r-{number}" for number in itertools.count())


def answered(db: sqlite3.Connection, run: str, answers: Iterable[Answer]) -> None:
    """Commit answers as the next lines of the run's predictions."""
    before = readings.cursor(db, run, "predictions.jsonl")
    lines = [
        Prediction(before.seq + n, step, one, ok, 0.5, None, None, None) for n, (step, one, ok) in enumerate(answers, 1)
    ]
    after = before.model_copy(update={"seq": before.seq + len(lines)})
    points.commit_predictions(db, run, "predictions.jsonl", after, lines, 1.0)


def evaluation(step: int, correct: int, examples: int, names: str = "q") -> list[Answer]:
    """The first `correct` of the examples answered right."""
    return [(step, f"{names}{number}", number < correct) for number in range(examples)]


def noise(rng: random.Random, share: float, examples: int, kind: str) -> list[Answer]:
    """Five evaluations of a model that does not change: the same examples, new ones each time, or easy and hard ones."""
    shares = [rng.random() if kind == "easy and hard" else share for _ in range(examples)]
    return [
        (step, f"q{number}" if kind != "new" else f"{step}-{number}", rng.random() < shares[number])
        for step in range(5) for number in range(examples)
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["same", "new", "easy and hard"])
@pytest.mark.parametrize("examples", [3, 10, 50, 200])
def test_pure_noise_is_stable(kind: str, examples: int) -> None:
    """At least 95 times of 100, with few examples and with many."""
    rng, tries = random.Random(examples), 400
    found = [trend(noise(rng, rng.choice((0.1, 0.5, 0.8)), examples, kind)[::-1]) for _ in range(tries)]
    assert found.count("stable") >= 0.95 * tries


@pytest.mark.slow
@pytest.mark.parametrize(("evaluations", "examples"), [(2, 4), (2, 7), (3, 4), (4, 3), (5, 2), (5, 3)])
@pytest.mark.parametrize("is_same", [True, False])
def test_of_all_answers_that_chance_can_give_few_are_a_trend(evaluations: int, examples: int, is_same: bool) -> None:
    """With small numbers every outcome is gone through: no accuracy makes noise a trend more often than 5 times of 100."""
    count = evaluations * examples
    trends = [0] * (count + 1)
    for bits in itertools.product((False, True), repeat=count):
        answers = [
            (at // examples, str(at % examples if is_same else at), is_correct) for at, is_correct in enumerate(bits)
        ]
        trends[sum(bits)] += trend(answers[::-1]) != "stable"
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert sum(n * share**k * (1 - share) ** (count - k) for k, n in enumerate(trends)) <= 0.05


@settings(max_examples=60, deadline=None)
@given(first=st.integers(0, 180), are_new=st.booleans(), is_falling=st.booleans())
def test_ten_points_over_five_evaluations_of_two_hundred_are_a_trend(
    first: int, are_new: bool, is_falling: bool
) -> None:
    """From any accuracy: 5 examples of 200 more each time, the same examples or new ones."""
    rights = [first + 5 * number for number in range(5)]
    steps = [
        evaluation(100 * at, right, 200, f"{at}-" if are_new else "q")
        for at, right in enumerate(rights[::-1] if is_falling else rights)
    ]
    answers = list(itertools.chain.from_iterable(steps))
    assert trend(answers[::-1]) == ("regressing" if is_falling else "improving")


def test_easy_and_hard_examples_do_not_hide_a_small_rise() -> None:
    """Examples that come back are held against themselves: three points of two hundred examples are seen."""
    answers = [*evaluation(1, 100, 200), *evaluation(2, 102, 200), *evaluation(3, 104, 200), *evaluation(4, 106, 200)]
    assert trend(answers[::-1]) == "improving"
    new = [(step, f"{step}-{name}", ok) for step, name, ok in answers]
    assert trend(new[::-1]) == "stable"


def test_a_run_that_turned_is_told_by_its_last_evaluations() -> None:
    """What rose long ago and falls now is regressing."""
    rights = [10, 40, 80, 120, 160, 150, 140, 130, 120]
    answers = itertools.chain.from_iterable(evaluation(step, right, 200) for step, right in enumerate(rights))
    assert trend(list(answers)[::-1]) == "regressing"


def test_one_evaluation_has_no_trend_and_nothing_changed_in_it() -> None:
    """There is nothing to compare it with; a change from nothing has no percent."""
    assert trend(evaluation(1, 3, 5)) is None and trend([]) is None and share_correct([]) is None
    assert change_percent([Evaluation(1, 5, 3)]) == (None, None)
    assert change_percent([Evaluation(1, 5, 0), Evaluation(2, 5, 4), Evaluation(3, 5, 2)]) == (-50.0, None)


def test_a_run_without_predictions_has_none(db: sqlite3.Connection) -> None:
    """Null, and not zeros."""
    assert prediction_shape(db, "r-none") is None and trend_of(db, "r-none") is None


def test_the_shape_of_predictions(db: sqlite3.Connection) -> None:
    """Of the last evaluation, the last 20 and 50 answers and all, the change, the trend and its rule."""
    run = next(RUN)
    for number, right in enumerate((10, 12, 14, 16, 18, 20), start=1):
        answered(db, run, evaluation(10 * number, right, 30))
    found = prediction_shape(db, run)
    assert found is not None
    assert list(found)[:4] == ["step", "examples", "correct", "accuracy"]
    assert (found["step"], found["examples"], found["correct"]) == (60, 30, 20)
    assert found["last_20"] == 10 / 20 and found["last_50"] == (20 + 8) / 50 and found["all"] == 90 / 180
    assert found["change_percent"] == {"before": pytest.approx(11.1111), "first": 100.0}
    assert found["trend"] == trend_of(db, run) == "improving" and found["rule"] == RULE
    assert found["evaluations"][0] == {"step": 10, "examples": 30, "correct": 10, "accuracy": 10 / 30}
    assert [one["step"] for one in found["evaluations"]] == [10, 20, 30, 40, 50, 60]


def test_an_example_asked_again_counts_once_as_answered_last(db: sqlite3.Connection) -> None:
    """In the order of the last answers: an evaluation made again after a restart is the last one."""
    run = next(RUN)
    answered(db, run, [*evaluation(10, 0, 4), *evaluation(20, 4, 4), *evaluation(10, 3, 4)])
    found = prediction_shape(db, run)
    assert found is not None
    assert [(one["step"], one["correct"]) for one in found["evaluations"]] == [(20, 4), (10, 3)]
    assert found["all"] == found["last_20"] == 7 / 8 and found["step"] == 10


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6).map(str), st.booleans()), min_size=1, max_size=200))
def test_the_store_counts_as_one_goes_through_the_lines(answers: list[Answer]) -> None:
    """Whatever is asked in whatever order: the same numbers as by a plain walk."""
    last: dict[tuple[int, str], bool] = {}
    for step, example, is_correct in answers:
        last.pop((step, example), None)
        last[step, example] = is_correct
    by_step: dict[int, list[bool]] = {}
    for step, _, _ in answers[::-1]:
        by_step.setdefault(step, [ok for (at, _), ok in last.items() if at == step])
    memory = sqlite3.connect(":memory:")
    memory.execute(
        "CREATE TABLE prediction (run_id, source, seq, step, example_id, is_correct, PRIMARY KEY (run_id, source, seq))"
    )
    rows = [("r", "p", seq, *one) for seq, one in enumerate(answers)]
    memory.executemany("INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?)", rows)
    steps = [(step, len(some), sum(some)) for step, some in reversed(by_step.items())]
    assert predicted.evaluations(memory, "r") == steps
    newest = predicted.newest(memory, "r", 6)
    assert newest == [(step, example, ok) for (step, example), ok in reversed(last.items())]
    memory.close()
