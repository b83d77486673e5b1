"""Figures, not verdicts: how fast a backlog is read and judged, how soon a line is seen, what an idle daemon costs."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import statistics
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import Neat, until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
LINES = 200_000


def _one(path: Path, sql: str) -> float:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchone()[0] or 0
    finally:
        connection.close()


def test_a_million_points(neat: Neat) -> None:
    """200,000 lines of 5 metrics, default rules on, the clock from the file's rename into the folder."""
    rng = random.Random(1)
    ready = neat.root.parent / "metrics.jsonl"
    with ready.open("w") as file:
        for step in range(1, LINES + 1):
            values = {name: rng.random() for name in ("train/lr", "train/grad_norm", "train/acc", "tput")}
            file.write(json.dumps({"step": step, "train/loss": 1 + rng.gauss(0, 0.01), **values}) + "\n")
    neat.start()
    (neat.root / "runs" / "a").mkdir(parents=True)
    size = ready.stat().st_size
    begun = time.monotonic()
    ready.rename(neat.root / "runs" / "a" / "metrics.jsonl")
    points, records = neat.home / "points.db", neat.home / "neat.db"
    until(lambda: _one(points, 'SELECT max("offset") FROM reading') >= size, "all lines", 300)
    visible = time.monotonic() - begun
    until(lambda: _one(records, "SELECT max(seq) FROM judging") >= LINES, "all lines judged", 300)
    judged = time.monotonic() - begun
    stored = points.stat().st_size / (5 * LINES)
    rates = f"{5 * LINES / visible:,.0f} a second visible, {5 * LINES / judged:,.0f} judged"
    print(f"\n1M points: {rates}, {stored:.1f} bytes a point")


def test_a_line_until_it_is_visible(neat: Neat) -> None:
    """From the write of a line to the commit of its points, one active run."""
    neat.settings()
    neat.start()
    neat.metrics("runs/a", {"step": 0, "loss": 1.0})
    neat.wait_for_points("runs/a", "loss", 1)
    waits = []
    for step in range(1, 201):
        neat.metrics("runs/a", {"step": step, "loss": 1.0})
        begun = time.monotonic()
        until(lambda step=step: _one(neat.home / "points.db", "SELECT max(last_step) FROM reading") >= step, "the line")
        waits.append(time.monotonic() - begun)
    waits.sort()
    print(f"\nline to query: median {statistics.median(waits) * 1e3:.0f} ms, p99 {waits[197] * 1e3:.0f} ms")


def test_an_idle_daemon_with_a_thousand_runs(neat: Neat) -> None:
    """Memory and processor time of a daemon that knows 1,000 ended runs, over 60 seconds."""
    neat.settings()
    for number in range(1000):
        path = neat.metrics(
            f"runs/{number // 50}/{number}", *[{"step": step, "loss": 1 / step} for step in range(1, 6)]
        )
        os.utime(path, (1.7e9, 1.7e9))  # they ended long ago
    neat.start()
    until(lambda: _one(neat.home / "points.db", "SELECT count(*) FROM reading") >= 1000, "all runs", 120)
    until(lambda: _one(neat.home / "neat.db", "SELECT count(*) FROM judging") >= 1000, "all runs judged", 120)
    neat.call("neatd", "restart")
    process = psutil.Process(neat.json("neatd", "status")["pid"])
    until(lambda: _is_quiet(process), "the start's work to end", 120)
    before, begun = process.cpu_times(), time.monotonic()
    until(lambda: time.monotonic() - begun > 60, "a minute", 90)
    after = process.cpu_times()
    used = (after.user + after.system - before.user - before.system) / (time.monotonic() - begun)
    print(f"\nidle, 1,000 runs: {process.memory_info().rss / 1e6:.0f} MB resident, {used:.2%} of a core")


def _is_quiet(process: psutil.Process) -> bool:
    before = process.cpu_times().user
    begun = time.monotonic()
    until(lambda: time.monotonic() - begun > 3, "three seconds")
    return process.cpu_times().user - before < 0.1
