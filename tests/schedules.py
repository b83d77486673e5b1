"""Learning rates as torch's own schedulers make them, with warm-ups and held for several points: none has a fault."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

BASE = 0.1
Made = Callable[[Any, Any], Any]

# A scheduler by name, over `STEPS` steps, of torch's module of them and an optimizer. Each is made with values that its
# documentation or common use has.
STEPS = 240
MADE: dict[str, Made] = {
    "constant": lambda lrs, o: lrs.LambdaLR(o, lambda s: 1.0),
    "lambda polynomial": lambda lrs, o: lrs.LambdaLR(o, lambda s: (1 - s / STEPS) ** 2),
    "inverse root": lambda lrs, o: lrs.LambdaLR(o, lambda s: min((s + 1) ** -0.5, (s + 1) * 40**-1.5)),
    "stable then decay": lambda lrs, o: lrs.LambdaLR(o, lambda s: min(1.0, (s + 1) / 20, (STEPS - s) / 50)),
    "multiplicative": lambda lrs, o: lrs.MultiplicativeLR(o, lambda s: 0.97),
    "step": lambda lrs, o: lrs.StepLR(o, 60),
    "step to a thirtieth": lambda lrs, o: lrs.StepLR(o, 40, 1 / 30),
    "steps that come soon": lambda lrs, o: lrs.StepLR(o, 8, 0.3),
    "milestones": lambda lrs, o: lrs.MultiStepLR(o, [100, 150, 200]),
    "constant third": lambda lrs, o: lrs.ConstantLR(o),
    "constant tenth": lambda lrs, o: lrs.ConstantLR(o, 0.1, 30),
    "linear warm-up": lambda lrs, o: lrs.LinearLR(o, 1e-4, 1.0, 50),
    "linear decay": lambda lrs, o: lrs.LinearLR(o, 1.0, 0.0, STEPS),
    "exponential": lambda lrs, o: lrs.ExponentialLR(o, 0.95),
    "exponential, steep": lambda lrs, o: lrs.ExponentialLR(o, 0.25),
    "polynomial": lambda lrs, o: lrs.PolynomialLR(o, STEPS, 2.0),
    "cosine": lambda lrs, o: lrs.CosineAnnealingLR(o, STEPS),
    "cosine, again and again": lambda lrs, o: lrs.CosineAnnealingLR(o, 20),
    "cosine, few steps": lambda lrs, o: lrs.CosineAnnealingLR(o, 3),
    "warm restarts": lambda lrs, o: lrs.CosineAnnealingWarmRestarts(o, 30),
    "warm restarts, doubled": lambda lrs, o: lrs.CosineAnnealingWarmRestarts(o, 10, 2, 1e-6),
    "triangles": lambda lrs, o: lrs.CyclicLR(o, 1e-3, BASE, 20),
    "triangles, steep": lambda lrs, o: lrs.CyclicLR(o, 1e-5, BASE, 4, 7),
    "triangles, halved": lambda lrs, o: lrs.CyclicLR(o, 1e-4, BASE, 15, mode="triangular2"),
    "triangles, shrinking": lambda lrs, o: lrs.CyclicLR(o, 1e-4, BASE, 15, mode="exp_range", gamma=0.99),
    "one cycle": lambda lrs, o: lrs.OneCycleLR(o, BASE, total_steps=STEPS + 1),
    "one cycle, three phases": lambda lrs, o: lrs.OneCycleLR(o, BASE, total_steps=STEPS + 1, three_phase=True),
    "one cycle, linear": lambda lrs, o: lrs.OneCycleLR(o, BASE, total_steps=STEPS + 1, anneal_strategy="linear"),
    "plateau": lambda lrs, o: lrs.ReduceLROnPlateau(o, patience=20),
    "averaging": lambda _, o: importlib.import_module("torch.optim.swa_utils").SWALR(o, swa_lr=0.02, anneal_epochs=10),
    "warm-up, cosine": lambda lrs, o: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 1e-3, 1.0, 30), lrs.CosineAnnealingLR(o, STEPS - 30)], [30]
    ),
    "tenth, then exponential": lambda lrs, o: lrs.SequentialLR(
        o, [lrs.ConstantLR(o, 0.1, 40), lrs.ExponentialLR(o, 0.98)], [40]
    ),
    "warm-up, restarts": lambda lrs, o: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 0.01, 1.0, 10), lrs.CosineAnnealingWarmRestarts(o, 40, 1, 1e-4)], [10]
    ),
    "chained": lambda lrs, o: lrs.ChainedScheduler([lrs.ConstantLR(o, 0.1, 20), lrs.ExponentialLR(o, 0.9)]),
}

# What comes before a schedule: shares of its first value. A warm-up from nothing, steep ones, stairs, and the rate of a
# step before the scheduler took over.
WARMUPS: dict[str, list[float]] = {
    "": [],
    "linear from 0": [i / 40 for i in range(40)],
    "exponential": [1e-6 ** (1 - i / 25) for i in range(25)],
    "two steps": [0.01, 0.5],
    "tenth": [0.1] * 15,
    "stairs": [share for share in (1e-4, 0.2, 0.4, 0.6, 0.8) for _ in range(8)],
}


def rates(name: str) -> list[float]:
    """The rates of `STEPS` steps by the scheduler of this name. Loads torch, which collecting tests has no need of."""
    import torch
    from torch.optim import lr_scheduler as lrs

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE, momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of schedulers stepped without their optimizer
        scheduler = MADE[name](lrs, optimizer)
        found = []
        for _ in range(STEPS):
            found.append(float(optimizer.param_groups[0]["lr"]))
            scheduler.step(*([1.0] if isinstance(scheduler, lrs.ReduceLROnPlateau) else []))
    return found


def warmed(values: list[float], warmup: str) -> list[float]:
    """The schedule behind its warm-up."""
    first = values[0]
    return [share * first for share in WARMUPS[warmup]] + values


def held(values: list[float], count: int) -> list[float]:
    """Each rate for `count` points, as when a scheduler steps once an epoch."""
    return [value for value in values for _ in range(count)]


def printed(values: list[float]) -> list[float]:
    """As a log prints them: three digits."""
    return [float(f"{value:.2e}") for value in values]


def with_glitch(values: list[float], at: int, factor: float, count: int = 5) -> list[float]:
    """Times `factor` for `count` points."""
    return [v * factor if at <= i < at + count else v for i, v in enumerate(values)]


def is_calm(values: list[float], at: int) -> bool:
    """Whether the schedule hardly moves around `at`, so that a glitch there is no part of a step or of a foot."""
    near = values[max(0, at - 16) : at + 7]
    return at >= 16 and len(near) == 23 and all(0 < a < 1.1 * b and b < 1.1 * a for a, b in pairwise(near))
