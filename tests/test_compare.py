"""`neat compare`: runs side by side, against the first one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neatd.models import GitState
from neatd.store import runs
from tests.cli_place import Cli
from tests.mcp_made import registered


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return registered(Cli(tmp_path, monkeypatch, capsys))


def two(cli: Cli) -> None:
    """A run, and one with another rate that goes on and has a series of its own."""
    cli.add_run("runs/a", {"val/loss": [2.0, 1.5, 1.6], "odd": [1.0]}, config={"lr": 0.1, "batch": 8, "out": "a"})
    cli.add_run(
        "runs/b", {"val/loss": [2.0, 1.2], "extra": [1.0]}, config={"lr": 0.2, "batch": 8, "out": "b", "net": {"depth": 3}},
        status="running", reason="a process writes",
    )  # fmt: skip


def compared(cli: Cli, *words: str) -> Any:
    return cli.json("compare", *words)


def test_runs_stand_in_the_order_in_which_they_were_named(cli: Cli) -> None:
    """With status, step, and the difference from the first; by name or id."""
    two(cli)
    ids = {one["name"]: one["id"] for one in cli.json("runs")}
    found = compared(cli, "b", ids["runs/a"][:8])
    assert [(one["name"], one["status"], one["step"]) for one in found["runs"]] == [
        ("runs/b", "running", 2), ("runs/a", "finished", 3),
    ]  # fmt: skip
    assert (found["metric"], found["goal"]) == ("val/loss", "min")
    assert [(one["value"], one["value_step"]) for one in found["runs"]] == [(1.2, 2), (1.5, 2)]
    assert found["runs"][0]["delta"] is None and found["runs"][1]["delta"] == pytest.approx(0.3)


def test_shared_series_stand_with_last_and_best(cli: Cli) -> None:
    """Those that at least two runs have; a run without one has nothing there."""
    two(cli)
    cli.add_run("runs/c", {"odd": [4.0, 5.0]})
    series = {one["name"]: one for one in compared(cli, "a", "b", "c")["series"]}
    assert set(series) == {"val/loss", "odd"}
    loss = series["val/loss"]
    assert (loss["last"], loss["last_step"]) == ([1.6, 1.2, None], [3, 2, None])
    assert (loss["best"], loss["best_step"]) == ([1.5, 1.2, None], [2, 2, None])
    assert (series["odd"]["goal"], series["odd"]["last"], series["odd"]["best"]) == (None, [1.0, None, 5.0], [None] * 3)


def test_only_parameters_that_differ_stand_there(cli: Cli) -> None:
    """Nested ones by dotted names; folders and names say nothing."""
    two(cli)
    assert compared(cli, "a", "b")["parameters"] == {"lr": [0.1, 0.2], "net.depth": [None, 3]}


def test_code_is_compared_with_the_first_run(cli: Cli) -> None:
    """Another commit and what was not committed, though the first one is no baseline."""
    two(cli)
    with cli.store() as store:
        other = runs.find_run(store, "b")
        runs.set_run(store, other.id, git=GitState(is_repo=True, commit="beef" * 10, dirty=("train.py",)))
    code = [one["code"] for one in compared(cli, "a", "b")["runs"]]
    assert code == ["", "commit beefbeef; uncommitted: train.py"]


def test_a_run_that_ended_in_nan_can_be_compared(cli: Cli) -> None:
    """NaN is said as in every JSON of neat."""
    cli.add_run("runs/a", {"loss": [1.0, float("nan")]})
    cli.add_run("runs/b", {"loss": [1.0, 0.5]})
    assert compared(cli, "a", "b")["series"][0]["last"] == ["NaN", 0.5]


def test_a_person_reads_a_table(cli: Cli) -> None:
    """Runs are its columns; what is empty in all of them is no row."""
    two(cli)
    text = cli.ok("compare", "a", "b")
    assert "runs/a" in text and "1.2 @ 2" in text and "not comparable" in text and "accuracy" not in text


@pytest.mark.parametrize("words", [("a",), ("a", "runs/a")])
def test_one_run_is_no_comparison(cli: Cli, words: tuple[str, ...]) -> None:
    """Two are needed, and different ones."""
    two(cli)
    assert "name two runs or more" in cli.refused("compare", *words)


def test_an_unknown_run_is_named(cli: Cli) -> None:
    """With the command that shows the runs."""
    two(cli)
    assert "no run 'zzz'" in cli.refused("compare", "a", "zzz")
