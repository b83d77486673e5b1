"""What a daemon lives through: folders that close, files that go, requests left over, and names that others have now."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from neatd import control, lifesign
from neatd.locks import FileLock
from neatd.place import here, project_identity
from neatd.read.gitstate import git_state
from neatd.store import requests
from neatd.store.opening import connect
from neatd.store.short import add_record
from tests.conftest import Neat, bind_root_to_permissions, until
from tests.daemons_made import limit, own_daemon

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions, limits and signals")


def line(step: int) -> dict[str, object]:
    return {"step": step, "loss": 1 / step}


@pytest.fixture
def records(neat: Neat) -> Iterator[sqlite3.Connection]:
    """The records of the project's home, open."""
    with closing(connect(neat.home)) as connection:
        yield connection


def ended(records: sqlite3.Connection, request_id: str) -> tuple[str, dict[str, object]]:
    """(status, result) of a request once it has ended."""
    sql = "SELECT status, result FROM request WHERE id = ? AND status NOT IN ('pending', 'running')"
    status, result = until(lambda: records.execute(sql, (request_id,)).fetchone(), f"the end of {request_id}")
    return status, json.loads(result)


# ---- files and folders ----


@posix
def test_a_followed_run_whose_folder_closes_harms_no_other(neat: Neat) -> None:
    """The daemon lives and reads the other run, and so does one that starts while the folder is closed."""
    closed = neat.metrics("runs/a", line(1)).parent
    neat.metrics("runs/b", line(1))
    try:
        with own_daemon(neat, preexec=bind_root_to_permissions) as process:
            neat.wait_for_points("runs/a", "loss", 1)
            closed.chmod(0o000)
            assert str(closed) in neat.wait_for_event("folder-unreadable")["message"]
            neat.metrics("runs/b", line(2))
            neat.wait_for_points("runs/b", "loss", 2)
            neat.call("neatd", "stop")
            assert process.wait(timeout=30) == 0
        with own_daemon(neat, preexec=bind_root_to_permissions) as process:
            for step in (3, 4):  # the second one when a turn with the first is over
                neat.metrics("runs/b", line(step))
                neat.wait_for_points("runs/b", "loss", step)
            assert process.poll() is None
    finally:
        closed.chmod(0o755)
    assert neat.values("runs/a", "loss") == [(1, 1.0)]


def test_a_state_file_that_someone_removed_is_written_again(neat: Neat) -> None:
    """The daemon lives on, and with its next heartbeat `neatd status` knows it again."""
    with own_daemon(neat, "daemon.HEARTBEAT_S = 0.5;") as process:
        until(lambda: lifesign.read_state(neat.home).get("url"), "the daemon's state")
        lifesign.state_path(neat.home).unlink()
        until(lambda: lifesign.read_state(neat.home).get("url"), "the state written again", wait_s=40)
        status = neat.json("neatd", "status")
        assert status["running"] is True and status["pid"] == process.pid and status["roots"] == [str(neat.root)]


@posix
def test_a_backup_without_room_does_not_end_the_daemon(neat: Neat) -> None:
    """It is tried again and again, the log says that none was made, and runs are read meanwhile."""
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3, backup_every_h=0.0005)
    add_record(neat.home, here(neat.root), "note", {"title": "long", "body": "a long story " * 200_000}, "person")
    room = (neat.home / "neat.db").stat().st_size // 2  # for all the daemon writes, and not for a copy of the records
    assert room > 1_000_000

    def failures() -> int:
        log = control.log_path(neat.home)
        return log.read_text().count("maintenance: backup failed: no backup was made") if log.exists() else 0

    with own_daemon(neat, limit("FSIZE", room)) as process:
        until(lambda: failures() >= 2, "two backups that fail")
        neat.metrics("runs/a", line(1))
        neat.wait_for_points("runs/a", "loss", 1)
        assert process.poll() is None
    assert not list((neat.home / "backups").glob("*"))


# ---- requests ----


def test_a_request_that_a_crash_left_running_is_carried_out_at_the_next_start(
    neat: Neat, records: sqlite3.Connection
) -> None:
    """Nobody has to write anything for the daemon to notice it."""
    left = requests.ask(records, "retention-undo", project_identity(neat.root)[0], {"batch": None})
    requests.set_request(records, left, "running")
    neat.start()
    status, result = ended(records, left)
    assert status == "failed" and "trash" in str(result["error"])


@pytest.mark.parametrize(
    ("kind", "payload"), [("no-such-kind", {}), ("retention-apply", {}), ("retention-apply", {"run_ids": 7})]
)
def test_a_request_that_makes_no_sense_fails_and_the_next_is_carried_out(
    neat: Neat, records: sqlite3.Connection, kind: str, payload: dict[str, object]
) -> None:
    """It ends with an error text, once, and holds up nothing that was asked after it."""
    project_id = project_identity(neat.root)[0]
    senseless = requests.ask(records, kind, project_id, payload)
    later = requests.ask(records, "retention-undo", project_id, {"batch": None})
    neat.start()
    status, result = ended(records, senseless)
    assert status == "failed" and result["error"]
    status, result = ended(records, later)
    assert status == "failed" and "trash" in str(result["error"])


# ---- start and stop ----


@posix
def test_stop_ends_no_process_that_only_has_the_daemons_old_pid(neat: Neat) -> None:
    """A stale state file names a process that is nobody's daemon, though its command speaks of neatd: it lives on."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)", "tail", "neatd.log"])
    try:
        state = {"pid": child.pid, "born": psutil.Process(child.pid).create_time() - 3600, "url": "http://127.0.0.1:9"}
        lifesign.state_path(neat.home).write_text(json.dumps(state))
        with FileLock(lifesign.lock_path(neat.home)):
            failed = neat.call("neatd", "stop", check=False)
        assert failed.returncode == 1 and "hint:" in failed.stderr and "Traceback" not in failed.stderr
        assert child.poll() is None
    finally:
        child.kill()
        child.wait(timeout=30)


def test_a_start_waits_for_a_command_that_holds_the_lock(neat: Neat) -> None:
    """A command that carries out a request by itself holds it for a moment: that is no reason not to start."""
    lock = FileLock(lifesign.lock_path(neat.home))
    assert lock.try_acquire()
    release = threading.Timer(1.0, lock.release)
    release.start()
    try:
        neat.call("neatd", "start")
    finally:
        release.join()
    assert neat.is_alive() and psutil.pid_exists(lifesign.read_state(neat.home)["pid"])


@pytest.mark.parametrize("name", ["neat.db", "points.db"])
def test_a_store_that_is_deleted_under_the_daemon_ends_it(neat: Neat, name: str) -> None:
    """It could go on with the file that has no name any more, and all of that would be lost."""
    pid = neat.start()
    (neat.home / name).unlink()
    until(lambda: not psutil.pid_exists(pid), "its end")
    log = control.log_path(neat.home).read_text()
    # A part of it that opens the database at that moment makes another one, which is seen as well.
    assert re.search(f"{name}: (it is gone|another file lies in its place) since neatd opened it", log), log
    assert "Traceback" not in log


# ---- git ----


@posix
def test_looking_at_a_repository_runs_no_program_that_its_configuration_names(tmp_path: Path) -> None:
    """core.fsmonitor of a clone's own .git/config would be run by every status; here the files are told without it."""
    repo, script, mark = tmp_path / "repo", tmp_path / "monitor.sh", tmp_path / "it-ran"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    script.chmod(0o755)
    repo.mkdir()
    for words in (["init", "-q"], ["config", "core.fsmonitor", str(script)]):
        subprocess.run(["git", *words], cwd=repo, check=True, capture_output=True)
    (repo / "train.py").write_text("lr = 1\n")
    assert git_state(repo).untracked == ("train.py",)
    assert not mark.exists()
    subprocess.run(["git", "status"], cwd=repo, check=True, capture_output=True)
    assert mark.exists(), "the trap itself does not work"
