"""The file of a study: what it may say, and how it is told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.errors import ConfigError
from neatd.studies.spec import StudyFile, load_study

WHOLE = """
name: lm-200M
trainer: lm
set: {steps: 300}
space:
  lr: {type: float, low: 1e-4, high: 1e-2, log: true}
  dim: {type: int, low: 256, high: 1024, step: 128}
  heads: [4, 8, 16]
  layers: {type: int, low: 2, high: 96}
  weight_decay: [1e-3, 0.1]
derived: {d_ff: 4 * dim}
constraints:
  - dim % heads == 0
  - d_ff <= 4096
budget: {parameters: 200M, count: 12 * layers * dim * dim + 256 * dim, tolerance: 10%, by: layers}
goal: {metric: val/loss, goal: min, value: best, steps: 300}
sampler: {kind: tpe, seed: 1, startup: 10}
pruner: {kind: median, startup: 5, warmup: 50, interval: 10}
repeats: {values: [1, 2]}
trials: 50
parallel: 2
memory: 8G
"""
MISTAKES = """
name: x
command: python a.py --lr {lr} {nope} {dim:3}
space:
  lr: {type: float, low: 1e-4, high: 1e-2}
  dim: {type: int, low: 16, high: 64}
derived: {d_ff: 4 * dimm}
constraints: ["dim % d_ff == 0", "__import__('os')", "dim.real > 2"]
budget: {parameters: 100K, by: lr}
goal: {metric: val/loss}
sampler: {kind: grid}
trials: 10
"""
FIELDS = """
name: ../x
space:
  lr: {type: float, low: 1e-1, high: 1e-2}
  dim: {type: int, lo: 1}
goal: {metric: val/loss, gaol: min}
trials: 0
"""


def load(tmp_path: Path, text: str) -> StudyFile:
    path = tmp_path / "s.yaml"
    path.write_text(text.lstrip())
    return load_study(path)


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """What is told of a file, without its name."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.hint
    return [line.removeprefix(f"{tmp_path / 's.yaml'}:") for line in caught.value.message.splitlines()]


def test_a_whole_file_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """Sizes and shares as people write them; `1e-3` is a number, also among choices; the store's JSON says the same."""
    found = load(tmp_path, WHOLE)
    assert found.budget and (found.budget.parameters, found.budget.tolerance) == (200e6, 0.1)
    assert found.memory == 8 * 2**30 and found.repeats and found.repeats.parameter == "seed"
    assert found.space["weight_decay"].choices == (0.001, 0.1) and found.group_name == "study:lm-200M"
    assert list(found.expressions) == ["d_ff", "parameters"]
    assert StudyFile.model_validate(found.model_dump(mode="json")) == found


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """Names that nobody knows, what no expression may hold, what the command never asks for."""
    found = mistakes(tmp_path, MISTAKES)
    starts = [
        "2: command: must say {out}", "2: command[4]: asks for {nope}", "2: command[5]: a name in braces takes no format",
        "4: space.lr: has no end of values", "5: space.dim: the command never asks for {dim}",
        "6: derived.d_ff: names 'dimm'", "7: constraints[1]: calls '__import__'",
        "7: constraints[2]: holds what no expression may: a dot", "8: budget.by: must be a parameter",
        "8: budget.count: is missing",
    ]  # fmt: skip
    assert len(found) == len(starts)
    assert all(line.startswith(start) for line, start in zip(found, starts, strict=True)), found


def test_a_field_that_is_wrong_is_told_with_what_it_takes(tmp_path: Path) -> None:
    """As of every other file: line, field, value, and which name was meant."""
    found = mistakes(tmp_path, FIELDS)
    assert "may hold letters, digits" in found[0] and found[0].startswith("1: name:")
    assert found[1].startswith("3: space.lr: low is above high: 0.1 > 0.01")
    assert found[2] == "4: space.dim.lo: unknown field (did you mean low?)"
    assert found[3] == "5: goal.gaol: unknown field (did you mean goal?)"
    assert found[4].startswith("6: trials: must be a whole number of at least 1")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("trainer: lm", "name either a `trainer` or a `command`"),
        ("set: {steps: 3}", "is for a trainer"),
        ("repeats: {parameter: lr, values: [1]}", "is set or searched already"),
        ("repeats: {values: [1]}", "the command never asks for {seed}"),
        ("space: {lr: [1, 1], dim: [2]}", "names a choice twice"),
        ("space: {lr: {type: float, low: 0, high: 1, log: true}, dim: [1]}", "low must be above 0"),
        ("space: {lr: {type: int, low: 0.5, high: 1}, dim: [1]}", "must be whole numbers"),
        ("space: {lr: {choices: []}, dim: [1]}", "needs `choices`"),
        ("constraints: [lr % 2]", ""),
        ('command: ""', "must not be empty"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, change: str, told: str) -> None:
    """Each in a file that is right but for it. A constraint that is a number holds for no point: see the space."""
    base = {
        "name": "name: x", "command": "command: python a.py {out} {lr} {dim}", "space": "space: {lr: [0.1], dim: [1]}",
        "goal": "goal: {metric: loss}", "trials": "trials: 3",
    }  # fmt: skip
    text = "\n".join((base | {change.partition(":")[0]: change}).values())
    if told:
        assert any(told in line for line in mistakes(tmp_path, text))
    else:
        load(tmp_path, text)
