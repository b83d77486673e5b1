"""The conditions `non_finite`, `best`, `drop` and `diverging`."""

from __future__ import annotations

import math
import random

import pytest

from neatd.rules.judge import Judge
from tests.rules_streams import feed, rule, steps

NAN, INF = math.nan, math.inf


def judge(**when: object) -> Judge:
    return Judge([rule(**when)])


# ---- non_finite ----


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_the_first_value_that_is_no_number_fires(value: float):
    """NaN and both infinities fire once, however long they last."""
    assert steps(feed(judge(condition="non_finite"), "loss", [2.0, 1.93, value, NAN, INF])) == [2]


def test_a_non_finite_message_tells_the_last_number():
    """The reader sees what the series was before."""
    (verdict,) = feed(judge(condition="non_finite"), "loss", [2.0, 1.93, NAN])
    assert verdict.message == "loss NaN at step 2: not finite any more, it was 1.93 at step 1"
    assert (verdict.score, verdict.threshold) == (None, None)


def test_a_series_that_begins_with_nan_fires():
    """No finite value has to come first."""
    assert steps(feed(judge(condition="non_finite"), "loss", [NAN, NAN])) == [0]


def test_each_episode_of_nan_fires():
    """A finite value ends an episode, and so does a new attempt."""
    one = judge(condition="non_finite")
    assert steps(feed(one, "loss", [1.0, NAN, 1.0, NAN])) == [1, 3]
    assert steps(feed(one, "loss", [NAN, NAN], first_step=2, attempt=2)) == [2]


# ---- best ----


def test_best_fires_on_clear_gains_only():
    """After three points: the lowest so far, then each value at least 1 % below the last one told."""
    values = [1.0, 0.9, 0.8, 0.7, 0.699, 0.6929, 0.8, 0.6]
    verdicts = feed(judge(condition="best", goal="min"), "val/loss", values)
    assert steps(verdicts) == [3, 5, 7]
    assert verdicts[-1].goal == "min"
    assert verdicts[-1].message == "val/loss 0.6 at step 7: the best so far, 13.4 % below 0.6929 at step 5"


def test_best_of_a_score_is_the_highest():
    """With goal `max` a rise fires and a fall does not, below zero too."""
    one = judge(condition="best", goal="max")
    verdicts = feed(one, "val/acc", [-0.5, -0.4, -0.3, -0.31, -0.2, -0.25])
    assert steps(verdicts) == [4]
    assert verdicts[0].threshold == -0.3
    assert "33.3 % above -0.3 at step 2" in verdicts[0].message


def test_the_first_points_set_the_mark_and_do_not_fire():
    """A run whose best came within the first three points tells nothing until that is beaten."""
    assert steps(feed(judge(condition="best", goal="min"), "loss", [0.5, 1.0, 1.0, 0.6, 0.4])) == [4]


def test_nan_is_never_best():
    """Nor is an infinity, in the good direction, nor does either count as a point."""
    assert feed(judge(condition="best", goal="min"), "loss", [1.0, NAN, -INF, NAN, 0.9, -INF]) == []
    assert steps(feed(judge(condition="best", goal="min"), "loss", [-INF, 1.0, 1.0, 1.0, -INF, NAN, 0.9])) == [6]


def test_an_equal_value_is_not_better():
    """Without any wanted gain the value must still be strictly better."""
    one = judge(condition="best", goal="min", min_improvement=0.0, min_points=0)
    assert steps(feed(one, "loss", [0.0, 0.0, -1.0, -1.0])) == [0, 2]


def test_best_before_a_restart_counts_in_the_new_attempt():
    """A value reached at step 3 still stands when the run goes back to step 5; the one of step 8 does not."""
    one = judge(condition="best", goal="min")
    assert steps(feed(one, "loss", [1, 1, 1, 0.5, 0.6, 0.6, 0.6, 0.6, 0.4])) == [3, 8]
    assert steps(feed(one, "loss", [0.6, 0.45], first_step=5, attempt=2)) == [6]


def test_best_of_an_abandoned_tail_is_forgotten():
    """With no value from before the restart the series starts anew, after min_points again."""
    one = judge(condition="best", goal="min")
    feed(one, "loss", [1, 1, 1, 0.5], first_step=10)
    assert steps(feed(one, "loss", [0.9, 0.9, 0.9, 0.8], first_step=10, attempt=2)) == [13]


def test_a_restart_is_known_from_any_series():
    """The evaluation at step 12 lies past its old best at step 11, yet the run went back to step 10: that best is gone."""
    one = judge(condition="best", goal="min", min_points=0)
    feed(one, "val/loss", [0.5], first_step=11)
    feed(one, "lr", [0.1], first_step=10, attempt=2)
    assert steps(feed(one, "val/loss", [0.9], first_step=12, attempt=2)) == [12]


def test_a_best_abandoned_two_attempts_ago_is_forgotten():
    """Attempt 2 went back behind the best, and attempt 3 only behind attempt 2: what was abandoned stays so."""
    one = judge(condition="best", goal="min", min_points=0)
    feed(one, "val/loss", [0.5], first_step=8)
    feed(one, "lr", [0.1] * 10, first_step=5, attempt=2)
    feed(one, "lr", [0.1], first_step=9, attempt=3)
    assert steps(feed(one, "val/loss", [0.9], first_step=10, attempt=3)) == [10]


# ---- drop ----


def test_a_relative_drop_is_told_once_an_episode():
    """Ten percent of the best; three points in a row back above the threshold end the episode, one does not."""
    values = [0.5, 0.8, 0.8, 0.73, 0.71, 0.6, 0.75, 0.7, 0.75, 0.75, 0.75, 0.7]
    verdicts = feed(judge(condition="drop"), "val/acc", values)
    assert steps(verdicts) == [4, 11]
    assert verdicts[0].score == pytest.approx(0.09 / 0.8)
    assert verdicts[0].threshold == pytest.approx(0.72)
    assert verdicts[0].message == "val/acc 0.71 at step 4: 11.3 % (relative) below the best so far, 0.8 at step 1"


@pytest.mark.parametrize(("scale", "score"), [(1, 0.11), (100, 11)])
def test_a_drop_in_points_fits_both_scales(scale: int, score: float):
    """From 0.50 to 0.41 or from 50 to 41 is no ten points; to 0.39 or 39 is."""
    values = [scale * v for v in (0.5, 0.5, 0.5, 0.41, 0.39)]
    (verdict,) = feed(judge(condition="drop", of="points"), "val/acc", values)
    assert verdict.step == 4
    assert verdict.score == pytest.approx(score)
    assert "11 percentage points below the best so far" in verdict.message


def test_a_drop_needs_min_points_and_passes_nan_over():
    """Two finite points are not enough to judge the third."""
    assert feed(judge(condition="drop"), "acc", [0.9, NAN, INF, 0.9, 0.1]) == []
    assert steps(feed(judge(condition="drop"), "acc", [0.9, NAN, 0.9, 0.9, 0.1])) == [4]


def test_a_score_below_zero_drops_downwards():
    """A tenth of the size of -0.5 lies at -0.55, not above it."""
    assert steps(feed(judge(condition="drop"), "val/r2", [-0.5, -0.5, -0.5, -0.54, -0.56])) == [4]


def test_a_drop_is_measured_within_its_attempt():
    """A restart from an earlier step is not a drop from the abandoned best."""
    one = judge(condition="drop")
    feed(one, "acc", [0.5, 0.8, 0.9, 0.9])
    assert feed(one, "acc", [0.6] * 6, first_step=1, attempt=2) == []


# ---- diverging ----


def test_a_steady_rise_fires_once():
    """Block medians 2 < 2.2 < 2.5: the third block's last point fires, and the rise that goes on does not."""
    values = [2.0] * 50 + [2.2] * 10 + [2.5] * 10 + [3.0] * 10 + [4.0] * 10
    (verdict,) = feed(judge(condition="diverging"), "loss", values)
    assert verdict.step == 69
    assert verdict.score == pytest.approx(0.25)
    assert verdict.threshold == pytest.approx(2.4)
    assert verdict.message == (
        "loss 2.5 at step 69: rising steadily, the last 3 medians of 10 points are 2 < 2.2 < 2.5, 25 % above the lowest, 2"
    )


def test_a_rise_with_a_step_back_is_not_steady():
    """Three of four higher blocks with a fall between them fire nothing."""
    values = [v for level in (2.0, 2.3, 2.2, 2.6, 2.5, 2.9, 2.8) for v in [level] * 10]
    assert feed(judge(condition="diverging"), "loss", values) == []


def test_a_small_rise_is_not_divergence():
    """Below min_rise above the lowest block nothing fires, even if it goes on and on."""
    values = [2 + i * 0.001 for i in range(300)]
    assert feed(judge(condition="diverging"), "loss", values) == []


def test_a_slow_rise_is_divergence_in_the_end():
    """The lowest block is that of the whole run, so also a slow rise comes to min_rise above it."""
    assert len(feed(judge(condition="diverging"), "loss", [2 + i * 0.001 for i in range(600)])) == 1


def test_an_episode_of_divergence_ends_with_a_fall():
    """After a block that lies below the one before it, the next steady rise fires again."""
    rise = [v for level in (1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0) for v in [level] * 10]
    assert steps(feed(judge(condition="diverging"), "loss", rise)) == [29, 69]


def test_nan_moves_no_block():
    """Blocks count finite points."""
    values = [v for level in (1.0, 2.0, 3.0) for v in [level, NAN] * 10]
    assert steps(feed(judge(condition="diverging"), "loss", values)) == [58]


def test_steady_noise_of_a_quarter_does_not_diverge():
    """The lowest of many noisy blocks lies far down by chance; without `k` that makes false alarms."""
    rng = random.Random(3)
    values = [2 * math.exp(0.25 * rng.gauss(0, 1)) for _ in range(10_000)]
    assert len(feed(judge(condition="diverging"), "loss", values)) <= 2
    assert len(feed(judge(condition="diverging", k=0), "loss", values)) > 50


def test_blocks_of_one_point_are_points():
    """Four evaluations, each above the one before, ten percent above the lowest."""
    one = judge(condition="diverging", block=1, blocks=4, min_rise=0.1)
    assert steps(feed(one, "val/loss", [1.0, 0.9, 0.95, 0.97, 1.0])) == [4]


def test_divergence_is_measured_within_its_attempt():
    """Neither blocks nor the lowest median outlive a restart."""
    one = judge(condition="diverging")
    feed(one, "loss", [1.0] * 10 + [2.0] * 15)
    assert feed(one, "loss", [3.0] * 10 + [3.1] * 10 + [3.2] * 10, first_step=5, attempt=2) == []
