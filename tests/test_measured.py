"""Checkpoints scored and steps timed: which checkpoint is meant, what is queued, and what is kept of the result, once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from neatd.files import file_hash
from neatd.jobs import shim
from neatd.models import GitState
from neatd.pipeline import measured, queueing, results
from neatd.store import events, jobs, runs
from neatd.store.connection import transaction
from tests.cli_place import Cli
from tests.conftest import until
from tests.queue_lives import PROJECT, Queue
from tests.queue_made import set_up

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the trainers need the extra `trainers`")
AT = datetime(2026, 3, 1, tzinfo=UTC)
PRINTS = """echo loading; echo '{"not": "numbers"}'; echo '{"step": 120, "val/loss": 0.5, "ok": true, "bad": NaN}'; echo done"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project whose queue is paused: nothing begins."""
    return set_up(Cli(tmp_path, monkeypatch, capsys))


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    if sys.platform == "win32":
        pytest.skip("jobs here are shell commands")
    made = Queue(tmp_path)
    yield made
    made.close()


# ---- which checkpoint, and what is queued ----


def queued(cli: Cli, *words: str) -> jobs.Job:
    """The job that a command queued."""
    said = json.loads(cli.ok(*words, "--json"))
    with cli.store() as store:
        return jobs.get_job(store, said["job"])


@pytest.fixture
def trained(cli: Cli) -> Cli:
    """A run of the trainer lm with three checkpoints, the second of which is the best."""
    with cli.store() as store:
        place = cli.root / "neat.yaml"
        project = place.read_text().split('"')[1]
        job = jobs.add(store, project, "runs/a", ["python", _lm("train.py"), "--out", "runs/a"], str(cli.root), "runs/a",
                       kind="train", root=str(cli.root), status="finished")  # fmt: skip
    series = {"val/accuracy": [0.1, 0.2, 0.3], "val/loss": [3.0, 1.0, 2.0]}
    made = cli.add_run("runs/a", series, job_id=job.id, config={"steps": 3, "dim": 32, "resume": True})
    for step in (1, 2, 3):
        cli.add_save(made, step, f"weights {step}".encode())
    return cli


def _lm(name: str) -> str:
    return str(Path(__file__).parents[1] / "trainers" / "lm" / name)


@needs_torch
def test_a_run_means_its_best_checkpoint_and_the_hash_is_kept(trained: Cli) -> None:
    """The trainer's own command, with its parameters checked; the row says what exactly is scored."""
    path = trained.root / "runs/a/checkpoints/step_000002.pt"
    for word in ("a", "runs/a/checkpoints/step_000002.pt"):
        job = queued(trained, "eval", word, "windows=8")
        assert (job.kind, job.run_folder, job.cwd) == ("eval", "", str(trained.root))
        assert job.command[-4:] == (_lm("eval.py"), "--checkpoint", str(path), "windows=8")
        told = {name: job.params[name] for name in ("checkpoint", "step", "hash", "set")}
        assert told == {"checkpoint": "checkpoints/step_000002.pt", "step": 2, "hash": f"sha256:{file_hash(path)}",
                        "set": ["windows=8"]}  # fmt: skip
    short = trained.json("checkpoints")[0]["id"][:10]
    assert queued(trained, "eval", short, "--name", "mine").name == "mine"
    assert "did you mean 'windows'" in trained.refused("eval", "runs/a", "window=8")


@needs_torch
def test_what_is_no_checkpoint_is_said(trained: Cli, tmp_path: Path) -> None:
    """A name that means nothing; a file of no run, unless its run is told; a run that no trainer made."""
    assert "no run" in trained.refused("eval", "nothing")
    lone = tmp_path / "lone.pt"
    shutil.copy(trained.root / "runs/a/checkpoints/step_000003.pt", lone)
    assert "--run ID" in trained.refused("eval", str(lone))
    assert queued(trained, "eval", str(lone), "--run", "a").params["checkpoint"] == str(lone)
    trained.add_run("runs/own", {"loss": [1.0]})
    assert "has no checkpoint" in trained.refused("eval", "runs/own")
    assert "--trainer" in trained.refused("eval", str(lone), "--run", "runs/own")


@needs_torch
def test_a_profile_is_of_a_run_as_it_is_configured_or_of_a_trainer(trained: Cli) -> None:
    """With the run's parameters, but for those of where it begins; what is typed comes after them."""
    job = queued(trained, "profile", "runs/a", "profile_steps=3", "dim=64")
    assert job.kind == "profile" and job.command[-4:] == (
        _lm("profile_steps.py"),
        "steps=3",
        "dim=64",
        "profile_steps=3",
    )
    assert queued(trained, "profile", "lm").params == {"run": None, "set": []}
    assert "no run" in trained.refused("profile", "nothing")


# ---- what is kept ----


def test_the_result_is_kept_once_against_the_run_with_the_checkpoint(queue: Queue) -> None:
    """The numbers of the last line that is an object; also when the daemon dies between the result and the job's end."""
    with queue.life() as scene:
        run = runs.ensure_run(scene.records, PROJECT, str(queue.root), "runs/a", GitState(), AT)
        params = {"run": run.id, "checkpoint": "checkpoints/best.pt", "hash": "sha256:" + "ab" * 32, "step": None}
        job = queue.add(PRINTS, kind="eval", params=params)
        queueing.turn(scene)
        until((queue.folder(job) / shim.EXIT).exists, "the end of the job")
        assert measured.keep(scene, queue.job(job)) == ""  # as far as a daemon comes that dies right after
        (done,) = queue.end(job)
        assert done.reason == "exit code 0"
        (found,) = results.results_of(scene.records, run.id)
        assert found["values"] == {"val/loss": 0.5, "bad": "NaN"} and found["hash"] == params["hash"]
        assert (found["step"], found["job"], found["checkpoint"]) == (120, job, "checkpoints/best.pt")
        assert found["message"] == "checkpoints/best.pt at step 120: val/loss 0.5, bad nan"
        assert results.result_of(scene.records, done) == found and len(events.events(scene.records)) == 1


def test_a_job_that_printed_no_numbers_or_failed_keeps_nothing(queue: Queue) -> None:
    """Its reason says so."""
    with queue.life() as scene:
        silent = queue.add("echo '[1, 2]'; echo '{\"step\": 3}'", kind="eval", params={})
        failed = queue.add("echo '{\"loss\": 1}'; exit 3", kind="profile", params={})
        one, two = queue.end(silent, failed)
        assert one.reason == f"exit code 0; {measured.NOTHING}" and two.reason == "exit code 3"
        assert events.events(scene.records) == []


def test_a_checkpoint_that_was_written_anew_meanwhile_is_told(queue: Queue) -> None:
    """The hash is of what was there when it was queued."""
    with queue.life() as scene:
        path = queue.root / "best.pt"
        path.write_bytes(b"new")
        params = {"path": str(path), "stamp": [1, 2, 3], "checkpoint": "best.pt"}
        (done,) = queue.end(queue.add("echo '{\"loss\": 1}'", kind="eval", params=params))
        assert "written anew" in done.reason and "written anew" in events.events(scene.records)[0].message


def test_results_are_shown_with_the_run(trained: Cli) -> None:
    """By `neat run show` and in the brief, once each."""
    with trained.store() as store, transaction(store):
        run = runs.find_run(store, "runs/a")
        event = events.Event(id="e-0000000000000001", project_id=run.project_id, run_id=run.id, rule="eval", step=2,
                             metric="eval/val/loss", value=0.5, severity="info", started_at=AT, created_at=AT,
                             message="best.pt at step 2: val/loss 0.5", dedupe="eval|j-1",
                             details={"condition": "eval", "values": {"val/loss": 0.5}, "job": "j-1"})  # fmt: skip
        events.insert_event(store, event)
    text = trained.ok("run", "show", "runs/a")
    assert text.count("eval: best.pt at step 2: val/loss 0.5") == 1 and "event: info eval" not in text
    assert trained.json("run", "show", "runs/a")["measured"][0]["values"] == {"val/loss": 0.5}
    assert "best.pt at step 2: val/loss 0.5" in trained.ok("brief")
