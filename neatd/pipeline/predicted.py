"""A run's predictions as they are shown: the last evaluation, the last answers, the change, the trend with its rule."""

from __future__ import annotations

import sqlite3
from typing import Any

from neatd.rules.predictions import RULE, WINDOW, Evaluation, Trend, change_percent, share_correct, trend
from neatd.store import points, predicted


def prediction_shape(series: sqlite3.Connection, run_id: str) -> dict[str, Any] | None:
    """All that is said of a run's predictions; None when it has none."""
    last = points.prediction_summary(series, run_id)
    if last is None:
        return None
    every = [Evaluation(*one) for one in predicted.evaluations(series, run_id)]
    newest = predicted.newest(series, run_id, WINDOW)
    examples, correct = sum(one.examples for one in every), sum(one.correct for one in every)
    return {
        **last, "last_20": share_correct(newest, 20), "last_50": share_correct(newest, 50), "all": correct / examples,
        "change_percent": change_percent(every)._asdict(), "trend": trend(newest), "rule": RULE,
        "evaluations": [{**one._asdict(), "accuracy": one.accuracy} for one in every],
    }  # fmt: skip


def trend_of(series: sqlite3.Connection, run_id: str) -> Trend | None:
    """Whether a run's answers get better. Only the end of its predictions is read."""
    return trend(predicted.newest(series, run_id, WINDOW))
