"""Verdicts of hypotheses, from the prediction to the brief: in time, late, changed, relative to the baseline.

With a daemon; what decides, and when it is decided anew, is in test_deciding.py.
"""

from __future__ import annotations

import os
from typing import Any

from tests.conftest import Neat, until


def ended_run(neat: Neat, name: str, best: float) -> None:
    """A run that reached its planned steps long ago."""
    folder = neat.root / "runs" / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"max_steps": 3}')
    lines = [{"step": step, "val/loss": best + 0.1 * (3 - step)} for step in range(1, 4)]
    path = neat.metrics(f"runs/{name}", *lines)
    os.utime(path, (1.7e9, 1.7e9))


def verdict(neat: Neat, title: str) -> dict[str, Any]:
    """The hypothesis once it has a verdict."""

    def found() -> Any:
        return next(
            (one for one in neat.json("neat", "list", "hypothesis") if one["title"] == title and one["verdict"]), None
        )

    one: dict[str, Any] = until(found, f"a verdict on {title}")
    return one


def test_a_prediction_relative_to_the_baseline_is_judged_with_its_evidence(neat: Neat) -> None:
    """Run, step and value stand behind the verdict, and the brief says it."""
    ended_run(neat, "plain", 1.0)
    neat.start()
    until(lambda: [run["status"] for run in neat.json("neat", "runs")] == ["finished"], "the baseline's end")
    neat.call("neat", "baseline", "plain")
    neat.call("neat", "hypothesis", "it helps", "--predict", "val/loss < baseline - 5%", "--run", "better")
    ended_run(neat, "better", 0.9)
    one = verdict(neat, "it helps")
    assert one["verdict"] == one["status"] == "supported" and "0.95" in one["verdict_reason"]
    assert [(e["run_name"], e["step"], e["value"]) for e in one["evidence"]] == [
        ("runs/better", 3, 0.9), ("runs/plain", 3, 1.0),
    ]  # fmt: skip
    assert all(e["hash"].startswith("sha256:") and e["source"].endswith("/metrics.jsonl") for e in one["evidence"])
    brief = neat.root / ".neat" / "brief.md"
    until(lambda: brief.exists() and "**supported**: it helps" in brief.read_text(), "the brief")


def test_a_prediction_after_the_fact_is_marked_as_such(neat: Neat) -> None:
    """Also when an old one is changed after the run: it is judged anew, and says so."""
    ended_run(neat, "plain", 1.0)
    neat.start()
    until(lambda: [run["status"] for run in neat.json("neat", "runs")] == ["finished"], "the run's end")
    neat.call("neat", "hypothesis", "I knew it", "--predict", "val/loss < 2", "--run", "plain")
    one = verdict(neat, "I knew it")
    assert one["verdict"] == "supported" and "after the run had ended" in one["verdict_reason"]
    neat.call("neat", "edit", one["id"], "predict=val/loss < 0.5")
    until(lambda: verdict(neat, "I knew it")["verdict"] == "refuted", "the new verdict")
    assert "after the run had ended" in verdict(neat, "I knew it")["verdict_reason"]


def test_values_that_mean_nothing_are_refused_by_edit(neat: Neat) -> None:
    """A record without a status or a title would be in no list that people look at."""
    neat.call("neat", "decide", "a thing")
    (one,) = neat.json("neat", "list", "decision")
    for change in ("status= ", "title= "):
        failed = neat.call("neat", "edit", one["id"], change, check=False)
        assert failed.returncode == 1 and "hint:" in failed.stderr
    assert neat.json("neat", "list", "decision") == [one]


def test_init_gives_a_neat_yaml_without_an_id_one(neat: Neat) -> None:
    """What the hint of every other command says to do works; the rest of the file stays."""
    config = neat.root / "neat.yaml"
    config.write_text("# mine\nphase: 6A\n")
    assert "neat init" in neat.call("neat", "runs", check=False).stderr
    neat.call("neat", "init", "--yes")
    neat.call("neat", "runs")
    assert config.read_text().endswith("# mine\nphase: 6A\n")
