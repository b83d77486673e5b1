"""2,000 run folders, 100 of them active: a burst of 20,000 new files misses nothing, and rest costs next to nothing."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.bench import peers, peers_made
from tests.bench.daemons import Committed, committed, daemon_of, life, used_over, wait_for_quiet
from tests.bench.table import Row, keep, scaled
from tests.conftest import Neat, until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
RUNS, ACTIVE, LINES = scaled(2000, 20), scaled(100, 2), 5
OTHERS = 9  # new files of each run besides one with metrics: 20,000 in all
REST_S = max(5.0, scaled(60))
LONG_AGO = 1.7e9
_OURS = "source != 'system'"  # what neat samples itself is in no file
_BY_RUN = f"SELECT run_id, sum(points) FROM series WHERE {_OURS} GROUP BY run_id"


def folder(number: int) -> str:
    return f"runs/{number // 50}/{number}"


def write_runs(neat: Neat) -> None:
    """All but the active ones ended long ago."""
    for number in range(RUNS):
        path = neat.metrics(folder(number), *({"step": step, "loss": 1 / step} for step in range(1, LINES + 1)))
        if number >= ACTIVE:
            os.utime(path, (LONG_AGO, LONG_AGO))


def burst(neat: Neat) -> float:
    """Twenty thousand files in one go: ten to each run, one of them with metrics; the active ones write a line besides.
    Returns how long it took."""
    text = "epoch,accuracy\n" + "".join(f"{epoch},{epoch / 10}\n" for epoch in range(1, LINES + 1))
    begun = time.monotonic()
    for number in range(RUNS):
        place = neat.root / folder(number)
        for other in range(OTHERS):
            (place / f"sample_{other}.png").write_bytes(b"\x89PNG")
        (place / "results.csv").write_text(text)
        if number < ACTIVE:
            neat.metrics(folder(number), {"step": LINES + 1, "loss": 0.1})
        else:  # copied in from elsewhere, say: these runs do not go on because of it
            os.utime(place / "results.csv", (LONG_AGO, LONG_AGO))
    return time.monotonic() - begun


def points_of(points: Committed) -> int:
    return int(points.rows(f"SELECT COALESCE(sum(points), 0) FROM series WHERE {_OURS}")[0][0])


def test_a_burst_of_files_and_the_rest_after_it(tmp_path: Path) -> None:
    """Points are compared in number, run by run in the end; every setting at its default."""
    with life(tmp_path / "life") as neat, committed(neat) as points:
        process = daemon_of(neat)
        begun = time.monotonic()
        write_runs(neat)
        until(lambda: points_of(points) == LINES * RUNS, "all runs", 900)
        first_s = time.monotonic() - begun
        wait_for_quiet(process)
        cpu, begun = sum(process.cpu_times()[:2]), time.monotonic()
        writing_s = burst(neat)
        until(lambda: points_of(points) == 2 * LINES * RUNS + ACTIVE, "what came with the burst", 600)
        whole_s = time.monotonic() - begun
        cpu = sum(process.cpu_times()[:2]) - cpu
        found = sorted(count for _, count in points.rows(_BY_RUN))
        assert found == [2 * LINES] * (RUNS - ACTIVE) + [2 * LINES + 1] * ACTIVE
        wait_for_quiet(process)
        neat.call("neatd", "restart")  # what a daemon at rest is, not what reading once took
        process = daemon_of(neat)
        wait_for_quiet(process)
        share, resident = used_over(process, REST_S), process.memory_info().rss / 1e6
        for _ in range(20):
            with urllib.request.urlopen(neat.json("neatd", "status")["url"], timeout=30) as answer:
                assert answer.status == 200
        with_page = process.memory_info().rss / 1e6
    keep(Row("many/folders", f"{RUNS:,} run folders made under a living daemon: last point visible", first_s, "s"))
    note = f"{writing_s:.1f} s to write them, {cpu:.1f} s of a core"
    keep(
        Row(
            "many/burst",
            f"{10 * RUNS:,} new files in {RUNS:,} runs: none missed, the last point visible",
            whole_s,
            "s",
            note=note,
        )
    )
    their_share, their_memory = tensorboard_at_rest(tmp_path)
    words = f"at rest with {RUNS:,} runs, {ACTIVE} of them active"
    keep(Row("many/cpu", f"{words}: processor", 100 * share, "% of a core", 0.5, {"tensorboard": 100 * their_share}))
    keep(Row("many/memory", f"{words}: resident", resident, "MB", 80, {"tensorboard": their_memory}))
    keep(Row("many/memory-page", f"{words}: resident, page used", with_page, "MB", 110, {"tensorboard": their_memory}))


def tensorboard_at_rest(base: Path) -> tuple[float, float]:
    """(share of a core, MB resident) of its server and what it starts, over as many runs of as many points."""
    peers_made.run("write_runs", base / "logs", RUNS, folder=base / "home")
    with server(base) as process:
        begun = time.monotonic()
        until(lambda: time.monotonic() - begun > REST_S, "it to load the runs", REST_S + 30)
        share = used_over(process, REST_S)
        some = [process, *process.children(recursive=True)]
        return share, sum(one.memory_info().rss for one in some) / 1e6


@contextmanager
def server(base: Path) -> Iterator[psutil.Process]:
    words = [str(peers.python()), "-m", "tensorboard.main", "--logdir", str(base / "logs"), "--port", "0"]
    env = peers_made.environment(base / "home")
    log = (base / "tensorboard.log").open("wb")
    with subprocess.Popen(words, cwd=base, env=env, stdout=log, stderr=log) as started:
        try:
            until(lambda: b"http://" in (base / "tensorboard.log").read_bytes(), "TensorBoard", 120)
            yield psutil.Process(started.pid)
        finally:
            started.terminate()
            log.close()
