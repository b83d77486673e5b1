"""What a followed run is said to be doing, seen from outside while a daemon watches."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from tests.conftest import Neat, until


def test_a_finished_run_that_is_written_again_is_finished_again(neat: Neat) -> None:
    """The pause between its end and the new file is no gap of its rhythm: the usual silence ends it, without a restart."""
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3, stall_s=1.5)
    (neat.root / "runs" / "a").mkdir(parents=True)
    (neat.root / "runs" / "a" / "config.json").write_text(json.dumps({"max_steps": 4}))
    neat.metrics("runs/a", *[{"step": step, "loss": 1.0} for step in range(4)])
    neat.start()
    until(lambda: _run(neat)["status"] == "finished", "the first end")
    first = _end(neat)
    until(lambda: _age_s(_run(neat)["updated_at"]) > 3.0, "a pause")  # so that its end lies well before the new file
    neat.metrics("runs/a", *[{"step": step, "loss": 2.0} for step in range(4)], mode="w")
    # It runs for a second and a half, which a busy machine may not see: the second end is another moment.
    until(lambda: _end(neat) > first, "the second end")
    assert neat.values("runs/a", "loss") == [(step, 2.0) for step in range(4)]


def _run(neat: Neat) -> dict[str, Any]:
    """The only run, asked for without its name: a command line that names it could be taken for its process."""
    (found,) = neat.json("neat", "runs")
    return dict(found)


def _end(neat: Neat) -> str:
    """When the run ended, "" while it goes on."""
    with closing(sqlite3.connect(neat.home / "neat.db")) as records:
        status, ended_at = records.execute("SELECT status, ended_at FROM run").fetchone()
    return str(ended_at) if status == "finished" else ""


def _age_s(moment: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


PROGRAM = """
import json, sys, time
planned = int(sys.argv[2])
for step in range(planned):
    with open(sys.argv[1], "a") as file:
        file.write(json.dumps({"step": step, "loss": 1.0}) + "\\n")
    time.sleep(0.25)
sys.stdin.readline()
sys.stderr = open(sys.argv[1].replace("metrics.jsonl", "train.log"), "w")
[][1]
"""


def begun(neat: Neat, run: str, steps: int) -> subprocess.Popen[str]:
    """A trainer in the project's folder that holds no file open, and whose error goes to the run's train.log."""
    (neat.root / run).mkdir(parents=True)
    program = PROGRAM.replace("sys.argv[1]", repr(f"{run}/metrics.jsonl"))  # the command names no run
    command = [sys.executable, "-c", program, "-", str(steps)]
    return subprocess.Popen(command, cwd=neat.root, stdin=subprocess.PIPE, text=True)


def test_a_trainer_that_holds_no_file_open_is_found_and_its_error_named(neat: Neat) -> None:
    """By the folder it works in; without times its lines tell the pace by when they came; its log tells how it ended."""
    neat.start()
    with begun(neat, "runs/a", 60) as process:
        try:
            shown = until(lambda: _found(neat, process.pid), "its process")
            assert shown["status"] == "running" and shown["reason"] == f"process {process.pid} runs"
            neat.wait_for_points("runs/a", "loss", 60)
            pace = until(lambda: _fact(neat, "pace"), "its pace")
            assert 0.1 < pace["step_s"] < 2.0 and pace["at_step"] > 0
        finally:
            process.communicate("\n")
    until(lambda: _run(neat)["status"] == "failed", "its end")
    reason = _run(neat)["reason"]
    expected = "ended with IndexError: list index out of range in train.log at step 59; process "
    assert reason == f"{expected}{process.pid} has ended"


def _found(neat: Neat, pid: int) -> dict[str, Any] | None:
    found = neat.json("neat", "runs")
    return dict(found[0]) if found and str(pid) in found[0]["reason"] else None


def _fact(neat: Neat, name: str) -> Any:
    with closing(sqlite3.connect(neat.home / "neat.db")) as records:
        return json.loads(records.execute("SELECT facts FROM run").fetchone()[0]).get(name)


def test_an_old_run_that_just_was_found_is_never_called_running(neat: Neat) -> None:
    """Copied with its times, without a word of its end: lost, and the reason is honest. One with a plan it reached finished."""
    path = neat.metrics("runs/a", *[{"step": step, "loss": 1.0} for step in range(4)])
    os.utime(path, (1.7e9, 1.7e9))
    neat.start()
    until(lambda: neat.json("neat", "runs") and _run(neat)["status"] != "starting", "the run")
    shown = _run(neat)
    assert shown["status"] == "lost" and shown["reason"].startswith("it ended before neat watched; how is not known")


def test_a_log_that_says_that_it_is_done_is_a_finished_run(neat: Neat) -> None:
    """Without a plan and without a process: by the last line of the log, once it rests."""
    neat.settings(sweep_s=0.2, stall_s=1.5)
    (neat.root / "logs").mkdir()
    (neat.root / "logs" / "train.log").write_text(
        "".join(f"step {n} loss 0.{n}\n" for n in range(9)) + "Training complete\n"
    )
    neat.start()
    until(lambda: neat.json("neat", "runs") and _run(neat)["status"] == "finished", "its end")
    assert _run(neat)["reason"].startswith("train.log ends with 'Training complete'")


def test_a_run_time_behind_the_last_step_is_an_end(neat: Neat) -> None:
    """What transformers' Trainer logs once, behind all the rest; one of a life before says nothing."""
    rows = [{"step": step, "loss": 1.0} for step in range(4)]
    ended = neat.metrics("runs/a", *rows, {"step": 3, "train_runtime": 12.5})
    resumed = neat.metrics("runs/b", {"step": 1, "train_runtime": 12.5}, *rows)
    for path in (ended, resumed):
        os.utime(path, (1.7e9, 1.7e9))
    neat.start()

    def statuses() -> dict[str, str]:
        return {one["name"]: one["status"] for one in neat.json("neat", "runs")}

    until(lambda: statuses() == {"runs/a": "finished", "runs/b": "lost"}, "both ends")


def test_an_mlflow_run_that_says_finished_is_finished_at_once(neat: Neat) -> None:
    """It wrote when it ended: no silence is waited for."""
    neat.settings(sweep_s=0.2, stall_s=600.0)
    folder = neat.root / "mlruns" / "0" / ("0123456789abcdef" * 2)
    (folder / "metrics").mkdir(parents=True)
    now_ms = int(time.time() * 1000)
    (folder / "metrics" / "loss").write_text("".join(f"{now_ms} 0.5 {step}\n" for step in range(5)))
    said = {"run_id": folder.name, "run_name": "first", "status": 3, "start_time": now_ms - 9000, "end_time": now_ms}
    (folder / "meta.yaml").write_text("".join(f"{name}: {value}\n" for name, value in said.items()))
    neat.start()
    until(lambda: neat.json("neat", "runs") and _run(neat)["status"] == "finished", "its end")
    assert _run(neat)["reason"] == "its tracker says finished at step 4"


def test_a_project_that_is_let_go_is_read_no_more(neat: Neat) -> None:
    """`neat init --undo` while a run goes on: its next lines are not read, those of another project are."""
    neat.call("neat", "init", "--yes")
    neat.metrics("runs/a", {"step": 1, "loss": 1.0})
    neat.start()
    neat.wait_for_points("runs/a", "loss", 1)
    neat.call("neat", "init", "--undo", "--yes")
    until(lambda: not neat.json("neatd", "status")["roots"], "the project to be let go")
    neat.metrics("runs/a", {"step": 2, "loss": 1.0})
    begun_at = time.monotonic()
    until(lambda: time.monotonic() - begun_at > 5, "two sweeps")
    with closing(sqlite3.connect(neat.home / "points.db")) as points:
        assert points.execute("SELECT max(last_step) FROM reading").fetchone()[0] == 1
