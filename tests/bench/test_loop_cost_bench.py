"""What five metrics a step cost inside the training loop: a line of JSON, which is all that neat asks for, and trackers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import peers_made
from tests.bench.table import Row, keep, scaled

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
# Steps: a second or more of each, where that is not too many.
OURS, RAW = {"jsonl": 50_000, "csvfile": 50_000}, {"write": 50_000}
PEERS = {"trackio": 10_000, "wandb": 5_000, "tensorboard": 5_000, "aim": 1_000, "mlflow": 200}


def test_logging_five_metrics(tmp_path: Path) -> None:
    """Each in a process of its own, one after the other, with the interpreter of the peers' environment."""
    told = {
        name: peers_made.run("log_loop", name, scaled(steps, 20), folder=tmp_path / name)
        for name, steps in {**OURS, **RAW, **PEERS}.items()
    }
    us = {name: one["us"] for name, one in told.items()}
    assert all(value > 0 for value in us.values())
    opening = ", ".join(f"{name} {told[name]['opening_s']:.1f} s" for name in PEERS)
    peers = {name: us[name] for name in PEERS}
    limit = {"write of ready bytes": us["write"]}
    words = "five metrics a step inside the loop"
    keep(
        Row(
            "loop/jsonl",
            f"{words}: a line of JSON, flushed",
            us["jsonl"],
            "us",
            10.0,
            peers,
            limit,
            note=f"to open: {opening}",
        )
    )
    keep(Row("loop/csv", f"{words}: a line of CSV, flushed", us["csvfile"], "us", None, peers, limit))
