"""Both databases of a test's place, opened so that nothing can be written, as the page opens them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from neatd.config import ProjectConfig
from neatd.models import Prediction, Project
from neatd.pipeline.stores import open_stores
from neatd.place import here
from neatd.store import points, readings
from tests.cli_place import Cli


class Reading(NamedTuple):
    """What a page's query is given."""

    records: sqlite3.Connection
    points: sqlite3.Connection
    project: Project
    config: ProjectConfig


@contextmanager
def reading(cli: Cli) -> Iterator[Reading]:
    """The project's stores; whatever would write raises."""
    with open_stores(cli.home, here(), False) as found:
        for one in (found.records, found.points):
            one.execute("PRAGMA query_only = ON")
        yield Reading(found.records, found.points, found.project, found.config)


def answered(cli: Cli, run_id: str, answers: Iterable[tuple[int, str, bool, float]], text: str = "") -> None:
    """(step, example, is_correct, loss) as the next lines of a run's predictions; `text` is the prompt of each."""
    with cli.store("points") as store:
        before = readings.cursor(store, run_id, "predictions.jsonl")
        lines = [
            Prediction(before.seq + n, step, one, ok, loss, text or f"say {one}", one, one if ok else "?")
            for n, (step, one, ok, loss) in enumerate(answers, 1)
        ]
        after = before.model_copy(update={"seq": before.seq + len(lines)})
        points.commit_predictions(store, run_id, "predictions.jsonl", after, lines, 1.0)
