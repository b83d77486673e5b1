"""Accuracy trends: windows of evaluations against those before, with the arrow that the run's own trend goes by."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from neatd.pipeline.predicted import prediction_shape
from neatd.pipeline.trends import trends
from neatd.rules.predictions import Evaluation, trend, trend_of_counts, trend_of_values
from neatd.store import predicted
from tests.cli_place import Cli
from tests.reading_made import answered, reading


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_the_windows_are_of_evaluations_and_go_against_those_before(cli: Cli) -> None:
    """60 evaluations of ten examples that get better: 20 against the 20 before, 50 against the ten that there are."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    every = [(step, f"q{n}", n < step // 6, 0.1) for step in range(60) for n in range(10)]
    answered(cli, made.id, every)
    with reading(cli) as (_, points, _, _):
        found, shape = trends(points, made.id), prediction_shape(points, made.id)
    assert found and shape
    short, long, whole = found["windows"]
    assert (short["window"], short["evaluations"], short["arrow"]) == ("20", 20, "up")
    assert short["accuracy"] == pytest.approx(sum(s // 6 for s in range(40, 60)) / 200)
    assert short["before"] == pytest.approx(sum(s // 6 for s in range(20, 40)) / 200)
    assert short["change_points"] == pytest.approx(short["accuracy"] - short["before"])
    assert long["before"] == pytest.approx(sum(s // 6 for s in range(10)) / 100)
    assert (whole["evaluations"], whole["before"], whole["arrow"]) == (60, None, "up")
    assert found["trend"] == shape["trend"] and found["change_percent"] == shape["change_percent"]
    assert found["answers"] == {name: shape[name] for name in ("last_20", "last_50", "all")}


def test_without_answers_a_series_of_scores_tells(cli: Cli) -> None:
    """The validation's before the training's; a NaN in it is no score."""
    values = [0.5 + n / 100 for n in range(30)] + [float("nan")] + [0.8 - n / 100 for n in range(20)]
    made = cli.add_run("runs/a", {"loss": [1.0] * 51, "train/acc": [0.9] * 51, "val/acc": values})
    other = cli.add_run("runs/b", {"loss": [1.0]})
    with reading(cli) as (_, points, _, _):
        found = trends(points, made.id)
        assert trends(points, other.id) is None
    assert found and (found["source"], found["name"], found["evaluations"]) == ("series", "val/acc", 50)
    assert [one["arrow"] for one in found["windows"]] == ["down", "up", "up"]
    assert found["windows"][0]["before"] == pytest.approx(0.695) and found["trend"] == "regressing"


@pytest.mark.parametrize("seed", range(3))
def test_counts_values_and_answers_agree(seed: int) -> None:
    """Of examples that are new each time the three tests are one, but for the correction."""
    rng = random.Random(seed)
    evaluations = [Evaluation(step, 100, rng.randrange(30, 34 + step * seed)) for step in range(12)]
    newest = [
        (one.step, f"{one.step}-{n}", n < one.correct) for one in reversed(evaluations) for n in range(one.examples)
    ]
    assert trend_of_counts(evaluations) == trend(newest, 12)


def test_scores_that_do_not_change_or_are_few_are_stable() -> None:
    """Five values in a row rise by chance often enough."""
    assert trend_of_values([1.0] * 50) == "stable" and trend_of_values([1.0]) is None
    assert trend_of_values([1.0, 2.0, 3.0, 4.0, 5.0]) == "stable"
    assert (
        trend_of_values([float(n) for n in range(8)]) == "improving" and trend_of_counts([Evaluation(1, 2, 1)]) is None
    )
    rng = random.Random(1)
    said = [trend_of_values([rng.gauss(0, 1) for _ in range(20)]) for _ in range(400)]
    assert said.count("stable") >= 0.94 * len(said)


def test_a_step_that_is_evaluated_again_later_counts_once(cli: Cli) -> None:
    """As after a restart: an example as it was answered last, the evaluation where it stands now."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    answered(
        cli, made.id, [(10, "q1", False, 0.1), (10, "q2", False, 0.1), (20, "q1", True, 0.1), (20, "q1", False, 0.1)]
    )
    with reading(cli) as (_, points, _, _):
        assert predicted.evaluations(points, made.id) == [(10, 2, 0), (20, 1, 0)]
    answered(cli, made.id, [(10, "q1", True, 0.1)])
    with reading(cli) as (_, points, _, _):
        assert predicted.evaluations(points, made.id) == [(20, 1, 0), (10, 2, 1)]
