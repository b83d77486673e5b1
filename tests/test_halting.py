"""Jobs that somebody stops: those that wait, those that run, those that are deaf; and over the deaths of the daemon."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from neatd.pipeline import queueing
from neatd.store import jobs
from tests.conftest import until
from tests.jobs_made import is_over
from tests.queue_lives import WAIT, Queue

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups are POSIX")
# Says which signals it got; a child in its group does as it does.
DEAF = """
import os, signal, sys, time
if len(sys.argv) < 2:
    os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, sys.argv[0], "child"])
def heard(number, frame):
    with open("heard", "a") as file: file.write(f"{signal.Signals(number).name}\\n")
for one in (signal.SIGINT, signal.SIGTERM): signal.signal(one, heard)
open(f"up.{os.getpid()}", "w").close()
while True: time.sleep(0.05)
"""


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path)
    (made.root / "deaf.py").write_text(DEAF)
    yield made
    made.close()


def halted(queue: Queue, request: str) -> dict[str, Any]:
    """What came of a stop, with as many looks as it takes."""
    found: dict[str, Any] = {}

    def is_done() -> bool:
        found.update(queue.carry_out(request))
        return bool(found)

    until(is_done, "the end of the job", 20.0)
    return found


def test_a_job_that_waits_is_cancelled(queue: Queue) -> None:
    """At once, and what comes after it with it."""
    with queue.life():
        jobs.set_group(queue.scene.records, "g", paused_at="2026-01-01")
        job = queue.add("true", group_name="g")
        after = queue.add("true", after=[job])
        assert halted(queue, queue.ask_stop(job))["outcome"] == "cancelled before it began"
        assert (queue.job(job).status, queue.job(job).reason) == ("cancelled", "cancelled by a person")
        assert queue.end(after)[0].status == "cancelled"


def test_a_job_that_runs_is_interrupted_and_is_not_tried_again(queue: Queue) -> None:
    """By INT to its whole group: the shell and what it runs; the row says who asked for that."""
    with queue.life():
        job = queue.add(WAIT, retries=2)
        queue.begin(job)
        until(queue.is_up, "the job")
        told = halted(queue, queue.ask_stop(job, who="Ada"))
        assert (told["outcome"], told["status"], told["exit_code"]) == ("ended by INT", "killed", -2)
        assert queue.job(job).reason == "stopped by Ada: killed by SIGINT"
        assert len(jobs.jobs(queue.scene.records)) == 1
        again = halted(queue, queue.ask_stop(job))
        assert again["outcome"] == "it had ended by itself" and again["reason"] == "stopped by Ada: killed by SIGINT"


def test_a_deaf_job_gets_each_signal_once_over_the_deaths_of_the_daemon(queue: Queue) -> None:
    """INT and TERM are waited for, KILL ends the whole group; no daemon sends again what another has sent."""
    with queue.life(cpu_slots=1):
        job = queue.add(sys.executable, "deaf.py")
        queue.begin(job)
        until(lambda: queue.is_up() == 2, "the job and its child")
        asked = queue.ask_stop(job)
        for _ in range(3):
            assert queue.carry_out(asked) == {}
        until(lambda: queue.lines("heard") == ["SIGINT"] * 2, "the interrupt")
    pids = [int(path.suffix[1:]) for path in queue.root.glob("up.*")]
    with queue.life(cpu_slots=1, stop_term_s=0.0, stop_kill_s=3600.0):
        assert queue.carry_out(asked) == {} == queue.carry_out(asked)
        until(lambda: sorted(queue.lines("heard")) == ["SIGINT"] * 2 + ["SIGTERM"] * 2, "the second signal")
        assert queue.job(job).reason == "is being stopped by a person"
    with queue.life(cpu_slots=1, stop_term_s=0.0, stop_kill_s=0.0):
        told = halted(queue, asked)
        assert told["outcome"] == "ended by KILL" and [name for name, _ in told["sent"]] == ["INT", "TERM", "KILL"]
        assert queue.job(job).reason == "stopped by a person: killed by SIGKILL"
        until(lambda: all(map(is_over, pids)), "the end of all")
    assert len(queue.lines("heard")) == 4


def test_without_a_daemon_the_command_waits_for_the_end(queue: Queue) -> None:
    """And a stop with little patience goes to the end by itself."""
    with queue.life():
        queue.scene.is_lasting = False
        job = queue.add(sys.executable, "deaf.py")
        queueing.turn_here(queue.scene)
        until(lambda: queue.is_up() == 2, "the job and its child")
        told = queue.carry_out(queue.ask_stop(job, wait_s=0.05))
        assert told["outcome"] == "ended by KILL" and queue.job(job).status == "killed"


def test_a_run_knows_the_job_that_its_process_is_of(queue: Queue) -> None:
    """By the process's environment; another project's job, or one that has ended, is not taken for it."""
    from neatd.models import ProcessFact
    from neatd.pipeline.loop import Loop
    from neatd.pipeline.processes import describe
    from neatd.watch.observer import Watcher

    with queue.life(sweep_s=0.01):
        job = queue.add(WAIT)
        (process,) = queue.begin(job)
        folder = queue.root / "runs" / "a"
        folder.mkdir(parents=True)
        (folder / "metrics.jsonl").write_text(json.dumps({"step": 1, "loss": 1.0}) + "\n")
        loop = Loop(queue.scene, Watcher())
        loop.prepare()
        ((project, live),) = queue.scene.live_runs()
        assert process.pid is not None
        fact = ProcessFact(pid=process.pid, started=psutil.Process(process.pid).create_time())
        describe(queue.scene, project, live, fact)
        assert live.run.job_id == job and live.run.process is not None
        loop.step(())
        assert live.run.status == "running"
        queue.go()
        queue.end(job)

        def has_ended() -> bool:
            live.look_by(0.0)
            loop.step([folder / "metrics.jsonl"])
            return live.is_ended

        until(has_ended, "the run's end", 20.0)
        assert (live.run.status, live.run.reason) == ("finished", "exit code 0 at step 1")


def test_a_daemon_that_dies_while_it_stops_a_job_does_not_make_it_be_tried_again(queue: Queue) -> None:
    """Whatever of the two rows is written: the job is said to be stopped before a signal is said to be sent."""
    with queue.life(stop_term_s=0.0, stop_kill_s=0.0):
        job = queue.add(WAIT, retries=1)
        queue.begin(job)
        until(queue.is_up, "the job")
        asked = queue.ask_stop(job)
        queue.scene.records.execute(
            "CREATE TEMP TRIGGER dies BEFORE UPDATE OF reason ON main.job WHEN NEW.reason LIKE 'is being%'"
            " BEGIN SELECT RAISE(ABORT, 'the daemon dies here'); END"
        )
        with pytest.raises(sqlite3.IntegrityError):
            queue.carry_out(asked)
        queue.scene.records.execute("DROP TRIGGER dies")
        halted(queue, asked)
        assert queue.job(job).reason.startswith("stopped by a person: ")
        assert len(jobs.jobs(queue.scene.records)) == 1


def test_what_a_shell_left_in_the_background_is_ended_too(queue: Queue) -> None:
    """A shell's background child is deaf to INT and outlives the shell: it gets the next signal."""
    with queue.life(stop_term_s=0.0, stop_kill_s=3600.0):
        job = queue.add("sleep 600 & echo $! > child; touch up.1; wait")
        queue.begin(job)
        until(queue.is_up, "the job")
        child = int(queue.lines("child")[0])
        assert halted(queue, queue.ask_stop(job))["outcome"] == "ended by TERM"
        until(lambda: is_over(child), "the end of its child")
        assert queue.job(job).reason == "stopped by a person: killed by SIGINT"
