"""Which way a metric is good, told from its name, and which metrics an evaluation writes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from neatd.models import Goal, SeriesFact

# Short names count only as words of their own: "answer" holds a wer, "cancer" a cer, "previous" an iou.
_OWN = r"(?<![a-z])(?:val|valid|test|eval|dev|train|mean|avg|top)?(?:{})(?![a-z])"
_HIGH = re.compile(
    r"accuracy|dice|auc|auroc|score|precision|recall|reward|bleu|rouge|correct|" + _OWN.format("acc|f1|m?iou|r2|map"),
    re.I,
)
_LOW = re.compile(
    r"loss|error|perplexity|bits_per|rmse|incorrect|" + _OWN.format("err|ppl|bpb|bpc|nll|mse|mae|wer|cer"), re.I
)
_EVAL = re.compile(r"^(val|valid|validation|eval|evaluation|test|dev)[/_.-]", re.I)


def goal_of(metric: str) -> Goal | None:
    """min for losses and errors, max for scores; None when the name tells neither."""
    if _LOW.search(metric):
        return "min"
    return "max" if _HIGH.search(metric) else None


def is_evaluation(metric: str) -> bool:
    """Whether a metric is measured on data that is not trained on."""
    return bool(_EVAL.match(metric))


def judged_metrics(names: Iterable[str], primary: tuple[str, Goal] | None) -> dict[str, Goal]:
    """The metrics a checkpoint may be best by: the project's own, else all evaluations, else the training loss."""
    known = sorted(set(names))
    if primary and primary[0] in known:
        return {primary[0]: primary[1]}
    goals = {name: goal for name in known if (goal := goal_of(name)) and is_evaluation(name)}
    if goals:
        return goals
    return {name: "min" for name in known if name in ("loss", "train/loss", "train_loss")}


def best_value(fact: SeriesFact, goal: Goal | None) -> tuple[float | None, int | None]:
    """(best value, its step) of a series; (None, None) without a goal or a finite value."""
    if goal == "max":
        return fact.max, fact.max_step
    return (fact.min, fact.min_step) if goal == "min" else (None, None)
