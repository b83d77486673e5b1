"""Events against labels: which faults were hit, which events were false, with intervals. Pure.

A hit is any event within 200 steps from the onset, not before it. Events from the onset to 600 steps after a fault's
end belong to it; every other one is false, but for a warning of overfitting on a run that honestly overfits by then.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scipy.stats import chi2

from tests.bench.quality.faults import Fault
from tests.bench.quality.judged import Told
from tests.bench.quality.runs import HIT_STEPS, Labelled

Z95 = 1.959964
OVERFITTING = ("diverging", "overfitting", "overfitting_gap", "gap")  # conditions that say so of an evaluation's series
_EVALS = ("val", "eval", "valid", "validation")


class Score(NamedTuple):
    """What a detector did on one run."""

    run: str
    clean_steps: int
    hits: tuple[tuple[Fault, tuple[str, ...], int | None], ...]  # the rules that hit it, the first one's delay in steps
    false: tuple[Told, ...]
    overfit: tuple[Told, ...]  # warnings of overfitting on a run that does overfit: true ones


def score(run: Labelled, told: Sequence[Told]) -> Score:
    hits = []
    for fault in run.faults:
        near = [one for one in told if fault.onset <= one.step <= fault.onset + HIT_STEPS]
        delay = min((one.step for one in near), default=None)
        rules = tuple(sorted({one.rule for one in near}))
        hits.append((fault, rules, None if delay is None else delay - fault.onset))
    apart = [one for one in told if not run.is_own(one.step)]
    overfit = tuple(one for one in apart if _is_overfit(run, one))
    false = tuple(one for one in apart if not _is_overfit(run, one))
    return Score(run.name, run.clean_steps, tuple(hits), false, overfit)


def _is_overfit(run: Labelled, event: Told) -> bool:
    words = event.metric.lower().replace("/", "_").split("_")
    is_of_eval = any(word in _EVALS for word in words) or "overfit" in event.rule
    says_so = event.condition in OVERFITTING or "overfit" in event.rule
    return run.overfit_from is not None and event.step >= run.overfit_from and is_of_eval and says_so


class Total(NamedTuple):
    """A detector over many runs."""

    recall: dict[str, tuple[int, int]]  # kind -> (hit, planted); "all"
    by_rule: dict[str, Counter[str]]  # kind -> rule -> faults that it hit
    delays: dict[str, list[int]]
    false: Counter[str]  # rule -> events
    overfit: Counter[str]  # rule -> true warnings of overfitting
    clean_steps: int


def total(scores: Iterable[Score]) -> Total:
    found = Total({"all": (0, 0)}, {}, {}, Counter(), Counter(), 0)
    steps = 0
    for one in scores:
        steps += one.clean_steps
        found.false.update(event.rule for event in one.false)
        found.overfit.update(event.rule for event in one.overfit)
        for fault, rules, delay in one.hits:
            for kind in ("all", fault.kind):
                hit, planted = found.recall.get(kind, (0, 0))
                found.recall[kind] = hit + bool(rules), planted + 1
                found.by_rule.setdefault(kind, Counter()).update(rules)
            if delay is not None:
                found.delays.setdefault(fault.kind, []).append(delay)
    return found._replace(clean_steps=steps)


def wilson(hit: int, planted: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not planted:
        return 0.0, 1.0
    share, z2 = hit / planted, Z95 * Z95
    centre = (share + z2 / (2 * planted)) / (1 + z2 / planted)
    half = Z95 * math.sqrt(share * (1 - share) / planted + z2 / (4 * planted * planted)) / (1 + z2 / planted)
    return max(0.0, centre - half), min(1.0, centre + half)


def garwood(count: int, steps: int, per: int = 10_000) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson rate per `per` steps."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(0.975, 2 * count + 2)) / 2
    return (low * per / steps, high * per / steps) if steps else (0.0, math.inf)
