"""Which runs the documents tell of where there are more than they have room for: what goes on, the baseline, the best, those
of the last day, then the newest. Of ten thousand runs no more are read than are told."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from neatd.assist.foremost import LATELY
from neatd.config import ProjectConfig
from neatd.models import Project, Run
from neatd.pipeline.experiments import metric_of
from neatd.store import runids, runs, tabled

MOST_RUNS = 200  # `neat runs` has them all
MOST_NOW, MOST_BEST, MOST_LATELY = 60, 80, 40  # of them


class Chosen(NamedTuple):
    """The runs, newest first; what they were chosen by, "" where all are there; and how many there are besides."""

    listed: list[Run]
    metric: str
    more: int


def choose(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, baseline: str,
    now: datetime,
) -> Chosen:  # fmt: skip
    """The runs of a project that are told of."""
    total = runs.count_runs(store, project.id)
    newest = runids.newest_ids(store, project.id, MOST_RUNS, baseline)
    metric = ""
    if total > len(newest):
        metric, goal = metric_of(config, series, newest, baseline)
        every = runids.ids_json(store, project.id) if goal else "[]"
        best = tabled.best_runs(series, every, metric, goal == "min", MOST_BEST)
        now_on, lately = runids.lately(store, project.id, now - LATELY, MOST_NOW, MOST_LATELY)
        newest = list(dict.fromkeys([*now_on, *newest[: bool(baseline)], *best, *lately, *newest]))
    listed = runs.get_runs(store, project.id, newest[:MOST_RUNS])
    return Chosen(listed, metric, max(0, total - len(listed)))
