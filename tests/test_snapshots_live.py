"""A planted spike, and the checkpoint from before it: from the metrics line to the snapshot's folder."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.conftest import Neat, until
from tests.test_retaining import save


def spike_run(neat: Neat, run: str, at: int, lines: int) -> Path:
    rng = random.Random(3)
    folder = neat.root / run
    (folder).mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"lr": 0.1, "max_steps": lines}))
    for step in range(1, lines + 1):
        loss = 2 + rng.gauss(0, 0.02) if step != at else 9.0
        neat.metrics(run, {"step": step, "time": 1.7e9 + step, "train/loss": loss})
        if step % 10 == 0:
            save(folder, step)
    return folder


def test_a_spike_keeps_the_checkpoint_from_before_it(neat: Neat) -> None:
    """The snapshot holds the last save before the event's step, and metadata with trigger, window, config and git."""
    neat.start()
    folder = spike_run(neat, "runs/a", at=75, lines=90)
    event = until(
        lambda: next((e for e in neat.json("neat", "events") if e["rule"] == "spike" and e["snapshot"]), None),
        "a spike",
    )
    assert (event["step"], event["metric"], event["value"]) == (75, "train/loss", 9.0)
    place = neat.root / event["snapshot"]
    assert place.parent == folder / "snapshots"
    assert place.name == "anomaly_20231114_221435_spike_train_loss_9"
    assert (place / "step_000070.pt").read_bytes() == (folder / "checkpoints" / "step_000070.pt").read_bytes()
    metadata = json.loads((place / "metadata.json").read_text())
    assert metadata["checkpoint"]["step"] == 70 and metadata["config"]["lr"] == 0.1
    assert metadata["window"] and "git" in metadata and metadata["score"] > 6
    planned = neat.json("neat", "retention", "plan", "runs/a")[0]
    reasons = {one["step"]: " ".join(one["reasons"]) for one in planned["keep"]}
    assert "snapshot" in reasons[70]


def test_a_file_that_is_rewritten_with_the_same_lines_fires_no_second_event(neat: Neat) -> None:
    """What a line says is one event, however often the line is read."""
    neat.start()
    folder = spike_run(neat, "runs/a", at=75, lines=90)
    neat.wait_for_event("spike")
    path = folder / "metrics.jsonl"
    again = path.with_name("again")
    again.write_bytes(path.read_bytes() + b'{"step": 91, "train/loss": 2.0}\n')
    path.write_bytes(b"")
    until(
        lambda: neat.show("runs/a")["bad_lines"] == 0 and neat.wait_for_event("source-replaced"), "the cut to be seen"
    )
    again.replace(path)
    until(lambda: neat.values("runs/a", "train/loss")[-1:] == [(91, 2.0)], "the rewritten file to be read")
    until(lambda: _judged(neat) >= 181, "its lines to be judged")
    assert len([e for e in neat.json("neat", "events") if e["rule"] == "spike"]) == 1


def _judged(neat: Neat) -> int:
    import sqlite3

    records = sqlite3.connect(neat.home / "neat.db")
    seq = records.execute("SELECT max(seq) FROM judging").fetchone()[0]
    records.close()
    return seq or 0


def test_retention_waits_for_a_snapshot_that_is_being_taken(neat: Neat) -> None:
    """The checkpoint from before a spike reaches its snapshot even when the policy would thin it at once."""
    config = neat.root / "neat.yaml"
    config.write_text(config.read_text() + "retention: {newest: 1, half: 0, every_steps: 100000}\n")
    neat.call("neat", "allow", "retention")
    neat.start()
    folder = spike_run(neat, "runs/a", at=75, lines=200)
    event = until(
        lambda: next((e for e in neat.json("neat", "events") if e["rule"] == "spike" and e["snapshot"]), None),
        "a spike",
    )
    metadata = json.loads((neat.root / event["snapshot"] / "metadata.json").read_text())
    assert metadata["checkpoint"]["step"] == 70
    until(lambda: not (folder / "checkpoints" / "step_000080.pt").exists(), "retention to go on after it")
    until(lambda: not neat.json("neat", "retention", "plan")[0]["delete"], "the whole plan carried out")
    assert (folder / "checkpoints" / "step_000070.pt").exists()
