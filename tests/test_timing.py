"""How fast a run goes: the median step, pauses that come back, the time left, and what silence is usual."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.rules.timing import (
    PAUSES,
    RECENT,
    Gaps,
    Pace,
    learn,
    pace_of,
    per_second,
    recurring_pause,
    samples_per_step,
    silence_of,
)

Pairs = list[tuple[float, float]]


def steps(*gaps: float, start: float = 1000.0) -> Pairs:
    """Steps 0, 1, 2 … with these seconds between them."""
    return list(enumerate(accumulate(gaps, initial=start)))


def pace(pairs: Pairs) -> Pace:
    found = pace_of(pairs)
    assert found is not None
    return found


# ---- step time ----


def test_the_median_step_is_not_moved_by_a_pause() -> None:
    """One step in ten that waits a minute is an evaluation, not the pace; the last step is told against the median."""
    found = pace(steps(*([1.0] * 9 + [60.0]) * 3))
    assert (found.step_s, found.last_step_s, found.ratio) == (1.0, 60.0, 60.0)
    assert found.steps_per_s == 1.0


def test_lines_many_steps_apart_count_each_step() -> None:
    """A trainer that logs every 50 steps, then every 10, has one pace."""
    assert pace([(0, 0.0), (50, 25.0), (100, 50.0), (110, 55.0)]).step_s == 0.5


def test_only_the_last_gaps_make_the_median() -> None:
    """A run that became three times as slow is told so after a while."""
    assert pace(steps(*[1.0] * 500, *[3.0] * (RECENT // 2 + 1))).step_s == 3.0


def test_two_lines_of_one_step_are_one() -> None:
    """The evaluation writes its own line; the step lasted until then."""
    assert pace([(0, 0.0), (1, 1.0), (1, 6.0), (2, 7.0)]).step_s == 3.5


def test_a_restart_begins_anew() -> None:
    """The gap between two attempts is no step, and the old attempt's pace is not this one's."""
    assert pace([(0, 0.0), (1, 100.0), (2, 200.0), (0, 9000.0), (1, 9001.0)]).step_s == 1.0
    assert pace_of([(0, 0.0), (1, 100.0), (0, 9000.0)]) is None


def test_a_clock_that_was_set_back_loses_one_gap() -> None:
    """No step takes less than no time."""
    assert pace([(0, 100.0), (1, 101.0), (2, 50.0), (3, 51.0)]).step_s == 1.0


@pytest.mark.parametrize(
    "pairs", [[], [(0, 1.0)], [(0, 1.0), (1, 1.0)], [(5, 1.0), (5, 2.0)], [(0, math.nan), (1, 1.0)]]
)
def test_without_two_steps_that_took_time_nothing_is_known(pairs: Pairs) -> None:
    """Not a pace of 0, and none that divides by it."""
    assert pace_of(pairs) is None


# ---- time left ----


def test_the_time_left_counts_pauses_that_come_back() -> None:
    """100 steps of a second with an evaluation of 60 s after every 10: the other 900 take 900 x (1 + 5.9 s)."""
    gaps = ([1.0] * 9 + [60.0]) * 10
    found = pace(steps(*gaps))
    assert found.left_s(1000) == pytest.approx(900 * 6.9)


def test_a_single_longest_pause_is_not_expected_again() -> None:
    """The laptop was closed over night."""
    found = pace(steps(*[1.0] * 50, 30_000.0, *[1.0] * 50))
    assert found.pause_s == 0.0 and found.left_s(201) == 100.0


def test_a_new_pace_is_believed_for_what_is_left() -> None:
    """The median of the last steps, and not the mean of all: the neighbour's job went away."""
    found = pace(steps(*[4.0] * 300, *[1.0] * RECENT))
    assert found.left_s(600) == pytest.approx(100.0)


def test_what_is_left_runs_down_by_the_clock() -> None:
    """Between two lines, too; never below nothing, nor past the plan."""
    found = pace(steps(*[10.0] * 5))
    assert [found.left_s(10, now=found.last_time + late) for late in (0, 10, 1000)] == [50.0, 40.0, 0.0]
    assert found.left_s(3) == 0.0


def test_epochs_are_counted_as_steps_are() -> None:
    """Any number that rises: halves of epochs that take a minute each."""
    assert pace([(0.5, 0.0), (1.0, 60.0), (1.5, 120.0)]).left_s(3) == 180.0


# ---- throughput ----


def test_tokens_a_second_come_from_a_number_that_rises() -> None:
    """While it trains: the pause of an evaluation is not in it."""
    assert per_second([(0, 0.0), (1000, 1.0), (2000, 2.0), (3000, 63.0), (4000, 64.0)]) == 1000.0
    assert per_second([(5, 0.0), (5, 1.0)]) is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"batch_size": 32}, 32),
        ({"batch_size": 32, "gradient_accumulation_steps": 4}, 128),
        ({"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}, 64),
        ({"train_batch_size": 16, "batch_size": 4}, 16),
        ({"batch_size": True}, None), ({"batch_size": "auto"}, None), ({"batch_size": -1}, None), ({}, None),
    ],
)  # fmt: skip
def test_a_steps_samples_come_from_the_parameters(config: dict[str, object], expected: int | None) -> None:
    """Four processes multiply a batch that is said for each device, and only such a one."""
    assert samples_per_step(config, world_size=4) == expected


# ---- silence ----


def learnt(*gaps: float) -> Gaps:
    known = Gaps()
    for gap in gaps:
        known = learn(known, gap)
    return known


def test_a_run_that_never_paused_may_be_silent_for_the_setting_or_twenty_gaps() -> None:
    """Whichever is longer."""
    assert silence_of(learnt(*[1.0] * 50), 60.0).limit_s == 60.0
    assert silence_of(learnt(*[10.0] * 50), 60.0).limit_s == 200.0
    assert silence_of(Gaps(), 60.0) == (60.0, 0.0, 0.0)


def test_a_pause_that_came_back_may_last_three_times_as_long() -> None:
    """An evaluation of 95 s, of which every fiftieth line tells; long after it the source still remembers."""
    gaps = learnt(*([1.0] * 50 + [95.0]) * 2, *[1.0] * 5000)
    assert silence_of(gaps, 60.0) == (285.0, 1.0, 95.0)


def test_a_pause_seen_once_is_half_believed() -> None:
    """The second evaluation is not called a stall for being as long as the first; a night's sleep is not waited for."""
    assert silence_of(learnt(*[1.0] * 20, 95.0, *[1.0] * 20), 60.0).limit_s == 142.5
    assert silence_of(learnt(*[1.0] * 20, 30_000.0, *[1.0] * 20), 60.0).limit_s == 600.0


def test_what_comes_back_is_what_another_is_half_as_long_as() -> None:
    """Longer ones without their like are exceptions."""
    assert recurring_pause([1, 100, 55]) == 100 and recurring_pause([1, 1, 100]) == 1
    assert recurring_pause([5.0]) == recurring_pause([]) == 0.0


@given(st.lists(st.floats(0, 1e6), max_size=400), st.floats(1, 1e4))
def test_what_is_remembered_is_bounded_and_right(gaps: list[float], stall_s: float) -> None:
    """The last gaps and the longest ever; the limit is never under the setting nor under a recurring pause."""
    known = learnt(*gaps)
    assert known.recent == tuple(gaps[-RECENT:]) and known.longest == tuple(sorted(gaps, reverse=True)[:PAUSES])
    found = silence_of(known, stall_s)
    assert found.limit_s >= max(stall_s, found.longest_pause_s, 20 * found.usual_gap_s)


def test_a_gap_that_is_none_is_not_learnt() -> None:
    """A clock set back, or no number."""
    assert learnt(-1.0, math.nan, math.inf) == Gaps()


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1e6)), max_size=60), st.integers(0, 100))
def test_no_pace_is_negative_or_endless(pairs: Pairs, planned: int) -> None:
    """Whatever order steps and times come in."""
    found = pace_of(pairs)
    if found is not None:
        assert found.step_s > 0 and found.last_step_s > 0 and found.pause_s >= 0
        assert 0 <= found.left_s(planned) < math.inf
