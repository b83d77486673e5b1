"""One run's folder: config.json and metrics.jsonl as a trainer writes them, and what its label says.

What a training yields gets its run's names, its virtual clock and its virtual memory here.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.bench.quality import lm
from tests.bench.quality.clock import BEGUN, Pace, draw_pace, memory_mb, step_times
from tests.bench.quality.faults import Fault
from tests.bench.quality.names import STYLES, Style
from tests.bench.quality.plan import LmRecipe
from tests.bench.quality.trainings import Logged, Recipe, Training

OVERFIT_RISE = (
    1.1  # the median of three evaluations so far above the lowest before them: the run overfits since that one
)


def write_run(folder: Path, recipe: Recipe | LmRecipe) -> dict[str, Any]:
    """Write the run into `folder`/runs/NAME; its label."""
    place = folder / "runs" / recipe.name
    place.mkdir(parents=True)
    label: dict[str, Any] = {"run": recipe.name, "split": recipe.split, "seed": recipe.seed}
    told = _write_lm(place, recipe) if isinstance(recipe, LmRecipe) else _write_training(place, recipe)
    label |= {"kind": "fault" if recipe.faults else "clean", "faults": [one._asdict() for one in recipe.faults], **told}
    return label


def _write_training(place: Path, recipe: Recipe) -> dict[str, Any]:
    config = {"model": recipe.model, "lr": recipe.lr, "batch_size": recipe.batch, "optimizer": recipe.optimizer,
              "schedule": recipe.schedule, "max_steps": recipe.steps, "seed": recipe.seed}  # fmt: skip
    (place / "config.json").write_text(json.dumps(config, indent=1))
    style, evals = STYLES[recipe.style], []
    with (place / "metrics.jsonl").open("w", encoding="utf-8") as file:
        for one, line in _lines(recipe, style):
            if one.is_eval:
                evals.append((one.step, one.values["val_loss"]))
            file.write(json.dumps(line) + "\n")
    told = {"steps": recipe.steps, "model": recipe.model, "traits": recipe.traits, "style": recipe.style}
    return told | {
        "overfit_from": overfit_from(evals, recipe.faults),
        "series": {**style._asdict(), "memory": style.memory if recipe.has_memory else ""},
        "log_every": recipe.log_every,
        "has_layers": recipe.has_layers,
    }


def _lines(recipe: Recipe, style: Style) -> Iterator[tuple[Logged, dict[str, Any]]]:
    """What is logged, and its line."""
    rng = np.random.default_rng([recipe.seed, 9])
    pace = draw_pace(rng, recipe.long_evals, recipe.is_compiled)
    seconds = step_times(pace, recipe.steps, recipe.faults, rng)
    memory = memory_mb(recipe.steps, recipe.eval_every, recipe.faults, rng) / style.memory_unit_mb
    now, before = BEGUN + recipe.seed * 1000.0, 0
    for one in Training(recipe).lines():
        if one.step <= before and not one.is_eval:
            now += 90.0 + pace.first_s  # it crashed and was started again
        before = one.step
        now += pace.eval_s * (0.9 + 0.2 * rng.random()) if one.is_eval else float(seconds[one.step - 1])
        if one.step % recipe.log_every and not one.is_eval:
            continue
        line = {style.step: one.step, style.time: round(now, 3)}
        line |= {_named(style, name): _short(value) for name, value in one.values.items()}
        if not one.is_eval:
            line |= _machine(recipe, style, float(seconds[one.step - 1]), float(memory[one.step - 1]))
        yield one, line


def _named(style: Style, name: str) -> str:
    return style.layer.format(name[6:]) if name.startswith("layer:") else str(getattr(style, name))


def _machine(recipe: Recipe, style: Style, step_s: float, memory: float) -> dict[str, float]:
    found = {}
    if recipe.speed in ("step_time", "both"):
        found[style.step_time] = round(step_s, 5)
    if recipe.speed in ("rate", "both"):
        found[style.rate] = _short(recipe.batch / step_s)
    if recipe.has_memory:
        found[style.memory] = round(memory, 3)
    return found


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _write_lm(place: Path, recipe: LmRecipe) -> dict[str, Any]:
    """The trainer writes beside; what it wrote comes here with the virtual clock. Its weights are left out."""
    with tempfile.TemporaryDirectory() as beside:
        lm.train(Path(beside), recipe.parameters, recipe.faults, recipe.seed)
        for name in ("config.json", "predictions.jsonl"):
            shutil.copy(Path(beside) / name, place / name)
        lines = [json.loads(line) for line in (Path(beside) / "metrics.jsonl").read_text().splitlines()]
    steps, rng = recipe.parameters["steps"], np.random.default_rng([recipe.seed, 9])
    pace = draw_pace(rng, False, False)
    seconds = step_times(pace, steps, recipe.faults, rng)
    text = "".join(json.dumps(line) + "\n" for line in _with_clock(lines, pace, seconds.tolist(), recipe.seed))
    (place / "metrics.jsonl").write_text(text)
    evals = [(line["step"], line["val/loss"]) for line in lines if "val/loss" in line]
    series = {"loss": "train/loss", "lr": "train/lr", "norm": "train/grad_norm", "rate": "train/tokens_per_s",
              "val_loss": "val/loss", "val_accuracy": "val/accuracy", "step": "step", "time": "time"}  # fmt: skip
    return {"steps": steps, "model": "lm", "traits": (), "style": "lm", "overfit_from":
            overfit_from(evals, recipe.faults), "series": series, "log_every": 1, "has_layers": False}  # fmt: skip


def _with_clock(
    lines: Sequence[dict[str, Any]], pace: Pace, seconds: Sequence[float], seed: int
) -> Iterator[dict[str, Any]]:  # fmt: skip
    now, tokens = BEGUN + seed * 1000.0, lm.SMALL["batch"] * lm.SMALL["context"]
    for line in lines:
        line.pop("fault", None)
        if "train/loss" in line:
            now += seconds[line["step"] - 1]
            line["train/tokens_per_s"] = _short(tokens / seconds[line["step"] - 1])
        else:
            now += pace.eval_s
        yield line | {"time": round(now, 3)}


def overfit_from(evals: Sequence[tuple[int, float]], faults: Sequence[Fault]) -> int | None:
    """The step of the lowest evaluation loss, when the run honestly overfits after it, before any fault."""
    limit = min((one.onset for one in faults), default=1 << 40)
    before = [one for one in evals if one[0] < limit]
    for end in range(4, len(before) + 1):
        *earlier, _, _, _ = before[:end]
        step, lowest = min(earlier, key=lambda one: one[1])
        if median(value for _, value in before[end - 3 : end]) >= OVERFIT_RISE * lowest:
            return step
    return None


def spare_disk() -> None:
    """A checkpoint that is thrown away needs no disk: memory's file system where there is one."""
    if Path("/dev/shm").is_dir() and "TMPDIR" not in os.environ:
        tempfile.tempdir = "/dev/shm"
