"""What a run's predictions on examples amount to: accuracies, their change, and whether they get better. Pure.

An answer is (step, example, whether it was correct). Evaluations are in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from math import sqrt
from typing import Literal, NamedTuple

Answer = tuple[int, str, bool]
Trend = Literal["improving", "stable", "regressing"]
WINDOW = 5  # evaluations that the trend is made of: enough for a line, few enough to follow a run that turns
DEVIATIONS = 2.1  # of chance: exceeded by pure noise in 3.6 % of the cases, in fewer with small numbers
RULE = (
    f"over the last {WINDOW} evaluations, each example against itself where examples come back: improving or regressing"
    f" where the answers rise or fall with the evaluations by more than {DEVIATIONS:g} standard deviations of what mere"
    " chance of the same answers in another order gives (Mantel's test for trend, continuity corrected); else stable"
)


class Evaluation(NamedTuple):
    """One step's answers in numbers."""

    step: int
    examples: int
    correct: int

    @property
    def accuracy(self) -> float:
        return self.correct / self.examples


class Change(NamedTuple):
    """The last evaluation's accuracy in percent more (or less) than others'. None where there is none, or theirs was 0."""

    before: float | None  # than the one before
    first: float | None


def share_correct(newest: Iterable[Answer], most: int | None = None) -> float | None:
    """The accuracy over the `most` newest answers; None without any."""
    found = [is_correct for _, _, is_correct in islice(newest, most)]
    return sum(found) / len(found) if found else None


def change_percent(evaluations: Sequence[Evaluation]) -> Change:
    """How the last evaluation differs from the one before and from the first."""
    if len(evaluations) < 2:
        return Change(None, None)
    last = evaluations[-1].accuracy
    return Change(_percent(last, evaluations[-2].accuracy), _percent(last, evaluations[0].accuracy))


def _percent(now: float, before: float) -> float | None:
    return round(100 * (now / before - 1), 4) if before else None


def trend(newest: Iterable[Answer], window: int = WINDOW) -> Trend | None:
    """Whether the answers, the newest first and each (step, example) once, get better by RULE, over the last `window`
    evaluations; None with one evaluation."""
    numbers: dict[int, int] = {}  # step -> how many evaluations came after it
    kept: list[tuple[int, str, bool]] = []
    for step, example, is_correct in newest:
        if numbers.setdefault(step, len(numbers)) < window:
            kept.append((-numbers[step], example, is_correct))
    if len(numbers) < 2:
        return None
    rise, variance = 0.0, 0.0
    for some in _alike(kept):
        one = _rise(some)
        rise, variance = rise + one[0], variance + one[1]
    return _said(rise, variance, 0.5)


def trend_of_counts(evaluations: Sequence[Evaluation]) -> Trend | None:
    """The same of evaluations in numbers, the oldest first: which example was answered is not asked."""
    if len(evaluations) < 2:
        return None
    every = sum(one.examples for one in evaluations)
    mean = sum(when * one.examples for when, one in enumerate(evaluations)) / every
    share = sum(one.correct for one in evaluations) / every
    rise = sum((when - mean) * one.correct for when, one in enumerate(evaluations))
    spread = sum((when - mean) ** 2 * one.examples for when, one in enumerate(evaluations))
    return _said(rise, spread * every * share * (1 - share) / (every - 1) if every > 1 else 0.0, 0.5)


def trend_of_values(values: Sequence[float]) -> Trend | None:
    """The same test of a series of scores, the oldest first and all finite, of which more is better; None for one value. They
    have no steps between them, so nothing is corrected; five or fewer cannot rise by more than chance."""
    if len(values) < 2:
        return None
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    rise = sum((when - middle) * (value - mean) for when, value in enumerate(values))
    spread = sum((when - middle) ** 2 for when in range(len(values)))
    return _said(rise, spread * sum((value - mean) ** 2 for value in values) / (len(values) - 1), 0.0)


def _said(rise: float, variance: float, correction: float) -> Trend:
    """A rise against what mere chance gives."""
    if variance <= 0 or abs(rise) - correction <= DEVIATIONS * sqrt(variance):
        return "stable"
    return "improving" if rise > 0 else "regressing"


def _alike(answers: list[tuple[int, str, bool]]) -> list[list[tuple[int, bool]]]:
    """The answers to each example, where most examples come back: easy and hard ones are then no noise. Else all as one."""
    by_example: dict[str, list[tuple[int, bool]]] = {}
    for when, example, is_correct in answers:
        by_example.setdefault(example, []).append((when, is_correct))
    again = sum(len(some) for some in by_example.values() if len(some) > 1)
    if 2 * again >= len(answers):
        return list(by_example.values())
    return [[(when, is_correct) for when, _, is_correct in answers]]


def _rise(some: list[tuple[int, bool]]) -> tuple[float, float]:
    """(how much the answers rise with the evaluations, its variance if their order meant nothing)."""
    count = len(some)
    if count < 2:
        return 0.0, 0.0
    mean, share = sum(when for when, _ in some) / count, sum(one for _, one in some) / count
    rise = sum((when - mean) * (one - share) for when, one in some)
    spread = sum((when - mean) ** 2 for when, _ in some)
    return rise, spread * count * share * (1 - share) / (count - 1)
