"""Small real trainings in torch: an MLP or a small CNN on scikit-learn's bundled digits, one thread.

Invariant: what a training logs is a function of its recipe alone. Faults are planted here, where they act; their
strengths are those of `tests/bench/quality/faults.py`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from tests.bench.quality.faults import FLIPPED_SHARE, LR_FACTOR, NOISE_SIGMAS, Fault, active

CLASSES, VALIDATION = 10, 360


class Recipe(NamedTuple):
    """One training. `resume_at`: it crashed there and went on from a checkpoint `resume_back` steps before."""

    name: str
    seed: int
    split: str
    steps: int
    style: str
    model: str = "mlp"
    widths: tuple[int, ...] = (64, 64)
    dropout: float = 0.0
    optimizer: str = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.0
    schedule: str = "constant"
    batch: int = 32
    clip: float = 0.0
    label_noise: float = 0.0
    train_size: int = 0  # 0: all
    eval_every: int = 50
    has_layers: bool = False
    has_accuracy: bool = True
    speed: str = "step_time"  # or "rate", "both", "none"
    has_memory: bool = False
    log_every: int = 1
    long_evals: bool = False
    is_compiled: bool = False
    resume_at: int = 0
    resume_back: int = 0
    skips_nan: bool = False
    traits: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


class Logged(NamedTuple):
    """What one update, or one evaluation, has to say."""

    step: int
    values: dict[str, float]
    is_eval: bool = False


@cache
def digits() -> tuple[Tensor, Tensor]:
    """(1797, 64) pixels of mean 0 and deviation 1 over all, and their (1797,) digits."""
    bunch = load_digits()
    x = torch.tensor(bunch.data, dtype=torch.float32)
    return (x - x.mean()) / x.std(), torch.tensor(bunch.target, dtype=torch.long)


def learning_rate(recipe: Recipe, step: int) -> float:
    """By the schedule's name; the first step is 1."""
    base, done = recipe.lr, (step - 1) / recipe.steps
    if recipe.schedule == "cosine":
        warmup = max(20, recipe.steps // 20)
        share = (step - warmup) / max(1, recipe.steps - warmup)
        return base * step / warmup if step < warmup else base * (0.01 + 0.495 * (1 + math.cos(math.pi * share)))
    if recipe.schedule == "step":
        return base * (0.1, 0.3, 0.5)[recipe.seed % 3] ** math.floor(done * 3)
    if recipe.schedule == "restarts":  # up again by 10, 100 or 1,000 times
        period, floor = max(200, recipe.steps // 5), (0.1, 0.01, 0.001)[recipe.seed % 3]
        return base * (floor + (1 - floor) / 2 * (1 + math.cos(math.pi * ((step - 1) % period) / period)))
    if recipe.schedule == "linear":
        return base * (1 - 0.99 * done)
    return base


def build(recipe: Recipe) -> nn.Module:
    """Layers have the names that people give them: fc1, conv2, head."""
    model = nn.Sequential()
    if recipe.model == "cnn":
        a, b = recipe.widths[:2]
        model.add_module("image", nn.Unflatten(1, (1, 8, 8)))
        for index, (here, there) in enumerate(((1, a), (a, b)), 1):
            model.add_module(f"conv{index}", nn.Conv2d(here, there, 3, padding=1))
            model.add_module(f"act{index}", nn.ReLU())
            model.add_module(f"pool{index}", nn.MaxPool2d(2))
        model.add_module("flat", nn.Flatten())
        last, hidden = 4 * b, recipe.widths[2:]
    else:
        last, hidden = 64, recipe.widths
    for index, width in enumerate(hidden, 1):
        model.add_module(f"fc{index}", nn.Linear(last, width))
        model.add_module(f"relu{index}", nn.ReLU())
        if recipe.dropout:
            model.add_module(f"drop{index}", nn.Dropout(recipe.dropout))
        last = width
    model.add_module("head", nn.Linear(last, CLASSES))
    return model


def make_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), recipe.lr, momentum=0.9, weight_decay=recipe.weight_decay, fused=True
        )
    return torch.optim.AdamW(model.parameters(), recipe.lr, weight_decay=recipe.weight_decay, fused=True)


class Training:
    """One run of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.chance = np.random.default_rng([recipe.seed, 7])  # of batches
        self.mischief = np.random.default_rng([recipe.seed, 8])  # of faults
        self.model = build(recipe)
        self.layers = {name: list(one.parameters()) for name, one in self.model.named_children()}
        self.layers = {name: some for name, some in self.layers.items() if some}
        self.parameters = [one for some in self.layers.values() for one in some]
        self.optimizer = make_optimizer(recipe, self.model)
        self.frozen, self.freezing = self._largest_hidden(), ""
        self._split_data()
        self.order = np.empty(0, np.int64)

    def _split_data(self) -> None:
        x, y = digits()
        order = torch.from_numpy(np.random.default_rng([self.recipe.seed, 6]).permutation(len(x)))
        train = order[VALIDATION:][: self.recipe.train_size or None]
        self.x, self.y = x[train], y[train].clone()
        self.val_x, self.val_y = x[order[:VALIDATION]], y[order[:VALIDATION]]
        wrong = torch.from_numpy(self.chance.random(len(train)) < self.recipe.label_noise)
        self.y[wrong] = self._wrong(self.y[wrong], self.chance)

    def _wrong(self, labels: Tensor, rng: np.random.Generator) -> Tensor:
        return (labels + torch.from_numpy(rng.integers(1, CLASSES, len(labels)))) % CLASSES

    def _largest_hidden(self) -> str:
        sizes = {name: sum(one.numel() for one in some) for name, some in self.layers.items() if name != "head"}
        return max(sizes, key=lambda name: sizes[name])

    def lines(self) -> Iterator[Logged]:
        """Updates and evaluations in the order in which they are logged."""
        recipe, saved, step, back_from = self.recipe, None, 0, self.recipe.resume_at
        while step < recipe.steps:
            step += 1
            yield Logged(step, self.update(step))
            if step % recipe.eval_every == 0 or step == recipe.steps:
                yield Logged(step, self.evaluate(), is_eval=True)
            if step == recipe.resume_at - recipe.resume_back and back_from:
                saved = copy.deepcopy((self.model.state_dict(), self.optimizer.state_dict()))
            if step == back_from and saved:
                self.model.load_state_dict(saved[0])
                self.optimizer.load_state_dict(saved[1])
                step, back_from = recipe.resume_at - recipe.resume_back, 0

    def update(self, step: int) -> dict[str, float]:
        """One step; what is logged of it: the loss of the batch before the update, norms before clipping."""
        recipe, fault = self.recipe, active(self.recipe.faults, step) if self.recipe.faults else None
        kind = fault.kind if fault else ""
        x, y = self._batch()
        if kind:
            x, y = self._spoilt(kind, x, y)
        if fault and kind == "frozen":
            self._freeze(fault.detail)
        lr = learning_rate(recipe, step) * (LR_FACTOR if kind == "lr" else 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        logits = self.model(x)
        loss = F.cross_entropy(logits, y)
        for one in self.parameters:
            one.grad = None
        loss.backward()
        if self.freezing == "zeroed":
            for one in self.layers[self.frozen]:
                one.grad.zero_()  # type: ignore[union-attr]
        norms = self._norms()
        total = math.sqrt(sum(one * one for one in norms.values()))
        if recipe.clip and total > recipe.clip:
            torch._foreach_mul_([one.grad for one in self.parameters if one.grad is not None], recipe.clip / total)
        value = loss.item()
        if not (recipe.skips_nan and not math.isfinite(value)):
            self.optimizer.step()
        values = {"loss": value, "lr": lr, "norm": total}
        if recipe.has_accuracy:
            values["accuracy"] = int((logits.argmax(1) == y).sum()) / len(y)
        return values | ({f"layer:{name}": norm for name, norm in norms.items()} if recipe.has_layers else {})

    def _batch(self) -> tuple[Tensor, Tensor]:
        if len(self.order) < self.recipe.batch:
            self.order = self.chance.permutation(len(self.y))
        places, self.order = torch.from_numpy(self.order[: self.recipe.batch]), self.order[self.recipe.batch :]
        return self.x[places], self.y[places]

    def _spoilt(self, kind: str, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if kind == "corrupted":  # the data's deviation is 1
            return torch.from_numpy(self.mischief.normal(0, NOISE_SIGMAS, x.shape).astype(np.float32)), y
        if kind == "nan":
            x = x.clone()
            x[0] = math.nan
        elif kind == "shuffled":
            y = y[torch.from_numpy(self.mischief.permutation(len(y)))]
        elif kind == "flipped":
            is_wrong = torch.from_numpy(self.mischief.random(len(y)) < FLIPPED_SHARE)
            y = torch.where(is_wrong, self._wrong(y, self.mischief), y)
        return x, y

    def _freeze(self, how: str) -> None:
        """Without gradients from here on: set to zero, or not computed."""
        if not self.freezing:
            self.freezing = how
            if how == "no_grad":
                for one in self.layers[self.frozen]:
                    one.requires_grad_(False)

    def _norms(self) -> dict[str, float]:
        """The gradient's norm of each layer that has one."""
        some = {name: [one.grad for one in group if one.grad is not None] for name, group in self.layers.items()}
        flat = [one for group in some.values() for one in group]
        squares = iter(torch.stack(torch._foreach_norm(flat)).square().tolist())
        return {name: math.sqrt(sum(next(squares) for _ in group)) for name, group in some.items() if group}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        self.model.eval()
        logits = self.model(self.val_x)
        self.model.train()
        right = int((logits.argmax(1) == self.val_y).sum()) / VALIDATION
        return {"val_loss": F.cross_entropy(logits, self.val_y).item(), "val_accuracy": right}
