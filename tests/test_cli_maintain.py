"""`neat schedule`, `neat maintain`, and what `neat doctor` says of both."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.doctor.upkept import upkept
from neatd.rules.maintenance import JOBS
from tests.cli_place import Cli
from tests.conftest import Neat, until
from tests.upkeep_made import schedule


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def row(cli: Cli, job: str) -> dict[str, Any]:
    return next(one for one in cli.json("schedule") if one["job"] == job)


def finding(cli: Cli, what: str) -> Finding:
    """A line of `neat doctor`, by the part of it that is about maintenance."""
    return next(one for one in upkept(cli.home) if one.what == what)


def test_the_schedule_says_when_in_words_and_what_was(cli: Cli) -> None:
    """Next in this machine's zone, last with its result and duration; switched off, there is no next."""
    schedule(cli, "trash: {enabled: false}")
    cli.ok("maintain", "backup")
    shown = cli.ok("schedule")
    assert "every day at 03:30" in shown and "Sundays at 04:00" in shown and "off" in shown
    backup, trash = row(cli, "backup"), row(cli, "trash")
    assert (
        backup["last"]["status"] == "done" and backup["last"]["took_s"] >= 0 and backup["next"] and not backup["is_due"]
    )
    assert trash["next"] is None and trash["last"] is None and trash["enabled"] is False


def test_without_a_job_the_jobs_are_listed(cli: Cli) -> None:
    """With what each does; a user's own by its words, without secrets."""
    schedule(
        cli,
        "mine: {cron: '@daily', command: [curl, -H, 'Authorization: Bearer ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2']}",
    )
    listed = {one["job"]: one["what"] for one in cli.json("maintain")}
    assert set(listed) == {*JOBS, "mine"} and "ghp_" not in listed["mine"]
    assert "ghp_" not in cli.ok("maintain") + cli.ok("schedule")


def test_every_job_runs_where_no_daemon_does_and_says_so(cli: Cli) -> None:
    """Under the daemon's lock; the row and the event are as the daemon's. Doctor counts them."""
    for job in JOBS:
        answer = cli("maintain", job)
        assert answer.code == 0 and answer.out.startswith(f"{job} done in "), answer
        assert "neatd is not running: carried out here" in answer.err
    assert {one["job"]: one["last"]["cause"] for one in cli.json("schedule")} == dict.fromkeys(JOBS, "asked")
    told = [one["message"].split(":")[0] for one in cli.json("events") if one["rule"] == "maintenance"]
    assert told == list(reversed(JOBS))
    assert f"maintenance: {len(JOBS)} jobs ran, none failed last" in cli("doctor").out


def test_a_job_that_fails_is_an_exit_code_of_1_and_a_line_of_doctor(cli: Cli) -> None:
    """Until it runs well; each line says what mends it."""
    assert finding(cli, "maintenance").state == "ok" and finding(cli, "schedule").state == "ok"
    schedule(cli, f"mine: {{cron: '@daily', command: [{sys.executable}, -c, 'print(1); raise SystemExit(4)']}}")
    answer = cli("maintain", "mine")
    assert answer.code == 1 and "mine failed" in answer.out and "  1\n" in answer.out
    found = finding(cli, "maintenance")
    assert found.state == "note" and "exit code 4" in found.text and "neat maintain mine" in found.mend
    schedule(cli, f"mine: {{cron: '@daily', command: [{sys.executable}, -c, 'print(1)']}}")
    cli.ok("maintain", "mine")
    assert finding(cli, "maintenance").state == "ok"


def test_doctor_knows_old_backups_and_a_wrong_schedule(cli: Cli) -> None:
    """Each with its mend."""
    assert "makes one a day" in finding(cli, "backups").mend
    made = Path(cli.json("backup")["file"])
    assert finding(cli, "backups").state == "ok" and "0 h old" in finding(cli, "backups").text
    os.utime(made, (0, 0))
    assert finding(cli, "backups").state == "note" and "`neat backup`" in finding(cli, "backups").mend
    schedule(cli, "backup: {cron: never}")
    found = finding(cli, "schedule")
    assert found.state == "bad" and "maintenance.yaml:2: jobs.backup.cron" in found.text and found.mend
    assert "maintenance.yaml:2" in cli("schedule").err


def test_a_job_that_is_not_there_is_refused_with_those_that_are(cli: Cli) -> None:
    """As are mistakes in the file, when it is asked for one that the file would define."""
    assert "backup" in cli.refused("maintain", "bakup")
    schedule(cli, "mine: {cron: '61 * * * *', command: [ls]}")
    assert "61 is not within" in cli.refused("maintain", "mine")


def test_a_repositorys_file_schedules_nothing(cli: Cli) -> None:
    """Neither at its top nor in .neat."""
    for folder in (cli.root, cli.root / ".neat", cli.root / ".neat" / "rules"):
        folder.mkdir(exist_ok=True)
        (folder / "maintenance.yaml").write_text("jobs: {mine: {cron: '* * * * *', command: [touch, x]}}")
    assert "mine" not in {one["job"] for one in cli.json("maintain")}


def test_the_index_of_documents_goes_with_the_project(cli: Cli) -> None:
    """It is neat's own: what `neat init --undo` leaves behind is what somebody wrote."""
    cli.ok("maintain", "documents")
    assert (cli.root / ".neat/documents.md").is_file()
    cli.ok("init", "--undo", "--yes")
    assert not (cli.root / ".neat").exists()


def test_the_daemon_backs_up_at_its_first_start_and_carries_out_what_is_asked(neat: Neat) -> None:
    """The command waits for it; the row tells why each ran."""
    neat.start()
    last = until(
        lambda: next(one["last"] for one in neat.json("neat", "schedule") if one["job"] == "backup"),
        "the first backup's row",
    )
    assert last["cause"] == "missed"
    answer = neat.json("neat", "maintain", "integrity")
    assert answer["status"] == "done" and answer["cause"] == "asked" and "points.db is sound" in answer["summary"]
    code, _, err = neat.ask("neat", "restore", "--yes")
    assert code == 1 and "`neatd stop` first" in err
