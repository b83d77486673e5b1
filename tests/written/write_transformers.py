"""trainer_state.json by the real Trainer: each state as it was written, over checkpoints that are deleted again, a resumed
run, and the last one after the end of training. Numbered in the order in which they were written."""

from __future__ import annotations

import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from tests.written.expected import Series, case_folder, save


class Keeper(TrainerCallback):
    """Copies each trainer_state.json before `save_total_limit` takes its folder away."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        self.files: dict[str, Series] = {}
        self.told: dict[str, dict[str, Any]] = {}

    def on_save(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Called when the checkpoint's folder is whole."""
        self.keep(Path(args.output_dir) / f"checkpoint-{state.global_step}" / "trainer_state.json", state)

    def keep(self, path: Path, state: Any) -> None:
        """Keep the file, and what the Trainer itself holds."""
        self.count += 1
        name = f"{self.count}-{path.parent.name}/trainer_state.json"
        (self.folder / name).parent.mkdir()
        shutil.copy(path, self.folder / name)
        series: Series = {}
        for row in state.log_history:
            for key, value in row.items():
                if key != "step":
                    series.setdefault(key, []).append((row["step"], float(value)))
        self.files[name] = series
        told = {"planned_steps": state.max_steps, "planned_epochs": float(state.num_train_epochs)}
        best = {"best_checkpoint": state.best_model_checkpoint, "best_metric": state.best_metric}
        self.told[name] = told | ({key: value for key, value in best.items() if value is not None})


def trainer(keeper: Keeper, first: int) -> Trainer:
    """A Trainer of a model of 1,000 parameters, on rows of numbers from `first` on."""
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=32, n_positions=8, n_embd=8, n_layer=1, n_head=1))
    data = [{"input_ids": (ids := torch.arange(at, at + 8) % 32), "labels": ids} for at in range(first, first + 16)]
    args = TrainingArguments(
        output_dir="out", max_steps=9, per_device_train_batch_size=2, learning_rate=0.01, logging_steps=1, seed=1,
        eval_strategy="steps", eval_steps=3, save_steps=3, save_total_limit=1, report_to="none", use_cpu=True,
        disable_tqdm=True, load_best_model_at_end=True, save_only_model=False,
    )  # fmt: skip

    def odd(_: Any) -> dict[str, float]:
        return {"odd": math.nan}

    return Trainer(
        model=model, args=args, train_dataset=data, eval_dataset=data[:4], callbacks=[keeper], compute_metrics=odd
    )


def main(out: Path) -> None:
    """Nine steps, then on from the third with other data, so that history takes another way."""
    folder = case_folder(out, "transformers", "resumed")
    os.chdir(folder)  # paths of checkpoints stand in the file
    keeper = Keeper(folder)
    first = trainer(keeper, 0)
    first.args.save_total_limit = 3
    first.train()
    first.save_state()
    keeper.keep(folder / "out" / "trainer_state.json", first.state)
    again = trainer(keeper, 5)
    again.train(resume_from_checkpoint="out/checkpoint-3")
    again.save_state()
    keeper.keep(folder / "out" / "trainer_state.json", again.state)
    shutil.rmtree("out")
    save(folder, keeper.files, keeper.told)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
