"""The conditions `above`, `below` and `exact_zero`."""

from __future__ import annotations

import math
import random

import pytest

from neatd.rules.judge import Judge
from tests.rules_streams import feed, rule, steps


def fired(values: list[float], **when: object) -> list[int]:
    return steps(feed(Judge([rule(**when)]), "loss", values))


# ---- above, below ----


def test_a_value_beyond_the_limit_fires_once_an_episode():
    """At the limit is not beyond it; the episode ends with as many points in a row that are back."""
    values = [1.0, 2.0, 2.1, 2.1, 1.0, 1.0, 2.1, 1.0, 1.0, 1.0, 2.1]
    assert fired(values, condition="above", limit=2.0, cooldown_points=3) == [2, 10]
    assert fired([-v for v in values], condition="below", limit=-2.0, cooldown_points=3) == [2, 10]


def test_several_of_the_last_points_have_to_be_beyond():
    """Two of the last three; NaN and infinities are no points."""
    assert fired([3, 1, 1, 3, 1, 3, 1, 1, 3, 3], condition="above", limit=2.0, flagged=2, of=3) == [5]
    assert fired([3, math.nan, math.inf, 1, 3], condition="above", limit=2.0, flagged=2, of=3) == [4]
    assert fired([3.0] * 50, condition="above", limit=2.0, flagged=4, of=4) == [3]


def test_nothing_is_beyond_before_enough_points():
    """The first points are not remembered either."""
    assert fired([9, 9, 9, 1, 9], condition="above", limit=2.0, min_points=3) == [4]
    assert fired([9, 9, 9, 1, 9], condition="above", limit=2.0, min_points=3, flagged=2, of=10) == []


def test_a_limit_tells_itself():
    """It is the threshold of the episode."""
    (verdict,) = feed(Judge([rule(condition="below", limit=10.0, flagged=2, of=3)]), "gpu", [5.0, 5.0, 5.0])
    assert verdict.message == "gpu 5 at step 1: below 10, 2 times in the last 3 points"
    assert (verdict.threshold, verdict.score) == (10.0, 0.5)


# ---- exact_zero ----


def noise(count: int, level: float = 2.0) -> list[float]:
    rng = random.Random(3)
    return [level * (1 + 0.1 * rng.gauss(0, 1)) for _ in range(count)]


def test_a_zero_among_others_fires():
    """Each that is on its own, and those in a row once."""
    values = noise(3000)
    for at in (700, 1500, 1501, 1503, 2500):
        values[at] = 0.0
    assert fired(values, condition="exact_zero") == [700, 1500, 2500]
    (verdict, *_) = feed(Judge([rule(condition="exact_zero")]), "loss", values)
    assert verdict.message.startswith("loss 0 at step 700: exactly zero, the least before was 1.")
    assert verdict.threshold is not None and 0 < verdict.threshold < min(v for v in values if v)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 500,
        [0.0] * 500 + noise(5),
        [2 * 0.95**i if i < 300 else 0.0 for i in range(500)],
        [round(2 * 0.98**i, 4) for i in range(900)],
        [v - 2 if i % 400 else 0.0 for i, v in enumerate(noise(2000))],
    ],
    ids=["always zero", "zero at first", "learnt by heart", "four digits", "around zero"],
)
def test_a_zero_that_is_the_series_own_is_silent(values: list[float]):
    """Where zeros are to be expected they mean nothing."""
    assert fired(values, condition="exact_zero") == []


def test_zeros_that_come_often_are_told_once():
    """Every fiftieth loss, as of a hinge."""
    assert fired([0.0 if i % 50 == 49 else v for i, v in enumerate(noise(5000))], condition="exact_zero") == [49]
