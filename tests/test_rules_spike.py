"""The condition `spike`: what fires, what does not, and what the history keeps."""

from __future__ import annotations

import json
import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.rules.conditions import Spike
from neatd.rules.detectors.spike import SpikeDetector
from neatd.rules.detectors.window import PlainWindow, RobustWindow, Spread
from neatd.rules.judge import Judge
from tests.rules_streams import feed, rule, steps


def noisy(count: int, level: float = 2.0, share: float = 0.02, seed: int = 1) -> list[float]:
    """A level with normal noise of `share` of it."""
    rng = random.Random(seed)
    return [level * (1 + share * rng.gauss(0, 1)) for _ in range(count)]


def spike(**when: object) -> Judge:
    return Judge([rule(condition="spike", **when)])


def test_a_spike_is_told_with_its_numbers():
    """Score, threshold, window and sentence are those of the 100 points before the spike."""
    (verdict,) = feed(spike(), "train/loss", [2.0, 2.1, 1.9, 2.0] * 30 + [4.9])
    # median 2.0; MAD 0.05 and mean deviation 0.05 give scale 0.07413
    assert verdict.score == pytest.approx((4.9 - 2.0) / (1.4826 * 0.05))
    assert verdict.threshold == pytest.approx(2.0 + 6 * 1.4826 * 0.05)
    assert verdict.message == (
        "train/loss 4.9 at step 120: 39.1 robust deviations above the median 2 of the last 100 points"
    )
    assert verdict.window == tuple(zip(range(100, 120), [2.0, 2.1, 1.9, 2.0] * 5, strict=True))


def test_nothing_fires_before_min_points():
    """The thirty-first point is the first that is judged."""
    assert feed(spike(), "loss", [2.0] * 29 + [9.0]) == []
    assert steps(feed(spike(), "loss", [2.0] * 30 + [9.0])) == [30]


def test_plain_noise_is_silent():
    """Twenty thousand steps of normal noise around a falling level fire nothing."""
    values = [v * math.exp(-i / 5000) for i, v in enumerate(noisy(20_000, share=0.05))]
    assert feed(spike(), "loss", values) == []


@pytest.mark.parametrize("level", [0.0, 1.7, -1.7, 0.1, 1e-300, 1e300])
@pytest.mark.parametrize("estimator", ["robust", "zscore"])
def test_a_flat_series_is_silent(estimator: str, level: float):
    """The same value again and again is never above itself, whatever the rounding of a mean."""
    assert feed(spike(estimator=estimator), "loss", [level] * 300) == []


def test_a_small_rise_over_a_quiet_series_is_no_spike():
    """With a scale of 1 % of the median, +8 % is beyond 6 deviations and still below min_rise."""
    assert feed(spike(), "loss", [1.0] * 50 + [1.08]) == []
    assert steps(feed(spike(min_rise=0.0), "loss", [1.0] * 50 + [1.08])) == [50]


def test_a_series_that_is_mostly_one_value_has_a_scale():
    """With seven of ten values alike the MAD is 0; the mean deviation keeps the other three from being spikes."""
    values = ([1.0] * 7 + [1.5] * 3) * 20
    assert feed(spike(), "loss", [*values, 2.1]) == []
    assert steps(feed(spike(), "loss", [*values, 2.2])) == [200]


def test_a_negative_series_spikes_upwards():
    """The guard is a share of the median's size, so a log-likelihood below zero works alike."""
    assert steps(feed(spike(), "loss", [-2.0] * 60 + [-1.0])) == [60]
    assert feed(spike(), "loss", [-2.0] * 60 + [-1.85]) == []


def test_a_fall_is_no_spike():
    """Only values above the history fire."""
    assert feed(spike(), "loss", [*noisy(100), 0.01]) == []


def test_a_burst_does_not_hide_its_later_members():
    """After a first spike twice as large, the next ones still fire; plain deviations miss them all."""
    burst = [*noisy(100), 8.0, 4.0, 4.0, 4.0]
    robust = feed(spike(cooldown_points=0), "loss", burst)
    plain = feed(spike(cooldown_points=0, estimator="zscore", k=6), "loss", burst)
    assert (steps(robust), steps(plain)) == ([100, 101, 102, 103], [100])


@pytest.mark.parametrize(("value", "kept"), [(50.0, 2.12), (0.0, 1.88), (2.05, 2.05)])
def test_the_history_keeps_a_value_drawn_to_the_limits(value: float, kept: float):
    """What lies beyond 6 scales of 0.02 around 2 enters as the limit, above and below; what lies within, as it is."""
    detector = SpikeDetector(Spike())
    for step, one in enumerate([2.0] * 60 + [value]):
        detector.feed(step, one)
    assert detector.dump()["values"][-1] == pytest.approx(kept)


def test_the_zscore_history_keeps_values_as_they_came():
    """The literal rule does not draw anything in."""
    detector = SpikeDetector(Spike(estimator="zscore"))
    for step, one in enumerate([*noisy(60), 50.0]):
        detector.feed(step, one)
    assert detector.dump()["values"][-1] == 50.0


def test_zscore_is_the_population_deviation():
    """With 1 and 3 in turn the mean is 2 and the deviation 1: 5 is not beyond three, 5.001 is."""
    values = [1.0, 3.0] * 50
    (verdict,) = feed(spike(estimator="zscore"), "loss", [*values, 5.001])
    assert (verdict.score, verdict.threshold) == (pytest.approx(3.001), pytest.approx(5.0))
    assert feed(spike(estimator="zscore"), "loss", [*values, 5.0]) == []


def test_one_event_until_the_cooldown_has_passed():
    """A second spike counts after 25 unflagged points in a row, and not after 24."""
    again = [2.0] * 60 + [9.0] + [2.0] * 24 + [9.0] + [2.0] * 25 + [9.0]
    assert steps(feed(spike(), "loss", again)) == [60, 60 + 25 + 26]


@pytest.mark.parametrize("quiet", [1.08, 0.5])
def test_the_cooldown_counts_outliers_that_are_no_spikes(quiet: float):
    """A rise below the guard and a fall are unflagged, though they lie beyond 6 deviations."""
    values = [1.0] * 60 + [9.0] + [quiet] * 25 + [9.0]
    assert steps(feed(spike(), "loss", values)) == [60, 86]


def test_a_history_of_zeros_does_not_blind_the_rule():
    """A series that is 0 at first fires once when it begins, is then followed, and spikes again later."""
    values = [0.0] * 50 + noisy(300) + [9.0]
    assert steps(feed(spike(), "aux_loss", values)) == [50, 350]


def heavy(count: int) -> list[float]:
    """Losses of small batches: a fall from 2.3, and values from 0.02 to 1 behind it."""
    rng = random.Random(4)
    return [2.3 * math.exp(-i / 20) + 0.2 * math.exp(rng.uniform(-2.5, 1.5)) for i in range(count)]


@pytest.mark.parametrize(("record", "told"), [(0.0, []), (3.0, [400])])
def test_three_times_the_largest_of_the_run_is_a_spike_however_noisy_it_is(record: float, told: list[int]):
    """A corrupted batch of eight: 40 times the median and seven times the start, where noise makes factors of ten."""
    judge = spike(log_k=5.5, record=record)
    assert steps(feed(judge, "loss", [*heavy(400), 16.0, *heavy(500)[400:]])) == told


@pytest.mark.parametrize(("loss", "told"), [(6.0, []), (9.0, [650])])
def test_the_start_of_the_run_is_remembered_over_a_restart(loss: float, told: list[int]):
    """A run that goes on with small losses has shown its large ones, of nearly 3, before; a new judge knows that too."""
    judge = spike(log_k=5.5, record=3.0)
    assert feed(judge, "loss", heavy(400)) == []
    judge = Judge([rule(condition="spike", log_k=5.5, record=3.0)], json.loads(json.dumps(judge.dump())))
    late = [one / 10 for one in heavy(700)[400:]]
    assert steps(feed(judge, "loss", [*late, loss], first_step=350, attempt=2)) == told


def test_values_that_are_not_finite_are_passed_over():
    """NaN and infinities neither fire, nor enter the history, nor end a cooldown."""
    holes = [math.nan, math.inf, -math.inf] * 30
    values = [2.0] * 30 + holes + [9.0] + holes + [9.0]
    assert steps(feed(spike(), "loss", values)) == [120]


def test_a_new_attempt_needs_a_new_history():
    """After a restart nothing is judged by the points of the abandoned attempt."""
    judge = spike()
    feed(judge, "loss", [2.0] * 100)
    assert feed(judge, "loss", [9.0] * 5, first_step=50, attempt=2) == []
    assert steps(feed(judge, "loss", [9.0] * 25 + [40.0], first_step=55, attempt=2)) == [80]


FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEVELS = st.floats(-10, 10).map(lambda v: round(v, 1))  # many ties


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9) | LEVELS, min_size=2, max_size=30), st.sampled_from([0.5, 3.0, 6.0]))
def test_the_short_cut_passes_nothing_beyond_k_scales(values: list[float], k: float):
    """The next number beyond k scales of the median, measured in full, is never called harmless, on either side."""
    centre = statistics.median(values)
    away = [abs(value - centre) for value in values]
    scale = max(1.4826 * statistics.median(away), 1.2533 * statistics.fmean(away), 0.01 * abs(centre))
    window = RobustWindow(len(values), values)
    for beyond in (centre + k * scale * (1 + 1e-9) + 1e-300, centre - k * scale * (1 + 1e-9) - 1e-300):
        if beyond != centre:  # the scale is lost beside a large centre
            spread = window.spread_if_beyond(beyond, k)
            assert spread == Spread(pytest.approx(centre), pytest.approx(scale))


@settings(max_examples=100, deadline=None)
@given(st.lists(FINITE | LEVELS, min_size=1, max_size=60), st.integers(2, 10), st.booleans())
def test_a_window_that_slides_equals_one_made_anew(values: list[float], length: int, is_robust: bool):
    """Taking values in one by one leaves the spread of the last ones, bit for bit."""
    kind = RobustWindow if is_robust else PlainWindow
    window = kind(length)
    for value in values:
        window.push(value)
    anew = kind(length, values[-length:])
    if len(window.values) >= 2:
        assert repr(window.spread_if_beyond(1e308, 1.0)) == repr(anew.spread_if_beyond(1e308, 1.0))
