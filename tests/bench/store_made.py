"""A store of a hundred million points, made by the functions that the daemon commits with: once, where it is to be kept.

10,000 runs with five series of 2,000 points, and one run with a series of ten million: float32 noise, with times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neatd.models import Cursor, GitState, Stretch
from neatd.place import here
from neatd.store import points, runs
from neatd.store.opening import connect
from tests.bench.daemons import stored_bytes
from tests.bench.table import SCALE, scaled

RUNS, LONG = scaled(10_000, 20), scaled(10_000_000, 100_000)
NAMES = ("train/loss", "train/lr", "train/grad_norm", "val/loss", "val/acc")
POINTS, TURN = 2000, 8192  # a run's steps; rows of a commit of the long one, as a turn of reading has them
SOURCE = "metrics.jsonl"
NEAT = Path(sys.executable).with_name("neat")


class Big(NamedTuple):
    """A project, its home, and the run with the long series."""

    root: Path
    home: Path
    long_run: str
    count: int  # points
    size_bytes: int  # of points.db


def big_store(base: Path) -> Big:
    """The store below `base`, made if it is not there at this scale."""
    root, home, told = base / "project", base / "home", base / f"made-{SCALE:g}.json"
    if not told.is_file():
        root.mkdir(parents=True)
        env = os.environ | {"NEAT_HOME": str(home), "HOME": str(base)}
        for words in (["git", "init", "-q"], [str(NEAT), "init", "--yes"]):
            subprocess.run(words, cwd=root, env=env, check=True, capture_output=True)
        long_run, seconds = _fill(home, root)
        told.write_text(json.dumps({"long_run": long_run, "seconds": seconds, "size_bytes": stored_bytes(home)}))
    kept = json.loads(told.read_text())
    return Big(root, home, kept["long_run"], RUNS * POINTS * len(NAMES) + LONG, kept["size_bytes"])


def _fill(home: Path, root: Path) -> tuple[str, float]:
    """(the id of the run with the long series, seconds)."""
    begun, project_id, rng = time.monotonic(), here(root).project_id, np.random.default_rng(1)
    with closing(connect(home)) as store, closing(connect(home, "points")) as series:
        for connection in (store, series):
            connection.execute("PRAGMA synchronous = OFF")  # it is made again if the machine goes down
        start = datetime.now(UTC) - timedelta(minutes=RUNS + 1)

        def new_run(name: str, number: int) -> tuple[str, float]:
            at = start + timedelta(minutes=number)
            run = runs.ensure_run(store, project_id, str(root), name, GitState(branch="main", commit="a" * 40), at)
            config = {"lr": 1e-3 * (1 + number % 7), "batch_size": 2 ** (number % 6), "seed": number}
            runs.set_run(store, run.id, status="finished", reason="exit code 0", ended_at=at, config=config)
            return run.id, at.timestamp()

        long_run = new_run("runs/long", 0)
        _write(series, rng, *long_run, ("train/loss",), LONG)
        for number in range(1, RUNS + 1):
            _write(series, rng, *new_run(f"runs/{number}", number), NAMES, POINTS)
    return long_run[0], time.monotonic() - begun


def _write(
    series: object, rng: np.random.Generator, run_id: str, at: float, names: tuple[str, ...], count: int
) -> None:
    """Commit a run's points as they come in turns of reading; a step takes about half a second."""
    clock = at
    for first in range(0, count, TURN):
        size = min(TURN, count - first)
        columns = {name: tuple(rng.standard_normal(size, dtype=np.float32).tolist()) for name in names}
        times = clock + np.cumsum(rng.normal(0.5, 0.01, size))
        clock = float(times[-1])
        steps = range(first + 1, first + size + 1)
        stretch = Stretch(steps, steps, tuple(times.tolist()), columns, 1)
        cursor = Cursor(reading_id=run_id, seq=first + size, offset=100 * (first + size), stream=SOURCE, format="jsonl")
        points.commit_lines(series, run_id, SOURCE, cursor, [stretch], [], clock)  # type: ignore[arg-type]


def keep_folder(fallback: Callable[[], Path]) -> Path:
    """NEAT_BENCH_KEEP, where a store of this scale stays for the next time; else a folder that goes."""
    kept = os.environ.get("NEAT_BENCH_KEEP")
    return Path(kept) / f"big-{SCALE:g}" if kept else fallback()
