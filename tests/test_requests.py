"""Requests, jobs and what is registered: kept until carried out, told in order, allowed only where it was allowed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.store import jobs, projects, requests
from neatd.store.connection import transaction
from neatd.store.short import ensure_project
from tests.store_rows import PROJECT, add_run, open_store, place


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_store(tmp_path)
    yield connection
    connection.close()


def test_requests_wait_in_the_order_they_were_made(store: sqlite3.Connection) -> None:
    """Each with its payload, numbers that JSON has no word for among it."""
    ids = [requests.ask(store, "launch", PROJECT, {"number": number, "lr": float("inf")}) for number in range(3)]
    assert [one.id for one in requests.pending(store)] == ids
    assert requests.get_request(store, ids[1]).payload == {"number": 1, "lr": "Infinity"}


def test_a_request_that_a_crash_left_running_waits_still(store: sqlite3.Connection) -> None:
    """Carrying out is idempotent, so it is begun again; what has ended is not."""
    ids = [requests.ask(store, "undo", None, {}) for _ in range(4)]
    for one, status in zip(ids, ("running", "done", "failed"), strict=False):
        requests.set_request(store, one, status)
    assert [one.id for one in requests.pending(store)] == [ids[0], ids[3]]


def test_a_request_keeps_its_result(store: sqlite3.Connection) -> None:
    """What the daemon answered is what the command prints."""
    request_id = requests.ask(store, "launch", PROJECT, {})
    requests.set_request(store, request_id, "failed", {"error": "no such trainer", "names": ("lm",)})
    found = requests.get_request(store, request_id)
    assert (found.status, found.result) == ("failed", {"error": "no such trainer", "names": ["lm"]})


def test_a_job_comes_back_as_it_was_queued(store: sqlite3.Connection) -> None:
    """Its command word for word."""
    command = ["python", "train.py", "--name", "größe 2", ""]
    job = jobs.add(store, PROJECT, "lm", command, "/project", "runs/lm")
    assert jobs.get_job(store, job.id) == job
    assert (job.command, job.status, job.cwd, job.run_folder) == (tuple(command), "queued", "/project", "runs/lm")


def test_a_jobs_end_is_kept(store: sqlite3.Connection) -> None:
    """With its exit code; it is no longer among the active ones."""
    first, second = (jobs.add(store, PROJECT, name, ["true"], "/", "") for name in ("a", "b"))
    jobs.set_job(store, first.id, status="failed", exit_code=137, reason="killed", pid=None)
    found = jobs.get_job(store, first.id)
    assert (found.status, found.exit_code, found.reason) == ("failed", 137, "killed")
    assert [one.id for one in jobs.jobs(store)] == [second.id, first.id]
    assert [one.id for one in jobs.jobs(store, PROJECT, active_only=True)] == [second.id]
    assert jobs.jobs(store, "another") == []


def test_an_unknown_job_is_said_to_be_none(store: sqlite3.Connection) -> None:
    """With where to look."""
    with pytest.raises(NeatError, match="no job j-none"):
        jobs.get_job(store, "j-none")


def test_a_project_may_stand_in_several_folders(store: sqlite3.Connection, tmp_path: Path) -> None:
    """A worktree or clone is a folder more, and registering it again changes nothing."""
    for _ in range(2):
        with transaction(store):
            ensure_project(store, place(tmp_path / "worktree"))
    found = projects.projects(store)
    assert [(one.id, one.root) for one in found] == [
        (PROJECT, str(tmp_path / "project")), (PROJECT, str(tmp_path / "worktree")),
    ]  # fmt: skip


def test_the_baseline_is_of_the_project(store: sqlite3.Connection) -> None:
    """None is named at first, and none of an unknown project."""
    assert (projects.baseline(store, PROJECT), projects.baseline(store, "another")) == ("", "")
    run = add_run(store)
    projects.set_baseline(store, PROJECT, run.id)
    assert projects.baseline(store, PROJECT) == projects.projects(store)[0].baseline == run.id


def test_a_consent_is_for_one_folder_until_it_is_taken_back(store: sqlite3.Connection, tmp_path: Path) -> None:
    """Neither the folder around it nor one in it is meant; by whichever path the folder is reached."""
    root, link = tmp_path / "project", tmp_path / "link"
    (root / "inner").mkdir(parents=True)
    link.symlink_to(root)
    for _ in range(2):
        projects.allow(store, link, "retention")
    assert list(projects.consents(store, root)) == ["retention"]
    assert projects.consents(store, root)["retention"].tzinfo is not None
    assert projects.consents(store, tmp_path) == projects.consents(store, root / "inner") == {}
    assert projects.revoke(store, root, "retention") is True
    assert projects.revoke(store, root, "retention") is False
    assert projects.consents(store, link) == {}
