"""`neat suggest`: runs in the store in, a change of the best one out, with the command where neat started it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.files import data_path
from neatd.place import here
from neatd.store import jobs
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_the_runs_of_a_project_say_what_to_try(cli: Cli) -> None:
    """The best is neither the newest nor at its end; the one that diverged bounds what is asked for."""
    with cli.store() as store:
        command = ["python", str(data_path("trainers") / "lm" / "train.py"), "--out", "runs/b", "lr=0.01"]
        more = {"kind": "train", "params": {"lr": "0.01", "resume": "true"}}
        job = jobs.add(store, here().project_id, "runs/b", command, str(cli.root), "runs/b", **more)
    cli.add_run("runs/a", {"val/loss": [0.9, 0.6, 0.7]}, config={"lr": 0.001, "seed": 1})
    cli.add_run("runs/b", {"val/loss": [0.9, 0.4, 0.5]}, config={"lr": 0.01, "seed": 1}, job_id=job.id)
    cli.add_run("runs/c", {"val/loss": [0.9, float("nan")]}, config={"lr": 0.1, "seed": 1}, status="failed")
    found = cli.json("suggest")
    assert [(one["rule"], one["parameter"], one["value"]) for one in found] == [
        ("another-seed", "seed", 2), ("between", "lr", 0.0032), ("between", "lr", 0.032),
    ]  # fmt: skip
    assert found[1]["command"] == ["neat", "train", "lm", "lr=0.0032"] and found[1]["base"] == "runs/b"
    text = cli.ok("suggest")
    assert "lr 0.01 -> 0.032" in text and "neat train lm lr=0.01 seed=2" in text


def test_without_runs_it_says_what_it_takes(cli: Cli) -> None:
    """Nothing is made up."""
    answer = cli("suggest")
    assert answer.code == 0 and answer.out == "" and "nothing to suggest yet" in answer.err
    assert cli.json("suggest") == []
