"""The queue's turn over real jobs: order, starts that a crash cut off, ends told from evidence, retries, pauses."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.jobs import bell, shim
from neatd.jobs.launch import START_WAIT_S
from neatd.models import GitState
from neatd.pipeline import queueing
from neatd.pipeline.waiting import why_waiting
from neatd.store import jobs, queued, requests, runs
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from tests.conftest import until
from tests.cost import at_most
from tests.queue_lives import PROJECT, WAIT, Queue

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="jobs here are shell commands")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path)
    yield made
    made.close()


def give_room(queue: Queue, job_id: str) -> None:
    """As far as a daemon comes that is killed right before the start."""
    with transaction(queue.scene.records):
        assert queued.begin(queue.scene.records, job_id, "[]", utc_now())


# ---- order and ends ----


def test_jobs_run_in_their_order_each_once_and_leave_how_they_ended(queue: Queue) -> None:
    """One slot; the priority first, then the place, then the age; code, times and peak memory are in the row."""
    with queue.life(cpu_slots=1):
        made = [queue.add("echo a >> out; exit 3"), queue.add("echo b >> out"), queue.add("echo c >> out", priority=5),
                queue.add("echo d >> out", place=-1)]  # fmt: skip
        ended = queue.end(*made)
        assert queue.lines() == ["c", "d", "a", "b"]
        assert [(job.status, job.exit_code) for job in ended] == [("failed", 3), *[("finished", 0)] * 3]
        for job in ended:
            assert job.started_at and job.ended_at and job.started_at <= job.ended_at and job.pid
            assert job.reason == f"exit code {job.exit_code}" and (job.peak_bytes or 0) > 100_000
        queueing.turn(queue.scene, is_sweep=True)
        assert queue.lines() == ["c", "d", "a", "b"] and bell.rung(queue.home) == frozenset()


def test_who_waits_is_told_why_at_the_first_look(queue: Queue) -> None:
    """And `why_waiting` tells the same without a daemon's help."""
    with queue.life(cpu_slots=1):
        first, second = queue.add(WAIT), queue.add("true")
        queueing.turn(queue.scene)
        assert queue.job(second).reason == "waits: for its turn" and queue.job(first).status == "running"
        assert why_waiting(queue.scene.records, queue.home)[second].reason == "the CPU slot is taken"
        queue.go()
        assert [job.status for job in queue.end(first, second)] == ["finished", "finished"]


def test_what_cannot_be_started_fails_with_the_reason(queue: Queue) -> None:
    """No such command, a folder that vanished, an environment that was torn."""
    with queue.life():
        gone = queue.root / "gone"
        gone.mkdir()
        command = queue.add("no-such-program-here", "x")
        folder = jobs.add(queue.scene.records, "0" * 32, "job", ["true"], str(gone), "").id
        torn = queue.add("true")
        queue.freeze(torn)
        (queue.folder(torn) / "frozen.json").write_text('{"env": {')
        gone.rmdir()
        ended = queue.end(command, folder, torn)
        assert [job.status for job in ended] == ["failed"] * 3 and [job.exit_code for job in ended] == [127, 127, None]
        assert "no-such-program-here" in ended[0].reason and str(gone) in ended[1].reason
        assert "frozen.json" in ended[2].reason


def test_a_job_runs_with_the_environment_it_was_queued_with(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """That and what neat tells it; nothing of the daemon's own."""
    monkeypatch.setenv("OF_THE_DAEMON", "1")
    with queue.life():
        job = queue.add("env > out", session="a-session")
        queue.freeze(job, PATH=os.environ["PATH"], MINE="a b", PYTHONUNBUFFERED="")
        queue.end(job)
    seen = dict(line.split("=", 1) for line in (queue.root / "out").read_text().splitlines() if "=" in line)
    told = {"NEAT_HOME": str(queue.home), "NEAT_JOB_ID": job, "NEAT_SESSION": "a-session"}
    assert seen.items() >= ({"MINE": "a b", "PYTHONUNBUFFERED": ""} | told).items() and "OF_THE_DAEMON" not in seen
    assert (queue.folder(job) / shim.SPEC).stat().st_mode & 0o777 == 0o600


# ---- deaths of the daemon ----


def test_a_daemon_that_dies_at_any_step_of_a_start_starts_it_once(queue: Queue) -> None:
    """After the row; after the spec; after the shim, which holds the lock; after the command began; after it ended."""
    with queue.life(cpu_slots=9):
        row, spec, begun, over = (queue.add(f"echo {name} >> out; {WAIT}") for name in ("row", "spec", "begun", "over"))
        begin = [begun, over]
        for one in (row, spec):
            jobs.set_job(queue.scene.records, one, place=9)
            give_room(queue, one)
        job = queue.job(spec)
        made = {
            "job_id": job.id,
            "command": list(job.command),
            "cwd": job.cwd,
            "env": {},
            "log": str(queue.root / "log"),
        }
        queue.folder(spec).mkdir(parents=True)
        shim.write_json(queue.folder(spec) / shim.SPEC, made)
        queueing.turn(queue.scene)
        until(lambda: queue.is_up() == 4, "the jobs")
    for one in (begun, over):  # the rows say nothing of it
        assert (queue.folder(one) / shim.START).exists()
    queue.go()
    until(lambda: all((queue.folder(one) / shim.EXIT).exists() for one in [*begin, row, spec]), "their ends")
    with queue.life(cpu_slots=9):
        assert {job.status for job in queue.end(row, spec, begun, over)} == {"finished"}
        queueing.turn(queue.scene, is_sweep=True)
    assert sorted(queue.lines()) == ["begun", "over", "row", "spec"]


def test_a_shim_that_died_before_its_job_is_replaced_and_one_on_its_way_is_not(queue: Queue) -> None:
    """In the same life, once it is overdue; the lock keeps a second one out."""
    with queue.life():
        job = queue.add("echo a >> out")
        queue.folder(job).mkdir(parents=True)
        lock = shim.take_lock(queue.folder(job) / shim.LOCK)  # as of a shim that has not come far
        assert lock is not None
        queueing.turn(queue.scene)
        until(lambda: queue.scene.queue.children == [] or queueing.turn(queue.scene, is_sweep=True), "nothing to begin")
        assert queue.job(job).status == "running" and queue.job(job).pid is None and queue.lines() == []
        os.close(lock)
        queueing.turn(queue.scene, is_sweep=True)
        assert queue.job(job).pid is None
        queue.later_s = START_WAIT_S + 1
        queueing.turn(queue.scene, is_sweep=True)
        assert queue.end(job)[0].status == "finished" and queue.lines() == ["a"]


def test_the_next_daemon_adopts_what_runs_and_learns_what_ended_meanwhile(queue: Queue) -> None:
    """Exit code 7 of a job that a command without a daemon started."""
    with queue.life():
        queue.scene.is_lasting = False
        first, second = queue.add("exit 7"), queue.add(WAIT)
        queueing.turn_here(queue.scene)
        assert queue.job(second).pid
    until((queue.folder(first) / shim.EXIT).exists, "its end")
    with queue.life():
        queueing.turn(queue.scene)
        assert (queue.job(first).status, queue.job(first).exit_code) == ("failed", 7)
        assert queue.job(second).status == "running"
        queue.go()
        assert queue.end(second)[0].status == "finished"


def test_a_job_that_ran_is_never_run_again_whatever_its_row_says(queue: Queue) -> None:
    """An old row out of a backup; a folder that was removed while it ran."""
    with queue.life():
        job = queue.add("echo a >> out")
        queue.end(job)
        jobs.set_job(queue.scene.records, job, status="queued", reason="", pid=None)
        queue.scene.queue.is_due = True
        queueing.turn(queue.scene)
        queueing.turn(queue.scene, is_sweep=True)
        assert (queue.job(job).status, queue.job(job).exit_code, queue.lines()) == ("finished", 0, ["a"])
        other = queue.add(f"echo b >> out; {WAIT}")
        queue.begin(other)
        for path in (*queue.folder(other).iterdir(),):
            path.unlink()
        queueing.turn(queue.scene, is_sweep=True)
        assert queue.job(other).status == "lost" and "was removed" in queue.job(other).reason
        queueing.turn(queue.scene, is_sweep=True)
        queue.go()
        assert queue.lines() == ["a", "b"]


@pytest.mark.skipif(sys.platform != "linux", reason="boot ids are Linux's")
def test_a_restart_of_the_machine_and_a_lost_shim_are_told_and_tried_again_where_asked(queue: Queue) -> None:
    """Interrupted, lost; the one that may be tried again is a new job, linked to it."""
    with queue.life(cpu_slots=9):
        boot, lost = queue.add(WAIT, retries=1, why="to see"), queue.add(WAIT)
        queue.begin(boot, lost)
        until(lambda: queue.is_up() == 2, "both")
        start = json.loads((queue.folder(boot) / shim.START).read_text())
        shim.write_json(queue.folder(boot) / shim.START, {**start, "boot_id": "0000"})
        other = json.loads((queue.folder(lost) / shim.START).read_text())
        for pid in (other["shim_pid"], other["pid"]):
            os.kill(pid, signal.SIGKILL)
        until(lambda: queueing.turn(queue.scene, True) or queue.job(lost).status == "lost", "its loss")
        assert queue.job(boot).status == "interrupted" and queue.job(boot).reason == "the machine restarted"
        again = next(job for job in jobs.jobs(queue.scene.records) if job.retry_of)
        assert (again.retry_of, again.retries, again.why) == (boot, 0, "to see") and len(
            jobs.jobs(queue.scene.records)
        ) == 3
        os.kill(start["pid"], signal.SIGKILL)


# ---- retries, dependencies, pauses ----


def test_a_job_that_fails_is_tried_again_as_often_as_was_asked(queue: Queue) -> None:
    """With the same environment; those that come after it wait for the last try, and one that fails for good cancels them."""
    with queue.life():
        job = queue.add("echo $TRY >> out; [ $(wc -l < out) -ge 3 ]", retries=2)
        queue.freeze(job, TRY="x", PATH=os.environ["PATH"])
        after = queue.add("echo after >> out", after=[job])
        queue.end(after)
        assert queue.lines() == ["x", "x", "x", "after"]
        tried = sorted(jobs.jobs(queue.scene.records), key=lambda one: -one.retries)
        assert [one.status for one in tried if one.id != after] == ["failed", "failed", "finished"]
        bad = queue.add("exit 1", retries=1)
        chain = [queue.add("echo no >> out", after=[bad])]
        chain.append(queue.add("echo no >> out", after=chain[:1]))
        whatever = queue.add("echo yes >> out", after=[f"any:{bad}"])
        ended = queue.end(*chain, whatever)
        assert [one.status for one in ended] == ["cancelled", "cancelled", "finished"]
        assert ended[0].reason == f"{bad[:8]}, which it comes after, ended failed" and queue.lines()[-1] == "yes"


def test_a_bad_end_cancels_what_comes_after_it_also_while_nothing_may_begin(queue: Queue) -> None:
    """The only slot is taken, and one of them is of a paused group."""
    with queue.life(cpu_slots=1):
        jobs.set_group(queue.scene.records, "g", paused_at=utc_now())
        bad, holds = queue.add("exit 1"), queue.add(WAIT)
        after, paused = queue.add("true", after=[bad]), queue.add("true", after=[bad], group_name="g")
        queue.begin(holds)
        assert [job.status for job in queue.end(after, paused)] == ["cancelled"] * 2
        assert queue.job(bad).status == "failed" and queue.job(holds).status == "running"


def test_slots_that_the_settings_add_are_used_at_once(queue: Queue) -> None:
    """Without a restart."""
    with queue.life(cpu_slots=1) as scene:
        queue.begin(queue.add(WAIT))
        waits = queue.add("true")
        queueing.turn(scene)
        assert queue.job(waits).status == "queued" and not scene.queue.is_due
        scene.settings = scene.settings.model_copy(update={"cpu_slots": 2})
        assert queue.end(waits)[0].status == "finished"


def test_a_job_whose_run_a_rule_ended_is_not_tried_again(queue: Queue) -> None:
    """It is no failure to be made good."""
    with queue.life() as scene:
        job = queue.add("kill -INT $$", retries=3)
        run = runs.ensure_run(
            scene.records, PROJECT, str(queue.root), "runs/a", GitState(is_repo=False), datetime.now(UTC)
        )
        runs.set_run(scene.records, run.id, job_id=job)
        asked = requests.ask(scene.records, "end-run", PROJECT, {"run": run.id, "event": "e-1"})
        requests.set_request(scene.records, asked, "done", {"sent": [["INT", 1.0]]})
        assert queue.end(job)[0].status == "killed" and len(jobs.jobs(scene.records)) == 1


def test_a_paused_group_begins_nothing_until_it_goes_on(queue: Queue) -> None:
    """Draining is no more than that: what runs goes on to its end."""
    with queue.life():
        runs = queue.add(WAIT, group_name="g")
        queue.begin(runs)
        jobs.set_group(queue.scene.records, "g", paused_at=utc_now(), paused_why="a demo")
        waits, other = queue.add("true", group_name="g"), queue.add("true")
        queue.end(other)
        queue.go()
        queue.end(runs)
        assert queue.job(waits).status == "queued"
        assert why_waiting(queue.scene.records, queue.home)[waits].reason == "group g is paused: a demo"
        jobs.set_group(queue.scene.records, "g", paused_at=None)
        queue.scene.queue.is_due = True
        assert queue.end(waits)[0].status == "finished"


def test_a_full_disk_lets_a_job_wait_and_begin_later(queue: Queue) -> None:
    """Nothing of it was started; the rest of the queue is left alone meanwhile."""
    with queue.life():
        job = queue.add("echo a >> out")
        queue.folder(job).mkdir(parents=True)
        full = queue.folder(job) / f".{shim.SPEC}.{os.getpid()}-{_thread()}.tmp"
        full.symlink_to("/dev/full")
        queueing.turn(queue.scene)
        found = queue.job(job)
        assert found.status == "queued" and "No space left" in found.reason and found.started_at is None
        full.unlink()
        assert not queueing.turn(queue.scene) and queue.job(job).status == "queued"
        queue.later_s = queueing.FULL_DISK_PAUSE_S + 1
        assert queue.end(job)[0].status == "finished" and queue.lines() == ["a"]


def _thread() -> int:
    import threading

    return threading.get_ident()


# ---- cost ----


def test_ten_thousand_paused_jobs_cost_nothing_while_nothing_changes(queue: Queue) -> None:
    """A turn is a look into an empty folder; one that has to decide reads none of them."""
    with queue.life() as scene:
        first = queue.add("true", group_name="g")
        columns = ", ".join(name for name in queue.job(first).model_dump() if name != "id")
        with transaction(scene.records):
            scene.records.executemany(
                f"INSERT INTO job (id, {columns}) SELECT ?, {columns} FROM job WHERE id = ?",
                [(f"j-{n}", first) for n in range(10_000)],
            )
        jobs.set_group(scene.records, "g", paused_at=utc_now())
        queueing.turn(scene)
        with at_most(0.05):
            for _ in range(200):
                queueing.turn(scene)
        scene.queue.is_due = True
        with at_most(0.06):
            queueing.turn(scene)
        with at_most(0.3):
            assert len(why_waiting(scene.records, queue.home)) == 10_001
