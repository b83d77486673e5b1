"""Accuracy trends of a run: the last 20 evaluations, the last 50, all of them, each against those before, with its arrow.

From the answers in predictions.jsonl; where there are none, from a series of scores of which more is better. Reads only.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from typing import Any

from neatd.now import is_system, telling
from neatd.rules.goals import goal_of
from neatd.rules.predictions import (
    RULE,
    WINDOW,
    Evaluation,
    Trend,
    change_percent,
    share_correct,
    trend,
    trend_of_counts,
    trend_of_values,
)
from neatd.store import points as series_store
from neatd.store import predicted, tails

WINDOWS = (20, 50)
MOST_VALUES = 10_000  # newest points of a series of scores
MOST_DRAWN = 500  # newest evaluations in the answer
ARROWS = {"improving": "up", "regressing": "down", "stable": "stable"}
OF_VALUES = RULE.replace("of the same answers", "of the same values").replace(", continuity corrected", "")


def trends(points: sqlite3.Connection, run_id: str) -> dict[str, Any] | None:
    """{source: predictions|series, name, evaluations, windows, trend, rule, change_percent, answers, newest}; None where
    neither answers nor scores are known.

    A window is {window: "20"|"50"|"all", evaluations, accuracy, before, change_percent, change_points, trend, arrow}:
    `before` is the accuracy of as many evaluations before it; null where there are none, as always of "all".
    """
    every = [Evaluation(*one) for one in predicted.evaluations(points, run_id)]
    return _of_answers(points, run_id, every) if every else _of_scores(points, run_id)


def _of_answers(points: sqlite3.Connection, run_id: str, every: Sequence[Evaluation]) -> dict[str, Any]:
    newest = predicted.newest(points, run_id, max(WINDOWS))
    correct, examples = sum(one.correct for one in every), sum(one.examples for one in every)
    windows = [
        _window(
            str(count),
            len(every[-count:]),
            _pooled(every[-count:]),
            _pooled(every[-2 * count : -count]),
            trend(newest, count),
        )
        for count in WINDOWS
    ]
    windows.append(_window("all", len(every), correct / examples, None, trend_of_counts(every)))
    return {
        "source": "predictions", "name": "predictions", "evaluations": len(every), "windows": windows,
        "trend": trend(newest, WINDOW), "rule": RULE, "change_percent": change_percent(every)._asdict(),
        "answers": {"last_20": share_correct(newest, 20), "last_50": share_correct(newest, 50), "all": correct / examples},
        "newest": [{**one._asdict(), "accuracy": one.accuracy} for one in every[-MOST_DRAWN:]],
    }  # fmt: skip


def _of_scores(points: sqlite3.Connection, run_id: str) -> dict[str, Any] | None:
    name = score_of(points, run_id)
    found = [(step, value) for step, value, _ in tails.tail(points, run_id, name, MOST_VALUES)] if name else []
    values = [value for _, value in found if math.isfinite(value)]
    if not values:
        return None
    windows = [
        _window(
            str(count),
            len(values[-count:]),
            _mean(values[-count:]),
            _mean(values[-2 * count : -count]),
            trend_of_values(values[-count:]),
        )
        for count in WINDOWS
    ]
    windows.append(_window("all", len(values), _mean(values), None, trend_of_values(values)))
    change = {"before": _percent(values[-1], values[-2] if len(values) > 1 else None),
              "first": _percent(values[-1], values[0] if len(values) > 1 else None)}  # fmt: skip
    return {
        "source": "series", "name": name, "evaluations": len(values), "windows": windows,
        "trend": trend_of_values(values[-2 * WINDOW :]), "rule": OF_VALUES.replace(f"last {WINDOW}", f"last {2 * WINDOW}"),
        "change_percent": change, "answers": None,
        "newest": [{"step": step, "accuracy": value} for step, value in found[-MOST_DRAWN:]],
    }  # fmt: skip


def score_of(points: sqlite3.Connection, run_id: str) -> str:
    """The series that tells the accuracy: of those of which more is better the one that people look at first; "" for none."""
    names = [fact.name for fact in series_store.series_of(points, run_id)]
    return min((one for one in names if goal_of(one) == "max" and not is_system(one)), key=telling, default="")


def _window(name: str, count: int, now: float | None, before: float | None, said: Trend | None) -> dict[str, Any]:
    points = None if now is None or before is None else round(now - before, 6)
    return {
        "window": name, "evaluations": count, "accuracy": now, "before": before, "change_percent": _percent(now, before),
        "change_points": points, "trend": said, "arrow": ARROWS[said] if said else None,
    }  # fmt: skip


def _pooled(some: Sequence[Evaluation]) -> float | None:
    examples = sum(one.examples for one in some)
    return sum(one.correct for one in some) / examples if examples else None


def _mean(some: Sequence[float]) -> float | None:
    return sum(some) / len(some) if some else None


def _percent(now: float | None, before: float | None) -> float | None:
    return round(100 * (now / before - 1), 4) if now is not None and before else None
