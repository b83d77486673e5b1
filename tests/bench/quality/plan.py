"""The list of all runs: clean ones of many sorts, and those with faults. Drawn by seed; nothing trains here.

Runs alternate between the halves "tuning" and "held": rules are tuned on the first alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.bench.quality.faults import APART, BEHIND, EARLIEST, KINDS, LEAK_STEPS, PASSING, Fault, planted
from tests.bench.quality.names import SHARES
from tests.bench.quality.trainings import Recipe

SEED = 20_260
SPLITS = ("tuning", "held")
# Clean runs of each sort of model; of lm, the trainer as it is. Steps: 300,000 and more.
CLEAN = {"mlp": 80, "cnn": 12, "lm": 6}
# Faults of each kind by model. The lm trainer logs no memory, and its stall is in the clock alone.
FAULTS = {"mlp": 16, "cnn": 4, "lm": 2}
# What makes a clean run hard, in turns.
TRAITS = ("near_zero", "restarts", "step_decay", "dropout", "label_noise", "clipping", "long_evals", "compiled",
          "overfit", "resumed", "plain", "sparse_log")  # fmt: skip


class LmRecipe(NamedTuple):
    """A run of the lm trainer."""

    name: str
    seed: int
    split: str
    parameters: dict[str, Any]
    faults: tuple[Fault, ...] = ()


def recipes() -> list[Recipe | LmRecipe]:
    """All runs, in an order that has all sorts early."""
    found = [*_lm(), *_clean("cnn"), *_faulty("cnn"), *_clean("mlp"), *_faulty("mlp")]
    seeded = [one._replace(seed=SEED + index) for index, one in enumerate(found)]
    return [seeded[place] for place in np.random.default_rng(SEED).permutation(len(seeded)).tolist()]


def _clean(model: str) -> Iterator[Recipe]:
    for index in range(CLEAN[model]):
        rng = np.random.default_rng([SEED, len(model), ord(model[0]), index])
        trait = TRAITS[index // 2 % len(TRAITS)]  # each half has each
        steps = int(rng.integers(1500, 6001) if model == "mlp" else rng.integers(800, 1801))
        recipe = _drawn(rng, model, f"clean-{model}-{index:03d}", SPLITS[index % 2], steps)
        yield _with_trait(recipe, trait, rng)


def _drawn(rng: np.random.Generator, model: str, name: str, split: str, steps: int) -> Recipe:
    """An ordinary run: what a person might have chosen."""
    optimizer, batch = str(rng.choice(["sgd", "adamw"])), int(rng.choice([8, 16, 32, 64, 128]))
    batch = min(batch, 64) if model == "cnn" else batch
    base = 0.03 if optimizer == "sgd" else 1.5e-3
    lr = base * math.sqrt(batch / 32) * float(np.exp(rng.uniform(math.log(0.4), math.log(1.6))))
    widths = [(128,), (64, 64), (96, 64), (64, 96, 64), (128, 128)][rng.integers(5)]
    return Recipe(
        name, 0, split, steps, str(rng.choice(list(SHARES), p=list(SHARES.values()))), model,
        widths=((8, 16, 32), (6, 12, 48))[rng.integers(2)] if model == "cnn" else widths,
        optimizer=optimizer, lr=lr, weight_decay=float(rng.choice([0.0, 1e-4, 1e-2])) if optimizer == "adamw" else 1e-4,
        schedule=str(rng.choice(["constant", "cosine", "step", "restarts", "linear"], p=[0.25, 0.35, 0.15, 0.15, 0.1])),
        batch=batch, clip=float(rng.choice([0.0, 1.0])), dropout=float(rng.choice([0.0, 0.0, 0.1])),
        eval_every=int(rng.choice([25, 50, 100, 200])), has_layers=bool(rng.random() < 0.5),
        has_accuracy=bool(rng.random() < 0.75), has_memory=bool(rng.random() < 0.5),
        speed=str(rng.choice(["step_time", "rate", "both", "none"])), long_evals=bool(rng.random() < 0.15),
        is_compiled=bool(rng.random() < 0.2),
    )  # fmt: skip


def _with_trait(recipe: Recipe, trait: str, rng: np.random.Generator) -> Recipe:
    changes: dict[str, Any] = {
        "near_zero": {"batch": 8, "weight_decay": 0.0, "dropout": 0.0, "lr": recipe.lr * math.sqrt(8 / recipe.batch)},
        "restarts": {"schedule": "restarts"},
        "step_decay": {"schedule": "step"},
        "dropout": {"dropout": float(rng.choice([0.3, 0.5]))},
        "label_noise": {"label_noise": float(rng.uniform(0.05, 0.25))},
        "clipping": {"clip": 0.5},
        "long_evals": {"long_evals": True, "speed": str(rng.choice(["step_time", "rate"]))},
        "compiled": {"is_compiled": True, "speed": str(rng.choice(["step_time", "rate"]))},
        "overfit": {"train_size": int(rng.integers(128, 260)), "weight_decay": 0.0, "dropout": 0.0,
                    "label_noise": float(rng.choice([0.0, 0.15]))},
        "resumed": {"resume_at": int(rng.integers(recipe.steps // 3, recipe.steps - 100)),
                    "resume_back": int(rng.integers(10, 200))},
        "sparse_log": {"log_every": int(rng.choice([5, 10]))},
    }.get(trait, {})  # fmt: skip
    return recipe._replace(traits=(trait,), **changes)


def _faulty(model: str) -> Iterator[Recipe]:
    """Runs that meet all faults of each kind; passing ones up to three a run, in turns of kinds."""
    number, odd = 0, model == "cnn"
    for half in (0, 1):
        turns = [turn for turn in range(FAULTS[model]) if (turn + odd) % 2 == half]
        queue = [kind for turn in turns for kind in _turned(PASSING, turn)]
        while queue:
            rng = np.random.default_rng([SEED + 1, len(model), ord(model[0]), number])
            size = min(len(queue), int(rng.integers(1, 4)))
            some, queue = queue[:size], queue[size:]
            yield _with_faults(rng, model, number, SPLITS[half], some)
            number += 1
    for kind in (one for one in KINDS if one not in PASSING):
        for index in range(FAULTS[model]):
            rng = np.random.default_rng([SEED + 2, len(model), ord(model[0]), number])
            yield _with_faults(rng, model, number, SPLITS[(index + odd) % 2], [kind], index)
            number += 1


def _turned(kinds: Sequence[str], by: int) -> list[str]:
    by %= len(kinds)
    return [*kinds[by:], *kinds[:by]]


def _with_faults(
    rng: np.random.Generator, model: str, number: int, split: str, kinds: Sequence[str], index: int = 0
) -> Recipe:
    faults: list[Fault] = []
    for kind in kinds:
        first = faults[-1].end + APART if faults else EARLIEST
        spread = 300 if faults else 250 if kind == "leak" else 900
        faults.append(planted(kind, int(first + rng.integers(0, spread)), _detail(kind, index)))
    last = faults[-1]
    steps = last.onset + (LEAK_STEPS if last.kind == "leak" else 0) + BEHIND + int(rng.integers(0, 120))
    name = f"fault-{model}-{number:03d}-{'-'.join(kinds)}"
    recipe = _drawn(rng, model, name, split, steps)
    if "leak" in kinds:
        recipe = recipe._replace(has_memory=True)
    return recipe._replace(faults=tuple(faults), skips_nan=last.detail == "skipped")


def _detail(kind: str, index: int) -> str:
    ways = {"frozen": ("zeroed", "no_grad"), "nan": ("", "skipped")}.get(kind, ("",))
    return ways[index // 2 % len(ways)]


def _lm() -> Iterator[LmRecipe]:
    rng = np.random.default_rng([SEED + 3])
    for index in range(CLEAN["lm"]):
        yield LmRecipe(f"clean-lm-{index:03d}", 0, SPLITS[index % 2], _lm_parameters(rng, 600))
    number = 0
    for kind in (one for one in KINDS if one != "leak"):
        for _ in range(FAULTS["lm"]):
            fault = planted(kind, EARLIEST + int(rng.integers(0, 200)))
            parameters = _lm_parameters(rng, fault.onset + BEHIND)
            yield LmRecipe(f"fault-lm-{number:03d}-{kind}", 0, SPLITS[number % 2], parameters, (fault,))
            number += 1


def _lm_parameters(rng: np.random.Generator, steps: int) -> dict[str, Any]:
    lr = float(np.exp(rng.uniform(math.log(1e-3), math.log(4e-3))))
    return {"steps": steps, "eval_every": 50, "lr": round(lr, 6), "seed": int(rng.integers(1, 10_000))}
