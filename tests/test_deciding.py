"""What decides a hypothesis, and when it is decided anew: a run, a study, a recorded experiment, another baseline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neatd.knowledge import Hypothesis
from neatd.models import Run
from neatd.pipeline.verdicts import decide
from neatd.place import here
from neatd.store import projects, records, runs
from neatd.store.short import add_record
from tests.cli_place import Cli
from tests.sources_made import ran, read, write

LATER = datetime.now(UTC) + timedelta(days=365)  # a run that ends after what is written now


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def suppose(cli: Cli, predict: str, **fields: Any) -> str:
    """A hypothesis with this prediction; returns its id."""
    return add_record(cli.home, here(), "hypothesis", {"title": "it helps", "predict": predict, **fields}, "person")[0]


def decided(cli: Cli, record_id: str, is_read: bool = True) -> Hypothesis:
    """The hypothesis after one pass."""
    with cli.store() as store, cli.store("points") as series:
        decide(store, series, here().project_id, lambda run: is_read)
        found = records.get(store, "hypothesis", record_id)
    assert isinstance(found, Hypothesis)
    return found


def passes(cli: Cli) -> bool:
    """Whether another pass changes anything."""
    with cli.store() as store, cli.store("points") as series:
        return decide(store, series, here().project_id)


def change(cli: Cli, kind: str, record_id: str, **fields: Any) -> None:
    with cli.store() as store:
        records.change(store, kind, record_id, fields)


def set_run(cli: Cli, run: Run, **fields: Any) -> None:
    with cli.store() as store:
        runs.set_run(store, run.id, **fields)


def baseline(cli: Cli, run: Run) -> None:
    with cli.store() as store:
        projects.set_baseline(store, here().project_id, run.id)


def test_nothing_is_decided_before_the_run_is_over_and_read(cli: Cli) -> None:
    """A run that is not there, that lives, or whose last lines are not in the store yet."""
    one = suppose(cli, "val/loss < 2", run="a")
    assert decided(cli, one).verdict == ""
    run = ran(cli, "runs/a", 3.0, 1.0, status="running", ended_at=None)
    assert decided(cli, one).verdict == ""
    set_run(cli, run, status="finished", ended_at=LATER)
    assert decided(cli, one, is_read=False).verdict == ""
    assert decided(cli, one).verdict == "supported"


def test_a_verdict_holds_its_number_tied_to_the_file(cli: Cli) -> None:
    """So that `neat verify` can look it up; and a second pass changes nothing."""
    run = ran(cli, "runs/a", 3.0, 1.0, ended_at=LATER)
    one = decided(cli, suppose(cli, "val/loss < 2", run="a"))
    assert (one.status, one.verdict_reason) == ("supported", "val/loss reached 1 at step 20; predicted < 2")
    (number,) = one.evidence
    expected = {"run": run.id, "run_name": "runs/a", "metric": "val/loss", "step": 20, "value": 1.0}
    assert expected.items() <= number.items()
    assert number["source"] == "runs/a/metrics.jsonl" and number["hash"].startswith("sha256:")
    assert not passes(cli)


def test_a_run_without_the_metric_leaves_it_open_with_the_reason(cli: Cli) -> None:
    """Said once, and not at every pass."""
    ran(cli, "runs/a", 3.0, ended_at=LATER)
    one = decided(cli, suppose(cli, "val/dice > 0.2", run="a"))
    assert (one.status, one.verdict) == ("open", "undecided")
    assert one.verdict_reason == "runs/a has no val/dice: it has val/loss"
    assert not passes(cli)


def test_a_prediction_at_a_step_reads_the_points(cli: Cli) -> None:
    """The best is not what it was at step 20."""
    ran(cli, "runs/a", 3.0, 2.5, 1.0, ended_at=LATER)
    assert decided(cli, suppose(cli, "val/loss < 2 at step 25", run="a")).verdict == "refuted"
    assert decided(cli, suppose(cli, "val/loss < 2 by step 30", run="a")).verdict == "supported"
    assert decided(cli, suppose(cli, "val/loss < 2 by step 20", run="a")).verdict == "refuted"


def test_a_study_is_decided_by_its_best_when_none_of_it_lives(cli: Cli) -> None:
    """All runs below a folder of that name, at any depth; the reason names the one."""
    one = suppose(cli, "val/loss < 2", study="sweep")
    ran(cli, "runs/sweep/t1", 3.0, ended_at=LATER)
    alive = ran(cli, "runs/sweep/deep/t2", 1.0, status="running", ended_at=None)
    ran(cli, "runs/sweeper/t9", 0.1, ended_at=LATER)
    ran(cli, "runs/sweep", 0.2, ended_at=LATER)
    assert decided(cli, one).verdict == ""
    set_run(cli, alive, status="failed", ended_at=LATER)
    found = decided(cli, one)
    assert found.verdict_reason == "best of 2 runs, runs/sweep/deep/t2: val/loss reached 1 at step 10; predicted < 2"
    assert [number["run_name"] for number in found.evidence] == ["runs/sweep/deep/t2"]


def test_a_study_that_goes_on_is_decided_anew(cli: Cli) -> None:
    """Its next trial began only after the first had ended."""
    one = suppose(cli, "val/loss < 2", study="sweep")
    ran(cli, "sweep/t1", 3.0)
    assert decided(cli, one).verdict == "refuted"
    ran(cli, "sweep/t2", 1.0, ended_at=LATER)
    assert decided(cli, one).status == "supported"


def test_an_experiment_decides_at_once(cli: Cli) -> None:
    """By its title or id; its number is the evidence; another value decides anew."""
    base = {"title": "Wide net", "metric": "val/dice"}
    made = add_record(cli.home, here(), "experiment", {**base, "value": 0.3}, "person")[0]
    change(cli, "experiment", made, value=0.31)
    for word in ("wide net", made[:9]):
        one = suppose(cli, "val/dice > 0.2", experiment=word)
        found = decided(cli, one)
        assert found.verdict == "supported" and "val/dice was 0.31; predicted > 0.2" in found.verdict_reason
        assert {"experiment": made, "name": "Wide net", "value": 0.31}.items() <= found.evidence[0].items()
    assert not passes(cli)
    change(cli, "experiment", made, value=0.1)
    assert decided(cli, one).verdict == "refuted"


def test_another_baseline_decides_relative_predictions_anew(cli: Cli) -> None:
    """An absolute one stays, and so does what a person closed by hand."""
    plain, strong = ran(cli, "runs/plain", 2.0), ran(cli, "runs/strong", 1.0)
    ran(cli, "runs/a", 1.5)
    relative = suppose(cli, "val/loss < baseline - 0.1", run="a")
    absolute = suppose(cli, "val/loss < 1.6", run="a")
    by_hand = suppose(cli, "val/loss < baseline", run="a")
    assert "no baseline is named" in decided(cli, relative).verdict_reason
    baseline(cli, plain)
    found = decided(cli, relative)
    assert found.verdict == "supported" and "(baseline runs/plain: 2)" in found.verdict_reason
    change(cli, "hypothesis", by_hand, status="closed")
    before = decided(cli, absolute)
    baseline(cli, strong)
    assert decided(cli, relative).verdict == "refuted"
    assert decided(cli, absolute) == before
    assert decided(cli, by_hand).status == "closed"


def test_a_run_that_came_back_decides_anew(cli: Cli) -> None:
    """It was resumed after its verdict, and ended better."""
    one = suppose(cli, "val/loss < 2", run="a")
    run = ran(cli, "runs/a", 3.0)
    assert decided(cli, one).verdict == "refuted"
    write(cli.root, "runs/a", {"step": 20, "val/loss": 1.0})
    read(cli, "runs/a", status="running", ended_at=None)
    assert decided(cli, one).verdict == "refuted"
    set_run(cli, run, status="finished", ended_at=LATER)
    assert decided(cli, one).verdict == "supported"


def test_a_prediction_written_after_the_result_says_so(cli: Cli) -> None:
    """Of a run, a study or an experiment; also one that was changed after it."""
    ran(cli, "s/a", 3.0)
    add_record(cli.home, here(), "experiment", {"title": "wide", "metric": "val/loss", "value": 3.0}, "person")
    late = "the prediction was written after"
    assert late in decided(cli, suppose(cli, "val/loss < 9", run="a")).verdict_reason
    assert late in decided(cli, suppose(cli, "val/loss < 9", study="s")).verdict_reason
    assert late in decided(cli, suppose(cli, "val/loss < 9", experiment="wide")).verdict_reason
    ran(cli, "s/b", 3.0, ended_at=LATER)
    one = suppose(cli, "val/loss < 9", run="b")
    assert late not in decided(cli, one).verdict_reason


def test_a_prediction_nobody_can_read_is_undecided(cli: Cli) -> None:
    """It came with a clone; the others are decided all the same."""
    ran(cli, "runs/a", 3.0, ended_at=LATER)
    strange, plain = suppose(cli, "loss will fall", run="a"), suppose(cli, "val/loss < 9", run="a")
    assert decided(cli, plain).verdict == "supported"
    assert "not a prediction" in decided(cli, strange).verdict_reason


def test_a_reopened_hypothesis_is_decided_again(cli: Cli) -> None:
    """As a person asks by `status=open`."""
    ran(cli, "runs/a", 3.0)
    one = suppose(cli, "val/loss < 9", run="a")
    decided(cli, one)
    change(cli, "hypothesis", one, status="open")
    assert decided(cli, one).status == "supported"
