"""Runs of jobs that ended before anybody saw their process: whose they are, told from times and words, and by a daemon."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.models import Run
from neatd.pipeline.loop import Loop
from neatd.rules.jobruns import Span, Trace, job_of
from neatd.store import jobs, runs
from neatd.watch.observer import Watcher
from tests.conftest import until
from tests.queue_lives import PROJECT, WAIT, Queue

posix = pytest.mark.skipif(sys.platform == "win32", reason="jobs here are shell commands")
TRACE = Trace("runs/a", "a", 105.0, 108.0, 106.0, True)


def span(job_id: str, *words: str, started: float = 100.0, ended: float | None = 110.0, is_taken: bool = False) -> Span:
    return Span(job_id, "python", ("python", "train.py", *words), ".", started, ended, is_taken)


@pytest.mark.parametrize(
    "words", [("--name", "a"), ("--name=a",), ("name=a",), ("runs/a",), ("--out", "./runs/a/"), ("a",)]
)
def test_a_run_that_one_of_several_commands_names_is_that_jobs(words: tuple[str, ...]) -> None:
    """Its name, or the folder; the others ran at the same time."""
    others = [span("j-1", "--name", "b"), span("j-2"), span("j-4", "--name", "aa"), span("j-5", "runs")]
    assert job_of(TRACE, [*others, span("j-3", *words)]) == "j-3"
    assert job_of(TRACE._replace(folder="runs/x", name="x"), [*others, span("j-3", *words)]) == ""


def test_a_run_that_no_command_names_is_the_only_jobs_where_nobody_else_is_possible() -> None:
    """A job that names another, one that has a run, a second run, a second job, and a process that would have been seen."""
    assert job_of(TRACE, [span("j-1")]) == "j-1"
    assert job_of(TRACE, [span("j-1", "--name", "b")]) == ""
    assert job_of(TRACE, [span("j-1", is_taken=True)]) == ""
    assert job_of(TRACE._replace(is_alone=False), [span("j-1")]) == ""
    assert job_of(TRACE, [span("j-1"), span("j-2", ended=None)]) == ""
    assert job_of(TRACE, [span("j-1", ended=900.0)]) == ""
    assert job_of(TRACE._replace(met=901.0), [span("j-1", ended=900.0)]) == "j-1"


def test_times_decide_whether_a_job_could_have_written_a_run() -> None:
    """Not one that ended before its last line, nor one that goes on; of two in a row the one that ran at the last line."""
    named = ("--name", "a")
    assert job_of(TRACE, [span("j-1", *named, ended=104.0)]) == ""
    assert job_of(TRACE, [span("j-1", *named, ended=None)]) == ""
    assert job_of(TRACE, [span("j-1", *named, ended=107.0), span("j-2", *named, started=107.5)]) == "j-2"
    assert job_of(TRACE, [span("j-1", started=107.5)]) == ""


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path)
    yield made
    made.close()


def script(queue: Queue, name: str, code: int, wait: str = ":") -> str:
    """A trainer that writes three lines and is gone; the command that runs it."""
    lines = "".join(json.dumps({"step": step, "loss": 1.0}) + "\\n" for step in range(3))
    (queue.root / f"{name}.sh").write_text(f"mkdir -p $1; printf '{lines}' > $1/metrics.jsonl; {wait}; exit {code}\n")
    return f"{name}.sh"


def run_of(queue: Queue, folder: str) -> Run | None:
    return runs.by_folder(queue.scene.records, str(queue.root), folder)


@posix
def test_a_job_that_fails_at_once_gives_its_run_its_end(queue: Queue) -> None:
    """The command names the folder; the run that a person wrote meanwhile stays without a job."""
    with queue.life(sweep_s=0.05) as scene:
        loop = Loop(scene, Watcher())
        loop.prepare()
        waits = queue.add(WAIT)  # a second job that could have written it
        job_id = queue.add("sh", script(queue, "train", 1), "runs/bad")
        own = queue.root / "runs" / "own"
        own.mkdir(parents=True)
        (own / "metrics.jsonl").write_text('{"step": 0, "loss": 1.0}\n')
        found = until(
            lambda: (
                loop.step([own]) is not None and (run := run_of(queue, "runs/bad")) and run.status == "failed" and run
            ),
            "the run's end",
        )
        assert (found.job_id, found.reason) == (job_id, "exit code 1 at step 2")
        other = run_of(queue, "runs/own")
        assert other is not None and other.job_id is None and queue.job(waits).status == "running"


@posix
def test_a_run_that_is_found_after_its_job_ended_is_tied_to_it(queue: Queue) -> None:
    """No daemon ran meanwhile, and no command names the run."""
    with queue.life():
        (queue.root / "train.sh").write_text(f"sh {script(queue, 'inner', 3)} runs/late; exit 3\n")
        job_id = queue.add("sh", "train.sh")
        queue.end(job_id)
    with queue.life(sweep_s=0.05) as scene:
        loop = Loop(scene, Watcher())
        loop.prepare()
        until(lambda: loop.step(()) is not None and (run := run_of(queue, "runs/late")) and run.job_id, "its job")
        found = run_of(queue, "runs/late")
        assert found is not None and (found.job_id, found.status) == (job_id, "failed")
        ended_at = queue.job(job_id).ended_at
        assert found.ended_at and ended_at and abs((found.ended_at - ended_at).total_seconds()) < 0.5
        assert [one.id for one in jobs.jobs(scene.records, PROJECT)] == [job_id]
