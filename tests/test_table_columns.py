"""Columns of the experiment table: what stands below the metric, and how long a run took."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.rules.comparable import Basis, is_same_metric, why_not_comparable
from neatd.store.spans import time_spans
from tests.cli_place import BEGAN, Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def line(text: str, name: str) -> str:
    """A row of a printed table, its gaps as one space."""
    return " ".join(next(row for row in text.splitlines() if name in row).split())


def experiments(cli: Cli) -> None:
    for name, metric, value in (("seg", "val dice", "0.705"), ("lm", "Best val_loss", "0.31")):
        cli.ok("experiment", name, "--metric", metric, "--value", value)


@pytest.mark.parametrize("has_baseline", [False, True])
def test_a_value_of_another_metric_is_a_remark(cli: Cli, has_baseline: bool) -> None:
    """With and without a baseline; one that is only written another way stands in the column."""
    cli.add_run("runs/a", {"val/loss": [0.5, 0.4]})
    experiments(cli)
    if has_baseline:
        cli.ok("baseline", "a")
    text = cli.ok("table")
    assert "seg (reported) — — —" in line(text, "seg") and line(text, "seg").endswith("0.705 val dice")
    assert "lm (reported) 0.31 —" in line(text, "lm") and "0.705" not in line(text, "lm")
    assert "0.4 2" in line(text, "runs/a")


def test_the_metric_that_is_asked_for_decides_what_the_column_holds(cli: Cli) -> None:
    """However it is written; no value of the other one stands in it."""
    cli.add_run("runs/a", {"val/loss": [0.5, 0.4]})
    experiments(cli)
    text = cli.ok("table", "--metric", "val/dice")
    assert "seg (reported) 0.705" in line(text, "seg")
    assert line(text, "lm").endswith("0.31 Best val_loss") and "lm (reported) — —" in line(text, "lm")
    assert "runs/a — —" in line(text, "runs/a") and "0.4" not in line(text, "runs/a")
    assert "0.4 2" in line(cli.ok("table", "--metric", "Val Loss"), "runs/a")


def test_a_reported_value_of_the_same_metric_is_compared(cli: Cli) -> None:
    """val_loss against val/loss is a difference, and no reason."""
    cli.add_run("runs/a", {"val/loss": [0.5, 0.4]})
    experiments(cli)
    cli.ok("baseline", "a")
    found = next(row for row in cli.json("table") if row["name"] == "lm")
    assert found["delta"] == pytest.approx(-0.09) and found["metric"] == "val/loss" and found["is_better"]


def test_one_metric_is_written_in_many_ways() -> None:
    """Case, spaces, underscores, slashes, best; and two metrics are two."""
    for one in ("val_loss", "Val Loss", "best val/loss", "Best-val-loss", "validation loss", "val.loss"):
        assert is_same_metric(one, "val/loss") and not why_not_comparable(Basis(metric=one), Basis(metric="val/loss"))
    for one in ("val/dice", "train/loss", "loss", "val/loss2", ""):
        assert not is_same_metric(one, "val/loss")


def test_hours_are_told_by_the_times_in_the_lines(cli: Cli) -> None:
    """A run of which everything was read at once took as long as its lines say; without times since it was found."""
    made = cli.add_run("runs/a", {"val/loss": [3.0, 2.0, 1.0], "loss": [3.0]})
    bare = cli.add_run("runs/b", {"val/loss": [3.0, 2.0, 1.0]})
    wild = cli.add_run("runs/c", {"val/loss": [3.0, 2.0]})
    with cli.store("points") as numbers:
        sql = "UPDATE point SET time = ? + 1800 * seq WHERE series_id IN (SELECT id FROM series WHERE run_id = ?)"
        numbers.execute(sql, (7.0, made.id))
        numbers.execute(sql.replace("? + 1800 * seq", "?"), (None, bare.id))
        numbers.execute(sql.replace("1800", "1e15"), (0.0, wild.id))
        assert time_spans(numbers, [made.id, bare.id, wild.id]) == {made.id: 3600.0}
        numbers.execute("UPDATE reading SET updated_at = ? WHERE run_id = ?", (BEGAN.timestamp() + 7200, bare.id))
    hours = {row["name"]: row["hours"] for row in cli.json("table")}
    assert hours["runs/a"] == 1.0 and hours["runs/b"] == 2.0 and 0 <= hours["runs/c"] < 0.01
