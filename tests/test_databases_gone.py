"""A database that is damaged or deleted harms nobody else, and is said once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.conftest import Neat, until

SCHEMA = Path(__file__).parent / "written" / "files" / "optuna-5.0.0" / "sqlite" / "study.sql"


def study(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA.read_text(encoding="utf-8"))
    return path


def test_a_damaged_database_is_named_and_the_other_runs_are_read(neat: Neat) -> None:
    """Half of its pages are overwritten: the walk goes on behind it."""
    neat.settings()
    broken = study(neat.root / "a-study.db")
    with broken.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (broken.stat().st_size - 4096))
    neat.metrics("runs/z", {"step": 1, "loss": 1.0})
    neat.start()
    neat.wait_for_points("runs/z", "loss", 1)
    neat.metrics("runs/zz", {"step": 1, "loss": 1.0})
    neat.wait_for_points("runs/zz", "loss", 1)
    assert sum("a-study.db" in event["message"] for event in neat.json("neat", "events")) <= 1
    assert not any(event["rule"] == "step-failed" for event in neat.json("neat", "events"))


def test_a_deleted_database_is_let_go(neat: Neat) -> None:
    """Its runs stay as they were read; nothing is logged again and again."""
    neat.settings(sweep_s=0.2)
    path = study(neat.root / "study.db")
    neat.start()
    until(lambda: len(neat.json("neat", "runs")) >= 2, "the studies")
    before = len(neat.json("neat", "runs"))
    path.unlink()
    until(lambda: all(run["status"] not in ("running", "starting") for run in neat.json("neat", "runs")), "their ends")
    assert len(neat.json("neat", "runs")) == before
    assert not any(event["rule"] == "step-failed" for event in neat.json("neat", "events"))
