"""The shipped lm trainer in a small configuration: run as it is, its faults planted from outside.

Faults act on what the trainer reads and holds: its text is replaced for some steps, its gradients are taken away, its
embedding poisoned. Of what it wrote only the clock is made virtual, and the mark of its own planted fault is left out.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from neatd.files import data_path
from tests.bench.quality.faults import FLIPPED_SHARE, LR_FACTOR, LR_STEPS, Fault, active

SMALL = {"batch": 8, "context": 24, "layers": 2, "dim": 32, "heads": 2, "data_mb": 1.0, "eval_windows": 16,
         "save_every": 0, "threads": 1, "device": "cpu"}  # fmt: skip


@cache
def program() -> ModuleType:
    """trainers/lm/train.py as a module."""
    path = data_path("trainers") / "lm" / "train.py"
    spec = importlib.util.spec_from_file_location("quality_lm_train", path)
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train(out: Path, parameters: dict[str, Any], faults: tuple[Fault, ...], seed: int) -> None:
    """Write the run's folder as the trainer does. A fault of the learning rate is the trainer's own."""
    lr = next((one for one in faults if one.kind == "lr"), None)
    own = {"fault_at": lr.onset, "fault_steps": LR_STEPS, "fault_factor": LR_FACTOR} if lr else {}
    module = program()
    run = spoilt_run(module)(out, module.Parameters(**SMALL, **parameters, **own))
    run.faults, run.chance = faults, np.random.default_rng([seed, 8])
    run.open()
    with run.metrics, run.predictions:
        run.fit()


def spoilt_run(module: ModuleType) -> Any:
    """The trainer's Run, spoilt while a fault is active."""

    class SpoiltRun(module.Run):  # type: ignore[name-defined, misc]
        faults: tuple[Fault, ...]
        chance: np.random.Generator

        def train_step(self) -> dict[str, Any]:
            fault, whole = active(self.faults, self.step + 1), self.train_data
            kind = fault.kind if fault else ""
            self.train_data = spoilt_text(kind, whole, self.chance)
            hooks = _hooks(kind, self.model)
            line: dict[str, Any] = super().train_step()
            for hook in hooks:
                hook.remove()
            self.train_data = whole
            return line

    return SpoiltRun


def spoilt_text(kind: str, text: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """The text that the trainer reads while a fault of this kind is active."""
    if kind not in ("corrupted", "flipped", "shuffled"):
        return text
    if kind == "shuffled":  # bytes out of their order: the next one says nothing of the last
        return text[torch.from_numpy(rng.permutation(len(text)))]
    noise = torch.from_numpy(rng.integers(0, 256, len(text)).astype(np.uint8))
    is_wrong = torch.from_numpy(rng.random(len(text)) < (1.0 if kind == "corrupted" else FLIPPED_SHARE))
    return torch.where(is_wrong, noise, text)


def _hooks(kind: str, model: torch.nn.Module) -> list[Any]:
    """What poisons one step, or keeps the first block's large layers (its biggest hidden ones) from learning."""
    if kind == "nan":
        return [model.embed.register_forward_hook(lambda _module, _inputs, out: out * math.nan)]
    if kind == "frozen":
        big = [one.weight for block in model.blocks for one in (block.up, block.down)]
        return [one.register_hook(torch.zeros_like) for one in big]
    return []
