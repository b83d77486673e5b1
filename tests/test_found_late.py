"""What neat finds long after it was written: when it began, from which code, and that nothing is written into it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

from tests.conftest import Neat, until
from tests.databases_made import MLFLOW_SQL, add_metric, add_run, empty
from tests.git_places import WHO

HOURS_2 = 7200.0
LOSSES = [2.0 - 0.1 * n for n in range(10)]


def written(neat: Neat, run: str, *lines: object, ago_s: float = 0.0) -> Path:
    """A run's folder whose file and folder were written last so long ago."""
    path = neat.metrics(run, *lines)
    at = time.time() - ago_s
    os.utime(path, (at, at))
    os.utime(path.parent, (at, at))
    return path.parent


def committed(neat: Neat) -> None:
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=neat.root, env=neat.env | WHO, check=True)


def evaluations(*more: float) -> list[dict[str, object]]:
    return [{"step": step, "val/loss": value} for step, value in enumerate([*LOSSES, *more], 1)]


def snapshots_of(neat: Neat, run: str) -> list[dict[str, object]]:
    """The snapshots of a run, once none of them waits."""
    run_ids = [one["id"] for one in neat.json("neat", "runs") if one["name"] == run]
    return [one for one in neat.json("neat", "snapshots") if one["run_id"] in run_ids and one["status"] != "pending"]


def test_a_best_value_without_a_checkpoint_writes_no_folder(neat: Neat) -> None:
    """There is nothing to keep: the event is there, the run's folder is left as it is."""
    neat.start()
    folder = written(neat, "runs/new", *evaluations())
    (one, *_) = until(lambda: snapshots_of(neat, "runs/new"), "a best value to be settled")
    assert (one["status"], one["mode"], one["path"]) == ("done", "none", "")
    assert one["reason"] == "no checkpoint was there"
    assert [path.name for path in folder.iterdir()] == ["metrics.jsonl"]


def test_nothing_is_written_into_a_run_that_is_history(neat: Neat) -> None:
    """Neither for a best value nor for a NaN of two hours ago; a new run's NaN has its folder."""
    old = written(neat, "runs/old", *evaluations(float("nan")), ago_s=HOURS_2)
    new = written(neat, "runs/new", *evaluations(float("nan")))
    neat.start()
    until(lambda: (new / "snapshots").exists(), "the new run's snapshot")
    settled = until(lambda: len(snapshots_of(neat, "runs/old")) >= 2 and snapshots_of(neat, "runs/old"), "the old ones")
    assert {(one["status"], one["mode"], one["path"]) for one in settled} == {("done", "none", "")}
    assert [path.name for path in old.iterdir()] == ["metrics.jsonl"]
    (kept,) = (new / "snapshots").iterdir()
    assert json.loads((kept / "metadata.json").read_text())["rule"] == "non-finite"


def test_a_run_in_a_database_has_no_folder_that_could_be_gone(neat: Neat) -> None:
    """Its anomaly is settled without a word, and it began when the database says."""
    committed(neat)
    path = empty(MLFLOW_SQL, neat.root / "mlflow.db")
    connection = sqlite3.connect(path)
    add_run(connection, "a" * 32)
    for step in range(1, 4):
        add_metric(connection, "a" * 32, step, float(step))
    connection.execute("UPDATE metrics SET is_nan = 1 WHERE step = 3")
    connection.commit()
    connection.close()
    neat.start()
    (one,) = until(lambda: [one for one in neat.json("neat", "snapshots") if one["status"] != "pending"], "a snapshot")
    assert (one["status"], one["reason"]) == ("done", "the run has no folder")
    shown = neat.show(one["run_id"])
    assert shown["started_at"].startswith("1970-01-01") and shown["git"]["commit"] == ""


def test_an_old_run_began_when_it_was_written_from_code_nobody_knows(neat: Neat) -> None:
    """By its file's time, by its first line's, and in a copy that kept the times; only a new run has the code of now."""
    committed(neat)
    began = time.time() - HOURS_2
    old = written(neat, "runs/old", *evaluations(), ago_s=HOURS_2)
    written(neat, "runs/long", *({"step": n, "time": began + n, "loss": 1.0} for n in range(1, 9)))
    shutil.copytree(old, neat.root / "runs" / "copy")
    written(neat, "runs/new", *evaluations())
    neat.start()
    for run in ("old", "copy", "long"):
        shown = until(lambda run=run: neat.ask("neat", "run", "show", run)[0] == 0 and neat.show(run), run)
        assert abs(_seconds(shown["started_at"]) - began) < 60, run
        assert shown["git"]["commit"] == "" and shown["start"]["diff_bytes"] is None, run
        assert "code:" not in neat.ask("neat", "run", "show", run)[1]
    new = until(lambda: neat.ask("neat", "run", "show", "new")[0] == 0 and neat.show("new"), "the new run")
    assert len(new["git"]["commit"]) == 40 and abs(_seconds(new["started_at"]) - time.time()) < 120


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
