"""Which jobs of maintenance are due, and what their file may say."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from neatd.files import data_path
from neatd.pipeline.upkeep.scheduled import keep_good, load_schedule, local_zone
from neatd.pipeline.upkeep.table import CALLS
from neatd.rules.load import NO_RULES, load_rules, rule_files
from neatd.rules.maintenance import JOBS, Schedule, ScheduledJob, due, next_run, next_wake

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 2, 12, tzinfo=BERLIN)  # a Monday
DAILY = Schedule(jobs=(ScheduledJob(name="backup", cron="30 3 * * *"),))


def put(home: Path, text: str) -> Path:
    path = home / "maintenance.yaml"
    path.write_text(text)
    return path


def test_a_job_is_due_from_its_moment_on_until_it_ran() -> None:
    """Not a second earlier, and not again after it."""
    last = {"backup": NOON - timedelta(days=1)}
    moment = datetime(2026, 3, 2, 3, 30, tzinfo=BERLIN)
    assert due(DAILY, last, moment - timedelta(seconds=1)) == []
    assert due(DAILY, last, moment) == due(DAILY, last, NOON) == ["backup"]
    assert due(DAILY, {"backup": moment}, NOON) == []


def test_what_was_missed_for_weeks_is_due_once() -> None:
    """Ran once, it is due again at its next moment."""
    last = {"backup": NOON - timedelta(days=40)}
    assert due(DAILY, last, NOON) == ["backup"]
    last["backup"] = NOON
    assert due(DAILY, last, NOON + timedelta(hours=15)) == []
    assert due(DAILY, last, NOON + timedelta(hours=16)) == ["backup"]


def test_a_job_that_nobody_met_or_that_is_off_is_not_due() -> None:
    """Since when it is known has to be written down before it can be missed."""
    assert due(DAILY, {}, NOON) == []
    off = Schedule(jobs=(ScheduledJob(name="backup", cron="* * * * *", enabled=False),))
    assert due(off, {"backup": NOON - timedelta(days=9)}, NOON) == []


def test_a_clock_that_was_wrong_does_not_stop_maintenance() -> None:
    """A last run years ahead counts as none; a clock that was put back by minutes does not run anything twice."""
    assert due(DAILY, {"backup": NOON + timedelta(days=9000)}, NOON) == ["backup"]
    assert due(DAILY, {"backup": NOON + timedelta(minutes=5)}, NOON) == []


def test_several_that_are_due_come_in_the_schedules_order() -> None:
    """Backup first: what follows may remove something."""
    names = ("backup", "checkpoints", "trash")
    made = Schedule(jobs=tuple(ScheduledJob(name=name, cron="0 4 * * *") for name in names))
    assert due(made, dict.fromkeys(names, NOON - timedelta(days=2)), NOON) == list(names)


def test_the_day_on_which_the_clock_is_put_forward_has_runs_for_23_hours() -> None:
    """Six an hour, each due exactly when it was to wake."""
    schedule = Schedule(jobs=(ScheduledJob(name="service", cron="*/10 * * * *"),))
    now = datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN).astimezone(UTC)
    end = datetime(2026, 3, 30, 0, 0, tzinfo=BERLIN).astimezone(UTC)
    last, count = {"service": now}, 0
    while True:
        wake = next_wake(schedule, last, now.astimezone(BERLIN))
        assert wake is not None and wake.astimezone(UTC) > now
        now = wake.astimezone(UTC)
        if now > end:
            break
        assert due(schedule, last, now.astimezone(BERLIN)) == ["service"]
        last, count = {"service": now}, count + 1
    assert count == 23 * 6


def test_the_next_wake_is_the_first_of_all() -> None:
    """Of what is on and known."""
    jobs = (ScheduledJob(name="backup", cron="0 9 * * *"), ScheduledJob(name="disk", cron="0 18 * * *"))
    last = dict.fromkeys(("backup", "disk"), NOON)
    assert next_wake(Schedule(jobs=jobs), last, NOON) == NOON.replace(hour=18) == next_run("0 18 * * *", NOON)
    assert next_wake(Schedule(), last, NOON) is None


# ---- the file ----


def test_the_shipped_schedule_holds_every_job_and_nothing_else(tmp_path: Path) -> None:
    """And each has a function that carries it out."""
    loaded = load_schedule(tmp_path)
    assert loaded.mistake is None
    assert {job.name for job in loaded.schedule.jobs} == set(JOBS) == set(CALLS)
    assert all(job.enabled and not job.command for job in loaded.schedule.jobs)


def test_the_schedule_is_no_rule() -> None:
    """It lies beside the shipped rules, and loading those neither takes it in nor calls it a mistake."""
    folder = data_path("rules")
    assert (folder / "maintenance.yaml").is_file() and {"maintenance.yaml"} == NO_RULES
    rules, mistakes = load_rules([folder])
    assert mistakes == () and len(rules) == len(rule_files(folder)) == len(list(folder.glob("*.y*ml"))) - 1


def test_in_a_folder_of_rules_that_is_not_shipped_it_is_a_mistake(tmp_path: Path) -> None:
    """A repository cannot schedule anything: who tries is told."""
    put(tmp_path, "jobs: {backup: {enabled: false}}")
    rules, (mistake,) = load_rules([tmp_path])
    assert rules == () and "maintenance.yaml:1" in mistake.message


def test_the_users_file_changes_a_job_field_by_field_and_adds_commands(tmp_path: Path) -> None:
    """What it does not name is as it was shipped."""
    put(
        tmp_path,
        "jobs:\n  trash: {days: 3}\n  disk: {enabled: false}\n"
        "  mirror: {cron: '@daily', command: [rsync, -a, 'my runs', 'host:'], timeout_s: 60, folder: ~/x}\n",
    )
    loaded = load_schedule(tmp_path).schedule
    trash, disk, mirror = (loaded.get(name) for name in ("trash", "disk", "mirror"))
    assert trash and (trash.days, trash.cron, trash.free_gib) == (3, "40 4 * * *", 10)
    assert disk and not disk.enabled
    assert mirror and mirror.command == ("rsync", "-a", "my runs", "host:") and mirror.timeout_s == 60
    assert loaded.jobs[-1] == mirror


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs:\n  backup: {cron: '30 3 * * 8'}", "2: jobs.backup.cron: day of the week: 8 is not within 0 to 7"),
        ("jobs:\n  backup:\n    cron: 5", "3: jobs.backup.cron: must be text"),
        ("jobs:\n  backup: {crn: x}", "2: jobs.backup.crn: unknown field (did you mean cron?)"),
        ("jobs:\n  trash:\n    days: -1", "3: jobs.trash.days: must be a number"),
        ("jobs:\n  backup: {days: 3}", "2: jobs.backup: backup takes no days; it takes cron, enabled"),
        ("jobs:\n  backup: {command: [rm]}", "2: jobs.backup: backup takes no command"),
        ("jobs:\n  mine: {command: [ls]}", "2: jobs.mine: neat has no job 'mine'"),
        ("jobs:\n  mine: {cron: '@daily', command: rm -r x}", "2: jobs.mine.command: must be a list"),
        ("jobs:\n  mine: {cron: '@daily', command: []}", "2: jobs.mine.command: must not be empty"),
        ("jobs:\n  mine: {cron: '@daily', command: [ls], timeout_s: 0}", "2: jobs.mine.timeout_s: must be a number above 0"),
        ("jobs:\n  backup: {enabled: true}\n  backup: {enabled: false}", "3: jobs.backup: is already set in line 2"),
        ("jobs: [backup]", "1: jobs: must be a mapping"),
        ("job: {}", "1: job: unknown field (did you mean jobs?)"),
        ("jobs:\n  x: {cron: @daily}", "2: not YAML"),
        ("- a", "1: the document: must hold fields"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_field_and_value(tmp_path: Path, text: str, said: str) -> None:
    """And what was shipped stays in force."""
    path = put(tmp_path, text)
    loaded = load_schedule(tmp_path)
    assert loaded.mistake is not None and loaded.mistake.hint
    told = [line.removeprefix(f"{path}:") for line in loaded.mistake.message.splitlines()]
    assert any(line.startswith(said) for line in told), told
    assert {job.name for job in loaded.schedule.jobs} == set(JOBS)


def test_a_mistake_leaves_the_last_good_file_in_force(tmp_path: Path) -> None:
    """Also for a program that starts later: a job that was switched off stays so until its file says otherwise."""
    put(tmp_path, "jobs: {trash: {enabled: false}}")
    keep_good(tmp_path)
    put(tmp_path, "jobs: {trash: {enabled: perhaps}}")
    loaded = load_schedule(tmp_path)
    trash = loaded.schedule.get("trash")
    assert loaded.mistake and trash and not trash.enabled
    (tmp_path / "maintenance.yaml").unlink()
    keep_good(tmp_path)
    trash = load_schedule(tmp_path).schedule.get("trash")
    assert trash and trash.enabled


def test_the_zone_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """By TZ where that is set, with its summer time."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    winter, summer = (datetime(2026, month, 1, tzinfo=local_zone()).utcoffset() for month in (1, 7))
    assert (winter, summer) == (timedelta(hours=1), timedelta(hours=2))


def test_a_zone_without_a_name_is_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    """As POSIX writes it: the daemon goes by what the clock shows."""
    monkeypatch.setenv("TZ", "XYZ-5")
    time.tzset()
    try:
        assert datetime.now(local_zone()).utcoffset() == timedelta(hours=5)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("cron", "is_frequent"),
    [
        ("* * * * *", True),
        ("*/30 * * * *", True),
        ("0 * * * *", False),
        ("0,5 3 * * *", False),
        ("*/2 9-17 * * 1-5", True),
    ],
)
def test_more_often_than_hourly_is_frequent(cron: str, is_frequent: bool) -> None:
    """On the days on which it runs."""
    assert ScheduledJob(name="backup", cron=cron).is_frequent is is_frequent
