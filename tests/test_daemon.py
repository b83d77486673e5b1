"""The daemon as a person meets it: start, status, stop, start again, and what a crash leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

from neatd import control, lifesign
from tests.conftest import Neat, until


def test_start_returns_when_the_page_answers(neat: Neat) -> None:
    """`neatd start` is done when the daemon watches; its page answers 200 at `/` from then on."""
    said = neat.call("neatd", "start").stdout
    state = neat.json("neatd", "status")
    assert neat.ask("neatd", "status")[0] == 0
    assert state["running"] is True and f"(pid {state['pid']})" in said
    assert state["roots"] == [str(neat.root)] and state["projects"][0]["root"] == str(neat.root)
    assert not state["url"].endswith("/")
    with urllib.request.urlopen(state["url"] + "/", timeout=5) as answer:
        assert answer.status == 200


def test_the_page_refuses_a_foreign_host_name(neat: Neat) -> None:
    """A page elsewhere that resolves its own name to 127.0.0.1 is not answered."""
    neat.start()
    request = urllib.request.Request(
        neat.json("neatd", "status")["url"] + "/status.json", headers={"Host": "evil.example"}
    )
    try:
        urllib.request.urlopen(request, timeout=5)
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 403
    else:
        raise AssertionError("a foreign host name was answered")


def test_a_second_start_is_harmless_and_says_so(neat: Neat) -> None:
    """Starting a running daemon leaves it as it is, names its pid and exits 0."""
    pid = neat.start()
    again = neat.call("neatd", "start")
    assert "already running" in again.stdout and str(pid) in again.stdout
    assert neat.json("neatd", "status")["pid"] == pid


def test_a_second_foreground_daemon_is_refused(neat: Neat) -> None:
    """Two daemons never share a home: the second one says who runs, and ends."""
    pid = neat.start()
    second = neat.call("neatd", "start", "--foreground", check=False)
    assert second.returncode == 1
    assert f"already running (pid {pid})" in second.stderr and "Traceback" not in second.stderr
    assert neat.is_alive()


def test_left_over_lock_and_state_of_a_dead_daemon_do_not_stop_a_start(neat: Neat) -> None:
    """The files of a killed daemon mean nothing, even when its PID belongs to another process now."""
    pid = neat.start()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not neat.is_alive(), "the daemon's end")
    state = lifesign.read_state(neat.home)
    lifesign.state_path(neat.home).write_text(json.dumps({**state, "pid": os.getpid()}))
    assert neat.json("neatd", "status")["running"] is False
    neat.call("neatd", "start")
    assert lifesign.read_state(neat.home)["pid"] not in (pid, os.getpid())


def test_sigterm_ends_it_cleanly(neat: Neat) -> None:
    """SIGTERM leaves no process, no open lock, and the log says that it ended."""
    neat.call("neatd", "start")
    pid = lifesign.read_state(neat.home)["pid"]
    os.kill(pid, signal.SIGTERM)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", "the process' end")
    assert not neat.is_alive()
    assert "ending" in control.log_path(neat.home).read_text()


def test_start_leaves_no_descriptor_open_to_its_caller(neat: Neat) -> None:
    """A caller that reads the pipe of `neatd start` to its end is not kept waiting by the daemon."""
    program = "from neatd.cli.main import neatd_main; neatd_main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "start"],
        cwd=neat.root,
        env=neat.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = process.communicate(timeout=40)
    assert b"watches" in output and neat.is_alive()


def test_a_restart_gives_another_process_whatever_the_settings_hold(neat: Neat) -> None:
    """`neatd restart` ends the old daemon before the new one watches, by the last good settings if these have a typo."""
    pid = neat.start()
    with (neat.home / "settings.yaml").open("a") as settings:
        settings.write("stal_s: 3\n")
    line = len((neat.home / "settings.yaml").read_text().splitlines())
    neat.call("neatd", "restart")
    status = neat.json("neatd", "status")
    assert status["pid"] != pid and status["crash"] is None
    assert f"settings.yaml:{line}: stal_s: unknown field (did you mean stall_s?)" in status["settings_mistake"]
    assert "the last good settings hold" in neat.ask("neatd", "status")[1]
    assert "stall_s" in neat.wait_for_event("settings-mistake")["message"]


def test_reading_commands_answer_without_a_daemon_and_say_since_when(neat: Neat) -> None:
    """The store answers when nothing watches; stderr says since when, and what to type."""
    neat.metrics("runs/a", {"step": 1, "loss": 1.0})
    neat.start()
    neat.wait_for_points("runs/a", "loss", 1)
    neat.call("neatd", "stop")
    answer = neat.call("neat", "runs", "--json")
    assert json.loads(answer.stdout)[0]["name"] == "runs/a"
    assert "nothing was watched since" in answer.stderr and "neatd start" in answer.stderr


def test_a_project_registered_later_is_watched_without_a_restart(neat: Neat) -> None:
    """`neat init` in another folder is enough for a running daemon."""
    neat.start()
    other = neat.root.parent / "other"
    other.mkdir()
    subprocess.run(
        [sys.executable, "-c", "from neatd.cli.main import main; main()", "init", "--yes"], cwd=other, env=neat.env, check=True,
        capture_output=True, timeout=60,
    )  # fmt: skip
    until(lambda: str(other) in neat.json("neatd", "status")["roots"], "the second project")


def test_an_unreadable_store_stops_the_daemon_and_stays_as_it_is(neat: Neat) -> None:
    """A broken neat.db ends the start with its name and the newest backup; not a byte of it changes."""
    neat.start()
    backup = until(lambda: next(iter((neat.home / "backups").glob("neat-*.db")), None), "a backup")
    neat.call("neatd", "stop")
    store = neat.home / "neat.db"
    broken = b"this is no database" * 100
    for extra in ("neat.db-wal", "neat.db-shm"):
        Path(neat.home / extra).unlink(missing_ok=True)
    store.write_bytes(broken)
    failed = neat.call("neatd", "start", check=False)
    assert failed.returncode == 1 and str(store) in failed.stderr and str(backup) in failed.stderr
    assert store.read_bytes() == broken and not neat.is_alive()
    note = neat.call("neat", "note", "kept nowhere", check=False)
    assert note.returncode == 1 and str(store) in note.stderr and str(backup) in note.stderr


def test_a_points_database_that_breaks_is_named_and_not_the_records(neat: Neat) -> None:
    """Damage in points.db is reported as such: it is read again from the sources, and no backup of the records helps."""
    neat.metrics("runs/a", *[{"step": step, "loss": 1 / step} for step in range(1, 2000)])
    neat.start()
    neat.wait_for_points("runs/a", "loss", 1999)
    neat.call("neatd", "stop")
    points = neat.home / "points.db"
    content = bytearray(points.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    points.write_bytes(content)
    failed = neat.call("neat", "series", "runs/a", "loss", check=False)
    assert failed.returncode == 1 and str(points) in failed.stderr and "read again" in failed.stderr


def test_restore_brings_the_records_back_and_keeps_the_broken_file(neat: Neat) -> None:
    """After `neat restore` the records of the backup are there, and the broken store lies beside."""
    neat.call("neat", "note", "from before")
    neat.call("neat", "backup")
    (neat.home / "neat.db").write_bytes(b"")
    neat.call("neat", "restore", "--yes")
    assert [one["title"] for one in neat.json("neat", "list", "note")] == ["from before"]
    assert list(neat.home.glob("neat.db.broken-*"))
