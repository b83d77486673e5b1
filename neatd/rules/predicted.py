"""Rules over predictions: what is odd about the answers of one evaluation, told once for it. Pure.

An evaluation is all answers at one step that follow each other. Invariant: `dump`, JSON and a new PredictionJudge between
two evaluations change no later verdict; of one evaluation a rule speaks once, also where more of it comes later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from neatd.models import Sample, Verdict
from neatd.rules.conditions import Predictions
from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.median import median_of_sorted
from neatd.rules.schema import Rule
from neatd.rules.telling import Standing, Telling

METRIC = "predictions"  # what a rule over them names as its series
FENCE = 1.5  # quartile distances beyond a quartile: Tukey's fence


class Answer(NamedTuple):
    """How the model did on one example. The loss may be NaN (none was written) or infinite."""

    seq: int
    example: str
    is_correct: bool
    loss: float


class Evaluation(NamedTuple):
    """The answers at one step, each example once, as it was answered last."""

    seq: int  # of the last answer
    step: int
    answers: Sequence[Answer]


class Odd(NamedTuple):
    """What a rule found in an evaluation."""

    finding: Finding
    value: float
    examples: tuple[Answer, ...]  # the worst first
    counts: Mapping[str, float]


class PredictionJudge:
    """All enabled rules over the evaluations of one source of one run, in the order in which they were made."""

    def __init__(self, rules: Sequence[Rule], state: Mapping[str, Any] | None = None) -> None:
        """`state` is what `dump` gave."""
        saved = state or {}
        self.rules = [rule for rule in rules if is_over_predictions(rule)]
        self._evaluations: int = saved.get("evaluations", 0)
        self._first_step: int | None = saved.get("first_step")
        self.last: tuple[int, int] | None = tuple(saved["last"]) if saved.get("last") else None  # step, where it began
        self._told: list[str] = list(saved.get("told", ()))  # rules that spoke of the last evaluation
        self._odd: list[str] = list(saved.get("odd", ()))  # rules that go on speaking of one thing

    def feed(
        self, evaluation: Evaluation, first_seq: int, pool: Callable[[], Sequence[Answer]]
    ) -> list[tuple[Verdict, tuple[Answer, ...]]]:
        """What the rules say of an evaluation that began at `first_seq`, each with the examples it names.

        `pool` gives the newest answers of the run, this evaluation's among them: what `auto` is taken from.
        """
        if self.last != (evaluation.step, first_seq):
            self._evaluations, self._told = self._evaluations + 1, []
        self.last = evaluation.step, first_seq
        self._first_step = evaluation.step if self._first_step is None else self._first_step
        said = []
        for rule in self.rules:
            odd = self._odd_by(rule, evaluation, pool)
            if odd is not None:
                said += self._tell(rule, evaluation, odd)
        return said

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "evaluations": self._evaluations, "first_step": self._first_step, "last": self.last, "told": self._told,
            "odd": self._odd,
        }  # fmt: skip

    def _odd_by(self, rule: Rule, evaluation: Evaluation, pool: Callable[[], Sequence[Answer]]) -> Odd | None:
        """What is to be told. Whoever is turned about stays so for many evaluations: that is told when it begins."""
        assert isinstance(rule.when, Predictions)
        odd = odd_in(rule.when, evaluation.answers, pool)
        key = rule.state_key
        was_odd = key in self._odd
        if rule.when.kind == "inverted":
            self._odd = [one for one in self._odd if one != key] + [key] * (odd is not None)
        return None if was_odd or rule.rule in self._told else odd

    def _tell(self, rule: Rule, evaluation: Evaluation, odd: Odd) -> list[tuple[Verdict, tuple[Answer, ...]]]:
        sample = Sample(evaluation.seq, 1, evaluation.step, odd.value, None)
        standing = Standing(self._evaluations - 1, self._first_step)
        verdicts = Telling(rule, METRIC).take(sample, odd.finding, (), standing)
        self._told += [rule.rule] * bool(verdicts)
        return [(one.model_copy(update={"details": dict(odd.counts)}), odd.examples) for one in verdicts]


def is_over_predictions(rule: Rule) -> bool:
    """Whether a rule is one of this file that can speak."""
    return rule.enabled and isinstance(rule.when, Predictions) and rule.matches(METRIC)


def odd_in(when: Predictions, answers: Sequence[Answer], pool: Callable[[], Sequence[Answer]]) -> Odd | None:
    """What a condition finds in the answers of one evaluation."""
    if when.kind == "inverted":
        return _inverted(when, answers)
    is_unsure = when.kind == "unsure"
    own = [one for one in answers if one.is_correct == is_unsure and not math.isnan(one.loss)]
    limit = limit_of(when, pool) if when.loss == "auto" else when.loss
    if limit is None:
        return None
    beyond = [one for one in own if (one.loss > limit if is_unsure else one.loss < limit)]
    if not beyond or len(beyond) < when.share * len(own):
        return None
    beyond.sort(key=lambda one: (-one.loss if is_unsure else one.loss, one.seq))
    what, how = ("right", "over") if is_unsure else ("wrong", "under")
    share = len(beyond) / len(own)
    worst = f"{'up' if is_unsure else 'down'} to {beyond[0].loss:.4g}"
    why = f"{len(beyond)} of {len(own)} {what} answers ({100 * share:.3g} %) have a loss {how} {limit:.4g}, {worst}"
    counts = {**_counts(answers), "beyond": len(beyond), "loss_limit": limit}
    return Odd(Finding(why, beyond[0].loss, None), share, tuple(islice(beyond, when.top)), counts)


def _inverted(when: Predictions, answers: Sequence[Answer]) -> Odd | None:
    right, wrong = _losses(answers, True), _losses(answers, False)
    if min(len(right), len(wrong)) < when.least:
        return None
    of_right, of_wrong = median_of_sorted(right), median_of_sorted(wrong)
    if not of_right > of_wrong:
        return None
    why = f"the median loss of {len(right)} right answers is above that of {len(wrong)} wrong ones, {of_wrong:.4g}"
    costly = [one for one in answers if one.is_correct and one.loss >= of_right]
    costly.sort(key=lambda one: (-one.loss, one.seq))
    counts = {**_counts(answers), "median_right": of_right, "median_wrong": of_wrong}
    return Odd(Finding(why, of_right - of_wrong, None), of_right, tuple(costly[: when.top]), counts)


def limit_of(when: Predictions, pool: Callable[[], Sequence[Answer]]) -> float | None:
    """The loss that `auto` means; None while too few answers are known.

    A right answer is unsure where it costs as much as a typical wrong one and lies beyond the fence of the right ones; a
    wrong one is overconfident where it costs as little as a typical right one and lies beyond the fence of the wrong ones,
    in logarithms, since a loss has no other end. So chance, ln(classes), is in neither number: both follow the run.
    """
    known = pool()
    right, wrong = _losses(known, True), _losses(known, False)
    if min(len(right), len(wrong)) < when.least:
        return None
    if when.kind == "unsure":
        low, high = _quartiles(right)
        return max(median_of_sorted(wrong), high + FENCE * (high - low))
    low, high = _quartiles(wrong)
    fence = low * (low / high) ** FENCE if low > 0 else 0.0
    return min(median_of_sorted(right), fence)


def _losses(answers: Sequence[Answer], is_correct: bool) -> list[float]:
    return sorted(one.loss for one in answers if one.is_correct == is_correct and math.isfinite(one.loss))


def _quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    return ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]


def _counts(answers: Sequence[Answer]) -> dict[str, float]:
    right = sum(one.is_correct for one in answers)
    return {"right": right, "wrong": len(answers) - right}
