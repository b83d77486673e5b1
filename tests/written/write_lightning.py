"""Lightning's CSVLogger under a real Trainer: training and validation rows apart, a key that comes late, a resumed run.

What the Trainer gave its loggers is recorded by a second logger beside it.
"""

from __future__ import annotations

import math
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.logger import Logger
from torch.utils.data import DataLoader

from tests.written.expected import Series, case_folder, save

warnings.simplefilter("ignore")
DATA = [(torch.full((4,), 0.25 * index), torch.full((1,), 0.5)) for index in range(8)]


class Recorder(Logger):
    """Keeps what each call of `log_metrics` got."""

    name, version = "recorder", 0

    def __init__(self) -> None:
        self.series: Series = {}

    def log_hyperparams(self, params: Any, *words: Any, **named: Any) -> None:
        """None are expected."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """One call is one row."""
        for name, value in metrics.items():
            self.series.setdefault(name, []).append((int(step or 0), float(value)))


class Line(LightningModule):
    """A line through eight points; from the epoch `late` on it logs one name more."""

    def __init__(self, late: int) -> None:
        super().__init__()
        self.layer, self.late = torch.nn.Linear(4, 1), late

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        """A loss a step, and a NaN once."""
        loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        self.log("train/loss", loss)
        self.log("odd", math.nan if self.global_step == 5 else math.inf if self.global_step == 7 else 1.5)
        if self.current_epoch >= self.late:
            self.log('a late, "quoted" key', loss * 2)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        """Its mean is logged at the end of the epoch."""
        self.log("val/loss", torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1]))

    def configure_optimizers(self) -> Any:
        """Plain descent."""
        return torch.optim.SGD(self.parameters(), lr=0.05)


class Keeper(ModelCheckpoint):
    """Copies metrics.csv as it stands at the end of each epoch, to see what a rewrite changes."""

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Before the rows of this validation are written."""
        super().on_validation_end(trainer, module)
        path = Path(trainer.loggers[0].log_dir) / "metrics.csv"
        if path.exists() and not trainer.sanity_checking:
            shutil.copy(path, path.with_name(f"metrics-{trainer.current_epoch}.csv"))


def train(folder: Path, epochs: int, resume: Path | None, late: int = 2) -> tuple[str, Series]:
    """(the path of metrics.csv in the folder, what was logged)."""
    torch.manual_seed(1)
    recorder, logger = Recorder(), CSVLogger(folder, flush_logs_every_n_steps=1)
    keeper = Keeper(dirpath=folder / "kept", save_top_k=-1, every_n_epochs=1, filename="{epoch}")
    trainer = Trainer(
        max_epochs=epochs, logger=[logger, recorder], callbacks=[keeper], log_every_n_steps=2, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Line(late), DataLoader(DATA), DataLoader(DATA[:2]), ckpt_path=resume)
    return (Path(logger.log_dir) / "metrics.csv").relative_to(folder).as_posix(), recorder.series


def main(out: Path) -> None:
    """One case: a run of four epochs and one resumed after its second."""
    folder = case_folder(out, "lightning", "resumed")
    first, logged = train(folder, 4, None)
    second, logged_again = train(folder, 4, folder / "kept" / "epoch=1.ckpt")
    shutil.rmtree(folder / "kept")
    save(folder, {first: logged, second: logged_again})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
