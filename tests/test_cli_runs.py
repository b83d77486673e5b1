"""Runs, series, events and checkpoints on the command line, from a store written by hand."""

from __future__ import annotations

import contextlib
import json
import math
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.mother import Born

NAN, INF = math.nan, math.inf


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_runs_have_their_shape_newest_first(cli: Cli) -> None:
    """The fields that other programs rely on, no more and no fewer."""
    cli.add_run("runs/a", {"loss": [3.0, 2.0]}, status="running", reason="lines arrive")
    cli.add_run("runs/b", {"loss": [1.0]})
    newest, oldest = cli.json("runs")
    assert (newest["name"], oldest["name"]) == ("runs/b", "runs/a")
    kept = {"id", "name", "status", "reason", "project", "folder", "step", "started_at", "updated_at"}
    added = {
        "planned_steps", "planned_epochs", "planned_trials", "eta_s", "ends_at", "step_s", "step_ratio", "steps_per_s",
        "samples_per_s", "tokens_per_s", "params", "samples", "device", "host", "driver", "peak_gpu_memory_bytes",
        "peak_gpu_memory_of", "peak_rss_bytes", "attempts",
    }  # fmt: skip
    assert set(oldest) == kept | added
    assert oldest == oldest | {
        "status": "running", "reason": "lines arrive", "project": "project", "folder": "runs/a", "step": 2,
        "started_at": "2026-03-01T12:00:00+00:00", "updated_at": "2026-03-01T12:00:02+00:00",
    }  # fmt: skip


def test_runs_are_filtered_by_name_or_status(cli: Cli) -> None:
    """A part of either is enough."""
    cli.add_run("runs/base", {}, status="failed")
    cli.add_run("runs/wide", {}, status="finished")
    assert [one["name"] for one in cli.json("runs", "wide")] == ["runs/wide"]
    assert [one["name"] for one in cli.json("runs", "fail")] == ["runs/base"]
    assert cli.json("runs", "nothing like it") == []
    assert [one["name"] for one in cli.json("runs", "runs", "-failed")] == ["runs/wide"]
    assert "cfg.lr>=1e-3" in cli.refused("runs", "cfg.lr")


def test_no_runs_is_said_with_what_makes_one(cli: Cli) -> None:
    """An empty list on stdout, the word on stderr."""
    answer = cli("runs")
    assert (answer.code, answer.out) == (0, "") and "metrics.jsonl" in answer.err and "not running" in answer.err
    assert cli.json("runs") == []


def test_a_run_is_found_by_id_name_or_the_end_of_its_name(cli: Cli) -> None:
    """Each names the same run; what fits two is refused with both."""
    made = cli.add_run("runs/base", {"loss": [1.0]})
    cli.add_run("runs/x/twin", {})
    cli.add_run("runs/y/twin", {})
    for word in (made.id, made.id[:9], "runs/base", "runs/base/", "base"):
        assert cli.json("run", "show", word)["id"] == made.id
    error = cli.refused("run", "show", "twin")
    assert "runs/x/twin" in error and "runs/y/twin" in error
    assert "no run 'bas'" in cli.refused("run", "show", "bas")


def test_run_show_has_its_shape(cli: Cli) -> None:
    """What `runs` says and the series in numbers, checkpoints, events, configuration and git."""
    made = cli.add_run("runs/a", {"val/loss": [3.0, 1.0, 2.0], "lr": [0.1]}, config={"lr": 0.1}, planned_steps=9)
    cli.add_save(made, 2)
    cli.add_event(made, "spike", 3, 9.5)
    found = cli.json("run", "show", "a")
    assert set(cli.json("runs")[0]) <= set(found)
    assert found["series"]["val/loss"] == {
        "points": 3, "first_step": 1, "last_step": 3, "last": 2.0, "best": 1.0, "best_step": 2, "min": 1.0, "max": 3.0,
        "nonfinite": 0,
    }  # fmt: skip
    assert found["series"]["lr"]["best"] is None
    assert [one["step"] for one in found["checkpoints"]] == [2] and found["events"][0]["rule"] == "spike"
    assert found["config"] == {"lr": 0.1} and found["git"]["branch"] == "main"
    text = cli.ok("run", "show", "a")
    assert "step 3 of 9" in text and "val/loss" in text and "lr=0.1" in text


def test_a_run_that_ended_in_nan_shows_it(cli: Cli) -> None:
    """The last value is the string NaN; the best is of the finite ones."""
    cli.add_run("runs/a", {"loss": [3.0, 1.0, NAN]})
    found = cli.json("run", "show", "a")["series"]["loss"]
    assert (found["last"], found["best"], found["nonfinite"]) == ("NaN", 1.0, 1)


def test_a_series_is_step_value_time(cli: Cli) -> None:
    """Every point in file order, what is not finite by name, as JSON has no word for it."""
    cli.add_run("runs/a", {"loss": [1.5, NAN, INF, -INF]})
    found = cli.json("series", "a", "loss")
    assert [(step, value) for step, value, _ in found] == [(1, 1.5), (2, "NaN"), (3, "Infinity"), (4, "-Infinity")]
    assert found[0][2] == 1772366401.0
    assert cli.ok("series", "a", "loss").splitlines()[:2] == ["1\t1.5\t1772366401.0", "2\tnan\t1772366402.0"]


def test_a_series_is_cut_by_steps_inclusive(cli: Cli) -> None:
    """From and to belong to it."""
    cli.add_run("runs/a", {"loss": [float(n) for n in range(1, 10)]})
    assert [step for step, _, _ in cli.json("series", "a", "loss", "--from", "3", "--to", "5")] == [3, 4, 5]
    assert cli.json("series", "a", "loss", "--from", "50") == []


def test_an_unknown_series_names_the_known(cli: Cli) -> None:
    """A typing mistake shows what there is."""
    cli.add_run("runs/a", {"loss": [1.0], "lr": [0.1]})
    assert "it has loss, lr" in cli.refused("series", "a", "los")


def test_fewer_points_keep_the_extremes(cli: Cli) -> None:
    """Of 10,000 points with two that stick out, 50 are left and those two are among them, with first and last."""
    values = [1.0] * 10_000
    values[3333], values[7777] = 99.0, -99.0
    cli.add_run("runs/a", {"loss": values})
    found = cli.json("series", "a", "loss", "--points", "50")
    steps = [step for step, _, _ in found]
    assert len(found) <= 52 and steps == sorted(steps)
    assert (steps[0], steps[-1]) == (1, 10_000) and {3334, 7778} <= set(steps)


def test_the_table_compares_with_the_baseline(cli: Cli) -> None:
    """The baseline first, then delta, direction and the parameters that differ."""
    cli.add_run("runs/plain", {"val/loss": [3.0, 2.0]}, config={"lr": 0.1, "out": "a"})
    cli.add_run("runs/hot", {"val/loss": [3.0, 1.5]}, config={"lr": 0.2, "out": "b"})
    assert cli.ok("baseline", "plain") == "baseline: runs/plain\n"
    base, other = cli.json("table")
    assert base["is_baseline"] and base["value"] == 2.0 and base["delta"] is None
    assert (other["delta"], other["is_better"], other["changed"]) == (-0.5, True, ["lr 0.1 -> 0.2"])
    text = cli.ok("table")
    assert "vs baseline" in text and "-0.5" in text and "lr 0.1 -> 0.2" in text
    assert "no run" in cli.refused("baseline", "nope")


def test_events_have_their_shape_newest_first(cli: Cli) -> None:
    """The fields that other programs rely on; values that are not finite by name."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    other = cli.add_run("runs/b", {"loss": [1.0]})
    cli.add_event(made, "non-finite", 7, NAN, severity="critical", score=INF, time=1772366407.0)
    cli.add_event(other, "spike", 9, 50.0, time=1772366409.0)
    newest, oldest = cli.json("events")
    fields = {"id", "run", "rule", "metric", "step", "started_at", "severity", "value", "score", "snapshot"}
    assert fields <= set(newest) and newest["rule"] == "spike"
    assert oldest == oldest | {
        "run": made.id, "rule": "non-finite", "metric": "loss", "step": 7, "started_at": "2026-03-01T12:00:07+00:00",
        "severity": "critical", "value": "NaN", "score": "Infinity", "snapshot": None,
    }  # fmt: skip
    assert [one["rule"] for one in cli.json("events", "--run", "a")] == ["non-finite"]
    assert "non-finite at 7" in cli.ok("events")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_following_events_prints_each_new_one_until_ctrl_c(cli: Cli) -> None:
    """Old events are not told again; a new one is one line of JSON; Ctrl-C ends it without a traceback."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    cli.add_event(made, "old", 1, 1.0)
    program = "from neatd.cli.main import main; main()"
    command = [sys.executable, "-c", program, "events", "--follow", "--json"]
    child = Born(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines: queue.Queue[str] = queue.Queue()
    assert child.stdout is not None
    threading.Thread(target=lambda pipe: lines.put(pipe.readline()), args=(child.stdout,), daemon=True).start()
    for step in range(2, 200):  # until one comes after it began to look
        cli.add_event(made, "new", step, 1.0)
        with contextlib.suppress(queue.Empty):
            assert json.loads(lines.get(timeout=0.1))["rule"] == "new"
            break
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130 and "stopped" in errors and "Traceback" not in errors


def test_snapshots_and_checkpoints_are_listed(cli: Cli) -> None:
    """A snapshot that waits is shown as such; checkpoints of one run or of all."""
    made, other = cli.add_run("runs/a", {"loss": [1.0]}), cli.add_run("runs/b", {"loss": [1.0]})
    cli.add_save(made, 5)
    cli.add_save(other, 6)
    cli.add_event(made, "spike", 7, 50.0, then=("event", "snapshot"))
    (snapshot,) = cli.json("snapshots")
    assert snapshot["status"] == "pending" and snapshot["run_id"] == made.id
    assert {(one["run"], one["step"]) for one in cli.json("checkpoints")} == {("runs/a", 5), ("runs/b", 6)}
    assert [one["path"] for one in cli.json("checkpoints", "a")] == ["checkpoints/step_000005.pt"]
    assert "runs/a" in cli.ok("snapshots") and "step_000006.pt" in cli.ok("checkpoints")


def test_empty_lists_are_empty_json(cli: Cli) -> None:
    """A program that reads them never meets a word for nothing."""
    for command in ("runs", "events", "snapshots", "checkpoints", "table", "list"):
        assert cli.json(command) == []


def test_the_projects_rules_are_listed_and_checked(cli: Cli) -> None:
    """A rule of the project's comes by name in the place of the shipped one; a mistake names its line."""
    folder = cli.root / ".neat" / "rules"
    folder.mkdir()
    (folder / "spike.yaml").write_text("rule: spike\nmetrics: [mine]\nwhen: {condition: spike}\n")
    rules = {one["rule"]: one for one in cli.json("rules", "list")}
    assert rules["spike"]["metrics"] == ["mine"] and "non-finite" in rules
    assert "spike is good" in cli.ok("rules", "check", str(folder / "spike.yaml"))
    (folder / "spike.yaml").write_text("rule: spike\nmetrics: [mine]\nwhen: {condition: spyke}\n")
    assert "spike.yaml:3" in cli.refused("rules", "check", str(folder / "spike.yaml"))
    assert "spike.yaml:3" in cli("rules", "list").err
    assert "nope.yaml" in cli.refused("rules", "check", "nope.yaml")
