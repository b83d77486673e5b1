"""What the daemon tells a service manager, over real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.notify import Notifier
from tests.conftest import Neat


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A manager's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(60)
        yield made


def heard(manager: socket.socket) -> list[str]:
    """The lines of the next datagram."""
    return manager.recv(4096).decode().splitlines()


def test_ready_status_and_stopping_are_datagrams_of_lines(manager: socket.socket) -> None:
    """As sd_notify(3) has them; a text of several lines is one."""
    told = Notifier(manager.getsockname())
    told.ready("watching\n3 folders")
    told.status("busy")
    told.stopping()
    assert heard(manager) == ["READY=1", "STATUS=watching 3 folders"]
    assert heard(manager) == ["STATUS=busy"] and heard(manager)[0] == "STOPPING=1"


def test_an_abstract_socket_is_written_with_an_at() -> None:
    """`@name` is the socket whose name begins with a zero byte."""
    name = f"neat-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        manager.settimeout(10)
        Notifier("@" + name).stopping()
        assert heard(manager)[0] == "STOPPING=1"


def test_beats_come_twice_in_the_watchdogs_time_however_often_the_loop_turns(manager: socket.socket) -> None:
    """A thousand turns at once are one beat; without a watchdog there is none."""
    told = Notifier(manager.getsockname(), watchdog_s=60.0)
    for _ in range(1000):
        told.beat()
    Notifier(manager.getsockname()).beat()
    told.stopping()
    assert heard(manager) == ["WATCHDOG=1"] and heard(manager)[0] == "STOPPING=1"


def test_nobody_and_a_manager_that_is_gone_are_told_nothing(tmp_path: Path) -> None:
    """The daemon goes on."""
    Notifier().ready("x")
    Notifier(str(tmp_path / "gone"), 1.0).beat()


@pytest.mark.parametrize(("pid", "expected"), [("", 30.0), ("77", 30.0), ("78", 0.0)])
def test_the_variables_are_taken_out_and_a_watchdog_of_another_process_is_none_of_ours(
    pid: str, expected: float
) -> None:
    """What a job would inherit is gone."""
    environment = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": pid, "A": "b"}
    told = Notifier.taken_from(environment, 77)
    assert (told.address, told.watchdog_s, environment) == ("/x", expected, {"A": "b"})


def test_a_real_daemon_says_ready_beats_and_says_that_it_stops(neat: Neat, manager: socket.socket) -> None:
    """READY=1 once it answers, then beats of its own loop, STOPPING=1 when it is told to end."""
    watchdog = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "400000"}
    daemon = subprocess.Popen(
        [sys.executable, "-m", "neatd", "start", "--foreground"], cwd=neat.root, env=neat.env | watchdog,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    said: list[str] = []
    while "READY=1" not in said:  # preparing beats too
        said = heard(manager)
    assert neat.json("neatd", "status")["running"] and said[1].startswith("STATUS=watching 1 folders at http://127")
    assert [heard(manager) for _ in range(3)] == [["WATCHDOG=1"]] * 3
    assert neat.ask("neatd", "stop")[0] == 0
    while said[0] != "STOPPING=1":
        said = heard(manager)
    assert daemon.wait(timeout=30) == 0
