"""A store of a hundred million points in 10,000 runs: the list of runs, the brief, windows of a long series, its size."""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neatd.cli.runs import SHOWN
from neatd.config import load_project
from neatd.pipeline.gathering import brief_text
from neatd.pipeline.showing import json_text, matching, run_shapes
from neatd.pipeline.stores import Stores
from neatd.store import projects
from neatd.store.opening import connect
from neatd.store.resolution import at_resolution
from tests.bench import peers_made
from tests.bench.store_made import LONG, NEAT, RUNS, Big, big_store, keep_folder
from tests.bench.table import Row, keep, scaled

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
REPEATS, MOST = 7, 1500  # points of a chart
SHARES = {"whole": 1.0, "20 %": 0.2, "1 %": 0.01, "0.01 %": 0.0001}
PEER_POINTS = scaled(100_000, 1000)  # of MLflow's series: it has no reduced reading, and ten million would take minutes


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Big:
    return big_store(keep_folder(lambda: tmp_path_factory.mktemp("big")))


@pytest.fixture(scope="module")
def stores(big: Big) -> Iterator[Stores]:
    with closing(connect(big.home)) as records, closing(connect(big.home, "points")) as points:
        (project,) = projects.projects(records)
        yield Stores(records, points, project, load_project(big.root))


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Seconds in which it lists as many runs, and the newest of them, and reads a series of far fewer points."""
    return dict(peers_made.run("list_runs", RUNS, SHOWN, PEER_POINTS, folder=tmp_path_factory.mktemp("mlflow")))


def measured(act: Callable[[], Any]) -> tuple[float, float]:
    """(median, first) milliseconds; the first one finds nothing in SQLite's own cache."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        act()
        taken.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(taken), taken[0]


def command_ms(big: Big, *words: str) -> float:
    """The median of whole processes."""
    env = os.environ | {"NEAT_HOME": str(big.home), "HOME": str(big.home.parent)}
    return measured(lambda: subprocess.run([NEAT, *words], cwd=big.root, env=env, check=True, capture_output=True))[0]


def plain_list(path: Path, points: Path) -> None:
    """The raw limit of a list: the same rows and the same two questions, without a word about them."""
    with closing(sqlite3.connect(path)) as records, closing(sqlite3.connect(points)) as series:
        records.execute("SELECT * FROM run ORDER BY created_at DESC").fetchall()
        series.execute("SELECT run_id, max(last_step) FROM series WHERE points > 0 GROUP BY run_id").fetchall()
        series.execute("SELECT run_id, max(updated_at) FROM reading GROUP BY run_id").fetchall()


@pytest.mark.parametrize("most", [SHOWN, None], ids=["newest", "all"])
def test_the_runs_are_listed(big: Big, stores: Stores, mlflow: dict[str, float], most: int | None) -> None:
    """As `neat runs` and `neat runs --json` gather them, in this process; the whole commands are told beside."""
    wanted = min(RUNS + 1, most or RUNS + 1)

    def listed() -> str:
        found = matching(stores.records, stores.project.id, "", most)
        assert len(found) == wanted
        return json_text(run_shapes(stores.points, stores.project, found))

    half, first = measured(listed)
    limit = {"plain rows of all": measured(lambda: plain_list(big.home / "neat.db", big.home / "points.db"))[0]}
    words = ("runs",) if most else ("runs", "--json")
    note = f"first {first:.0f} ms; whole command {command_ms(big, *words):.0f} ms"
    theirs = {"mlflow": 1e3 * mlflow["newest_s" if most else "list_s"]}
    what = f"{' '.join(('neat', *words))}: {wanted:,} of {RUNS + 1:,} runs"
    keep(Row(f"store/runs/{'newest' if most else 'all'}", what, half, "ms", 200, theirs, limit, note=note))


def test_the_brief_is_written(big: Big, stores: Stores) -> None:
    """Gathered and written in this process; the whole command is told beside."""
    half, first = measured(lambda: brief_text(stores.records, stores.points, stores.project, stores.config))
    note = f"first {first:.0f} ms; whole command {command_ms(big, 'brief'):.0f} ms"
    keep(Row("store/brief", f"brief of {RUNS:,} runs", half, "ms", 200, note=note))


@pytest.mark.parametrize("share", SHARES)
def test_a_window_of_the_long_series(big: Big, stores: Stores, mlflow: dict[str, float], share: str) -> None:
    """In its middle; never more points than a chart has room for."""
    width = max(1, round(LONG * SHARES[share]))
    first = (LONG - width) // 2 + 1

    def window() -> None:
        found = at_resolution(stores.points, big.long_run, "train/loss", MOST, first, first + width - 1)
        assert 0 < len(found) <= MOST and found[0][0] == first and found[-1][0] == first + width - 1

    half, cold = measured(window)
    values = np.random.default_rng(1).standard_normal(width, dtype=np.float32)
    size = max(1, width // (MOST // 2))
    starts = np.arange(0, width, size)

    def in_memory() -> None:
        np.minimum.reduceat(values, starts)
        np.maximum.reduceat(values, starts)

    limit = {"numpy in memory": measured(in_memory)[0]}
    theirs = {f"mlflow, whole series of {PEER_POINTS:,}": 1e3 * mlflow["history_s"]} if share == "whole" else {}
    what = f"window of {LONG:,} points: {share}"
    keep(Row(f"store/window/{share}", what, half, "ms", 50, theirs, limit, note=f"first {cold:.0f} ms"))


def test_the_size_of_a_point(big: Big) -> None:
    """The whole file over its points, with the tables that lists read."""
    held = {"float32 alone": 4.0}
    keep(
        Row(
            "store/size",
            f"{big.count:,} points, float32 noise and times",
            big.size_bytes / big.count,
            "bytes a point",
            4,
            {},
            held,
        )
    )
