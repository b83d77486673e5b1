"""The virtual clock and memory of a run: how long each step takes, and what the process holds. Nothing sleeps.

Real step times and memory would be other ones on each machine and in each generation. These are drawn by the run's
seed after what real trainings show: noise, slow steps of a data loader, pauses for evaluations, a compiled first step;
memory that fills up in the first steps, wobbles, is collected now and then, and stays higher after an evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tests.bench.quality.faults import LEAK_MB, STALL_S, Fault

BEGUN = 1_760_000_000.0  # unix seconds


class Pace(NamedTuple):
    """How a run's time goes by."""

    step_s: float
    noise: float  # of the logarithm of a step's time
    slow_share: float  # steps that wait for the data loader
    eval_s: float
    first_s: float  # on top of the first step: compiling


def draw_pace(rng: np.random.Generator, has_long_evals: bool, is_compiled: bool) -> Pace:
    step_s = float(np.exp(rng.uniform(np.log(0.03), np.log(0.6))))
    eval_s = float(rng.uniform(8, 25) if has_long_evals else rng.uniform(1, 20) * step_s)
    return Pace(step_s, float(rng.uniform(0.02, 0.15)), float(rng.choice([0.0, 0.002, 0.01])), eval_s,
                20.0 if is_compiled else float(rng.uniform(1, 10) * step_s))  # fmt: skip


def step_times(pace: Pace, steps: int, faults: Sequence[Fault], rng: np.random.Generator) -> np.ndarray:
    """(steps,) seconds of each step, the first one at 0."""
    times = pace.step_s * np.exp(pace.noise * rng.standard_normal(steps))
    is_slow = rng.random(steps) < pace.slow_share
    times[is_slow] *= rng.uniform(1.5, 4.0, int(is_slow.sum()))
    times[0] += pace.first_s
    for fault in faults:
        if fault.kind == "stall":
            times[fault.onset - 1] = STALL_S
    return times


def memory_mb(steps: int, eval_every: int, faults: Sequence[Fault], rng: np.random.Generator) -> np.ndarray:
    """(steps,) MB. A third of the runs hold what an allocator cached: steps of 2 MB, nothing is given back."""
    at = np.arange(steps)
    base = rng.uniform(650, 950)
    held = base * (1 - rng.uniform(0.1, 0.4) * np.exp(-at / rng.uniform(10, 60)))  # fills up
    held[at >= eval_every] += rng.uniform(0, 60)  # the first evaluation's buffers stay
    if rng.random() < 0.2:
        held[at >= rng.integers(steps // 4, steps)] += rng.uniform(40, 150)  # a cache that came once
    held = held + _slow_wobble(steps, rng) if rng.random() < 2 / 3 else np.maximum.accumulate(2 * np.round(held / 2))
    for fault in faults:
        if fault.kind == "leak":
            held = held + LEAK_MB * np.clip(at + 2 - fault.onset, 0, fault.end - fault.onset + 1)
    return held


def _slow_wobble(steps: int, rng: np.random.Generator) -> np.ndarray:
    """White noise, a slow drift that is drawn back, and the saw of a garbage collector."""
    period, height = int(rng.integers(80, 400)), rng.uniform(0, 25)
    saw = height * (np.arange(steps) % period) / period
    shocks, drift, at = rng.normal(0, 0.8, steps), np.empty(steps), 0.0
    for index, shock in enumerate(shocks.tolist()):
        at = 0.99 * at + shock
        drift[index] = at
    return saw + drift + rng.normal(0, rng.uniform(0.5, 4), steps)
