"""What was read of runs is shown: plan, pace, machine, process, code; series of the machine crowd nothing out."""

from __future__ import annotations

import json
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neatd.config import load_project
from neatd.models import Cursor, GitState, Line, Prediction, ProcessFact, Run
from neatd.pipeline.retaining import plan_run
from neatd.rules.predictions import RULE
from neatd.store import live, points, runs, spans, tabled
from tests.cli_place import BEGAN, Cli

PROCESS = ProcessFact(
    pid=4242, started=1.7e9, command="python train.py --lr 0.1", cwd="/p", host="box", started_by="tmux",
    env_names=("LR", "WANDB_API_KEY"), env={"CUDA_VISIBLE_DEVICES": "0"}, libraries={"torch": "2.13.0"}, device="cuda",
)  # fmt: skip
FACTS = {
    "told": {"planned_epochs": 3.0, "params": 12_345_678, "samples": 50_000},
    "machine": {"host": "box", "driver": "580.65", "gpus": ["NVIDIA H200"]},
}
SYSTEM = {
    "system/rss_bytes": 3e9, "system/gpu0/process_memory_bytes": 7e9, "system/gpu0/memory_used_bytes": 9e9,
    "system/host_total_bytes": 1e11,
}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def sampled(cli: Cli, run: Run, values: dict[str, float], count: int = 3) -> None:
    """What the daemon looks at every few seconds, as it keeps it: at no time of a line."""
    with cli.store("points") as numbers:
        lines = [
            Line(n, 1, n, BEGAN.timestamp() + 1e6 * n, {name: value / n for name, value in values.items()})
            for n in range(1, count + 1)
        ]
        points.commit_lines(numbers, run.id, "system", Cursor(seq=count), lines, [], 0.0, rank=9)


def started(cli: Cli, run: Run, diff: str, untracked: tuple[str, ...] = ()) -> None:
    with cli.store() as store:
        packed = zlib.compress(diff.encode()) if diff else b""
        runs.keep_start(store, run.id, packed, untracked, False, BEGAN)


def whole_run(cli: Cli, **fields: Any) -> Run:
    """A run that goes on, with all that can be known of it."""
    git = GitState(is_repo=True, branch="main", commit="c0ffee" + "0" * 34, dirty=("model.py", "data.py"))
    base = {
        "status": "running",
        "reason": "lines arrive",
        "planned_steps": 9,
        "process": PROCESS,
        "facts": FACTS,
        "git": git,
    }
    made = cli.add_run("runs/a", {"loss": [3.0, 2.0, 1.5, 1.2], "val/loss": [2.0, 1.8]}, **{**base, **fields})
    sampled(cli, made, SYSTEM)
    return made


def test_run_show_has_plan_pace_machine_and_process(cli: Cli) -> None:
    """Fields that are only added; the series of the machine are by themselves."""
    made = whole_run(cli)
    started(cli, made, "diff --git a/model.py\n+x\n", ("new.py",))
    found = cli.json("run", "show", "a")
    assert found == found | {
        "planned_steps": 9, "planned_epochs": 3.0, "planned_trials": None, "step_s": 1.0, "step_ratio": 1.0,
        "steps_per_s": 1.0, "params": 12_345_678, "samples": 50_000, "device": "cuda", "host": "box", "driver": "580.65",
        "peak_gpu_memory_bytes": 7_000_000_000, "peak_gpu_memory_of": "process", "peak_rss_bytes": 3_000_000_000,
        "attempts": 1, "facts": FACTS,
    }  # fmt: skip
    assert found["eta_s"] == 4
    assert abs(datetime.fromisoformat(found["ends_at"]).timestamp() - time.time() - found["eta_s"]) < 60
    assert found["process"]["started_by"] == "tmux" and found["process"]["env"] == {"CUDA_VISIBLE_DEVICES": "0"}
    assert (
        found["process"]["env_names"] == ["LR", "WANDB_API_KEY"] and found["process"]["libraries"]["torch"] == "2.13.0"
    )
    assert found["start"] == {
        "commit": made.git.commit, "branch": "main", "dirty": ["model.py", "data.py"], "untracked": ["new.py"],
        "diff_bytes": 25, "is_truncated": False,
    }  # fmt: skip
    assert set(found["series"]) == {"loss", "val/loss"} and set(found["system"]) == set(SYSTEM)


def test_run_show_says_it_in_a_few_lines(cli: Cli) -> None:
    """Status with its reason, progress, process, machine, memory, code; the machine's series are one line."""
    made = whole_run(cli)
    started(cli, made, "+x\n", ("new.py",))
    text = cli.ok("run", "show", "a")
    for part in (
        "status: running: lines arrive", "step 4 of 9; about 4 s left", "a step takes 1 s (the last one 1 times the median)",
        "model: 12,345,678 parameters, 50,000 samples",
        "process: 4242, started by tmux, torch 2.13.0: python train.py --lr 0.1",
        "machine: box, cuda, driver 580.65", "peak memory: 3.0 GB, 7.0 GB on a GPU",
        "code: main c0ffee00 with 2 changed file(s): model.py, data.py; 1 file(s) that git does not know (`--diff` prints",
        "machine: 4 series of memory, processors and GPUs",
    ):  # fmt: skip
        assert part in text, part
    assert "system/rss_bytes" not in text and "system/rss_bytes" in cli.ok("run", "show", "a", "--system")


def test_what_is_not_known_has_no_line(cli: Cli) -> None:
    """A run of which only the numbers were read."""
    cli.add_run("runs/a", {"loss": [1.0]})
    text = cli.ok("run", "show", "a")
    for name in ("process:", "machine:", "peak memory:", "model:", "predictions:", "left"):
        assert name not in text
    found = cli.json("run", "show", "a")
    assert found["start"] == found["start"] | {"diff_bytes": None, "untracked": None, "is_truncated": None}
    assert found["system"] == {} and found["process"] is None and found["predictions"] is None


def test_the_changes_that_a_run_started_from_are_printed(cli: Cli) -> None:
    """The kept diff as it is, but for what a terminal would obey; none kept is an error, none made is a word on stderr."""
    changed, plain, unseen = (cli.add_run(f"runs/{name}", {"loss": [1.0]}) for name in ("changed", "plain", "unseen"))
    started(cli, changed, "diff --git a/x b/x\n-\told\n+\tnew \x1b[31m\n")
    started(cli, plain, "")
    assert cli.ok("run", "show", "changed", "--diff") == "diff --git a/x b/x\n-\told\n+\tnew [31m\n"
    assert cli.json("run", "show", "changed", "--diff")["diff"].startswith("diff --git")
    answer = cli("run", "show", "plain", "--diff")
    assert (answer.code, answer.out) == (0, "") and "nothing was changed" in answer.err
    assert "are not kept" in cli.refused("run", "show", unseen.name, "--diff")


def test_runs_says_how_far_and_how_long(cli: Cli) -> None:
    """Step of the planned ones and the time left of what goes on; an ended one has none."""
    whole_run(cli)
    cli.add_run("runs/b", {"loss": [1.0, 2.0]}, planned_steps=2)
    going_on, ended = sorted(cli.json("runs"), key=lambda one: str(one["name"]))
    assert going_on["eta_s"] is not None and going_on["peak_rss_bytes"] == 3_000_000_000
    assert (ended["eta_s"], ended["step_s"], ended["planned_steps"]) == (None, None, 2)
    text = cli.ok("runs")
    assert "4 of 9" in text and "4 s" in text and "2 of 2" in text and "left" in text


def test_planned_epochs_stand_beside_the_step(cli: Cli) -> None:
    """Where no steps are planned."""
    cli.add_run("runs/a", {"loss": [1.0, 2.0]}, facts={"told": {"planned_epochs": 10.0}})
    assert "2, 10 epochs planned" in cli.ok("runs")


def test_a_person_reads_the_newest_runs_and_those_that_go_on(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """The others are counted; JSON and --all have every one."""
    monkeypatch.setattr("neatd.cli.runs.SHOWN", 3)
    cli.add_run("runs/old", {"loss": [1.0]}, status="running")
    for number in range(6):
        cli.add_run(f"runs/{number}", {"loss": [1.0]})
    text = cli.ok("runs")
    assert "runs/old" in text and "runs/5" in text and "runs/2" not in text
    assert "… and 3 more: `neat runs --all`" in text
    assert len(cli.json("runs")) == 7 and "runs/2" in cli.ok("runs", "--all")


def test_listing_touches_points_only_of_what_goes_on(cli: Cli) -> None:
    """With the points of an ended run gone its row is the same."""
    made = cli.add_run("runs/a", {"loss": [3.0, 2.0]}, status="finished")
    before = cli.json("runs")
    with cli.store("points") as numbers:
        numbers.execute("DELETE FROM point WHERE series_id IN (SELECT id FROM series WHERE run_id = ?)", (made.id,))
    assert cli.json("runs") == before


def test_the_machine_is_no_metric_of_a_run(cli: Cli) -> None:
    """Not in what an assistant is told, not in the table, not in a comparison, not in what checkpoints are judged by."""
    made = whole_run(cli)
    other = cli.add_run("runs/b", {"loss": [3.0]}, status="running")
    sampled(cli, other, SYSTEM)
    cli.add_save(made, 2)
    with cli.store() as store, cli.store("points") as numbers:
        now = live.runs_now(store, numbers, made.project_id, made.root, "2020")
        assert {value.metric for run in now for value in run.values} == {"loss", "val/loss"}
        assert set(tabled.series_names(numbers, [made.id])) == {"loss", "val/loss"}
        assert spans.time_spans(numbers, [made.id]) == {made.id: 3.0}
        (kept,) = plan_run(store, numbers, made, load_project(cli.root)).keep
        assert not any("system/" in reason for reason in kept.reasons)
    assert "system/" not in json.dumps(cli.json("table")) and "system/" not in cli.ok("brief")
    assert {one["name"] for one in cli.json("compare", "a", "b")["series"]} == {"loss"}
    asked = cli.json("compare", "a", "b", "--metric", "system/rss_bytes")["series"]
    assert [(one["name"], one["last"]) for one in asked] == [("system/rss_bytes", [1e9, 1e9])]
    assert "none of the runs has 'system/rss'" in cli.refused("compare", "a", "b", "--metric", "system/rss")
    by_name = cli.json("table", "--metric", "system/rss_bytes")
    assert [row["metric"] for row in by_name] == ["system/rss_bytes"] * 2
    assert "it has loss, val/loss, system/" in cli.refused("series", "a", "los")


def test_a_run_of_which_only_the_machine_was_looked_at_is_not_from_1970(cli: Cli) -> None:
    """Samples say nothing of when its last line came."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    with cli.store("points") as numbers:
        numbers.execute("DELETE FROM reading WHERE run_id = ?", (made.id,))
    sampled(cli, made, SYSTEM)
    (found,) = cli.json("runs")
    assert datetime.fromisoformat(found["updated_at"]) > datetime(2026, 1, 1, tzinfo=UTC)
    with cli.store("points") as numbers:
        assert runs.progress_of(numbers, made.id)[1] is None and tabled.progress(numbers, [made.id]) == {}


def test_predictions_are_shown_with_their_trend(cli: Cli) -> None:
    """In `run show`, and in one word in the table's accuracy."""
    made = cli.add_run("runs/a", {"val/loss": [1.0]})
    rows = [(step, f"q{n}", n < 10 * step) for step in range(1, 6) for n in range(60)]
    answers = [Prediction(seq, step, one, ok, 0.1, None, None, None) for seq, (step, one, ok) in enumerate(rows, 1)]
    with cli.store("points") as numbers:
        points.commit_predictions(numbers, made.id, "predictions.jsonl", Cursor(seq=300), answers, 1.0)
    found = cli.json("run", "show", "a")["predictions"]
    assert (found["correct"], found["examples"], found["trend"]) == (50, 60, "improving")
    assert found["change_percent"] == {"before": 25.0, "first": 400.0} and len(found["evaluations"]) == 5
    text = cli.ok("run", "show", "a")
    assert "predictions: 50 of 60 correct at step 5 (83.3 %); last 20 50 %, last 50" in text
    assert "+25 % against the one before; +400 % against the first; improving (over the last 5 evaluations" in text
    assert cli.json("table")[0]["accuracy"] == "50 of 60 correct at step 5, improving"


def test_doctor_shows_sizes(cli: Cli) -> None:
    """The databases and what is in them, logs, backups, trash, the largest runs; for programs in details."""
    small = cli.add_run("runs/small", {"loss": [1.0] * 300})
    large = cli.add_run("runs/large", {"loss": [float(n % 7) / 3 for n in range(3_000)], "val/loss": [1.0]})
    trash = cli.root / ".neat" / "trash" / "b1"
    trash.mkdir(parents=True)
    (trash / "step.pt").write_bytes(b"x" * 5000)
    found = {one["what"]: one for one in json.loads(cli("doctor", "--json").out)}
    sizes, inside = found["sizes"]["details"], found["points"]["details"]
    assert sizes["trash_bytes"] == 5000 and sizes["neat_db_bytes"] > 4096 and sizes["points_db_bytes"] > 4096
    assert {"logs_bytes", "backups_bytes"} <= set(sizes) and "rm -r .neat/trash" in found["sizes"]["mend"]
    assert (inside["sealed"], inside["narrow"], inside["dropped"]) == (3_299, 2, 0)
    assert inside["bytes_a_point"] == pytest.approx(inside["sealed_bytes"] / 3_299)
    assert [(one["id"], one["name"]) for one in inside["largest"]] == [
        (large.id, "runs/large"),
        (small.id, "runs/small"),
    ]
    text = cli("doctor").out
    assert "largest runs: runs/large" in text and "3,299 sealed" in text and "trash 5.0 kB" in text


def test_an_end_is_told_by_the_day_when_it_is_not_today(cli: Cli) -> None:
    """And the time left in its two largest units."""
    cli.add_run("runs/a", {"loss": [1.0, 2.0]}, status="running", planned_steps=1_000_000)
    text = cli.ok("run", "show", "a")
    day = datetime.now().astimezone() + timedelta(seconds=999_998)
    assert "about 11 days 13 h left" in text and f"until {day:%Y-%m-%d}" in text


def test_the_files_that_git_did_not_know_are_named_behind_the_diff(cli: Cli) -> None:
    """The header promises what `--diff` prints; names alone are no "nothing was changed"."""
    made, named = cli.add_run("runs/a", {"loss": [1.0]}), cli.add_run("runs/b", {"loss": [1.0]})
    started(cli, made, "+x\n", ("new.py", "data/x.csv"))
    started(cli, named, "", ("new.py",))
    assert cli.ok("run", "show", "a", "--diff") == "+x\nuntracked: new.py\nuntracked: data/x.csv\n"
    answer = cli("run", "show", "b", "--diff")
    assert (answer.out, "nothing was changed" in answer.err) == ("untracked: new.py\n", False)
    assert "2 file(s) that git does not know (`--diff` prints the changes and these names)" in cli.ok(
        "run", "show", "a"
    )
    assert "1 file(s) that git does not know (`--diff` prints these names)" in cli.ok("run", "show", "b")


def test_unreadable_lines_are_told_source_by_source(cli: Cli) -> None:
    """How many, and the first of them."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    with cli.store("points") as numbers:
        cursor = Cursor(reading_id="made", seq=2, bad_lines=3, first_bad="line 22: not JSON")
        points.commit_lines(numbers, made.id, "more.jsonl", cursor, [], [], BEGAN.timestamp())
    assert "  more.jsonl: 3 unreadable, the first is line 22: not JSON\n" in cli.ok("run", "show", "a")
    found = cli.json("run", "show", "a")
    assert found["unreadable"] == {"more.jsonl": {"lines": 3, "first": "line 22: not JSON"}} and found["bad_lines"] == 3


def test_the_whole_rule_of_the_trend_is_in_the_help(cli: Cli) -> None:
    """The text has one line of it."""
    assert RULE in " ".join(cli.ok("run", "show", "--help").replace("ID is", "").split())


def test_the_hint_to_more_runs_keeps_the_filter(cli: Cli) -> None:
    """What it says can be typed."""
    for n in range(52):
        cli.add_run(f"runs/{n} a", {"loss": [1.0]})
    assert "… and 2 more: `neat runs --all`" in cli.ok("runs")
    assert "… and 2 more: `neat runs ' a' --all`" in cli.ok("runs", " a")
