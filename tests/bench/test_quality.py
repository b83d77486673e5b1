"""The shipped rules on short real trainings with planted, labelled faults and on clean ones, beside plain detectors.

NEAT_BENCH_QUALITY names a folder of written runs to use again; without it they are trained anew: about ten minutes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.bench.quality.faults import BEHIND, EARLIEST, KINDS, planted
from tests.bench.quality.measure import OURS, Measured, as_json, by_rule, details, measure, table
from tests.bench.quality.plan import SPLITS, recipes
from tests.bench.quality.scores import garwood, wilson
from tests.bench.quality.trainings import Recipe
from tests.bench.quality.write import write_all
from tests.bench.quality.written import overfit_from, write_run
from tests.bench.table import SCALE, Row, keep, results_path, scaled

pytestmark = [pytest.mark.bench, pytest.mark.timeout(5400)]
RECALL, FALSE = 0.95, 1.0  # at least, at most in 10,000 clean steps
CLEAN_STEPS, FAULTS = 300_000, 150  # at least so many are measured


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Every run, judged."""
    folder = Path(os.environ.get("NEAT_BENCH_QUALITY") or tmp_path_factory.mktemp("quality"))
    if not (folder / "labels.json").is_file():
        write_all(folder, processes=2, most=0 if SCALE == 1 else scaled(len(recipes()), 8))
    return measure(folder)


def test_there_is_enough_to_tell(measured: Measured) -> None:
    """At full scale there are 300,000 clean steps in clean runs, 150 faults, and each kind in each half."""
    if SCALE != 1:
        return
    assert sum(run.steps for run in measured.runs if run.is_clean) >= CLEAN_STEPS
    assert sum(len(run.faults) for run in measured.runs) >= FAULTS
    there = {(fault.kind, run.split) for run in measured.runs for fault in run.faults}
    assert there == {(kind, split) for kind in KINDS for split in SPLITS}
    assert all(fault.onset >= EARLIEST for run in measured.runs for fault in run.faults)


@pytest.mark.parametrize("split", SPLITS)
def test_the_shipped_rules(measured: Measured, split: str) -> None:
    """Recall and false events of each half; every figure goes to the table and to quality.json."""
    print(
        f"\n## {split}\n{table(measured, split)}\n\n{by_rule(measured.total(OURS, split))}\n{details(measured, split)}"
    )
    totals = {name: measured.total(name, split) for name in measured.scores}
    ours, others = totals[OURS], {name: one for name, one in totals.items() if name != OURS}
    hit, planted_count = ours.recall["all"]
    count = ours.false.total()
    low, high = wilson(hit, planted_count)
    shares = {name: one.recall["all"][0] / planted_count for name, one in others.items()}
    keep(Row(f"quality/{split}/recall", f"faults told within 200 steps, {split}", hit / planted_count, "of all", RECALL,
             shares, is_rate=True, note=f"{hit} of {planted_count}, 95 % {low:.2f} to {high:.2f}"))  # fmt: skip
    low, high = garwood(count, ours.clean_steps)
    rates = {name: 1e4 * one.false.total() / ours.clean_steps for name, one in others.items()}
    keep(Row(f"quality/{split}/false", f"false events in 10,000 clean steps, {split}", 1e4 * count / ours.clean_steps,
             "events", FALSE, rates, note=f"{count} in {ours.clean_steps:,}, 95 % {low:.2f} to {high:.2f}"))  # fmt: skip
    path = results_path().with_name("quality.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(measured), indent=1) + "\n")


def test_a_run_is_a_function_of_its_recipe(tmp_path: Path) -> None:
    """Written twice, its files are the same to the byte, whatever was trained between."""
    faults = (planted("corrupted", 160), planted("frozen", 240, "zeroed"))
    recipe = Recipe("twice", 5, "tuning", 240 + BEHIND, "slash", has_memory=True, has_layers=True, faults=faults)
    for name, one in (("a", recipe), ("between", recipe._replace(name="other", seed=6)), ("b", recipe)):
        write_run(tmp_path / name, one)
    first, again = ((tmp_path / name / "runs" / "twice" / "metrics.jsonl").read_bytes() for name in "ab")
    assert first == again and first


def test_a_run_overfits_when_its_evaluations_stay_above_the_lowest() -> None:
    """Three in a row above it, by a tenth in the median and before any fault; while they fall there is nothing."""
    falling = [(50 * index, 1.0 / index) for index in range(1, 9)]
    rising = [*falling, (450, 0.13), (500, 0.14), (550, 0.15)]
    assert overfit_from(falling, ()) is None
    assert overfit_from(rising, ()) == 400
    assert overfit_from(rising, (planted("shuffled", 420),)) is None


def test_the_intervals() -> None:
    """Wilson's for 19 of 20, Garwood's for none and for four events."""
    assert wilson(19, 20) == pytest.approx((0.7639, 0.9911), abs=1e-3)
    assert garwood(0, 10_000) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert garwood(4, 20_000) == pytest.approx((0.5449, 5.1208), abs=1e-3)
