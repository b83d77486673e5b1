"""`neat queue`: order, reasons, estimates, pauses and groups; ten thousand jobs in the time of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neatd.jobs.bell import rung
from neatd.jobs.folder import job_folder
from neatd.place import here
from neatd.store import jobs
from neatd.store.connection import transaction
from neatd.store.short import new_id
from tests.cli_place import Cli
from tests.cost import at_most
from tests.queue_made import set_up

NOW = datetime.now(UTC)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys), pause=None)


def add(cli: Cli, name: str, **fields: Any) -> str:
    """A row of the queue; nothing is started."""
    with cli.store() as store:
        command = fields.pop("command", ["python", "train.py"])
        return jobs.add(store, here().project_id, name, command, str(cli.root), "", **fields).id


def ended(cli: Cli, name: str, seconds: float, **fields: Any) -> str:
    return add(
        cli, name, status="finished", reason="exit code 0", exit_code=0, ended_at=NOW,
        started_at=NOW - timedelta(seconds=seconds), **fields,
    )  # fmt: skip


def slots(cli: Cli, count: int) -> None:
    """What the daemon leaves of the machine."""
    (cli.home / "jobs").mkdir(exist_ok=True)
    machine = {"cpu_slots": count, "devices": [{"key": "cpu", "kind": "cpu"}], "risk": ""}
    (cli.home / "jobs" / "machine.json").write_text(json.dumps(machine))


def names(cli: Cli, *words: str) -> list[str]:
    return [one["name"] for one in cli.json("queue", *words)]


def test_what_runs_comes_first_then_the_order_of_the_queue(cli: Cli) -> None:
    """By priority, then by age; with --all what has ended, newest first; --group leaves others out."""
    slots(cli, 1)
    ended(cli, "done", 10)
    add(cli, "late")
    add(cli, "urgent", priority=3, group_name="sweep")
    add(cli, "goes", status="running", started_at=NOW)
    assert names(cli) == ["goes", "urgent", "late"]
    assert names(cli, "--all") == ["goes", "urgent", "late", "done"]
    assert names(cli, "--group", "sweep") == ["urgent"]
    goes, urgent, late = cli.json("queue")
    assert {
        "id",
        "name",
        "status",
        "exit_code",
        "after",
        "why",
        "reason",
        "eta",
        "group",
        "priority",
        "devices",
        "place",
    } <= set(goes)
    assert (goes["place"], urgent["place"], late["place"]) == (None, 1, 2)
    assert urgent["reason"] == late["reason"] == "the CPU slot is taken"


def test_a_job_tells_when_it_is_likely_to_begin_and_to_end(cli: Cli) -> None:
    """From the last ones of its program."""
    slots(cli, 1)
    for seconds in (90, 100, 500):
        ended(cli, "before", seconds)
    add(cli, "goes", status="running", started_at=datetime.now(UTC) - timedelta(seconds=40))
    add(cli, "next")
    add(cli, "strange", command=["bash", "other.sh"])
    goes, following, strange = cli.json("queue")
    left = (datetime.fromisoformat(goes["eta"]) - datetime.now(UTC)).total_seconds()
    assert 40 < left < 61
    assert following["eta_start"] == goes["eta"]
    length = datetime.fromisoformat(following["eta"]) - datetime.fromisoformat(following["eta_start"])
    assert 99 <= length.total_seconds() <= 101
    assert strange["eta_start"] == following["eta"] and strange["eta"] is None
    assert "begins about" in cli.ok("queue")


def test_why_a_job_waits_is_told(cli: Cli) -> None:
    """What it comes after, its group, a pause, with what to type."""
    slots(cli, 4)
    first = add(cli, "first", status="running", started_at=NOW)
    add(cli, "second", after=(first,), why="compare")
    add(cli, "third", group_name="g")
    cli.ok("queue", "pause", "g", "--why", "the deadline")
    _, second, third = cli.json("queue")
    assert second["reason"] == f"after {first[:8]}, which is running" and second["after"] == [first]
    assert third["reason"] == "group g is paused: the deadline" and third["until"] == "`neat queue go-on g`"
    text = cli.ok("queue")
    assert "for: compare" in text and "group g is paused: the deadline; `neat queue go-on g` ends that" in text


def test_the_whole_queue_is_paused_and_goes_on(cli: Cli) -> None:
    """Every job says so; going on without a name ends all pauses; the daemon is told by the bell."""
    slots(cli, 4)
    add(cli, "one")
    assert "the queue is paused" in cli.ok("queue", "pause", "--why", "reboot")
    assert rung(cli.home)
    cli.ok("queue", "pause", "g")
    assert cli.json("queue")[0]["reason"] == "the queue is paused: reboot"
    assert cli.json("queue", "go-on") == {"group": None, "paused": False}
    assert cli.json("queue")[0]["reason"].startswith("begins")
    assert "paused" not in cli.ok("queue")


def test_a_drain_waits_for_what_runs(cli: Cli) -> None:
    """Nothing runs: it returns; with --no-wait it says how many still do."""
    assert cli.json("queue", "drain") == {"group": None, "paused": True, "running": 0}
    add(cli, "goes", status="running", started_at=NOW)
    assert cli.json("queue", "drain", "--no-wait")["running"] == 1
    assert cli.json("queue", "drain", "other")["running"] == 0


def test_a_drain_without_a_daemon_sees_that_a_job_has_ended(cli: Cli) -> None:
    """Nobody else would write it down, and the command would wait for ever."""
    ends = add(cli, "ends", status="running", started_at=NOW, pid=1)
    folder = job_folder(cli.home, ends)
    folder.mkdir(parents=True)
    (folder / "exit.json").write_text(json.dumps({"code": 3, "ended": NOW.timestamp()}))
    with at_most(20.0):
        assert cli.json("queue", "drain") == {"group": None, "paused": True, "running": 0}
    assert [(one["status"], one["exit_code"]) for one in cli.json("queue", "--all")] == [("failed", 3)]


def test_a_group_has_its_parallelism(cli: Cli) -> None:
    """It is shown, changed, and taken back by 0; `*` is no group."""
    slots(cli, 1)
    assert cli.json("queue", "group", "g", "--parallel", "2") == {"group": "g", "parallel": 2, "paused": False}
    for n in range(3):
        add(cli, f"job {n}", group_name="g", **({"status": "running", "started_at": NOW} if n < 2 else {}))
    assert cli.json("queue")[2]["reason"] == "group g runs 2 of 2"
    assert "group g: 2 of 2 run, 1 wait" in cli.ok("queue")
    assert cli.json("queue", "group", "g", "--parallel", "0")["parallel"] is None
    assert "not a group's name" in cli.refused("queue", "pause", "*")


def test_a_job_is_put_in_front(cli: Cli) -> None:
    """Of those of a higher priority too; one that does not wait is not."""
    slots(cli, 1)
    add(cli, "goes", status="running", started_at=NOW)
    for name, priority in (("a", 5), ("b", 0), ("c", 0)):
        add(cli, name, priority=priority)
    cli.ok("queue", "top", "c")
    assert names(cli) == ["goes", "c", "a", "b"]
    cli.ok("queue", "top", "b")
    assert names(cli) == ["goes", "b", "c", "a"]
    assert "does not wait" in cli.refused("queue", "top", "goes")
    assert "no job 'nobody'" in cli.refused("queue", "top", "nobody")


def test_an_empty_queue_says_what_to_type(cli: Cli) -> None:
    """And is a list as JSON."""
    assert "neat launch" in cli("queue").err and cli.json("queue") == []


def test_a_name_tells_a_terminal_nothing(cli: Cli) -> None:
    """Escape sequences of a name or a reason are left out."""
    slots(cli, 1)
    add(cli, "a\x1b[31mred", why="b\x1b]0;x\x07c", reason="x")
    assert "\x1b" not in cli.ok("queue") and "a[31mred" in cli.ok("queue")


# ---- ten thousand ----


def test_ten_thousand_jobs_take_no_longer_than_a_person_waits(cli: Cli) -> None:
    """As whole processes, as text and as JSON, with estimates; all of them are in the JSON."""
    slots(cli, 2)
    for _ in range(3):
        ended(cli, "before", 100)
    with cli.store() as store, transaction(store):
        project = here().project_id
        rows = [
            (
                new_id("job"),
                project,
                f"job {n}",
                f'["python", "train.py", "lr={n}"]',
                str(cli.root),
                "waits: for its turn",
            )
            for n in range(10_000)
        ]
        at = NOW.isoformat(timespec="microseconds")
        store.executemany(
            "INSERT INTO job (id, project_id, name, command, cwd, run_folder, status, reason, created_at, updated_at)"
            f" VALUES (?, ?, ?, ?, ?, '', 'queued', ?, '{at}', '{at}')",
            rows,
        )
    program = "import sys; from neatd.cli.main import neat, run; sys.exit(run(neat, ['queue', *sys.argv[1:]]))"

    def ask(*words: str) -> str:
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(command, cwd=cli.root, env=os.environ, text=True, capture_output=True, check=True).stdout

    ask()  # compiled
    with at_most(0.3):
        text = ask()
    with at_most(0.5):  # with reading six megabytes of it here
        found = json.loads(ask("--json"))
    assert "… 9960 more wait" in text and len(found) == 10_000
    assert [one["place"] for one in found] == list(range(1, 10_001)) and found[-1]["eta"]


def test_a_pause_of_a_group_is_ended_by_name(cli: Cli) -> None:
    """The bare command would end every pause; a group that nothing is of is told."""
    add(cli, "one", group_name="sweeps")
    answer = cli("queue", "pause", "sweeps")
    assert (
        answer.out == "group sweeps is paused; `neat queue go-on sweeps` ends that\n" and "note: no" not in answer.err
    )
    assert "note: no job is of group nosuch yet" in cli("queue", "pause", "nosuch").err


def test_an_interrupted_drain_says_that_the_pause_stays(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how it is ended; following a log ends without a word."""
    goes = add(cli, "goes", status="running", started_at=NOW)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    answer = cli("queue", "drain")
    assert answer.code == 130 and answer.err.endswith("the queue stays paused; `neat queue go-on` ends that\n")
    job_folder(cli.home, goes).mkdir(parents=True)
    (job_folder(cli.home, goes) / "output.log").write_text("step 1\n")
    answer = cli("logs", goes, "-f")
    assert (answer.code, answer.out, "hint" in answer.err) == (130, "step 1\n", False)


def test_a_running_job_ends_when_its_run_says(cli: Cli) -> None:
    """By the pace of the run and not by jobs like it; never before now; its process is named."""
    ended(cli, "before", 10_000)
    run = cli.add_run("runs/a", {"loss": [1.0, 0.9]}, status="running")
    add(cli, "goes", status="running", started_at=NOW, root=str(cli.root), pid=77)
    now = datetime.now(UTC).timestamp()
    with cli.store() as store:
        store.execute("UPDATE job SET run_folder = 'runs/a'")
        sql = "UPDATE run SET job_id = (SELECT id FROM job WHERE status = 'running'), planned_steps = 102 WHERE id = ?"
        store.execute(sql, (run.id,))
        store.commit()
    found = cli.json("queue")[0]
    assert found["pid"] == 77
    assert 90 < datetime.fromisoformat(found["eta"]).timestamp() - now < 130
