"""A study whose daemon is killed: every point once, the same points as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from neatd.studies.sampling import Sequence
from neatd.studies.space import Space, fingerprint
from tests.conftest import Neat, until
from tests.studies_made import PROGRAM, study_file


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the store says, past every command."""
    with closing(sqlite3.connect(f"file:{home / 'neat.db'}?mode=ro", uri=True)) as records:
        return records.execute(sql).fetchall()


def count(neat: Neat, status: str) -> int:
    return int(rows(neat.home, f"SELECT count(*) FROM trial WHERE status = '{status}'")[0][0])


def kill(neat: Neat) -> None:
    pid = neat.start()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not neat.is_alive(), "its end")


@pytest.mark.timeout(120)
def test_a_killed_daemon_doubles_no_trial_and_loses_none(neat: Neat) -> None:
    """Eight points of Sobol's, two at a time, killed while some run: each ran once, and they are the points that an
    uninterrupted study has."""
    (neat.root / "t.py").write_text(PROGRAM)
    spec = {"name": "quick", "command": "python t.py {out} {lr} {dim} 0.03", "goal": {"metric": "val/loss"},
            "space": {"lr": {"type": "float", "low": 1e-4, "high": 0.1, "log": True}, "dim": [8, 16, 32]},
            "sampler": {"kind": "sobol", "seed": 3}, "trials": 8, "parallel": 2}  # fmt: skip
    (neat.root / "s.yaml").write_text(yaml.safe_dump(spec))
    neat.start()
    assert neat.json("neat", "study", "create", "s.yaml")["feasible"] is None
    until(lambda: count(neat, "finished") >= 2 and count(neat, "running") >= 1, "some ended, some running")
    kill(neat)
    neat.start()
    until(lambda: rows(neat.home, "SELECT status FROM study")[0][0] != "running", "the end of the study")

    found = neat.json("neat", "study", "status", "quick")
    assert (found["status"], found["finished"], found["trials"], found["failed"]) == ("finished", 8, 8, 0), found
    wanted = Sequence(Space(study_file())).next_points((), 8)
    tried = rows(neat.home, "SELECT fingerprint, job_id FROM trial")
    assert {one for one, _ in tried} == {fingerprint(one.params) for one in wanted}
    assert len(tried) == len(rows(neat.home, "SELECT id FROM job")) == len({job for _, job in tried}) == 8
    ran = sorted(path.read_text() for path in (neat.root / "runs/quick").glob("trial-*/ran"))
    assert ran == sorted(f"{one.params['dim']}\n" for one in wanted), "each program ran once"
    best = min(wanted, key=lambda one: abs(float(one.params["lr"]) - 0.01) + float(one.params["dim"]) / 1000)
    assert found["best"]["params"] == best.params and found["best"]["step"] == 3
    of_runs = rows(neat.home, "SELECT r.config, t.params FROM trial t JOIN run r ON r.id = t.run_id")
    assert len(of_runs) == 8 and all(json.loads(config) == json.loads(params) for config, params in of_runs)
