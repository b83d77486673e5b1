"""Command lines taken apart, configurations compared."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.rules.commandline import MOST_VALUES, flat, parse_command
from neatd.rules.remarks import is_remark
from neatd.rules.similar import Known, Similarity, compare, defaults_of, difference_text

BASE = {
    "lr": 0.01,
    "batch": 16,
    "model": "wide",
    "amp": True,
    "optimizer.weight_decay": 0.1,
    "seed": 1,
    "out": "runs/a",
}


def asked(line: str) -> dict[str, Any]:
    return dict(parse_command(shlex.split(line)).params)


def alike(line: str, known: Known | None = None, **more: Any) -> Similarity | None:
    """How a command stands to a run with BASE as its whole configuration."""
    return compare(asked(line), known or Known(BASE), **more)


@pytest.mark.parametrize(
    ("line", "program", "params"),
    [
        ("python train.py --lr 0.01", "train.py", {"lr": 0.01}),
        ("python train.py --lr=1e-3 --batch-size 16", "train.py", {"lr": 0.001, "batch_size": 16}),
        (
            "python train.py lr=0.01 optimizer.wd=.1 +extra=x",
            "train.py",
            {"lr": 0.01, "optimizer.wd": 0.1, "extra": "x"},
        ),
        ("python ./src/train.py -b 8 --amp --no-ema", "src/train.py", {"b": 8, "amp": True, "ema": False}),
        ("python train.py --shift -3 --amp --lr 1", "train.py", {"shift": -3, "amp": True, "lr": 1}),
        ("python train.py --flag lr=1", "train.py", {"flag": True, "lr": 1}),
        ("SEED=3 CUDA_VISIBLE_DEVICES=0 python -m pkg.train --lr 1", "pkg.train", {"lr": 1}),
        ("torchrun --nproc_per_node 2 train.py --lr 1", "train.py", {"lr": 1}),
        ("./train --lr 1", "train", {"lr": 1}),
        ("python train.py --name 'a b' --on true --off None", "train.py", {"name": "a b", "on": True, "off": None}),
        ("python train.py data/x.bin", "train.py", {}),
        ("", "", {}),
    ],
)
def test_a_command_is_taken_apart(line: str, program: str, params: dict[str, Any]) -> None:
    """What stands before the program is the launcher's; values are numbers however they are written."""
    found = parse_command(shlex.split(line))
    assert (found.program, dict(found.params)) == (program, params)


def test_parameter_files_are_named_and_not_opened() -> None:
    """By --config, or by how their name ends; what reads them decides what is one."""
    found = parse_command(shlex.split("python train.py --config a.yaml --cfg=b.toml c.json lr=1"))
    assert found.files == ("a.yaml", "b.toml", "c.json") and found.params == {"lr": 1}


def test_nested_parameters_become_flat() -> None:
    """Short lists by position, long ones as one value, text that is a number as a number."""
    found = flat({"Optimizer": {"lr": "3e-4", "betas": [0.9, 0.95]}, "data-dir": "x", "ids": list(range(99))})
    assert found == {
        "optimizer.lr": 0.0003, "optimizer.betas.0": 0.9, "optimizer.betas.1": 0.95, "data_dir": "x",
        "ids": "99 values, from 0",
    }  # fmt: skip


def test_a_configuration_without_end_is_cut() -> None:
    """YAML may name one part so often that it unfolds into more than any memory holds, or hold itself."""
    part: dict[str, Any] = {"k": 1}
    for _ in range(15):
        part = {"a": part, "b": part}
    assert len(flat(part)) <= MOST_VALUES
    for _ in range(40):
        part = {"a": part, "b": part}
    part["self"] = part
    assert len(flat(part)) <= MOST_VALUES


def test_equal_parameters_are_the_same_configuration() -> None:
    """However they are written; folders, names and workers say nothing."""
    found = alike("python train.py --lr 1e-2 --batch=16 --out runs/b --num-workers 9 --weight_decay 0.10")
    assert found == Similarity("same", {}, 0.0, 3)
    assert difference_text(found) == "the same configuration"


def test_another_seed_is_said() -> None:
    """It is the same configuration all the same."""
    found = alike("python train.py lr=0.01 seed=2")
    assert found and found.relation == "same" and found.differing == {"seed": (2, 1)}
    assert difference_text(found) == "the same configuration but for the seed"


@pytest.mark.parametrize(
    ("line", "relation"),
    [
        ("t.py lr=0.02 batch=16", "near"),
        ("t.py lr=0.04 batch=16", "near"),
        ("t.py lr=0.0025 batch=16", "near"),
        ("t.py lr=0.02 batch=32 amp=true", "near"),
        ("t.py lr=0.05 batch=16", None),
        ("t.py lr=-0.01 batch=16", None),
        ("t.py lr=0 batch=16", None),
        ("t.py lr=0.02 batch=32 weight_decay=0.2 amp=true", None),
        ("t.py lr=0.01 model=deep", None),
        ("t.py lr=0.01 amp=false", None),
        ("t.py lr=0.01 mixup=0.2", None),
        ("t.py lr=0.02", None),
        ("t.py", None),
        ("t.py --out x", None),
    ],
)
def test_near_is_up_to_two_numbers_within_a_factor_of_four(line: str, relation: str | None) -> None:
    """Not another word, switch or sign, not a new parameter, and not without anything equal."""
    found = alike(f"python {line}")
    assert (found.relation if found else None) == relation


def test_the_difference_and_its_distance_are_told() -> None:
    """A factor of two is nearer than one of four."""
    near, far = alike("t.py lr=0.02 batch=16"), alike("t.py lr=0.04 batch=16")
    assert near and far and near.distance < far.distance
    assert difference_text(near) == "lr 0.02, was 0.01"


def test_what_only_the_other_command_named_is_a_difference() -> None:
    """Unless its value is known to be the default."""
    known = Known({"lr": 0.01, "wd": 0.5}, {"lr": 0.01, "wd": 0.5}, "train.py")
    assert alike("python train.py lr=0.01", known) is None
    found = alike("python train.py lr=0.01", known, defaults={"wd": 0.25})
    assert found and found.differing == {"wd": (0.25, 0.5)}
    found = alike("python train.py lr=0.01", known, defaults={"wd": 0.5})
    assert found and found.relation == "same" and not found.differing


def test_two_commands_that_name_nothing_are_the_same() -> None:
    """A bare configuration without a command tells nothing of a command that names nothing."""
    assert alike("python train.py --out b", Known({"lr": 1}, {"out": "a"}, "train.py"), program="train.py")
    assert alike("python train.py --out b", Known({"lr": 1}), program="train.py") is None


def test_defaults_are_learned_from_commands_that_did_not_name_them() -> None:
    """Of the same program; the first ones, which are the newest, come first."""
    tried = [
        Known({"lr": 0.01, "wd": 0.1, "k": 1}, {"lr": 0.01}, "/p/train.py"),
        Known({"lr": 0.02, "wd": 0.9}, {"wd": 0.9}, "train.py"),
        Known({"k": 2}, {}, "train.py"),
        Known({"lr": 9, "z": 9}, {}, "other/eval.py"),
        Known({"y": 9}),
    ]
    assert defaults_of(tried, "train.py") == {"wd": 0.1, "k": 1, "lr": 0.02}


def test_another_program_is_never_alike() -> None:
    """By its path, as far as both tell it: two trainers may be called train.py."""
    for mine, its, is_alike in (
        ("train.py", "/p/train.py", True), ("/p/train.py", "train.py", True), ("train.py", "eval.py", False),
        ("/t/lm/train.py", "/t/images/train.py", False), ("train.py", "", True),
    ):  # fmt: skip
        assert (compare({"lr": 0.01}, Known(BASE, None, its), mine) is not None) is is_alike, (mine, its)


def test_one_name_at_the_end_of_a_longer_one_is_found_when_it_is_the_only_one() -> None:
    """`lr` is optimizer.lr, and neither of two of them."""
    one, two = {"optimizer.lr": 0.1, "b": 1}, {"gen.lr": 0.1, "disc.lr": 0.1, "b": 1}
    assert alike("t.py --lr 0.1 --b 1", Known(one)) and alike("t.py --lr 0.1 --b 1", Known(two)) is None
    assert alike("t.py --model.optimizer.lr 0.1 --b 1", Known(one))


def test_a_recorded_experiment_is_compared_by_what_it_names() -> None:
    """At least half of its columns must be in the command."""
    known = Known({"lr": 0.01, "loss": "dice", "gpus": 4}, is_partial=True)
    assert alike("t.py --lr 0.01 --out x --loss dice", known) == Similarity("same", {}, 0.0, 2, common=("lr", "loss"))
    assert alike("t.py --lr 0.01 --batch 4", known)
    assert alike("t.py --batch 4", known) is None
    assert alike("t.py --lr 0.01", Known({"lr": 0.01, "a": 1, "b": 2}, is_partial=True)) is None


def test_what_only_one_of_command_and_experiment_names_makes_them_near_at_most() -> None:
    """It is said what is known in common, what is unknown of the experiment, and what the command does not name."""
    known = Known({"lr": 0.0003, "patch": 96, "hours": 2, "val_loss": 0.4, "comment": "ok"}, is_partial=True)
    found = alike("python train.py --lr 0.0003 --max_steps 999999 --batch 7", known)
    assert found and (found.relation, found.common, found.unnamed) == ("near", ("lr",), ("patch",))
    assert difference_text(found) == (
        "only lr is known in common, and equal; its max_steps, batch are unknown; the command does not name patch"
    )
    found = alike("t.py --lr 0.0003 --batch 7", known, defaults={"patch": 96})
    assert found and found.relation == "near" and found.unknown == ("batch",) and not found.unnamed
    found = alike("t.py --lr 0.0003", known, defaults={"patch": 96, "batch": 7})
    assert found and found.relation == "same" and difference_text(found) == "the same configuration"
    found = alike("t.py --lr 0.0006 --patch 96 --seed 3 --out x --amp", known)
    assert found and difference_text(found).startswith(
        "only lr, patch are known in common, lr 0.0006, was 0.0003; its amp"
    )


def test_columns_that_tell_how_it_went_are_no_parameters() -> None:
    """A loss that was measured is a remark, the name of a loss and the weight of one are not."""
    for name, value in (("hours", 2), ("val/loss", 0.1), ("best_val_dice", "nan"), ("loss", 0.3), ("comment", "x")):
        assert is_remark(name, value), name
    for name, value in (("loss", "dice"), ("val_every", 5), ("test_split", 0.1), ("lr", 1), ("val_loss_weight", 2)):
        assert not is_remark(name, value), name


words = st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=8)


@given(words)
def test_any_words_can_be_taken_apart(line: list[str]) -> None:
    """And are the same as themselves, where they name anything."""
    found = parse_command(line)
    known = Known(dict(found.params), dict(found.params), found.program)
    similarity = compare(found.params, known, found.program)
    assert similarity is not None and similarity.relation == "same" and not similarity.differing
