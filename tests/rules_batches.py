"""Makers for the tests of judging in columns: long eventful series, rules of every kind, streams cut into columns."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

from neatd.files import data_path
from neatd.models import Sample
from neatd.read.rows import Column
from neatd.rules.load import load_rules
from neatd.rules.schema import Guard, Rule
from tests.rules_streams import rule

Point = tuple[str, Sample]

# Each makes `count` values around `level`.
SHAPES: dict[str, Callable[[random.Random, int, float], list[float]]] = {
    "noise": lambda rng, count, level: [level * (1 + rng.gauss(0, 0.02)) for _ in range(count)],
    "heavy tails": lambda rng, count, level: [level * math.exp(1.5 * rng.gauss(0, 1)) for _ in range(count)],
    "constant": lambda rng, count, level: [level] * count,
    "quantised": lambda rng, count, level: [level * rng.randrange(8, 12) / 10 for _ in range(count)],
    "zeros": lambda rng, count, level: [rng.choice([0.0, -0.0]) for _ in range(count)],
    "near zero": lambda rng, count, level: [rng.choice([0.0, -0.0, level, -level]) for _ in range(count)],
    "rise": lambda rng, count, level: [level * (1 + i / 40) + rng.gauss(0, 0.001) for i in range(count)],
    "fall": lambda rng, count, level: [level * 0.98**i for i in range(count)],
    "saw": lambda rng, count, level: [level * (1 + i % 17) for i in range(count)],
    "spikes": lambda rng, count, level: [
        level * (1 + rng.gauss(0, 0.01)) * rng.choice([1, 1, 1, 1, 1, 1, 1, 1, 5, 0.1]) for _ in range(count)
    ],
    "lone spike": lambda rng, count, level: [*[level * (1 + rng.gauss(0, 0.02)) for _ in range(count - 1)], 30 * level],
    "burst": lambda rng, count, level: [level * 1.5**i for i in range(min(count, 12))],
    "holes": lambda rng, count, level: [
        rng.choice([level, level, math.nan, math.inf, -math.inf]) for _ in range(count)
    ],
    "lost": lambda rng, count, level: [math.nan] * count,
    "scores": lambda rng, count, level: [rng.choice([0.9, 0.91, 0.3, 90.0]) + rng.random() / 50 for _ in range(count)],
    "huge": lambda rng, count, level: [rng.choice([1e308, -1.7e308, 1e200, 1.0]) for _ in range(count)],
    "tiny": lambda rng, count, level: [rng.choice([5e-324, 1e-310, 1e-160, 0.0]) for _ in range(count)],
}
SEGMENTS = st.tuples(
    st.sampled_from(sorted(SHAPES)), st.integers(1, 90), st.sampled_from([1.0, 0.5, 3.0, -2.0, 100.0, 1e6 + 1])
)


@st.composite
def series(draw: st.DrawFn, most: int = 8) -> list[float]:
    """The values of one series: several shapes behind each other, and a few values from anywhere."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    values: list[float] = []
    for shape, count, level in draw(st.lists(SEGMENTS, min_size=1, max_size=most)):
        values += SHAPES[shape](rng, count, level)
        values += draw(st.lists(st.floats(), max_size=1))
    return values


@st.composite
def streams(draw: st.DrawFn, names: Sequence[str]) -> list[list[Point]]:
    """Lines of points in file order, each by name. Some lines lack a series, some begin an attempt at an earlier step."""
    columns = {
        name: draw(series()) for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    }
    count = max(len(values) for values in columns.values())
    restarts = draw(st.dictionaries(st.integers(0, count), st.integers(1, 60), max_size=3))
    share = draw(st.sampled_from([1.0, 1.0, 0.9]))
    rng = random.Random(draw(st.integers(0, 2**32)))
    lines: list[list[Point]] = []
    seq, attempt, step = 0, 1, 100
    for index in range(count):
        back = restarts.get(index, -1)
        seq, attempt, step = seq + rng.choice([1, 1, 2]), attempt + rng.choice([1, 2]) * (back > 0), step - back
        time = rng.choice([None, 1e9 + index])
        held = sorted(name for name, values in columns.items() if index < len(values) and rng.random() < share)
        lines.append([(name, Sample(seq, attempt, step, columns[name][index], time)) for name in held])
    return lines


def columns_of(points: Sequence[Point], rng: random.Random) -> list[Column]:
    """The points as columns, in any order of the columns; an empty one may be among them."""
    names = sorted({name for name, _ in points} | {"unseen"})
    rng.shuffle(names)
    return [column_of(name, [sample for metric, sample in points if metric == name]) for name in names]


def column_of(name: str, samples: Sequence[Sample]) -> Column:
    """The samples of one series."""
    seqs, attempts, steps = (np.array([s[at] for s in samples], dtype=np.int64) for at in (0, 1, 2))
    times = [math.nan if s.time is None else s.time for s in samples]
    return Column(name, seqs, attempts, steps, np.array([s.value for s in samples], float), np.array(times, float))


def shipped() -> list[Rule]:
    """The shipped rules, all of them enabled."""
    rules, _ = load_rules([data_path("rules")])
    return [one.model_copy(update={"enabled": True}) for one in rules]


def moments(count: int, seed: int) -> list[float]:
    """Times of `count` points: mostly a second apart, with pauses, points of one moment, steps back and no time."""
    rng = random.Random(seed)
    times, now = [], 1e9
    for _ in range(count):
        now += rng.choice([1, 1, 1, 1, 1.25, 0.9]) if rng.random() < 0.9 else rng.choice([0, -5, 7, 8, 30, 300, 4000])
        times.append(now if rng.random() < 0.95 else math.nan)
    return times


COUNTS = st.integers(0, 9)
FLAGS = st.sampled_from([(1, 1), (1, 1), (1, 5), (2, 3), (2, 30), (5, 5), (40, 200)])
SHARES = st.sampled_from([0.0, 0.01, 0.1, 0.5, 2.0])
WHENS = st.one_of(
    st.just({"condition": "non_finite"}),
    st.builds(
        lambda estimator, k, window, fewer, min_rise, cooldown, direction, log, flags: {
            "condition": "spike", "estimator": estimator, "k": k, "window": window,
            "min_points": max(2, window - fewer), "min_rise": min_rise, "cooldown_points": cooldown,
            "direction": direction, "log_k": log[0], "record": log[1], "flagged": flags[0], "of": flags[1],
        },
        st.sampled_from(["robust", "zscore"]), st.sampled_from([0.5, 1.0, 3.0, 6.0, 1e300]),
        st.sampled_from([2, 3, 4, 5, 6, 7, 24, 25, 49, 50, 51, 75, 100, 130]), st.integers(0, 60), SHARES, COUNTS,
        st.sampled_from(["up", "down", "both"]), st.sampled_from([(0.0, 0.0), (0.5, 0.0), (3.0, 0.0), (3.0, 1.5)]),
        st.sampled_from([(1, 1), (1, 1), (2, 3), (2, 30)]),
    ),
    st.builds(
        lambda direction, scale, points, window, k, change: {
            "condition": "shift", "direction": direction, "scale": scale, "points": points, "window": window, "k": k,
            "min_change": change,
        },
        st.sampled_from(["up", "down", "both"]), st.sampled_from(["linear", "log"]), st.sampled_from([2, 3, 10, 70]),
        st.sampled_from([4, 30, 100]), st.sampled_from([0.5, 3.0, 6.0]), SHARES,
    ),
    st.builds(
        lambda goal, points, gain: {
            "condition": "best", "goal": goal, "min_points": points, "min_improvement": gain,
        },
        st.sampled_from(["min", "max"]), COUNTS | st.just(80), SHARES,
    ),
    st.builds(
        lambda fraction, of, points, cooldown, noise: {
            "condition": "drop", "fraction": fraction, "of": of, "min_points": 1 + points, "cooldown_points": 1 + cooldown,
            "noise_k": noise[0], "dense_points": noise[1],
        },
        st.sampled_from([0.01, 0.1, 0.99]), st.sampled_from(["relative", "points"]), COUNTS | st.just(80), COUNTS,
        st.sampled_from([(0.0, 0), (0.0, 0), (2.0, 0), (1.0, 30)]),
    ),
    st.builds(
        lambda block, blocks, rise, k: {
            "condition": "diverging", "block": block, "blocks": blocks, "min_rise": rise, "k": k,
        },
        st.sampled_from([1, 1, 2, 3, 7, 10, 70]), st.sampled_from([2, 2, 3, 4, 20]), SHARES, SHARES,
    ),
    st.builds(
        lambda ratio, direction, points, back: {
            "condition": "jump", "ratio": ratio, "direction": direction, "min_points": points, "back_points": back,
        },
        st.sampled_from([1.01, 1.1, 3.0, 10.0]), st.sampled_from(["up", "down", "both"]), COUNTS, COUNTS | st.just(50),
    ),
    st.builds(
        lambda condition, limit, flags, points, cooldown: {
            "condition": condition, "limit": limit, "flagged": flags[0], "of": flags[1], "min_points": points,
            "cooldown_points": 1 + cooldown,
        },
        st.sampled_from(["above", "below"]), st.sampled_from([0.0, 1.0, -0.5, 2.0, 1e-160]), FLAGS,
        COUNTS | st.just(80), COUNTS,
    ),
    st.builds(
        lambda flags, points, cooldown: {
            "condition": "exact_zero", "flagged": flags[0], "of": flags[1], "min_points": points,
            "cooldown_points": 1 + cooldown,
        },
        FLAGS, COUNTS | st.just(80), COUNTS | st.just(25),
    ),
    st.builds(
        lambda factor, gap, points: {"condition": "stalled", "factor": factor, "min_gap_s": gap, "min_points": 2 + points},
        st.sampled_from([1.5, 5.0, 20.0]), st.sampled_from([0.0, 5.0, 30.0]), COUNTS | st.just(80),
    ),
    st.builds(
        lambda goal, window, gain, points: {
            "condition": "plateau", "goal": goal, "window": window, "min_improvement": gain, "min_points": points,
        },
        st.sampled_from(["min", "max"]), st.sampled_from([2, 3, 9, 30, 100]), SHARES, COUNTS | st.just(80),
    ),
    st.builds(
        lambda block, blocks, growth, rising, skip: {
            "condition": "growth", "block": block, "blocks": blocks, "min_growth": growth, "rising": rising,
            "skip_points": skip,
        },
        st.sampled_from([1, 1, 2, 5, 20]), st.sampled_from([4, 5, 8, 20]), SHARES, st.sampled_from([0.6, 0.85, 1.0]),
        COUNTS | st.just(50),
    ),
)  # fmt: skip
ACROSS = st.one_of(
    st.builds(
        lambda against, direction, points, blocks, newest, k: {
            "condition": "relation", "against": against, "direction": direction, "points": points, "blocks": blocks,
            "newest": newest, "k": k, "min_change": 0.01, "calm": 50.0,
        },
        st.sampled_from([["a"], ["b"], ["c", "a"], ["*loss*"]]), st.sampled_from(["up", "down"]), st.sampled_from([5, 7]),
        st.sampled_from([6, 9]), st.integers(1, 3), st.sampled_from([0.1, 1.0]),
    ),
    st.builds(
        lambda points, known, siblings: {
            "condition": "vanished", "points": points, "min_points": known, "siblings": siblings,
        },
        st.integers(1, 4), st.integers(2, 9), st.integers(1, 2),
    ),
)  # fmt: skip
GUARDS = st.sampled_from([{}, {}, {"min_points": 40}, {"warmup_steps": 60}, {"resume_points": 30}])
RULES = st.lists(st.tuples(WHENS | ACROSS, GUARDS), min_size=1, max_size=4).map(
    lambda given: [
        rule(f"r{number}", **when).model_copy(update={"guard": Guard.model_validate(guard)})
        for number, (when, guard) in enumerate(given)
    ]
)
