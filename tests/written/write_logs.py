"""What trainers print: the output of a real training of each, or the file of torchtune's logger.

Each case is a process whose stdout and stderr are one file, as `python train.py > log 2>&1` makes it. expected.json
holds what the library itself says that it logged; the printed numbers have fewer digits.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.written.expected import Series, save

QUIET = {
    "PYTHONWARNINGS": "ignore", "KERAS_BACKEND": "torch", "TRANSFORMERS_VERBOSITY": "error", "COLUMNS": "100",
    "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONIOENCODING": "utf-8",
}  # fmt: skip


def train_torchtune() -> tuple[Series, dict[str, Any]]:
    """The disk logger by itself: plain numbers, tensors, non-finite ones, and one value by `log`."""
    import torch
    from torchtune.training.metric_logging import DiskLogger

    logger = DiskLogger(".", filename="out.log.part")
    series: Series = {"loss": [], "lr": [], "tokens_per_second_per_gpu": [], "grad_norm": []}
    for step in range(1, 21):
        row = {"loss": 2 / step, "lr": 1e-4 * step, "tokens_per_second_per_gpu": 1234.5 + step}
        norm = float("nan") if step == 7 else step / 8
        logger.log_dict({**row, "grad_norm": torch.tensor(norm)}, step=step)
        for name, value in {**row, "grad_norm": norm}.items():
            series[name].append((step, value))
    logger.log("val_loss", 0.125, step=20)
    logger.close()
    print(Path("out.log.part").read_text(), end="")
    return series | {"val_loss": [(20, 0.125)]}, {}


def train_transformers(has_bar: bool) -> tuple[Series, dict[str, Any]]:
    """The Trainer with an evaluation each epoch, with its bar or without."""
    import torch
    from transformers import Trainer, TrainingArguments

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(4, 1)

        def forward(self, x: Any, labels: Any = None) -> dict[str, Any]:
            out = self.line(x)
            return {"loss": torch.nn.functional.mse_loss(out, labels), "logits": out}

    rows = [{"x": torch.randn(4), "labels": torch.randn(1)} for _ in range(40)]
    told = TrainingArguments("model", num_train_epochs=3, per_device_train_batch_size=4, logging_steps=5,
                             eval_strategy="epoch", report_to=[], save_strategy="no",
                             disable_tqdm=not has_bar)  # fmt: skip
    trainer = Trainer(Net(), told, train_dataset=rows, eval_dataset=rows[:8])
    trainer.train()
    series: Series = {}
    for row in trainer.state.log_history:
        for name, value in row.items():
            if name not in ("step", "total_flos"):
                series.setdefault(name, []).append((row["step"], value))
    return series, {"planned_steps": 30} if has_bar else {}


def train_keras(verbose: int) -> tuple[Series, dict[str, Any]]:
    """`fit` with a validation."""
    import keras
    import numpy as np

    x = np.random.default_rng(0).normal(size=(64, 4))
    model = keras.Sequential([keras.layers.Dense(8), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    done = model.fit(x, x[:, :1], epochs=4, batch_size=8, validation_split=0.25, verbose=verbose)
    series = {name: [(n + 1, float(one)) for n, one in enumerate(all)] for name, all in done.history.items()}
    return series, {"planned_epochs": 4.0}


def train_lightning() -> tuple[Series, dict[str, Any]]:
    """The Trainer with tqdm's bar, drawn at each step."""
    import lightning
    import torch
    from lightning.pytorch.callbacks import TQDMProgressBar

    series: Series = {"loss": []}

    class Net(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(4, 1)

        def training_step(self, batch: Any, at: int) -> Any:
            loss = self.line(batch).pow(2).mean()
            self.log("loss", loss, prog_bar=True)
            series["loss"].append((self.global_step + 1, float(loss)))
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.05)

    rows = torch.utils.data.DataLoader(torch.randn(48, 4), batch_size=8)
    lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False,
        callbacks=[TQDMProgressBar(refresh_rate=1)],
    ).fit(Net(), rows)  # fmt: skip
    return series, {}


def train_tqdm() -> tuple[Series, dict[str, Any]]:
    """A loop of one's own: a bar for each epoch, the loss behind it, every state drawn."""
    from tqdm import tqdm

    series: Series = {"loss": [], "acc": []}
    for epoch in range(1, 4):
        bar = tqdm(range(20), desc=f"Epoch {epoch}/3", mininterval=0, miniters=1)
        for at in bar:
            loss, acc = round(1 / (epoch * 20 + at), 4), at / 32
            bar.set_postfix({"loss": loss, "acc": f"{acc:.5f}"}, refresh=False)
            step = (epoch - 1) * 20 + at + 1
            series["loss"].append((step, loss))
            series["acc"].append((step, acc))
    return series, {"planned_epochs": 3.0}


CASES = {
    ("torchtune", "disklogger"): train_torchtune,
    ("transformers", "bar"): lambda: train_transformers(True),
    ("transformers", "plain"): lambda: train_transformers(False),
    ("keras", "bar"): lambda: train_keras(1),
    ("keras", "line"): lambda: train_keras(2),
    ("lightning", "bar"): train_lightning,
    ("tqdm", "postfix"): train_tqdm,
}


def write(out: Path, library: str, case: str) -> None:
    """Run one case as a process and keep what it printed; `log-` keeps its folder apart from the library's files."""
    folder = out / f"log-{library}-{version(library)}" / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.written.write_logs", "--case", library, case]
    environment = {**os.environ, **QUIET, "PYTHONPATH": str(Path.cwd())}
    with (folder / "out.log").open("wb") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder, check=True)
    series, told = json.loads((folder / "logged.json").read_text())
    for made in ("logged.json", "out.log.part"):
        (folder / made).unlink(missing_ok=True)
    shutil.rmtree(folder / "model", ignore_errors=True)
    save(folder, {"out.log": series}, {"out.log": told})


def main(words: list[str]) -> None:
    if words[0] == "--case":
        logged = CASES[words[1], words[2]]()
        Path("logged.json").write_text(json.dumps(logged))
        return
    for library, case in CASES:
        if len(words) == 1 or library in words[1:]:
            write(Path(words[0]).resolve(), library, case)


if __name__ == "__main__":
    main(sys.argv[1:])
