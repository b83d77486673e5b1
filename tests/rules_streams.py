"""Small makers for the rule tests: a rule from its `when`, samples from plain values, verdicts of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neatd.models import Sample, Verdict
from neatd.rules.judge import Judge
from neatd.rules.schema import Rule


def rule(name: str = "r", metrics: tuple[str, ...] = ("*",), **when: Any) -> Rule:
    """A rule over all series with the condition `when`."""
    return Rule.model_validate({"rule": name, "metrics": metrics, "when": when})


def samples(values: Iterable[float], first_step: int = 0, attempt: int = 1) -> list[Sample]:
    """One sample a step, in order."""
    return [Sample(i + 1, attempt, first_step + i, float(v), None) for i, v in enumerate(values)]


def feed(judge: Judge, metric: str, values: Iterable[float], first_step: int = 0, attempt: int = 1) -> list[Verdict]:
    """The verdicts over `values` that are events, one sample a step."""
    points = samples(values, first_step, attempt)
    return [v for sample in points for v in judge.feed(metric, sample) if v.episode is None]


def steps(verdicts: Iterable[Verdict]) -> list[int]:
    """Where the verdicts fell."""
    return [v.step for v in verdicts]
