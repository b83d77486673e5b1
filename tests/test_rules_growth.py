"""The conditions `growth`, `plateau` and `stalled`: what takes many points to see."""

from __future__ import annotations

import math
import random
from itertools import accumulate

import pytest

from neatd.files import data_path
from neatd.models import Sample
from neatd.rules.conditions import Stalled
from neatd.rules.detectors.stalled import StalledDetector
from neatd.rules.evaluations import Evaluations
from neatd.rules.judge import Judge
from neatd.rules.load import load_rule
from neatd.rules.schema import Rule
from tests.rules_batches import column_of
from tests.rules_streams import feed, rule, steps

FAST, SLOW = (load_rule(data_path("rules") / f"{name}.yaml") for name in ("memory-growth", "memory-growth-slow"))


def noisy(values: list[float], noise: float, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [value * (1 + noise * rng.gauss(0, 1)) for value in values]


def grown(one: Rule, values: list[float]) -> list[int]:
    return steps(feed(Judge([one]), "system/rss_bytes", values))


# ---- growth ----


@pytest.mark.parametrize("unit", [1.0, 2.0**20, 100 / 64000])
@pytest.mark.parametrize("noise", [0.0, 0.005, 0.03])
@pytest.mark.parametrize("onset", [100, 137, 500, 2000])
def test_a_leak_is_told_once_and_within_200_points(unit: float, noise: float, onset: int):
    """800 MB and 2 MB a step from the onset on, in megabytes, bytes or percent of 64 GB."""
    level = [unit * (800 + 2 * max(0, i - onset)) for i in range(onset + 1500)]
    (step,) = grown(FAST, noisy(level, noise))
    assert onset < step <= onset + 200


def test_a_leak_from_the_start_is_told_when_it_cannot_be_a_cache():
    """It has grown for ten windows then, as fast as at first."""
    (step,) = grown(FAST, noisy([800.0 + 2 * i for i in range(2000)], 0.01))
    assert 1200 <= step <= 1400


def test_a_slow_leak_is_told_by_the_slow_rule():
    """A tenth of a megabyte a step, on a base of 800 MB."""
    level = noisy([800.0 + 0.1 * max(0, i - 3000) for i in range(8000)], 0.02)
    assert grown(FAST, level) == []
    (step,) = grown(SLOW, level)
    assert 3000 < step < 6000


def test_a_leak_that_begins_while_a_cache_fills_is_told():
    """The cache fills ever slower, and the leak is far faster than its last filling; without the leak nothing is told."""
    cache = [800.0 - 150 * math.exp(-i / 80) for i in range(1000)]
    assert grown(FAST, noisy(cache, 0.003)) == []
    (step,) = grown(FAST, noisy([level + 2 * max(0, i - 170) for i, level in enumerate(cache)], 0.003))
    assert 170 < step <= 370


SOUND = {
    "level": [800.0] * 6000,
    "a cache that fills at once and stays": [800.0 + 400 * min(1, i / 40) for i in range(6000)],
    "a cache that fills over an epoch": [800.0 + 600 * min(1, i / 700) for i in range(6000)],
    "a cache that fills ever slower": [800.0 + 900 * (1 - math.exp(-i / 300)) for i in range(6000)],
    "one step up": [800.0 + 300 * (i > 900) for i in range(6000)],
    "evaluations": [800.0 + 300 * (i % 500 > 470) for i in range(6000)],
    "short teeth": [800.0 + 10 * (i % 37) for i in range(6000)],
    "long teeth": [800.0 + 2 * (i % 250) for i in range(6000)],
    "epochs": [800.0 + 0.5 * (i % 900) for i in range(6000)],
    "falling": [800.0 - 0.1 * i for i in range(6000)],
}


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_sound_memory_is_no_leak(name: str, noise: float):
    """By neither rule."""
    assert grown(FAST, noisy(SOUND[name], noise)) == grown(SLOW, noisy(SOUND[name], noise)) == []


def test_a_leak_is_told_again_after_a_restart_and_after_memory_was_freed():
    """A new attempt begins with a new process."""
    leak = [800.0 + 4 * max(0, i - 200) for i in range(600)]
    judge = Judge([FAST])
    assert len(feed(judge, "system/rss_bytes", leak)) == 1
    assert len(feed(judge, "system/rss_bytes", leak, 300, 2)) == 1
    freed = [*leak, *[800.0] * 300, *[800 + 9.0 * i for i in range(400)]]
    assert len(grown(FAST, freed)) == 2


def test_a_leak_tells_how_fast():
    """The level halfway up is where the episode ends."""
    (verdict,) = feed(Judge([FAST]), "system/rss_bytes", [800.0] * 300 + [800 + 2.0 * i for i in range(300)])
    assert "growing without a break, from" in verdict.message
    assert verdict.threshold is not None and 800 < verdict.threshold < verdict.value


@pytest.mark.parametrize("name", ["memory-growth", "memory-growth-slow"])
def test_memory_rules_look_at_what_is_in_use(name: str):
    """Not at peaks, totals and what belongs to others."""
    one = load_rule(data_path("rules") / f"{name}.yaml")
    used = [
        "system/rss_bytes", "system/gpu0/process_memory_bytes", "memory_mb", "train/gpu_mem", "cpu_mem_percent",
        "system/proc.memory.rssMB", "perf/memory_allocated", "gpu_memory_gb", "rss", "ram_percent", "vram_gb",
    ]  # fmt: skip
    others = [
        "system/host_total_bytes", "system/host_available_bytes", "system/cgroup_used_bytes", "system/swap_used_bytes",
        "system/gpu0/memory_used_bytes", "system/gpu0/memory_total_bytes", "peak_memory_mb", "max_memory_allocated",
        "system/shm_bytes", "memory_reserved", "replay_memory", "loss", "param_norm", "frames", "progress", "cross_entropy",
    ]  # fmt: skip
    assert [metric for metric in used + others if one.matches(metric)] == used


# ---- plateau ----


def plateaus(values: list[float], **when: object) -> list[int]:
    return steps(feed(Judge([rule(condition="plateau", **{"goal": "min", **when})]), "loss", values))


def test_a_plateau_is_told_once():
    """A loss that falls for 2,000 points and then stays, with noise of a tenth."""
    (step,) = plateaus(noisy([2.0 + 3 * math.exp(-i / 400) for i in range(8000)], 0.1))
    assert 2000 < step < 4500


def test_a_loss_that_falls_has_no_plateau():
    """One percent in 500 points is twice what is asked."""
    assert plateaus(noisy([3 * math.exp(-i / 25000) for i in range(8000)], 0.005)) == []


def test_a_plateau_ends_with_a_gain_and_may_come_again():
    """As behind a step of the learning rate."""
    values = noisy([2.0] * 3000 + [1.5] * 3000, 0.05)
    assert len(plateaus(values)) == 2
    assert len(plateaus([-value for value in values], goal="max")) == 2


# ---- stalled ----


def stalls(gaps: list[float], **when: object) -> list[int]:
    """The numbers of the gaps that are told."""
    detector = StalledDetector(Stalled.model_validate(when))
    times = list(accumulate(gaps, initial=1e9))
    found = [detector.feed(number, 1.0, time) for number, time in enumerate(times)]
    return [number - 1 for number, finding in enumerate(found) if finding is not None]


def test_a_stall_is_told_at_the_first_point_behind_it():
    """Two minutes, where a tenth of a second is usual and the run is 30 seconds old."""
    assert stalls([0.1] * 300 + [120.0] + [0.1] * 100) == [300]


def test_pauses_of_evaluations_and_checkpoints_are_no_stall():
    """Nor is the first of them, and a compilation at the start; a pause far longer than theirs is."""
    epoch = [0.2] * 500 + [8.0] + [0.2] * 500 + [60.0]
    assert stalls([90.0, *epoch * 4]) == []
    assert stalls([90.0, *epoch * 4, *[0.2] * 100, 400.0, *epoch]) == [1 + 4 * len(epoch) + 100]


def test_half_an_hour_is_told_however_long_the_run_went_on():
    """A first pause that takes less than half the time before may be an evaluation."""
    hours = [1.0] * 20000
    assert stalls([*hours, 1700.0, *hours[:100]]) == []
    assert stalls([*hours, 1900.0, *hours[:100]]) == [20000]


def evaluated(pause_s: float, every: int, column: str = "val/loss") -> list[int]:
    """Where the shipped rule tells of a pause behind 1,000 steps of 0.3 s, with an evaluation each `every` steps."""
    judge, found, now = Judge([load_rule(data_path("rules") / "stalled.yaml")]), [], 1e9
    for step in range(1, 1101):
        now += 0.3 + pause_s * (step == 1001)
        found += judge.feed("loss", Sample(2 * step, 1, step, 1.0, now))
        if step % every == 0:
            found += judge.feed(column, Sample(2 * step + 1, 1, step, 1.0, now))
    return steps(found)


def test_a_run_that_has_shown_its_evaluations_need_not_pause_for_the_first_one():
    """A pause of 100 s in 300: with three evaluations before it a stall, with two perhaps the first long one."""
    assert evaluated(100.0, every=300) == [1001]
    assert evaluated(100.0, every=400) == []
    assert evaluated(100.0, every=300, column="train/accuracy") == []
    assert evaluated(25.0, every=300) == []


def test_evaluations_are_counted_the_same_in_columns():
    """Those of the pause's own line are not before it."""
    seqs = [3, 9, 14, 15, 40]
    one, many = Evaluations(), Evaluations({})
    alone = []
    for seq in range(1, 50):
        if seq in seqs:
            one.feed("val/loss", seq)
        alone.append(one.before(seq))
    columns = [column_of("val/loss", [Sample(seq, 1, seq, 1.0, None) for seq in seqs])]
    many.look_ahead(columns)
    assert [many.before(seq) for seq in range(1, 50)] == alone
    many.settle()
    assert many.dump() == one.dump() == {"val/loss": 5}
    assert Evaluations(many.dump()).before(41) == 5


def test_points_without_a_time_or_of_one_moment_tell_nothing():
    """Logs with times of whole seconds, and files written once a minute."""
    assert stalls(([0.0] * 9 + [1.0]) * 100) == []
    assert stalls(([0.0] * 300 + [60.0]) * 30) == []
    detector = StalledDetector(Stalled())
    assert [detector.feed(i, 1.0, None) for i in range(100)] == [None] * 100


def test_a_clock_that_is_set_back_tells_nothing():
    """The time before is not counted twice."""
    assert stalls([0.5] * 200 + [-3600.0] + [0.5] * 200 + [300.0]) == [401]
