"""What a followed run is said to be doing, seen from outside while a daemon watches."""

from __future__ import annotations

import json
import sqlite3
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
