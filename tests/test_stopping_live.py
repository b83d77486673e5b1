"""A rule that asks for everything, by a real daemon: of a real trainer that does not want to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Neat, until
from tests.test_predicting import put_rule

RULE = """
rule: nan
metrics: [loss]
when: {condition: non_finite}
severity: critical
budget: {cooldown_points: 1, snapshots_per_hour: 100}
then: [event, snapshot, bug, pause_queue, stop]
"""
TRAINER = """
import json, signal, sys, time, zipfile
from pathlib import Path

folder = Path(sys.argv[1])
heard = (folder / "heard.txt").open("a")
for one in ("INT", "TERM"):
    signal.signal(getattr(signal, f"SIG{one}"), lambda number, frame, one=one: (heard.write(one + " "), heard.flush()))
with zipfile.ZipFile(folder / "step_000001.pt", "w") as file:
    file.writestr("data", "weights")
with (folder / "metrics.jsonl").open("a") as out:
    for step in range(2, 100_000):
        bad = (folder / "bad").exists()
        if bad:
            (folder / "bad").unlink()
        out.write(json.dumps({"step": step, "time": time.time(), "loss": float("nan") if bad else 1.0}) + "\\n")
        out.flush()
        time.sleep(0.1)
"""


@pytest.fixture
def trainer(neat: Neat) -> Iterator[subprocess.Popen[bytes]]:
    """It trains runs/a; a file `bad` there makes its next loss a NaN."""
    (neat.root / "runs/a").mkdir(parents=True)
    (neat.root / "train.py").write_text(TRAINER)
    process = subprocess.Popen([sys.executable, "train.py", "runs/a"], cwd=neat.root)
    yield process
    process.kill()
    process.wait()


def bad(neat: Neat, count: int) -> list[dict[str, Any]]:
    """One more NaN; the events of the rule once there are so many and the last one is followed up."""
    (neat.root / "runs/a/bad").touch()

    def found() -> list[dict[str, Any]]:
        ours = [one for one in neat.json("neat", "events") if one["rule"] == "nan"]
        return ours if len(ours) == count and "done" in ours[0] else []

    events: list[dict[str, Any]] = until(found, f"{count} events that are followed up")
    return events


def heard(folder: Path) -> list[str]:
    """The signals that it got."""
    return (folder / "heard.txt").read_text().split()


def test_a_rule_asks_for_everything(neat: Neat, trainer: subprocess.Popen[bytes]) -> None:
    """Without the user's leave the run goes on; with it INT, TERM and KILL come once each, though the daemon is killed in
    the middle. One bug, a snapshot each, and `neat train` waits until the user lets the queue go on."""
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3, stop_term_s=1.0, stop_kill_s=2.0)
    put_rule(neat, "nan", RULE)
    folder = neat.root / "runs/a"
    pid = neat.start()
    until(lambda: neat.values("runs/a", "loss") and neat.show("runs/a")["process"], "the run and its process")
    (first,) = bad(neat, 1)
    assert first["stop"].startswith("not stopped: nobody allowed it; `neat allow stop`")
    assert "go-on" in first["done"]["pause_queue"]
    (paused,) = until(lambda: neat.json("neatd", "status")["paused"], "the pause to be told")
    assert paused["event"] == first["id"] and paused["reason"].startswith("nan in runs/a: loss NaN")
    asked = neat.ask("neat", "train", "lm", "--name", "next", "steps=1", "device=none")
    assert asked[0] == 0 and "waits as job" in asked[1] and "`neat rules go-on`" in asked[1]
    assert trainer.poll() is None and heard(folder) == []

    assert neat.ask("neat", "allow", "stop")[0] == 0
    second, _ = bad(neat, 2)
    assert second["done"]["bug"] == first["done"]["bug"]
    until(lambda: heard(folder), "the interrupt")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not neat.is_alive(), "the daemon's end")
    neat.start()
    assert trainer.wait(60) == -signal.SIGKILL
    assert heard(folder) == ["INT", "TERM"]
    until(
        lambda: [one for one in neat.json("neat", "events") if one.get("stop") == "ended by KILL"], "the end to be told"
    )
    (bug,) = neat.json("neat", "list", "bug")
    assert bug["id"] == first["done"]["bug"]
    until(lambda: all(one["snapshot"] for one in neat.json("neat", "events") if one["rule"] == "nan"), "the snapshots")

    assert not list(neat.home.glob("jobs/*/start.json"))
    assert "paused since" in neat.ask("neat", "rules", "go-on")[1]
    until(lambda: list(neat.home.glob("jobs/*/start.json")), "the job to begin")
    until(lambda: neat.json("neatd", "status")["paused"] == [], "the pause to be over")
