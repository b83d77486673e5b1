"""The table of JSONL names: which file is whose, and what its keys mean, against a file of MMEngine and known lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from neatd.read.formats.jsonnames import NAMES, PLAIN, JsonOptions, Within, options, step_within
from neatd.read.rows import Told
from tests.written_files import case_id, expected, written

DETECTRON2 = '{"data_time": 0.01, "eta_seconds": 9.5, "iteration": 19, "loss": 1.5, "lr": 0.007, "time": 0.25}'
MMCV = """{"env_info": "sys.platform: linux", "config": "model = 1", "seed": 7, "exp_name": "faster_rcnn.py"}
{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.01, "memory": 3000, "data_time": 0.05, "loss": 2.0, "time": 0.3}
{"mode": "train", "epoch": 1, "iter": 100, "lr": 0.01, "memory": 3000, "data_time": 0.01, "loss": 1.5, "time": 0.3}
{"mode": "val", "epoch": 1, "iter": 30, "lr": 0.01, "bbox_mAP": 0.1}
{"mode": "train", "epoch": 2, "iter": 50, "lr": 0.01, "memory": 3000, "data_time": 0.05, "loss": 1.0, "time": 0.3}"""
LLAMA_FACTORY = """{"current_steps": 5, "total_steps": 60, "loss": 1.5, "lr": 4e-05, "epoch": 0.25, "percentage": 8.3, \
"elapsed_time": "0:00:10", "remaining_time": "0:01:50"}"""
RLLIB = """{"episode_reward_mean": 20.5, "info": {"learner": {"loss": 0.5}}, "training_iteration": 3, "pid": 7, "done": false, \
"timestamp": 1795285434, "hostname": "box", "config": {"lr": 0.1}, "hist_stats": {"lengths": [1, 2]}, "date": "2026-11-21"}"""
DEIT = '{"train_lr": 0.1, "train_loss": 6.9, "test_acc1": 1.5, "epoch": 0, "n_parameters": 5717416}'

Row = tuple[int | None, float | None, dict[str, float]]


class Reading:
    """The table's words carried out in the plainest way: what a reader of a file has to do by them."""

    def __init__(self, name: str) -> None:
        self.by: JsonOptions = options(name)
        self.told: dict[str, Any] = {}
        self.within, self.last, self.has_steps = Within(), 0, False

    def row(self, line: str) -> Row:
        """(step, time, values) of one line; no step where its ordinal would be it."""
        said = json.loads(line)
        by, key = self.by, next((key for key in self.by.step_keys if key in said), None)
        self.told |= {what: said[name] for name, what in by.told.items() if name in said}
        time = next((float(said[key]) for key in by.time_keys if key in said), None)
        before = f"{said[by.mode_key]}/" if by.mode_key in said else "" if key else by.unstepped_label
        left_out = {*by.told, *by.ignored, *by.step_keys, *by.time_keys}
        values = numbers({name: value for name, value in said.items() if name not in left_out}, before)
        return self.step(said, key), time, values

    def step(self, said: dict[str, Any], key: str | None) -> int | None:
        """Where the line stands."""
        by = self.by
        if key is None:
            if by.is_unstepped_last and self.has_steps:
                return self.last
            return next((said[name] for name in (*by.unstepped_keys, "epoch") if isinstance(said.get(name), int)), None)
        if by.training_modes and said.get(by.mode_key) not in by.training_modes:
            return self.last
        self.has_steps, self.last = True, said[key]
        if by.within:
            self.last, self.within = step_within(self.within, said[by.within], said[key])
        return self.last


def numbers(said: dict[str, Any], before: str) -> dict[str, float]:
    """The numbers of an object, by names joined with slashes."""
    found: dict[str, float] = {}
    for name, value in said.items():
        if isinstance(value, dict):
            found |= numbers(value, f"{before}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[before + name] = float(value)
    return found


@pytest.mark.parametrize("folder", written("mmengine"), ids=case_id)
def test_a_real_file_of_mmengine(folder: Path) -> None:
    """An evaluation stands at the last iteration, although its step is the epoch; seconds are values."""
    for path, content in expected(folder).items():
        reading = Reading(path)
        found: dict[str, list[list[float | None]]] = {}
        for line in (folder / path).read_text(encoding="utf-8").splitlines():
            step, time, values = reading.row(line)
            assert time is None
            for name, value in values.items():
                found.setdefault(name, []).append([step, value])
        assert found == content["series"]


def test_detectron2_counts_iterations_and_its_time_is_a_value() -> None:
    """The seconds of an iteration are no date."""
    step, time, values = Reading("output/metrics.json").row(DETECTRON2)
    assert (step, time) == (19, None)
    assert values == {"data_time": 0.01, "eta_seconds": 9.5, "loss": 1.5, "lr": 0.007, "time": 0.25}


def test_old_mm_files_count_on_over_epochs() -> None:
    """Their iter begins again each epoch; an evaluation, whose iter is the length of its data, stands where training does."""
    reading = Reading("work/20261121_182512.log.json")
    rows = [reading.row(line) for line in MMCV.splitlines()]
    assert [row[0] for row in rows] == [None, 50, 100, 100, 150]
    assert rows[0][2] == {} and reading.told == {"name": "faster_rcnn.py"}
    assert rows[3][2] == {"val/epoch": 1.0, "val/lr": 0.01, "val/bbox_mAP": 0.1}
    assert rows[4][2]["train/loss"] == 1.0 and rows[4][2]["train/time"] == 0.3


def test_llama_factory_tells_its_planned_steps() -> None:
    """The percentage and the times that are left say nothing more."""
    reading = Reading("saves/a/trainer_log.jsonl")
    assert reading.row(LLAMA_FACTORY) == (5, None, {"loss": 1.5, "lr": 4e-05, "epoch": 0.25})
    assert reading.told == {"planned_steps": 60}


def test_rllib_is_nested_and_tells_its_host_and_configuration() -> None:
    """Whose numbers are no metrics."""
    reading = Reading("ray_results/PPO/trial/result.json")
    assert reading.row(RLLIB) == (3, 1795285434.0, {"episode_reward_mean": 20.5, "info/learner/loss": 0.5})
    assert reading.told == {"host": "box", "config": {"lr": 0.1}}


def test_a_line_an_epoch_has_the_epoch_as_its_step() -> None:
    """And the model's size is told, not drawn."""
    reading = Reading("deit/log.txt")
    step, _, values = reading.row(DEIT)
    assert step == 0 and values["test_acc1"] == 1.5 and "n_parameters" not in values
    assert reading.told == {"params": 5717416}


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("metrics.json", True), ("metrics.jsonl", False), ("a/b/vis_data/scalars.json", True), ("scalars.json", False),
        ("vis_data/20261121_182512.json", True), ("x/20261121_182512.log.json", True), ("20261121_182512.json", False),
        ("a\\vis_data\\scalars.json", True), ("my_metrics.json", False), ("log.txt", True),
        ("train.log.txt", False), ("", False),
    ],
)  # fmt: skip
def test_a_file_is_known_by_the_end_of_its_path(name: str, is_known: bool) -> None:
    """A star in a pattern does not reach over a slash."""
    assert (options(name) is not PLAIN) == is_known


def test_what_a_table_tells_is_something_that_can_be_told() -> None:
    """Else the reader would have no place for it."""
    for _, by in NAMES:
        assert set(by.told.values()) <= set(Told.__annotations__)


@for_all(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 500))).map(sorted))
def test_steps_over_epochs_never_step_back(logged: list[tuple[int, int]]) -> None:
    """While the epochs go on and the steps within them rise."""
    within, last = Within(), 0
    for outer, inner in logged:
        step, within = step_within(Within(*json.loads(json.dumps(list(within)))), outer, inner)
        assert step >= last
        last = step


def test_a_resumed_run_steps_back_to_its_epoch() -> None:
    """Three epochs of a hundred steps, then the third again."""
    within, steps = Within(), []
    for outer in (1, 2, 3, 4, 3):
        for inner in (50, 100):
            step, within = step_within(within, outer, inner)
            steps.append(step)
    assert steps == [50, 100, 150, 200, 250, 300, 350, 400, 250, 300]
