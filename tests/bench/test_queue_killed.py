"""The queue through twenty SIGKILLs of the daemon, and how soon a job begins.

500 jobs of up to two seconds, each kill with at least one that runs and one that waits: each runs exactly once, in its order,
within its slots, and every exit code is known.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

import pytest

from neatd.jobs import bell, shim
from neatd.jobs.folder import job_folder
from neatd.jobs.launch import begin
from neatd.place import here
from neatd.store import jobs
from neatd.store.opening import connect
from tests.bench.daemons import daemon_of, life, project, used_over, wait_for_quiet
from tests.bench.table import Row, keep, scaled
from tests.conftest import until
from tests.test_queue_killed import check, run_killed, tidy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
SLOTS, BEGIN_S, IDLE_S = 4, 0.15, 20.0


@pytest.mark.timeout(1800)
def test_500_jobs_through_twenty_kills(tmp_path: Path) -> None:
    """Each exactly once."""
    count, kills = scaled(500, 30), scaled(20, 3)
    neat = project(tmp_path)
    neat.settings(cpu_slots=SLOTS, memory_pauses="false")
    begun = time.monotonic()
    try:
        check(neat, run_killed(neat, count, kills, 2.0, 1200.0), SLOTS)
    finally:
        tidy(neat)
    took_s = time.monotonic() - begun
    what = f"{count} jobs of 0 to 2 s, {SLOTS} slots, {kills} SIGKILLs: each once, every exit code known"
    keep(Row("queue/killed", what, took_s, "s", raw={"their sleeps over the slots": count / SLOTS}))


@pytest.mark.timeout(600)
def test_a_job_begins_soon(tmp_path: Path) -> None:
    """From its row to its first instruction, while the daemon idles; beside shims that are started by hand."""
    taken, by_hand = [], []
    with life(tmp_path) as neat, closing(connect(neat.home, "neat")) as records:
        daemon, root = daemon_of(neat), here(neat.root).project_id
        for number in range(scaled(100, 10)):
            job = jobs.add(records, root, "job", ["true"], str(neat.root), "", root=str(neat.root))
            bell.ring(neat.home, job.id)
            taken.append(begun_at(job_folder(neat.home, job.id)) - job.created_at.timestamp())
            until(lambda: jobs.get_job(records, job.id).status == "finished", "its row")  # noqa: B023
            folder = tmp_path / f"by-hand-{number}"
            at = time.time()
            begin(job, folder, folder / "log", {})
            by_hand.append(begun_at(folder) - at)
        wait_for_quiet(daemon, 1.0)
    row = Row(
        "queue/begin", "a job queued -> its first instruction, median", 1000 * median(taken), "ms", aim=1000 * BEGIN_S,
        raw={"its shim alone": 1000 * median(by_hand)}, note=f"the slowest of 20: {1000 * quantiles(taken, n=20)[-1]:.0f} ms",
    )  # fmt: skip
    keep(row)
    assert median(taken) < median(by_hand) + 4 * BEGIN_S


def begun_at(folder: Path) -> float:
    """When the job in it began, once it has ended."""
    until((folder / shim.EXIT).exists, "the job")
    return float(json.loads((folder / shim.START).read_text())["started"])


@pytest.mark.timeout(600)
def test_ten_thousand_paused_jobs_cost_an_idle_daemon_nothing(tmp_path: Path) -> None:
    """Beside what it uses without them."""
    with life(tmp_path) as neat, closing(connect(neat.home, "neat")) as records:
        daemon = daemon_of(neat)
        without = used_over(daemon, IDLE_S)
        jobs.set_group(records, "default", paused_at="2026-01-01T00:00:00.000000Z")
        first = jobs.add(records, here(neat.root).project_id, "job", ["true"], str(neat.root), "", root=str(neat.root))
        columns = ", ".join(name for name in first.model_dump() if name != "id")
        records.execute("BEGIN")
        rows = [(f"j-{n}", first.id) for n in range(10_000)]
        records.executemany(f"INSERT INTO job (id, {columns}) SELECT ?, {columns} FROM job WHERE id = ?", rows)
        records.execute("COMMIT")
        until(lambda: jobs.get_job(records, first.id).reason, "the daemon's look")
        wait_for_quiet(daemon)
        share = used_over(daemon, IDLE_S)
    keep(Row("queue/idle", "10,000 queued and paused jobs, the daemon's share of a core", 100 * share, "%", aim=0.5,
             raw={"without them": 100 * without}))  # fmt: skip
