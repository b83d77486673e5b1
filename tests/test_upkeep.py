"""Maintenance in the daemon: what is due runs, one job at a time, beside the loop, and how it ended is written down."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from neatd.errors import StoreError
from neatd.pipeline.asking import carry_out
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep import keeper
from neatd.pipeline.upkeep.keeper import Upkeep
from neatd.pipeline.upkeep.scheduled import local_zone
from neatd.store import checkpoints, events, maintenance, requests
from neatd.store.connection import transaction
from neatd.store.moments import stamp
from neatd.store.short import new_id
from neatd.watch.ticks import Ticks
from tests.cli_place import Cli
from tests.conftest import until
from tests.cost import at_most
from tests.upkeep_made import events_of, ran, scene_of, schedule, set_up, turn_until

OTHERS_OFF = tuple(
    f"{name}: {{enabled: false}}"
    for name in (
        "backup",
        "checkpoints",
        "snapshots",
        "temporary",
        "logs",
        "trash",
        "integrity",
        "disk",
        "service",
        "documents",
    )
)


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def now() -> datetime:
    return datetime.now(local_zone())


def ran_before(scene: Scene, job: str, ago: timedelta, status: str = "done") -> None:
    """A row of a run that long ago."""
    maintenance.begin(scene.records, f"q-{job}-{ago}-{status}", job, "schedule")
    with transaction(scene.records):
        began = stamp(datetime.now(UTC) - ago)
        sql = "UPDATE maintenance SET started_at = ?, ended_at = ?, status = ? WHERE id = ?"
        scene.records.execute(sql, (began, began, status, f"q-{job}-{ago}-{status}"))


def test_a_first_start_runs_nothing_and_knows_from_then_on(cli: Cli) -> None:
    """A job, a user's command above all, is not run because its file was written."""
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep.prepare()
        wake = upkeep.wake(now())
        assert not upkeep.waiting and wake is not None and wake > now()
        assert maintenance.newest(scene.records) == {}
        assert set(maintenance.last_runs(scene.records)) == {job.name for job in upkeep.schedule.jobs}


def test_what_was_missed_runs_once_and_says_so(cli: Cli) -> None:
    """The row has its cause, its end and what it said; there is an event for it, and nothing is due after it."""
    schedule(cli, *OTHERS_OFF)
    with scene_of(cli) as scene:
        ran_before(scene, "knowledge", timedelta(days=50))
        upkeep = Upkeep(scene)
        upkeep.prepare()
        upkeep.wake(now())
        upkeep.wake(now())  # woken twice before its turn came
        assert [(one.job, one.cause) for one in upkeep.waiting] == [("knowledge", "missed")]
        turn_until(upkeep)
        (row, _) = maintenance.history(scene.records, "knowledge")
        assert (row.status, row.cause) == ("done", "missed") and row.took_s is not None
        upkeep.wake(now())
        assert not upkeep.waiting
    (event,) = events_of(cli)
    assert event["severity"] == "info" and event["message"] == f"knowledge: {row.summary}"


def test_a_job_whose_moment_has_come_is_not_called_missed(cli: Cli) -> None:
    """It is late by the minutes that a daemon may be busy, and no more."""
    schedule(cli, *OTHERS_OFF, "knowledge: {cron: '* * * * *'}")
    with scene_of(cli) as scene:
        ran_before(scene, "knowledge", timedelta(minutes=3))
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        assert [one.cause for one in upkeep.waiting] == ["schedule"]


def test_jobs_run_one_at_a_time(cli: Cli) -> None:
    """What is asked for comes first; nobody runs beside another."""
    schedule(cli, *OTHERS_OFF)
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        for name in ("documents", "disk", "documents"):
            upkeep.want(name, "schedule")
        scene.asked["q-asked"] = "integrity"
        order: list[str] = []

        def is_over() -> bool:
            upkeep.step()
            if upkeep.running and upkeep.running.wanted.job not in order[-1:]:
                order.append(upkeep.running.wanted.job)
            running = scene.records.execute("SELECT count(*) FROM maintenance WHERE status = 'running'").fetchone()[0]
            assert running == (upkeep.running is not None)
            return upkeep.running is None and not upkeep.waiting

        scene.records.execute(
            "INSERT INTO request (id, kind, created_at, updated_at) VALUES ('q-asked', 'maintain', '', '')"
        )
        until(is_over, "all of them")
        assert order == ["integrity", "documents", "disk"]


def test_a_job_beside_the_loop_does_not_hold_it_up(cli: Cli) -> None:
    """While a command of a second runs, turns cost next to nothing and others write to the store."""
    code = "import time; time.sleep(1)"
    schedule(cli, *OTHERS_OFF, f"slow: {{cron: '@yearly', command: [{sys.executable}, -c, '{code}']}}")
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        upkeep.want("slow", "asked")
        upkeep.step()
        assert upkeep.running is not None
        with at_most(0.2):
            for _ in range(100):
                assert upkeep.step() == keeper.LOOK_S
        cli.keep("note", "written meanwhile")
        turn_until(upkeep)
        assert maintenance.newest(scene.records)["slow"].status == "done"


def test_what_a_crash_left_running_is_interrupted_and_runs_again_once(cli: Cli) -> None:
    """Twice in a row is enough: what ends the daemon must not do so for ever."""
    schedule(cli, *OTHERS_OFF)
    with scene_of(cli) as scene:
        ran_before(scene, "knowledge", timedelta(days=9))
        maintenance.begin(scene.records, "q-crashed", "knowledge", "schedule")
        upkeep = Upkeep(scene)
        upkeep.prepare()
        row = maintenance.get(scene.records, "q-crashed")
        assert row and row.status == "interrupted" and row.ended_at
        upkeep.wake(now())
        assert [one.job for one in upkeep.waiting] == ["knowledge"]
        maintenance.begin(scene.records, "q-again", "knowledge", "missed")
        second = Upkeep(scene)
        second.prepare()
        second.wake(now())
        assert not second.waiting
    assert [one["severity"] for one in events_of(cli)] == ["warning", "warning"]


def test_a_users_command_that_was_interrupted_is_not_run_again(cli: Cli) -> None:
    """Nobody knows whether it may be."""
    schedule(cli, *OTHERS_OFF, "knowledge: {enabled: false}", "mine: {cron: '0 4 * * *', command: ['true']}")
    with scene_of(cli) as scene:
        ran_before(scene, "mine", timedelta(days=9))
        maintenance.begin(scene.records, "q-crashed", "mine", "schedule")
        upkeep = Upkeep(scene)
        upkeep.prepare()
        upkeep.wake(now())
        assert not upkeep.waiting


def test_a_stop_interrupts_what_runs_and_leaves_the_request(cli: Cli) -> None:
    """The next life carries it out; a user's command not, for nobody knows whether it may run twice."""
    code = "import time; time.sleep(60)"
    schedule(cli, *OTHERS_OFF, f"slow: {{cron: '@yearly', command: [{sys.executable}, -c, '{code}']}}")
    with scene_of(cli) as scene:
        request_id = requests.ask(scene.records, "maintain", None, {"job": "slow"})
        carry_out(scene, requests.get_request(scene.records, request_id))
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        upkeep.step()
        assert upkeep.running is not None
        carry_out(scene, requests.get_request(scene.records, request_id))  # as at each turn with news
        assert list(scene.asked) == [request_id]
        upkeep.stop()
        row = maintenance.get(scene.records, request_id)
        assert row and row.status in ("interrupted", "failed")  # the thread may just have seen it end
    with scene_of(cli) as scene:
        maintenance.begin(scene.records, request_id, "slow", "asked")  # as a crash leaves it
        requests.set_request(scene.records, request_id, "running")
        again = requests.ask(scene.records, "maintain", None, {"job": "knowledge"})
        maintenance.begin(scene.records, again, "knowledge", "asked")
        upkeep = Upkeep(scene)
        upkeep.prepare()
        upkeep.wake(now())
        for one in requests.pending(scene.records):
            carry_out(scene, one)
        turn_until(upkeep)
        rows = {one: maintenance.get(scene.records, one) for one in (request_id, again)}
        assert [row.status for row in rows.values() if row] == ["interrupted", "done"]
        assert requests.pending(scene.records) == []


def test_a_mistake_in_the_file_is_an_event_and_what_was_in_force_stays(cli: Cli) -> None:
    """Once for each state of the file."""
    schedule(cli, "trash: {enabled: false}")
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        schedule(cli, "trash: {enabled: falsch}")
        upkeep.wake(now())
        upkeep.wake(now())
        trash = upkeep.schedule.get("trash")
        assert trash and not trash.enabled
        found = [one for one in events.events(scene.records) if one.rule == "maintenance-mistake"]
    assert len(found) == 1 and "maintenance.yaml:2: jobs.trash.enabled" in found[0].message


def test_a_changed_file_is_noticed_and_a_new_command_can_be_asked_for_at_once(cli: Cli) -> None:
    """Looked at every few seconds, and whenever something is to begin."""
    with scene_of(cli) as scene:
        scene.clock = lambda: moment[0]
        moment, upkeep = [100.0], Upkeep(scene)
        upkeep.wake(now())
        assert not upkeep.has_new_file()
        schedule(cli, "mine: {cron: '@yearly', command: ['true']}")
        assert not upkeep.has_new_file()
        moment[0] += keeper.FILE_LOOK_S
        assert upkeep.has_new_file()
        upkeep.want("mine", "asked")
        scene.clock = time.monotonic
        turn_until(upkeep)
        assert maintenance.newest(scene.records)["mine"].status == "done"


def test_a_broken_store_is_found_by_the_check_and_ends_the_daemon(cli: Cli) -> None:
    """As everywhere: it is never gone on with. The row and the event say it first."""
    with scene_of(cli) as scene:
        page = scene.points.execute("PRAGMA page_size").fetchone()[0]
        scene.points.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = cli.home / "points.db"
    data = bytearray(path.read_bytes())
    data[page * 3 : page * 3 + 200] = b"garbage!" * 25
    path.write_bytes(data)
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        upkeep.want("integrity", "schedule")
        with pytest.raises(StoreError, match=r"points\.db"):
            turn_until(upkeep)
        row = maintenance.newest(scene.records)["integrity"]
        assert row.status == "failed" and "points.db" in row.summary
    assert events_of(cli, "warning")


def test_a_full_disk_empties_the_trash_before_its_hour(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an hour at the most, and only where something lies in the trash."""
    (cli.home / "maintenance.yaml").write_text(f'jobs: {{trash: {{cron: "0 {(now().hour + 12) % 24} * * *"}}}}\n')
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        monkeypatch.setattr(keeper, "is_short", lambda folder, gib: True)
        upkeep.wake(now())
        assert not upkeep.waiting
        ran_before(scene, "trash", timedelta(hours=2))
        made = cli.add_run("runs/a", {})
        cli.add_save(made, 1)
        (save,) = checkpoints.catalogue(scene.records, made.id)
        sql = (
            "INSERT INTO deletion (id, batch, run_id, checkpoint_id, from_path, trash_path, size_bytes, reason, status,"
            " created_at, updated_at) VALUES ('x-1', 'b', ?, ?, ?, 't', 1, '', 'moved', ?, ?)"
        )
        path, at = str(cli.root / "runs/a" / save.path), stamp(datetime.now(UTC))
        scene.records.execute(sql, (made.id, save.id, path, at, at))
        scene.records.execute("UPDATE maintenance SET started_at = ? WHERE status = 'seen'", (at,))
        for job in upkeep.schedule.jobs:
            if job.name != "trash":
                ran_before(scene, job.name, timedelta())
        upkeep.wake(now())
        assert [(one.job, one.cause) for one in upkeep.waiting if one.cause == "disk"] == [("trash", "disk")]


def test_rows_of_a_minutely_job_do_not_grow_without_end(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go; the others' stay."""
    monkeypatch.setattr(maintenance, "MOST_RUNS", 3)
    with scene_of(cli) as scene:
        ran_before(scene, "disk", timedelta(days=3))
        for number in range(6):
            maintenance.begin(scene.records, f"q-{number}", "mine", "schedule")
            maintenance.end(scene.records, f"q-{number}", "mine", "done", "", {})
        assert [one.id for one in maintenance.history(scene.records, "mine")] == ["q-5", "q-4", "q-3"]
        assert len(maintenance.history(scene.records, "disk")) == 1


def carried_out(scene: Scene, status: str, summary: str, cause: str = "schedule", **details: object) -> str:
    """A run of a job of every minute; returns its id."""
    run_id = new_id("request")
    maintenance.begin(scene.records, run_id, "mirror", cause)
    maintenance.end(scene.records, run_id, "mirror", status, summary, details, is_frequent=True)
    return run_id


def test_a_job_of_every_few_minutes_is_an_event_when_it_ends_otherwise_than_before(cli: Cli) -> None:
    """Not each time that it went well again, or failed in the same way; what was freed or asked for is always told."""
    with scene_of(cli) as scene:
        for line in ("1 file", "2 files", "3 files"):
            carried_out(scene, "done", f"exit code 0: {line}", exit_code=0)
        assert [one["message"] for one in events_of(cli)] == ["mirror: exit code 0: 1 file"]
        for line in ("at 12:00", "at 12:01"):
            carried_out(scene, "failed", f"exit code 3: {line}", exit_code=3)
        (failure,) = maintenance.failures(scene.records)
        assert failure.message == "mirror failed: exit code 3: at 12:00" and len(events_of(cli)) == 2
        last = carried_out(scene, "failed", "exit code 4", exit_code=4)
        newest = maintenance.newest(scene.records)["mirror"]
        assert newest.id == last and newest.details["event"] == maintenance.failures(scene.records)[0].id
        carried_out(scene, "done", "exit code 0", exit_code=0)
        carried_out(scene, "done", "exit code 0", "asked", exit_code=0)
        carried_out(scene, "done", "2 emptied", freed_bytes=7)
        carried_out(scene, "done", "exit code 0", exit_code=0)
        assert len(events_of(cli)) == 6 and len(maintenance.history(scene.records, "mirror")) == 10


def test_a_daily_job_is_an_event_each_time_and_a_minutely_command_is_not(cli: Cli) -> None:
    """By the daemon's own turns; the schedule shows each last run of both."""
    schedule(cli, f"minutely: {{cron: '* * * * *', command: [{sys.executable}, -c, '']}}",
             f"daily: {{cron: '0 3 * * *', command: [{sys.executable}, -c, '']}}")  # fmt: skip
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep._reload()
        for _ in range(2):
            for name in ("minutely", "daily"):
                upkeep.want(name, "schedule")
            turn_until(upkeep)
        told = [one["message"].split(":")[0] for one in events_of(cli)]
        assert sorted(told) == ["daily", "daily", "minutely"]
        newest, history = maintenance.newest(scene.records), maintenance.history(scene.records, "minutely")
        assert newest["minutely"].id == history[0].id and len(history) == 2
    shown = {one["job"]: one["last"] for one in cli.json("schedule")}
    assert shown["minutely"]["id"] == newest["minutely"].id


def test_the_brief_tells_of_what_failed_last_and_of_nothing_else(cli: Cli) -> None:
    """That a backup was made is no news for an assistant; that none can be made is."""
    schedule(cli, "mine: {cron: '@yearly', command: ['false']}")
    with scene_of(cli) as scene:
        ran(cli, scene, "knowledge")
        ran(cli, scene, "mine")
        ran(cli, scene, "mine")
    told = [line for line in cli.ok("brief").splitlines() if "maintenance" in line]
    assert len(told) == 1 and "mine failed: exit code 1" in told[0]
    with scene_of(cli) as scene:
        ran(cli, scene, "mine", "mine: {cron: '@yearly', command: ['true']}")
    assert "maintenance" not in cli.ok("brief")


def test_a_tick_comes_at_its_moment_and_the_newer_moment_counts() -> None:
    """One moment a name, however often it is said."""
    ticks = Ticks()
    ticks.start()
    try:
        ticks.at(datetime.now(UTC) + timedelta(days=1), "maintenance")
        ticks.at(datetime.now(UTC) + timedelta(milliseconds=50), "maintenance")
        assert ticks.due.get(timeout=30) == "maintenance" and ticks.due.empty()
    finally:
        ticks.stop()


def test_the_store_that_is_checked_stays_open_for_others(cli: Cli) -> None:
    """The check and the optimising take no lock that a note would wait for."""
    with scene_of(cli) as scene:
        upkeep = Upkeep(scene)
        upkeep.wake(now())
        upkeep.want("integrity", "asked")
        upkeep.step()
        with closing(sqlite3.connect(cli.home / "neat.db", timeout=5)) as other, other:
            other.execute("UPDATE project SET name = name")
        turn_until(upkeep)
        row = maintenance.newest(scene.records)["integrity"]
    assert row.status == "done" and {"before_bytes", "after_bytes"} <= set(row.details)
