"""Rules over several series: overfitting, expressions, the guard of the learning rate; cut anywhere, they say the same."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.errors import ConfigError
from neatd.models import Sample, Verdict
from neatd.rules.across import Across
from neatd.rules.lines import Lines
from neatd.rules.load import load_rule
from neatd.rules.schema import Rule
from tests.cost import at_most
from tests.rules_batches import Point, column_of, columns_of, streams
from tests.rules_streams import rule, samples, steps

GAP = {"condition": "gap", "against": ["train/loss", "loss"], "worse_evals": 3, "min_points": 5}
NAMES = ("loss", "val/loss", "lr", "train/loss", "val/acc", "z/acc")


def guarded(name: str, metric: str, points: int, **when: Any) -> Rule:
    """A rule that holds its tongue after a jump of the learning rate."""
    made = {"rule": name, "metrics": [metric], "when": when, "guard": {"schedule_points": points, "warmup_steps": 3}}
    return Rule.model_validate(made)


RULES = [
    rule("gap", metrics=("val/*",), **GAP | {"worse_evals": 1, "min_points": 2, "min_gap": 0.0, "min_rise": 0.0}),
    rule("most", metrics=("val/acc",), **GAP | {"goal": "max", "against": ["z/*", "loss"], "min_gap": 0.0}),
    rule("high", condition="expression", expression="value > 2 * median or not isfinite(value)", window=9, min_points=2),
    rule("far", metrics=("val/loss",), condition="expression", min_points=0, expression='value > other("train/loss")'),
    rule(
        "odd", metrics=("l*",), condition="expression", flagged=2, of=5, cooldown_points=2, min_points=1,
        expression="9 * abs(value - last) > deviation and points < 90 and largest > least and step % 2 == 0",
    ),
    guarded("calm", "*", 4, condition="expression", expression="value != last", min_points=1, cooldown_points=1),
]  # fmt: skip


def say(verdicts: list[Verdict]) -> list[str]:
    """Verdicts in a form in which NaN equals NaN and 0.0 differs from -0.0."""
    return [repr(one) for one in verdicts]


def fed(across: Across, points: list[Point]) -> list[Verdict]:
    """One point after the other."""
    return [one for name, sample in points for one in across.allowed(across.feed(name, sample))]


def compare(rules: list[Rule], lines: list[list[Point]], cuts: list[tuple[int, str]]) -> list[Verdict]:
    """Feed the lines one point at a time and as cut; nothing may differ. The verdicts."""
    one, many, at, said = Across(rules), Across(rules), 0, []
    for count, way in [*cuts, (len(lines), "columns")]:
        points = [point for line in lines[at : at + count] for point in line]
        expected = fed(one, points)
        if way == "reborn":
            many = Across(rules, json.loads(json.dumps(many.dump())), Lines(many.lines.count))
        found = (
            fed(many, points)
            if way == "single"
            else many.allowed([verdict for _, verdict in many.feed_columns(columns_of(points, random.Random(0)))])
        )
        assert say(found) == say(expected)
        assert repr(many.dump()) == repr(one.dump())
        said += expected
        at += count
    return said


CUTS = st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["columns", "columns", "single", "reborn"])), max_size=5)


@settings(max_examples=20, deadline=None)
@given(streams(NAMES), CUTS)
def test_columns_and_cuts_say_what_single_points_say(lines: list[list[Point]], cuts: list[tuple[int, str]]) -> None:
    """Any series, restarts, and cuts into columns, single points and new objects made from the stored text."""
    compare(RULES, lines[:120], cuts)


def noisy(seed: int = 1, count: int = 60) -> list[list[Point]]:
    """Lines in which every rule has something to say: evaluations that rise, a learning rate that jumps, a restart."""
    rng, lines, step, attempt = random.Random(seed), [], 0, 1
    for index in range(count):
        step, attempt = (step + 1, attempt) if index != count // 2 else (5, 2)
        row = {"loss": 2 / (step + 1) + rng.random() / 9, "lr": 0.1 if step % 20 < 12 else 0.9}
        row["train/loss"] = row["loss"] / 2
        row["z/acc"] = 0.95
        if index % 2:
            row["val/acc"] = 0.9 - step / 50
            row["val/loss"] = 1.0 + 0.2 * abs(step - 8) + rng.random() / 50
        lines.append([(name, Sample(index + 1, attempt, step, row[name], None)) for name in sorted(row)])
    return lines


def test_the_streams_of_the_property_make_every_rule_speak() -> None:
    """The test above would prove nothing on streams in which nothing happens."""
    said = compare(RULES, noisy(), [(7, "columns"), (1, "single"), (20, "reborn"), (9, "single")])
    assert {one.rule for one in said} == {one.rule for one in RULES}


def test_rules_over_one_series_are_not_looked_at() -> None:
    """They are the Judge's; and where no rule looks across there is no state."""
    across = Across([rule(condition="spike"), rule("n", condition="non_finite")])
    assert fed(across, [point for line in noisy() for point in line]) == [] and across.dump() == {}


# ---- gap ----


def lines_of(evaluations: list[float], training: list[float], every: int = 10) -> list[Point]:
    """Training at each step, an evaluation behind every tenth."""
    points: list[Point] = []
    for number, value in enumerate(evaluations):
        some = training[every * number : every * (number + 1)]
        first = every * number
        points += [("train/loss", Sample(first + i + 1, 1, first + i, one, None)) for i, one in enumerate(some)]
        points.append(("val/loss", Sample(first + every, 1, first + every - 1, value, None)))
    return points


def overfit(evaluations: list[float], training: list[float] | None = None, **when: Any) -> list[Verdict]:
    """What the rule says of them, ends of episodes aside; training falls where nothing else is said."""
    training = training or [1.0 * 0.99**i for i in range(10 * len(evaluations))]
    across = Across([rule(metrics=("val/loss",), **GAP | when)])
    return [one for one in fed(across, lines_of(evaluations, training)) if one.episode is None]


RISING = [1.6, 1.2, 1.0, 0.9, 0.88, 0.9, 0.95, 1.02, 1.1, 1.2, 1.3]


def test_an_evaluation_that_rises_while_training_falls_fires_once() -> None:
    """After three that are worse, when they are worse by enough; the message has both courses."""
    (verdict,) = overfit(RISING)
    assert verdict.step == 99 and verdict.message.startswith(
        "val/loss 1.2 at step 99: worse than its best, 0.88 at step 49,"
    )
    assert verdict.message.endswith("for 5 evaluations, while training went from 0.6394 to 0.3868")
    assert verdict.threshold is not None and verdict.value > verdict.threshold > 0.88


def test_a_new_best_lets_it_fire_again() -> None:
    """What rose again after it is another overfitting."""
    assert steps(overfit([*RISING, 0.8, 0.82, 0.9, 1.0, 1.1, 1.2, 1.3])) == [99, 159]


def test_training_that_rises_too_is_no_overfitting() -> None:
    """A run that diverges, or whose data became harder."""
    assert overfit(RISING, [1.0 + i / 100 for i in range(110)]) == []


def test_evaluations_near_training_are_no_overfitting() -> None:
    """The gap is too small to matter."""
    assert overfit(RISING, [0.86 - i / 10_000 for i in range(110)], min_gap=0.6) == []


def test_of_a_score_less_is_worse() -> None:
    """Goal max: the evaluation falls from its best while training rises."""
    scores = [1 - value / 3 for value in RISING]
    training = [0.6 + i / 300 for i in range(110)]
    assert steps(overfit(scores, training, goal="max")) == [99]
    assert overfit(scores, [0.9 - i / 300 for i in range(110)], goal="max") == []


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.25])
def test_noise_of_small_evaluation_sets_does_not_fire(noise: float) -> None:
    """Six runs of 100 steady evaluations whose best is one by chance."""
    fired = 0
    for seed in range(6):
        rng = random.Random(seed)
        fired += len(overfit([1.5 * (1 + rng.gauss(0, noise)) for _ in range(100)], min_rise=0.1, worse_evals=5))
    assert fired == 0


def test_training_that_is_logged_once_an_evaluation_is_seen_as_it_stands() -> None:
    """A mean of an epoch is one point: its last twenty would be twenty epochs."""
    across = Across([rule(metrics=("val/loss",), **GAP)])
    points = lines_of(RISING, [0.8**i for i in range(len(RISING))], every=1)
    (verdict,) = [one for one in fed(across, points) if one.episode is None]
    assert "training went from 0.4096 to 0.1342" in verdict.message


def test_the_first_pattern_that_a_series_fits_is_meant() -> None:
    """Though another series was written before it."""
    across = Across([rule(metrics=("val/loss",), **GAP)])
    points = [
        point
        for name, sample in lines_of(RISING, [0.99**i for i in range(110)])
        for point in (
            [(name, sample)] if name == "val/loss" else [("loss", sample._replace(value=9.0)), (name, sample)]
        )
    ]
    (verdict,) = [one for one in fed(across, points) if one.episode is None]
    assert "training went from 0.6394" in verdict.message


def test_dense_training_beside_few_evaluations_costs_little() -> None:
    """A million points of training and a hundred evaluations, in columns."""
    count = 1_000_000
    points = [Sample(10_000 * i + 9_999, 1, 10_000 * i, 1.0 + i / 100, None) for i in range(100)]
    dense = column_of("train/loss", [Sample(i, 1, i, 1.0, None) for i in range(1000)])._asdict()
    import numpy as np

    column = column_of("train/loss", [])._replace(
        **{name: np.tile(dense[name], count // 1000) for name in ("attempts", "values", "times")},
        seqs=np.arange(count), steps=np.arange(count),
    )  # fmt: skip
    across = Across([rule(metrics=("val/loss",), **GAP)])
    with at_most(0.3):
        across.feed_columns([column, column_of("val/loss", points)])


# ---- expression ----


def flagged(text: str, values: list[float], **when: Any) -> list[int]:
    """Steps at which an expression over one series fires."""
    across = Across([rule(condition="expression", expression=text, **{"min_points": 0} | when)])
    verdicts = [one for sample in samples(values) for one in across.feed("val/loss", sample)]
    return steps([one for one in verdicts if one.episode is None])


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("value > 3 * median", [1, 1, 1, 4], [3]),
        ("value > 3 * median", [math.nan, 4], []),
        ("not isfinite(value)", [1, math.nan], [1]),
        ("value / (value - 1) > 0", [1, 2], [1]),
        ("log(value) > 0", [-1, 3], [1]),
        ("sqrt(max(value, 4)) == 2 and step == 2", [1, 1, 1], [2]),
        ("value > best", [3, 1, 2], [2]),
        ("value > last if points > 1 else isfinite(step + time)", [1, 2, 3], [2]),
        ("9 ** 9 ** 9 ** 9 > value", [1, 1], []),
        ('other("train/loss") is None and value == 2', [1, 2], [1]),
        ("mean == 1.5 and least == 1 and largest == 2 and deviation > 0", [1, 2, 1], [2]),
    ],
)
def test_an_expression_fires_where_it_holds(text: str, values: list[float], wanted: list[int]) -> None:
    """Where it cannot be told (a division by zero, a name without a value) it does not hold."""
    assert flagged(text, values) == wanted


def test_an_expression_needs_its_points_and_its_persistence() -> None:
    """Not before `min_points`, not before `flagged` of the last `of`, and again only after `cooldown_points`."""
    values = [9.0, 1, 9, 9, 9, 1, 1, 9, 9, 1, 1, 1, 9, 9]
    assert flagged("value > 5", values) == [0]
    assert flagged("value > 5", values, min_points=1, flagged=2, of=3) == [3]
    assert flagged("value > 5", values, min_points=1, flagged=2, of=3, cooldown_points=3) == [3, 13]


def test_an_expression_sees_the_last_value_of_another_series() -> None:
    """Of the same line where that comes first by name, and of this attempt only."""
    across = Across([
        rule(metrics=("val/loss",), condition="expression", min_points=0, expression='value > 2 * other("train/loss")'),
    ])  # fmt: skip
    first = [("train/loss", Sample(1, 1, 1, 1.0, None)), ("val/loss", Sample(1, 1, 1, 2.5, None))]
    assert steps([one for one in fed(across, first) if one.episode is None]) == [1]
    assert fed(across, [("val/loss", Sample(2, 2, 0, 99.0, None))]) == []


# ---- the guard ----


@pytest.mark.parametrize(
    ("name", "at"), [("lr", 0.9), ("train/lr", 0.01), ("lr-AdamW/pg1", 0.9), ("learning_rate", 0.0)]
)
def test_a_jump_of_the_learning_rate_keeps_back_what_the_next_lines_say(name: str, at: float) -> None:
    """Up or down; what its own line says, and what comes after so many lines, is told."""
    across = Across([guarded("g", "loss", 3, condition="expression", expression="value > 5", cooldown_points=1)])
    told = []
    for seq in range(1, 30):
        rate = [(name, Sample(seq, 1, seq, at if seq >= 15 else 0.1, None))]
        across.allowed(fed(across, rate))
        verdict = list(told_at(across, seq))
        told += steps(across.allowed(verdict))
    assert told == [11, 13, 15, 19, 21, 23, 25, 27, 29]


def told_at(across: Across, seq: int) -> list[Verdict]:
    """A loss that is high in every second line."""
    verdicts = across.feed("loss", Sample(seq, 1, seq, 9.0 if seq % 2 else 1.0, None))
    return [one for one in verdicts if one.episode is None]


def test_a_schedule_that_is_no_jump_keeps_nothing_back() -> None:
    """Warm-up after its first steps, a cosine to its end, a rate that does not change."""
    rates = [*[0.1 * i / 50 for i in range(8, 50)], *[0.05 * (1 + math.cos(math.pi * i / 500)) for i in range(501)]]
    across = Across([guarded("g", "loss", 600, condition="expression", expression="value > 5")])
    for sample in samples(rates):
        across.feed("lr", sample)
    assert across.dump()["schedule"]["lines"] == []


def test_the_guard_counts_the_lines_that_are_judged() -> None:
    """Of a file that is written whole again and again, the lines that were read before lie between in number."""
    lines = [
        [(name, Sample(100 * n, 1, n, value, None)) for name, value in (("loss", 9.0 if n % 2 else 1.0), ("lr", rate))]
        for n, rate in enumerate([0.1] * 14 + [0.9] * 15, 1)
    ]
    rules = [guarded("g", "loss", 3, condition="expression", expression="value > 5", cooldown_points=1)]
    said = compare(rules, lines, [(16, "columns"), (1, "single"), (3, "reborn")])
    assert steps([one for one in said if one.episode is None]) == [11, 13, 15, 19, 21, 23, 25, 27, 29]


# ---- mistakes of a rule file ----


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("value >", "is no expression: invalid syntax"),
        ("value", "is no claim: it has to compare, as in `value > 2 * median`"),
        ("value > foo", "names 'foo', which is not known; known are value, step,"),
        ("__import__(1) > 1", "calls '__import__', which is no function; known are abs, min,"),
        ("value.real > 1", "holds what no expression may: a dot"),
        ("[value][0] > 1", "holds what no expression may: brackets"),
        ("value > 'high'", "holds the text 'high' where no series is named"),
        ("other(step) > 1", "asks for other() without the name of a series in quotes"),
        ("max(value) > 1", "gives max 1 values where it takes 2 to 20"),
        ("abs > 1", "names the function abs without calling it"),
        ("value > " + "-" * 90 + "1", "is nested more than 60 deep"),
        ("value > " + "(" * 250, "is no expression"),
    ],
)
def test_an_expression_that_is_none_is_a_mistake_of_its_line(tmp_path: Path, text: str, wrong: str) -> None:
    """Told when the file is read, and nothing of it is carried out."""
    path = tmp_path / "r.yaml"
    path.write_text(f"rule: r\nmetrics: [loss]\nwhen:\n  condition: expression\n  expression: {json.dumps(text)}\n")
    with pytest.raises(ConfigError) as error:
        load_rule(path)
    assert error.value.message.startswith(f"{path}:5: when.expression: {wrong}")
