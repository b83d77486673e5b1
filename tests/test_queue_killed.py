"""SIGKILL to the daemon while jobs run and wait: each runs exactly once, in its order, within its slots, its end is known."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from neatd.jobs import bell, shim
from neatd.jobs.ending import stop
from neatd.jobs.folder import job_folder
from neatd.models import JOB_ENDED, Job
from neatd.place import here
from neatd.store import jobs
from neatd.store.connection import transaction
from neatd.store.opening import connect
from tests.conftest import Neat, until
from tests.jobs_made import is_over
from tests.mother import bear

SLOTS = 3
# Appends in one write (a shell's echo to a file that it opened for appending), then sleeps and ends as it is told.
PROGRAM = 'echo "$1" >> out; sleep "$2"; exit "$3"'


class Wish(NamedTuple):
    """A job as it is queued."""

    id: str
    code: int


def enqueue(neat: Neat, count: int, longest_s: float) -> list[Wish]:
    """So many jobs of up to so many seconds each, in one transaction; in the queue's order."""
    rng, project = random.Random(11), here(neat.root).project_id
    wishes = []
    with closing(connect(neat.home, "neat")) as records, transaction(records):
        for number in range(count):
            code, name = rng.choice((0, 0, 0, 1, 7, 130)), f"{number:04d}"
            words = ["sh", "-c", PROGRAM, "job", name, f"{rng.uniform(0, longest_s):.3f}", str(code)]
            job = jobs.put(records, project, name, words, str(neat.root), "", root=str(neat.root))
            wishes.append(Wish(job.id, code))
    bell.ring(neat.home, wishes[0].id)
    return wishes


def counts(home: Path) -> dict[str, int]:
    """Status -> how many."""
    with closing(sqlite3.connect(f"file:{home / 'neat.db'}?mode=ro", uri=True)) as records:
        return dict(records.execute("SELECT status, count(*) FROM job GROUP BY status").fetchall())


def end(pid: int, how: int) -> None:
    """Of a daemon."""
    os.kill(pid, how)
    until(lambda: is_over(pid), "the end of the daemon")


def kill_amid(neat: Neat, daemon: int, at_least: int) -> None:
    """Once so many have ended and at least one runs and one waits."""

    def is_amid() -> bool:
        now = counts(neat.home)
        over = sum(count for status, count in now.items() if status in JOB_ENDED)
        assert now.get("queued"), "nothing waits any more"
        return over >= at_least and bool(now.get("running"))

    until(is_amid, "jobs that run and wait", 120.0)
    end(daemon, signal.SIGKILL)


def run_killed(neat: Neat, count: int, kills: int, longest_s: float, wait_s: float) -> list[Wish]:
    """All jobs run to their end by daemons that are killed so many times."""
    wishes, rng = enqueue(neat, count, longest_s), random.Random(5)
    for number in range(kills):
        daemon = bear(neat.home, neat.env)
        kill_amid(neat, daemon, rng.randint(number, max(number, round(number * count * 0.8 / kills))))
    daemon = bear(neat.home, neat.env)
    until(lambda: not set(counts(neat.home)) & {"queued", "running"}, "the end of all", wait_s)
    end(daemon, signal.SIGTERM)
    return wishes


def check(neat: Neat, wishes: list[Wish], slots: int) -> None:
    """Each once, its own code, none before its turn, never more at once than there are slots."""
    with closing(connect(neat.home, "neat")) as records:
        known = {job.id: job for job in jobs.jobs(records)}
    assert len(known) == len(wishes)
    for wish in wishes:
        job = known[wish.id]
        assert (job.exit_code, job.status) == (wish.code, _status(wish.code)), job
        assert job.started_at and job.ended_at and job.pid and job.reason.startswith(f"exit code {wish.code}")
    ran = (neat.root / "out").read_text().split()
    assert sorted(ran) == [f"{number:04d}" for number in range(len(wishes))]
    assert max(abs(int(name) - place) for place, name in enumerate(ran)) < slots
    assert at_once(neat, [known[wish.id] for wish in wishes]) <= slots


def _status(code: int) -> str:
    return {0: "finished", 130: "killed"}.get(code, "failed")


def at_once(neat: Neat, known: list[Job]) -> int:
    """The most jobs that ran at one moment, as their shims wrote it down."""
    moments = []
    for job in known:
        folder = job_folder(neat.home, job.id)
        started = json.loads((folder / shim.START).read_text())["started"]
        moments += [(started, 1), (json.loads((folder / shim.EXIT).read_text())["ended"], -1)]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    return most


def tidy(neat: Neat) -> None:
    for folder in (neat.home / "jobs").glob("j-*"):
        stop(folder, 0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_jobs_of_a_daemon_that_is_killed_run_once_each(neat: Neat) -> None:
    """30 jobs and 3 kills, each with at least one that runs and one that waits; tests/bench/test_queue_killed.py has 500."""
    neat.settings(sweep_s=0.5, cpu_slots=SLOTS, memory_pauses="false")
    try:
        check(neat, run_killed(neat, 30, 3, 0.1, 60.0), SLOTS)
    finally:
        tidy(neat)
