"""What the page lists is what the commands print: one function for both, on stores that nothing can be written to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from neatd.models import Study
from neatd.pipeline.backups import backup_shapes
from neatd.pipeline.devicesshown import device_shapes
from neatd.pipeline.doctor.examining import examine
from neatd.pipeline.eventlist import event_list, event_rows
from neatd.pipeline.planshown import plan_shapes, plans
from neatd.pipeline.recordlist import Asked, listed
from neatd.pipeline.showing import json_text
from neatd.pipeline.studyanalysed import study_analysis, study_trials
from neatd.pipeline.studyshown import study_shapes
from neatd.pipeline.trashshown import batch_shapes
from neatd.pipeline.upkeep.shown import history_shapes, schedule_shapes
from neatd.place import here
from neatd.service.checks import service_checks
from neatd.store import studies
from neatd.store.connection import transaction
from neatd.studies.spec import StudyFile
from tests.cli_place import Cli
from tests.queue_made import set_up
from tests.reading_made import reading
from tests.test_studying import SPEC


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys), None)


def plain(value: Any) -> Any:
    return json.loads(json_text(value))


def test_events_are_listed_by_run_severity_and_since_and_bounded(cli: Cli) -> None:
    """The newest ones where a number is asked for; the page's rows name their runs."""
    a, b = cli.add_run("runs/a", {"loss": [1.0]}), cli.add_run("runs/b", {"loss": [1.0]})
    for made, rule, severity in ((a, "spike", "warning"), (b, "non_finite", "critical"), (a, "best", "info")):
        cli.add_event(made, rule, 1, 1.0, severity=severity)
    with reading(cli) as (records, _, project, _):
        every = plain(event_list(records, project.id))
        grave = plain(event_list(records, project.id, severity="warning"))
        newer = plain(event_list(records, project.id, since=every[-1]["id"]))
        first, second = plain(event_rows(records, None, most=2))
        own = plain(event_list(records, project.id, a.id))
    assert every == cli.json("events") and len(every) == 3
    assert grave == cli.json("events", "--severity", "warning") and len(grave) == 2
    assert newer == cli.json("events", "--since", every[-1]["id"]) == every[:2]
    assert own == cli.json("events", "--run", "runs/a") and len(own) == 2
    assert (first["run_name"], first["project"]) == ("runs/a", project.id)
    assert [one["id"] for one in (first, second)] == [one["id"] for one in every[:2]]


def test_plans_and_the_trash_are_those_of_retention(cli: Cli) -> None:
    """The plan before, and after it was carried out the batch that brings it back."""
    with (cli.root / "neat.yaml").open("a") as file:
        file.write("retention: {newest: 1, half: 0, every_steps: 0}\n")
    made = cli.add_run("runs/a", {"loss": [1.0]})
    for step in (1, 2, 3, 4):
        cli.add_save(made, step, b"w" * step)
    with reading(cli) as (records, points, project, config):
        found = plain(plan_shapes(plans(records, points, project, config)))
        assert batch_shapes(records, project.id) == {"batches": [], "more": 0, "checkpoints": 0, "bytes": 0}
    assert found == cli.json("retention", "plan") and len(found[0]["delete"]) == 2
    moved = cli.json("retention", "apply", "--yes")
    with reading(cli) as (records, _, project, _):
        trash = plain(batch_shapes(records, project.id))
    (batch,) = trash["batches"]
    assert (batch["batch"], batch["checkpoints"], batch["bytes"]) == (moved["batch"], 2, 5) and trash["bytes"] == 5
    assert batch["runs"] == [{"id": made.id, "name": "runs/a"}] and batch["reasons"][0]["checkpoints"] == 2
    assert len(cli.json("retention", "undo", "--list")) == 2


def test_records_are_listed_as_the_command_lists_them(cli: Cli) -> None:
    """Of one kind without saying it, of all with; open ones, those with a tag."""
    cli.keep("note", "hello", "--tag", "x")
    task = cli.keep("task", "done")
    cli.ok("close", task)
    asked = [(Asked(), ()), (Asked("note"), ("note",)), (Asked(only_open=True, tag="x"), ("--open", "--tag", "x")),
             (Asked(deleted=True), ("--deleted",))]  # fmt: skip
    for one, words in asked:
        with reading(cli) as (records, points, project, config):
            found = listed(records, points, project, config, one, datetime.now(UTC))
            assert plain(found.shapes) == cli.json("list", *words)
    assert "no kind 'nope'" in cli.refused("list", "nope")


def test_the_schedule_its_runs_and_the_backups_are_told(cli: Cli) -> None:
    """A backup by hand has its label and its age."""
    cli.ok("maintain", "temporary")
    cli.ok("backup")
    now = datetime.now(UTC)
    with reading(cli) as (records, _, _, _):
        schedule, (run,) = plain(schedule_shapes(records, cli.home, now)), plain(history_shapes(records, "temporary"))
    assert schedule == cli.json("schedule")
    assert run["status"] == "done" and run == next(one["last"] for one in schedule if one["job"] == "temporary")
    (backup,) = backup_shapes(cli.home, now)
    assert backup["label"] == "manual" and 0 <= backup["age_s"] < 60 and backup["size_bytes"] > 0
    assert backup_shapes(cli.root, now) == []


def test_devices_and_doctor_are_the_commands(cli: Cli) -> None:
    """What changes by the moment, as free memory, is left out of the comparison."""
    with reading(cli) as (records, _, _, _):
        (found,) = plain(device_shapes(records, cli.home, datetime.now(UTC)))
    (told,) = cli.json("queue", "--devices")
    assert found | {"free_bytes": 0} == told | {"free_bytes": 0} and found["slots_taken"] == 0
    examined = plain([one.shape for one in examine(cli.home, cli.root, service_checks(cli.home))])
    said = cli.json("doctor")
    assert [one["what"] for one in examined] == [one["what"] for one in said] and len(examined) > 10
    assert {one["state"] for one in examined} <= {"ok", "note", "bad"}


def test_a_study_has_its_standing_its_trials_and_its_analysis(cli: Cli) -> None:
    """The trials are what figures are drawn of; parameters hold no secrets."""
    study = _study(cli)
    with reading(cli) as (records, points, project, _):
        (standing,) = plain(study_shapes(records, project.id))
        trials = plain(study_trials(records, points, study))
        found = plain(study_analysis(records, points, study))
    assert [standing] == cli.json("study", "list") and standing == cli.json("study", "status", "quick")
    assert [one["number"] for one in trials] == [0, 1, 2] and trials[0]["params"] == {"lr": 0.1}
    assert found == cli.json("study", "analyze", "quick")
    assert [one["value"] for one in trials] == [0.5, 0.25, 0.75] and found["best_trial"]["number"] == 1


def _study(cli: Cli) -> Study:
    """Three trials that ended, as the store has them."""
    spec = StudyFile.model_validate(SPEC).model_dump(mode="json")
    sql = (
        "INSERT INTO trial (study_id, number, status, params, value, value_step, fingerprint, created_at, started_at, ended_at)"
        " VALUES (?, ?, 'finished', ?, ?, 1, ?, ?, ?, ?)"
    )
    at = "2026-03-01T12:00:00.000000+00:00"
    with cli.store() as store, transaction(store):
        made = studies.add_study(store, here().project_id, str(cli.root), "quick", spec, trials=3)
        for number, (lr, value) in enumerate(((0.1, 0.5), (0.2, 0.25), (0.3, 0.75))):
            store.execute(sql, (made.id, number, json.dumps({"lr": lr}), value, f"f{number}", at, at, at))
    return made
