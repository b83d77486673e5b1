"""How the daemon's lives end, what is kept of it, and when a service waits before the next."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neatd import lifesign
from neatd.starts import LONGEST_WAIT_S, NO_WORD, Life, Start, Starts, failed_start, forgive, known_starts, read_starts
from tests.conftest import Neat, until
from tests.daemons_made import own_daemon

NOW = 1_800_000_000.0


def lives(*lasted_s: float, reason: str = "OSError: no room") -> Starts:
    """Lives one after the other, a second apart, the last of which ended now."""
    made: list[Start] = []
    at = NOW
    for seconds in reversed(lasted_s):
        made.insert(0, Start(at - seconds, 1, "1", True, at, reason))
        at -= seconds + 1.0
    return Starts(tuple(made))


@pytest.mark.parametrize(
    ("deaths", "wait_s"), [(0, 0), (1, 0), (2, 0), (3, 10), (4, 20), (5, 40), (7, 160), (8, 300), (15, 300)]
)
def test_a_service_waits_longer_and_longer(deaths: int, wait_s: float) -> None:
    """Two deaths at once are tried again at once; five minutes is the longest."""
    assert lives(*[1.0] * deaths).wait_s(NOW) == wait_s


def test_the_wait_counts_from_the_death_and_no_clock_makes_it_longer() -> None:
    """Time that the manager has waited is not waited again; a clock put back by a year does not stop a service."""
    starts = lives(1.0, 1.0, 1.0)
    assert starts.wait_s(NOW + 4) == 6.0 and starts.wait_s(NOW + 11) == 0.0
    assert starts.wait_s(NOW - 1e7) == 10.0 <= LONGEST_WAIT_S


def test_a_life_of_use_ends_the_row_and_so_does_being_told_to_end() -> None:
    """Who lived for an hour, or ended as he was told to, is no crash loop."""
    assert lives(1, 1, 1, 3600).in_a_row == 0 and lives(3600, 1, 1).in_a_row == 2
    told = lives(1, 1, 1).lives
    assert Starts((*told[:2], told[2]._replace(reason=""))).in_a_row == 0


def test_a_life_keeps_its_end_and_its_reason(tmp_path: Path) -> None:
    """Told to end: no reason. What raises is the reason, without secrets and in one line."""
    with Life(tmp_path, "1", 7, False):
        assert read_starts(tmp_path).lives[-1].ended_at is None
    with pytest.raises(ValueError), Life(tmp_path, "1", 7, True):
        raise ValueError("no key: sk-ant-api03-" + "a1B2" * 24 + "\nsecond line")
    first, second = read_starts(tmp_path).lives
    assert first.reason == "" and not first.is_crash
    assert second.is_service and second.died_at_once and second.reason.startswith("ValueError: no key")
    assert "a1B2" not in second.reason and "second" not in second.reason


def test_what_is_kept_is_bounded_and_a_torn_file_is_nothing(tmp_path: Path) -> None:
    """Whatever lies there, the daemon starts."""
    for _ in range(30):
        failed_start(tmp_path, "ImportError: gone", "1")
    assert len(read_starts(tmp_path).lives) == 20 and read_starts(tmp_path).in_a_row == 20
    forgive(tmp_path)
    assert read_starts(tmp_path).wait_s(time.time()) == 0.0
    for text in ("", "{", "[]", '{"lives": [{"at": 1}], "forgiven_at": 0}', '{"lives": 3}'):
        (tmp_path / "starts.json").write_text(text)
        assert read_starts(tmp_path) == Starts()


def test_a_daemon_that_was_killed_died_without_a_word_and_status_says_so(neat: Neat) -> None:
    """By the lock, which nobody holds, and the state file, whose time is when it last lived."""
    with own_daemon(neat):
        until(lambda: read_starts(neat.home).lives, "its start")
    crash = neat.json("neatd", "status")["crash"]
    assert crash["reason"] == NO_WORD and crash["in_a_row"] == 1 and crash["waits_s"] == 0
    assert f": {NO_WORD}" in neat.ask("neatd", "status")[1]
    found = [one for one in neat.json("neat", "doctor") if one["what"] == "last crash"]
    assert len(found) == 1 and NO_WORD in found[0]["text"] and found[0]["mend"]


def test_a_loop_that_hung_and_was_ended_by_the_watchdog_says_where(neat: Neat) -> None:
    """SIGABRT, which systemd sends, leaves the stack of the loop; the next one tells it. Its beats had ceased before."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(neat.home / "notify"))
        manager.settimeout(60)
        hang = "import os, time; Loop = daemon.Loop; Loop._read = lambda loop: time.sleep(1e6);"
        told = f"os.environ.update(NOTIFY_SOCKET={manager.getsockname()!r}, WATCHDOG_USEC='200000');"
        with own_daemon(neat, hang + told) as process:
            while b"READY=1" not in manager.recv(4096):
                pass
            until(lambda: _is_silent(manager), "the end of the beats")
            os.kill(process.pid, signal.SIGABRT)
            process.wait(timeout=30)
    reason = known_starts(neat.home).lives[-1].reason
    assert reason.startswith("the watchdog ended it, or it aborted, at File") and "loop.py" in reason


def _is_silent(manager: socket.socket) -> bool:
    manager.settimeout(1.0)
    try:
        manager.recv(4096)
    except TimeoutError:
        return True
    return False


def broken(neat: Neat) -> None:
    """A store that no daemon can open."""
    (neat.home / "neat.db").write_bytes(b"this is no database" * 100)


def test_a_service_in_a_crash_loop_waits_says_why_and_a_start_by_hand_does_not(
    neat: Neat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three deaths at once; the fourth start waits, telling its manager, until somebody starts by hand, who speaks for no
    manager."""
    for _ in range(3):
        failed_start(neat.home, "StoreError: neat.db cannot be read", "1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(neat.home / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        waiting = subprocess.Popen(
            [sys.executable, "-m", "neatd", "start", "--service"], cwd=neat.root, text=True, stderr=subprocess.PIPE,
            env=neat.env,
        )  # fmt: skip
        try:
            why = "waits: 3 starts in a row ended at once, the last with: StoreError: neat.db cannot be read"
            assert manager.recv(4096).decode() == f"STATUS={why}"
            assert not neat.is_alive() and 0 < neat.json("neatd", "status")["crash"]["waits_s"] <= 10
            neat.call("neatd", "start")
            assert lifesign.read_state(neat.home)["pid"] != waiting.pid and neat.is_alive()
        finally:
            waiting.kill()
            _, told = waiting.communicate(timeout=30)
        manager.setblocking(False)
        while said := _said(manager):
            assert said == f"STATUS={why}"
    assert why in told and "`neatd start` tries now" in told


def _said(manager: socket.socket) -> str:
    try:
        return manager.recv(4096).decode()
    except BlockingIOError:
        return ""


def test_the_reason_of_a_start_that_failed_is_told_by_status_and_doctor(neat: Neat) -> None:
    """The store's own error, not a traceback; three of them are a crash loop, which is bad."""
    broken(neat)
    for _ in range(2):
        failed_start(neat.home, "StoreError: the same before", "1")
    code, _, told = neat.ask("neatd", "start")
    assert code == 1 and told.count(f"{neat.home / 'neat.db'}: file is not a database") == 1, told
    crash = neat.json("neatd", "status")["crash"]
    assert crash["in_a_row"] == 3 and crash["reason"].startswith("StoreError: ") and str(neat.home) in crash["reason"]
    code, out, _ = neat.ask("neat", "doctor", "--json")
    (loop,) = [one for one in json.loads(out) if one["what"] == "crash loop"]
    assert code == 1 and loop["state"] == "bad" and crash["reason"] in loop["text"] and "neatd start" in loop["mend"]
