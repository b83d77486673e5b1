"""The machine's memory watched by a daemon: events, the log of alerts, the state for other programs, jobs that wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.lifesign import lock_path
from neatd.locks import FileLock
from neatd.pipeline.memory import look_at_memory, shown_memory
from neatd.pipeline.memoryalerts import LOG_BYTES, alerts_path, state_path
from neatd.pipeline.queueing import turn, turn_here
from neatd.pipeline.scene import MachineMemory
from neatd.pipeline.waiting import why_waiting
from neatd.store import jobs
from tests.cli_place import Cli
from tests.conftest import until
from tests.cost import at_most
from tests.memory_made import Life, life
from tests.test_memory_read import MOUNTED_2, machine, version_2


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Life]:
    with life(tmp_path) as made:
        yield made


def test_crossings_are_events_of_the_run_and_lines_in_a_log(one: Life) -> None:
    """At 70 and 85 %, once each; the state file and the daemon's answer say the same; nothing is left when it ended."""
    one.use(69)
    one.ask()
    one.begun()
    for _ in range(6):
        one.step(2.0)
    assert (
        one.events("memory-warning") == [] and one.scene.memory.now is not None and one.scene.memory.now.risk == "LOW"
    )
    one.use(72)
    one.step(2.0)
    one.use(90)
    one.step(2.0)
    one.use(72)
    one.step(2.0)
    one.use(90)
    one.step(2.0)
    critical, warning = one.events("memory-warning", "memory-critical")
    assert (warning.severity, critical.severity) == ("warning", "critical")
    assert {warning.run_id, critical.run_id} == {one.run.id}
    assert critical.message.startswith(
        "memory: 90 % of 65.5 GB used (the machine), crossing 85 %; 6.6 GB left; risk HIGH"
    )
    lines = alerts_path(one.home).read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["MEDIUM", "HIGH"]
    assert "HIGH 90 % used, 6.6 GB available; top process: " in lines[-1] and "; run runs/a; " in lines[-1]
    state = json.loads(state_path(one.home).read_text())["memory"]
    shown = shown_memory(one.scene)
    assert shown is not None and shown["risk"] == state["risk"] == "HIGH" and shown["limit"] == state["limit"]
    assert set(state) >= {"risk", "reason", "used_percent", "available_bytes", "limit", "seconds_to_limit"}
    one.kill()
    one.step(2.0)
    assert json.loads(state_path(one.home).read_text())["memory"] is None and one.scene.memory.watch is None


def test_nothing_is_looked_at_while_nothing_runs(one: Life) -> None:
    """No event, no file, though the machine is full; who asks is told by one look."""
    one.use(99)
    one.step(5.0)
    one.step(5.0)
    assert one.scene.memory.watch is None and not alerts_path(one.home).exists() and not state_path(one.home).exists()
    found = shown_memory(one.scene)
    assert found is not None and found["risk"] == "HIGH"


def test_a_job_waits_while_the_risk_is_high_and_starts_when_it_is_lower(one: Life) -> None:
    """It stays queued with the reason, and begins 30 s after memory was given back."""
    one.use(95)
    asked = one.ask()
    one.step()
    job = jobs.get_job(one.scene.records, asked)
    assert job.status == "queued"
    why = "the risk that memory runs out is HIGH: the machine: 95 % of 65.5 GB used"
    assert job.reason.startswith(f"waits: {why}")
    assert why_waiting(one.scene.records, one.home)[asked].reason.startswith(why)
    one.step(5.0)
    one.use(20)
    for _ in range(5):
        one.step(5.0)
        assert jobs.get_job(one.scene.records, asked).status == "queued"
    one.step(10.0)
    one.step()
    assert jobs.get_job(one.scene.records, asked).status == "running"
    one.begun()


def test_who_does_not_want_to_wait_says_so(one: Life) -> None:
    """memory_pauses: false in the settings."""
    one.scene.settings = one.scene.settings.model_copy(update={"memory_pauses": False})
    one.use(95)
    asked = one.ask()
    one.step()
    assert jobs.get_job(one.scene.records, asked).status == "running"
    one.begun()


def test_a_command_without_a_daemon_leaves_its_job_to_the_next_one(one: Life) -> None:
    """It stays queued, and begins with a daemon that has room for it."""
    one.scene.is_lasting = False
    one.use(95)
    asked = one.ask()
    turn_here(one.scene)
    job = jobs.get_job(one.scene.records, asked)
    assert job.status == "queued" and job.reason.startswith("waits: the risk that memory runs out")
    one.use(20)
    one.scene.memory, one.scene.is_lasting = MachineMemory(root=one.machine), True
    one.begun()


def test_neat_train_says_that_its_job_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a daemon lets it wait: the command returns, and tells why and what happens next."""
    (tmp_path / "cli").mkdir()
    cli = Cli(tmp_path / "cli", monkeypatch, capsys)
    cli.init()
    with life(tmp_path / "life") as daemon:
        daemon.use(95)
        lock = FileLock(lock_path(cli.home))
        assert lock.try_acquire()
        thread = threading.Thread(target=answer_one, args=(cli.home, daemon))
        thread.start()
        said = cli.ok("train", "lm", "--name", "big")
        thread.join()
        lock.release()
    assert "runs/big waits as job j-" in said and "HIGH: the machine: 95 %" in said and "starts by itself" in said


def answer_one(home: Path, daemon: Life) -> None:
    """What a daemon does with the first job of another home, on this machine."""
    from neatd.config import Settings
    from neatd.daemon import open_scene

    scene = open_scene(home, Settings())
    scene.memory.root = daemon.machine
    until(lambda: jobs.jobs(scene.records, active_only=True), "a job")
    turn(scene)
    scene.records.close()
    scene.points.close()


def test_the_log_of_alerts_does_not_grow_for_ever(one: Life) -> None:
    """At a megabyte it is put beside."""
    path = alerts_path(one.home)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * (LOG_BYTES + 1))
    one.ask()
    one.begun()
    one.use(90)
    one.step(2.0)
    assert path.stat().st_size < 2000 and path.with_name("memory_alerts.log.1").stat().st_size == LOG_BYTES + 1


def test_all_limits_are_looked_at(tmp_path: Path) -> None:
    """The host and the groups that have a limit, by names that people know."""
    root = version_2(tmp_path)
    groups = [root / "sys/fs/cgroup" / name for name in ("lab.slice/job.scope", "lab.slice", "")]
    rooms = look_at_memory(root, groups).rooms
    assert [one.name for one in rooms] == ["the machine", "control group job.scope", "control group lab.slice"]
    assert [one.available_bytes for one in rooms] == [32_000_000 << 10, 6_000_000_000, 1_000_000_000]
    assert (rooms[1].some, rooms[1].full) == (12.5, 3.25) and rooms[2].full is None
    inner = machine(tmp_path / "c", MOUNTED_2, "0::/\n", {"memory.max": "100\n", "memory.current": "40\n"})
    assert look_at_memory(inner, [inner / "sys/fs/cgroup"]).rooms[1].name == "this container's control group"
    assert look_at_memory(tmp_path / "nothing", []).rooms == ()


def test_a_look_at_this_machine_costs_little() -> None:
    """A hundred looks; the bound is many times what they take here."""
    with at_most(0.3):
        for _ in range(100):
            look_at_memory(Path("/"), [])
