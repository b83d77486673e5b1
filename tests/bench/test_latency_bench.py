"""From the write of a line until a query of points.db sees it, with one active run and with a hundred."""

from __future__ import annotations

import heapq
import json
import random
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bench import peers_made, raw
from tests.bench.daemons import Committed, committed, life
from tests.bench.table import Row, keep, scaled
from tests.conftest import Neat, until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
SHORTEST_S, LONGEST_S = 0.25, 1.0  # between two lines of a run
LOOK_S = 0.0003
# How often each is asked. TensorBoard and wandb: until the bytes are in the file, though nobody has read them yet.
PEERS = {"tensorboard": 20, "trackio": 20, "mlflow": 20, "wandb": 2}


class Waiting(NamedTuple):
    """A line that no query has seen yet."""

    step: int
    at: float


def first_lines(neat: Neat, count: int) -> None:
    for number in range(count):
        neat.metrics(f"runs/{number}", {"step": 0, "loss": 1.0})


class Writers:
    """Runs that write lines at irregular times, and when a query first sees each."""

    def __init__(self, neat: Neat, count: int) -> None:
        self.rng = random.Random(1)
        self.files = [(neat.root / "runs" / str(number) / "metrics.jsonl").open("ab", 0) for number in range(count)]
        self.waiting: list[list[Waiting]] = [[] for _ in self.files]
        self.steps = [0] * count
        self.waits: list[float] = []
        self.places: dict[str, int] = {}

    def settle(self, points: Committed, records: Committed) -> None:
        """All runs are known and read."""
        sql = "SELECT count(*) FROM reading WHERE source = 'metrics.jsonl' AND last_step >= 0"
        until(lambda: points.rows(sql)[0][0] == len(self.files), "all runs", 120)
        self.places = {run: int(folder.split("/")[-1]) for run, folder in records.rows("SELECT id, folder FROM run")}

    def write(self, lines: int, points: Committed) -> list[float]:
        """The waits of so many lines, in seconds."""
        due = [(time.perf_counter() + self.rng.uniform(0, LONGEST_S), number) for number in range(len(self.files))]
        heapq.heapify(due)
        written, deadline = 0, time.perf_counter() + lines * LONGEST_S + 60
        while written < lines or any(self.waiting):
            while written < lines and due[0][0] <= time.perf_counter():
                number = due[0][1]
                self._line(number)
                heapq.heapreplace(due, (time.perf_counter() + self.rng.uniform(SHORTEST_S, LONGEST_S), number))
                written += 1
            if points.is_changed():
                self._see(points)
            assert time.perf_counter() < deadline, f"{sum(map(len, self.waiting))} lines were not seen"
            time.sleep(LOOK_S)
        return self.waits

    def _line(self, number: int) -> None:
        self.steps[number] += 1
        data = json.dumps({"step": self.steps[number], "time": time.time(), "loss": self.rng.random()}).encode() + b"\n"
        self.waiting[number].append(Waiting(self.steps[number], time.perf_counter()))
        self.files[number].write(data)

    def _see(self, points: Committed) -> None:
        found: list[tuple[Any, ...]] = points.rows(
            "SELECT run_id, last_step FROM reading WHERE source = 'metrics.jsonl'"
        )
        now = time.perf_counter()
        for run, step in found:
            waiting = self.waiting[self.places[run]]
            self.waits += [now - one.at for one in waiting if one.step <= step]
            waiting[:] = [one for one in waiting if one.step > step]

    def close(self) -> None:
        for file in self.files:
            file.close()


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@pytest.mark.parametrize(("count", "lines", "aim_ms"), [(1, 200, 20), (100, 10_000, 100)], ids=["1", "100"])
def test_a_line_until_it_is_visible(tmp_path: Path, count: int, lines: int, aim_ms: float) -> None:
    """A line every 0.25 s to 1 s of each run, from its third on; every setting at its default."""
    base, count = tmp_path / "life", scaled(count)
    with (
        life(base, lambda neat: first_lines(neat, count)) as neat,
        committed(neat) as points,
        committed(neat, "neat") as records,
    ):
        writers = Writers(neat, count)
        writers.settle(points, records)
        early = len(writers.write(2 * count, points))  # what a run's first lines set going is no latency of a line
        waits = writers.write(scaled(lines, 20), points)[early:]
        writers.close()
    limit = {"json + insert + commit": raw.one_line_ms(tmp_path / "raw.db")}
    theirs = {}
    for name, times in PEERS.items() if count == 1 else ():
        some = peers_made.run("freshness", name, scaled(times, 2), folder=tmp_path / name)
        theirs[name] = 1e3 * quantile(some, 0.5)
    runs = "1 active run" if count == 1 else f"{count} active runs"
    half, most = (1e3 * quantile(waits, share) for share in (0.5, 0.99))
    note = f"{len(waits)} lines, the longest {1e3 * max(waits):.0f} ms"
    keep(Row(f"latency/{count}/p50", f"line to query, {runs}: median", half, "ms", None, theirs, limit, note=note))
    keep(Row(f"latency/{count}/p99", f"line to query, {runs}: p99", most, "ms", aim_ms, {}, limit, note=note))
