"""The condition `jump`: no schedule of torch fires it, and each planted glitch does."""

from __future__ import annotations

from functools import cache

import pytest

from neatd.files import data_path
from neatd.rules.conditions import Jump
from neatd.rules.detectors.jump import JumpDetector
from neatd.rules.load import load_rule
from tests.schedules import MADE, WARMUPS, held, is_calm, printed, rates, warmed, with_glitch

SHIPPED = load_rule(data_path("rules") / "lr-glitch.yaml")
assert isinstance(SHIPPED.when, Jump)
WHEN = SHIPPED.when
made = cache(rates)


def fired(values: list[float], when: Jump = WHEN) -> list[tuple[int, str]]:
    detector = JumpDetector(when)
    told = [(place, detector.feed(place, value)) for place, value in enumerate(values)]
    return [(place, finding.why) for place, finding in told if finding is not None]


@pytest.mark.parametrize("name", MADE)
def test_no_schedule_fires(name: str):
    """Behind each warm-up, each rate for one point or for several, in full and as logs print it."""
    for warmup in WARMUPS:
        values = warmed(made(name), warmup)
        for count in (1, 2, 7, 20):
            assert fired(held(values, count)) == []
        assert fired(held(printed(values), 2)) == []


@pytest.mark.parametrize("name", MADE)
def test_each_glitch_in_a_calm_stretch_is_told_once(name: str):
    """Ten times too high, and too low, for five points."""
    for warmup in WARMUPS:
        for count in (1, 7):
            values = held(warmed(made(name), warmup), count)
            calm = [at for at in (len(values) // 5, len(values) // 2, 3 * len(values) // 4) if is_calm(values, at)]
            for at, factor in ((at, factor) for at in calm for factor in (10.0, 0.1)):
                (told,) = fired(with_glitch(values, at, factor))
                assert at <= told[0] <= at + 5


def test_enough_schedules_are_calm_enough():
    """Else the test above would plant nothing."""
    assert sum(is_calm(made(name), len(made(name)) // 2) for name in MADE) > len(MADE) / 2


def test_a_rise_above_all_is_told_at_once():
    """Behind a fall nothing rises so far; what comes back is not told again."""
    values = [0.1 * 0.99**i for i in range(50)]
    (first,) = fired([*values, 0.7, 0.7, 0.061, 0.06])
    assert first == (50, "11.5 times the one before, 0.06111, and above the highest so far, 0.1")
    assert [place for place, _ in fired([*values, *[0.7] * 200])] == [50]


def test_a_glitch_without_a_fall_before_is_told_when_it_goes_back():
    """A rise from the start on may be a warm-up."""
    assert fired([1e-3] * 60 + [1e-2] * 5 + [1e-3] * 60) == [
        (65, "back after 5 points at 0.01, 10 times the one before, from step 60 on")
    ]
    assert fired([1e-3] * 60 + [1e-2] * 200) == []


def test_a_rate_of_zero_for_a_few_points_is_a_glitch():
    """Zero at the end of a decay, and at the start of a warm-up, is none."""
    assert [place for place, _ in fired([1e-3] * 60 + [0.0] * 3 + [1e-3] * 60)] == [63]
    assert fired([0.0] * 5 + [1e-3] * 60 + [0.0] * 100) == []


def test_only_the_direction_asked_for_is_told():
    """A glitch down is none for `up`."""
    down, up = ([1e-3] * 60 + [1e-3 * factor] * 5 + [1e-3] * 60 for factor in (0.1, 10.0))
    for direction, counts in (("up", (0, 1)), ("down", (1, 0)), ("both", (1, 1))):
        when = WHEN.model_copy(update={"direction": direction})
        assert (len(fired(down, when)), len(fired(up, when))) == counts


def test_the_shipped_rule_looks_at_learning_rates():
    """As trainers call them."""
    names = ["lr", "train/lr", "lr-Adam", "lr-Adam/pg1", "lr/pg0", "learning_rate", "train/learning_rate", "actor_lr"]
    others = ["loss", "lr-SGD-momentum", "lr-AdamW-weight_decay", "clr_loss", "train/loss", "lrap"]
    assert [name for name in names + others if SHIPPED.matches(name)] == names
