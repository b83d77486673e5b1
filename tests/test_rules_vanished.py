"""The condition `vanished`: a series that comes no more while those of its lines go on, and what comes less often by nature."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.files import data_path
from neatd.models import Sample, Verdict
from neatd.read.rows import Column
from neatd.rules.judge import Judge
from neatd.rules.load import load_rule
from neatd.rules.schema import Guard, Rule
from tests.cost import at_most
from tests.rules_batches import Point, columns_of
from tests.rules_streams import rule

SHIPPED = load_rule(data_path("rules") / "gradient-missing.yaml")
NORMS = ("grad_norm", "grad_norm/embed", "grad_norm/fc1", "grad_norm/fc2", "grad_norm/head")
LESS = tuple(name for name in NORMS if name != "grad_norm/fc1")


def lines_of(rows: Iterable[Iterable[str]], attempts: dict[int, int] | None = None) -> list[list[Point]]:
    """One line a row of names, a step each; `attempts`: rows before which the run goes so many steps back."""
    lines, step, attempt = [], 0, 1
    for seq, names in enumerate(rows, 1):
        back = (attempts or {}).get(seq - 1)
        step, attempt = (step + 1, attempt) if back is None else (step - back, attempt + 1)
        lines.append([(name, Sample(seq, attempt, step, 1.0 + seq / 1000, None)) for name in sorted(names)])
    return lines


def told(lines: Iterable[list[Point]], one: Rule = SHIPPED) -> list[Verdict]:
    judge = Judge([one])
    return [verdict for line in lines for name, sample in line for verdict in judge.feed(name, sample)]


def said(rows: Iterable[Iterable[str]], **more: Any) -> list[tuple[str, int]]:
    """Which series are told of, and at which steps."""
    return [(one.metric, one.step) for one in told(lines_of(rows, **more))]


def test_a_layer_that_is_no_longer_logged_is_told_once() -> None:
    """At the first point behind ten lines without it, with the step at which it came last."""
    found = told(lines_of([NORMS] * 100 + [LESS] * 200))
    assert [(one.metric, one.step, one.value) for one in found] == [("grad_norm/fc1", 111, 1.1)]
    assert found[0].details == {"since_step": 100}
    assert found[0].message == (
        "grad_norm/fc1 comes no more since step 100, where it was 1.1: 4 of the series beside it went on for 10 points"
    )
    assert found[0].window[-1] == (100, 1.1)


def test_one_that_comes_back_and_goes_again_is_given_three_times_as_long() -> None:
    """A pause that was once made may be made again."""
    rows = [NORMS] * 50 + [LESS] * 20 + [NORMS] * 50
    assert said([*rows, *[LESS] * 50]) == [("grad_norm/fc1", 61)]
    assert said([*rows, *[LESS] * 70]) == [("grad_norm/fc1", 61), ("grad_norm/fc1", 181)]


def test_two_layers_that_go_at_once_are_one_event() -> None:
    """The second joins the first."""
    found = told(lines_of([NORMS] * 60 + [NORMS[:3]] * 30))
    assert [(one.metric, one.episode is None) for one in found] == [("grad_norm/fc2", True), ("grad_norm/head", False)]


def test_what_a_guard_holds_back_is_told_when_it_ends() -> None:
    """From the start of the attempt on, in steps."""
    guarded = SHIPPED.model_copy(update={"guard": Guard(warmup_steps=150)})
    assert [(one.metric, one.step) for one in told(lines_of([NORMS] * 100 + [LESS] * 200), guarded)] == [
        ("grad_norm/fc1", 151)
    ]


EVERY_100 = [(*NORMS, "grad_norm/epoch") if i % 100 == 0 else NORMS for i in range(4000)]
GAN = [("grad_norm/d1", "grad_norm/d2", "grad_norm/d3"), ("grad_norm/g1", "grad_norm/g2", "grad_norm/g3")]
CHANCE = random.Random(3)
EXPERTS = [tuple(f"grad_norm/{n}" for n in "abcdefgh" if CHANCE.random() < 0.7) for _ in range(2000)]
QUIET = {
    "most of the network at once": [NORMS] * 100 + [("grad_norm", "grad_norm/head")] * 100,
    "all but the whole norm": [("grad_norm", "grad_norm/fc1")] * 100 + [("grad_norm",)] * 100,
    "all of them": [NORMS] * 100 + [()] * 100,
    "another phase with other series": [NORMS] * 100 + [(*LESS, "grad_norm/decoder")] * 100,
    "once an epoch, to the run's end": EVERY_100,
    "once an epoch, and not in the last two": EVERY_100 + [NORMS] * 190,
    "a few epochs only": EVERY_100[:900] + [NORMS] * 2000,
    "lines of two networks in turns, of which one ends": GAN * 200 + [GAN[0]] * 200,
    "experts that are drawn anew for each batch": EXPERTS,
    "every layer in its turn": [("grad_norm", name) for _ in range(80) for name in NORMS[1:]],
    "evaluations between": [NORMS if i % 50 else ("val/loss", "val/grad_norm") for i in range(1000)],
    "too few points before": [NORMS] * 20 + [LESS] * 100,
}


@pytest.mark.parametrize("name", QUIET)
def test_what_comes_less_often_by_nature_is_not_told(name: str) -> None:
    """Epochs, phases, turns, chance; and a network of which most is frozen on purpose."""
    assert said(QUIET[name]) == []


def test_a_resume_with_other_series_is_not_told() -> None:
    """What the run wrote before it went back says nothing of what it writes now."""
    rows = [NORMS] * 100 + [LESS] * 100
    assert said(rows, attempts={100: 20}) == []
    assert said([*rows, *[LESS[1:]] * 20], attempts={100: 20}) == [("grad_norm", 190)]


def test_series_that_are_written_one_by_one_make_lines_by_their_step() -> None:
    """As in TensorBoard's files, where each value has an ordinal of its own."""
    lines = lines_of([NORMS] * 60 + [LESS] * 30)
    each = [[point] for line in lines for point in line]
    apart = [[(name, one._replace(seq=seq))] for seq, [(name, one)] in enumerate(each, 1)]
    assert [(one.metric, one.step) for one in told(apart)] == [("grad_norm/fc1", 71)]


def test_series_of_files_of_their_own_are_not_told() -> None:
    """As MLflow writes them: all points of the one, then all of the other."""
    lines = lines_of([(name,) for name in NORMS for _ in range(200)])
    assert told(lines) == []


ROWS = st.lists(st.sampled_from([NORMS, NORMS, LESS, NORMS[:3], NORMS[2:], (), ("val/loss",)]), min_size=1, max_size=8)
BRISK = rule("v", condition="vanished", points=3, min_points=4, siblings=1)
BOTH = [BRISK, SHIPPED.model_copy(update={"guard": Guard(warmup_steps=80)})]


@settings(max_examples=40, deadline=None)
@given(
    ROWS, st.lists(st.integers(1, 40), min_size=8, max_size=8), st.lists(st.integers(1, 60), max_size=4), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_columns_and_new_judges_say_what_single_points_say(
    rows: list[tuple[str, ...]], counts: list[int], cuts: list[int], is_apart: bool, is_resumed: bool
) -> None:
    """Stretches of lines alike, cut anywhere, kept as JSON at each cut; also with an ordinal for each value."""
    lines = lines_of(
        [row for row, count in zip(rows, counts, strict=False) for _ in range(count)], {30: 9} if is_resumed else {}
    )
    if is_apart:
        points = [[point] for line in lines for point in line]
        lines = [[(name, one._replace(seq=seq))] for seq, [(name, one)] in enumerate(points, 1)]
    one, many, at = Judge(BOTH), Judge(BOTH), 0
    for count in [*cuts, len(lines)]:
        part = [point for line in lines[at : at + count] for point in line]
        expected = [verdict for name, sample in part for verdict in one.feed(name, sample)]
        many = Judge(BOTH, json.loads(json.dumps(many.dump())))
        assert list(map(repr, many.feed_columns(columns_of(part, random.Random(at))))) == list(map(repr, expected))
        assert repr(many.dump()) == repr(one.dump())
        at += count


def test_many_lines_alike_cost_little() -> None:
    """A backlog of a hundred layers is judged by their columns: half a million points, a second each way otherwise."""
    many = np.arange(1, 5001)
    columns = [
        Column(f"grad_norm/{number:03}", many, np.ones_like(many), many, np.ones(len(many)), many * 1.0)
        for number in range(100)
    ]
    judge = Judge([SHIPPED])
    with at_most(0.8):
        assert judge.feed_columns(columns) == []
    rest = [(one.name, Sample(5001 + at, 1, 5001 + at, 1.0, None)) for at in range(20) for one in columns[1:]]
    assert [one.metric for name, sample in rest for one in judge.feed(name, sample)] == ["grad_norm/000"]
