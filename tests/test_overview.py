"""The first look at the machine: what runs, what ended, the queue, events, disks; and what it costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.pipeline.overview import disks, overview, queue_overview
from neatd.pipeline.showing import json_text
from neatd.place import here
from neatd.store.connection import transaction
from neatd.store.short import new_id
from tests.cli_place import BEGAN, Cli
from tests.cost import at_most
from tests.queue_made import launch, set_up
from tests.reading_made import reading

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_it_says_what_runs_with_progress_values_and_what_ended(cli: Cli) -> None:
    """Progress is by the planned steps; the values are those that people look at first, the machine's are apart."""
    series = {"train/loss": [3.0, 2.0], "val/loss": [4.0, 3.5], "lr": [0.1, 0.1], "system/rss_bytes": [5e9, 6e9],
              "system/gpu0/utilization_percent": [90.0, 95.0]}  # fmt: skip
    made = cli.add_run("runs/now", series, status="running", reason="a line came", planned_steps=8)
    cli.add_run("runs/old", {"loss": [1.0]}, ended_at=BEGAN)
    cli.add_run("runs/new", {"loss": [1.0]}, ended_at=BEGAN + timedelta(hours=1))
    cli.add_event(made, "spike", 2, 3.0)
    with reading(cli) as (records, points, project, _):
        found = json.loads(json_text(overview(records, points, cli.home, NOW, project.id)))
        every = overview(records, points, cli.home, NOW)
    (run,) = found["running"]
    assert (run["id"], run["progress"], run["step"], run["rss_bytes"]) == (made.id, 0.25, 2, 6e9)
    assert (run["project"], run["project_id"]) == (project.name, project.id)
    assert [one["name"] for one in run["values"]] == ["val/loss", "train/loss", "lr"] and run["values"][0][
        "value"
    ] == 3.5
    assert (run["anomalies"], run["gravest"]) == (1, "warning spike at step 2")
    assert [one["name"] for one in found["recent"]] == ["runs/new", "runs/old"]
    assert found["counts"] == {"running": 1, "finished": 2} and found["more_running"] == 0
    assert [(one["rule"], one["run_name"]) for one in found["events"]] == [("spike", "runs/now")]
    assert found["gpus"] == [{"number": 0, "utilization_percent": 95.0}]
    assert len(found["schedule"]) == 5 and found["backup_age_h"] is None and "neatd start" in found["watching"]
    assert (
        found["disk"][0]["root"] == str(cli.root)
        and 0 < found["disk"][0]["free_bytes"] < found["disk"][0]["total_bytes"]
    )
    assert [one["id"] for one in every["running"]] == [made.id]


def test_progress_is_by_epochs_or_the_time_that_is_left_where_no_steps_are_planned(cli: Cli) -> None:
    """Epochs are told by a series of that name; of a run that plans nothing there is no progress."""
    told = {"facts": {"told": {"planned_epochs": 4}}, "status": "running"}
    cli.add_run("runs/epochs", {"loss": [2.0, 1.0], "epoch": [0.5, 1.0]}, **told)
    cli.add_run("runs/nothing", {"loss": [2.0, 1.0]}, status="running")
    with reading(cli) as (records, points, project, _):
        found = overview(records, points, cli.home, NOW, project.id)
    assert {one["name"]: one["progress"] for one in found["running"]} == {"runs/epochs": 0.25, "runs/nothing": None}


def test_the_queue_says_what_waits_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first ones, the counts of all, and the pause with its reason."""
    cli = set_up(Cli(tmp_path, monkeypatch, capsys))
    jobs = [launch(cli, "--name", f"job {n}", "--", "true") for n in range(3)]
    with reading(cli) as (records, _, _, _):
        found = queue_overview(records, cli.home, NOW, most=2)
    assert [one["id"] for one in found["waiting"]] == [one["job"] for one in jobs[:2]]
    assert "a test" in found["waiting"][0]["reason"] and found["counts"] == {"running": 0, "waiting": 3, "ended": 0}
    assert found["paused"] == {"why": "a test"} and found["groups"][0]["waiting"] == 3 and found["stopped"] == []


def test_a_folder_that_is_gone_has_no_disk(tmp_path: Path) -> None:
    """Each folder is asked once."""
    assert [one["root"] for one in disks([str(tmp_path), str(tmp_path), str(tmp_path / "gone")])] == [str(tmp_path)]


def test_ten_thousand_runs_cost_a_tenth_of_a_second(cli: Cli) -> None:
    """With some that go on, and their points."""
    for number in range(3):
        cli.add_run(f"runs/{number}", {"loss": [float(n) for n in range(60)]}, status="running", planned_steps=100)
    config = json.dumps({f"parameter_{n}": n for n in range(40)})
    project_id, at = here().project_id, BEGAN.isoformat()
    rows = [
        (new_id("run"), project_id, str(cli.root), f"old/{n}", f"old/{n}", "finished", config, at, at, at,
         (BEGAN + timedelta(seconds=n)).isoformat())
        for n in range(10_000)
    ]  # fmt: skip
    with cli.store() as store, transaction(store):
        store.executemany(
            "INSERT INTO run (id, project_id, root, folder, name, status, config, created_at, started_at, updated_at,"
            " ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    with reading(cli) as (records, points, project, _):
        overview(records, points, cli.home, NOW, project.id)
        with at_most(0.1):
            found = overview(records, points, cli.home, NOW, project.id)
        with at_most(0.1):
            overview(records, points, cli.home, NOW)
    assert found["counts"]["finished"] == 10_000 and found["recent"][0]["name"] == "old/9999"
