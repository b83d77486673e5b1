"""Saves under one name, written anew each time (`last.pt`): what is in the file now, by the evaluation that scored it.

The catalogue has no step for such a file, so nothing else judges it. Here it gets the step of its evaluation, and can be
kept as the best before the trainer writes over it. Where a trainer has a file of its own for the best, that is left to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from neatd.models import Checkpoint, Goal
from neatd.pipeline.protecting import Values
from neatd.pipeline.scene import LiveRun
from neatd.rules.pairing import scored_at
from neatd.store import window

Point = tuple[int, float, float | None]


def is_overwritten(one: Checkpoint) -> bool:
    """Whether a file may hold other weights tomorrow under the same name."""
    return one.status == "present" and one.step is None


def scored(
    series: sqlite3.Connection, live: LiveRun, catalogue: Sequence[Checkpoint], wanted: Mapping[str, Goal]
) -> tuple[list[Checkpoint], Values]:
    """The files as they are now, each with the step of its evaluation as step and ordinal, and their values."""
    files = [one for one in catalogue if is_overwritten(one)]
    if not files or any("best" in PurePosixPath(one.path).name.lower() for one in files):
        return [], {}
    found: dict[str, Checkpoint] = {}
    values: dict[str, tuple[Goal, dict[str, float]]] = {}
    for metric, goal in wanted.items():
        points = window.points_of(series, live.run.id, metric)
        timed = _timed(points, live)
        by_step = {step: value for step, value, _ in points}
        for one in files:
            step = scored_at(one.mtime_ns / 1e9, timed, _began(live))
            if step is None or found.setdefault(one.id, _as_save(one, step)).step != step:
                continue
            values.setdefault(metric, (goal, {}))[1][one.id] = by_step[step]
    return list(found.values()), dict(values)


def _as_save(one: Checkpoint, step: int) -> Checkpoint:
    return one.model_copy(update={"step": step, "ordinal": step})


def _timed(points: Sequence[Point], live: LiveRun) -> list[tuple[int, float]]:
    """(step, time) of the evaluations; of lines that tell no time, when they arrived."""
    arrivals = sorted(pair for source in live.sources.values() for pair in source.arrivals)
    found = []
    for step, _, time in points:
        at = time if time is not None else next((when for reached, when in arrivals if reached >= step), None)
        if at is not None:
            found.append((step, at))
    return sorted(found, key=lambda pair: pair[1])


def _began(live: LiveRun) -> float | None:
    return live.run.started_at.timestamp() if live.run.started_at else None
