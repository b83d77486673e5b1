"""A run's parameters, from whichever file the trainer left, and nothing from one that is broken."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from neatd.read.runconfig import LARGEST, NAMES, planned_steps, read_config
from neatd.store.rows import dump


def written(folder: Path, name: str, text: str | bytes) -> dict[str, Any]:
    """What is read where `name` holds `text`."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(folder)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_that_trainers_write_is_read(tmp_path: Path, name: str) -> None:
    """JSON is YAML, too."""
    config = {"lr": 0.001, "name": "größe", "layers": [1, 2], "optim": {"betas": [0.9, 0.95]}, "seed": None}
    assert written(tmp_path, name, json.dumps(config)) == config


def test_yaml_with_types_of_its_own_becomes_plain(tmp_path: Path) -> None:
    """Dates and sets are told as text and lists, keys as text; the store's JSON holds it."""
    found = written(tmp_path, "config.yaml", "day: 2026-01-02\ntags: !!set {a}\n1: one\nclip: .inf\nok: true\n")
    assert found == {"day": "2026-01-02", "tags": ["a"], "1": "one", "clip": math.inf, "ok": True}
    assert dump(found)


def test_the_first_whole_file_counts(tmp_path: Path) -> None:
    """One that is being written is passed over for the next."""
    written(tmp_path, "config.json", '{"lr": ')
    assert written(tmp_path, "hparams.yaml", "lr: 2") == {"lr": 2}
    assert written(tmp_path, "config.json", '{"lr": 1}') == {"lr": 1}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "just words", "a: [", "a: b: c", "\t- x", "day: 2024-13-45", "a: !!int ''", "a: !!bool maybe",
     "a: !!timestamp soon", "a: !!python/object/apply:os.system ['true']", "a: &a [*a]", "a: " + "[" * 1200, BOMB,
     b"\xff\xfe\x00a"],
)  # fmt: skip
def test_a_file_that_is_no_parameters_is_none(tmp_path: Path, text: str | bytes) -> None:
    """Broken, endless, unfolding into gigabytes, or meant to run something: the run has no parameters then."""
    assert written(tmp_path, "config.yaml", text) == {}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "9" * 10_000 + "}", '{"a": ' * 5000])
def test_json_that_no_parser_takes_is_none(tmp_path: Path, text: str) -> None:
    """Nesting and numbers without end."""
    assert written(tmp_path, "config.json", text) == {}


def test_a_large_file_is_data_and_no_parameters(tmp_path: Path) -> None:
    """It is not even read."""
    assert written(tmp_path, "config.json", '{"lr": 1}' + " " * LARGEST) == {}


def test_half_of_a_surrogate_pair_becomes_a_question_mark(tmp_path: Path) -> None:
    """In names and values, since the store cannot hold it."""
    found = written(tmp_path, "config.json", r'{"a\ud800": ["\udfff"]}')
    assert found == {"a?": ["?"]}
    assert dump(found).encode()


@pytest.mark.parametrize(
    ("config", "steps"),
    [({"max_steps": 500}, 500), ({"train": {"total_steps": 7}}, 7), ({"max_iters": 5, "train": {"max_steps": 9}}, 5),
     ({"steps": 3, "max_steps": 4}, 4), ({"max_steps": -1, "num_steps": 8}, 8), ({"max_steps": True}, None),
     ({"max_steps": "500"}, None), ({"max_steps": 1.5}, None), ({"a": {"b": {"max_steps": 5}}}, None), ({}, None)],
)  # fmt: skip
def test_planned_steps_are_found_at_the_top_or_one_level_below(config: dict[str, Any], steps: int | None) -> None:
    """transformers writes -1 for none."""
    assert planned_steps(config) == steps


def test_the_steps_of_an_evaluation_are_not_the_runs() -> None:
    """Below the top only a part that is about training plans the run."""
    assert planned_steps({"eval": {"steps": 20}}) is None
    assert planned_steps({"training": {"max_steps": 500}, "eval": {"steps": 20}}) == 500
