"""MMEngine's vis_data/scalars.json: JSON lines of training and, without an iter, of evaluation."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend

from tests.written.expected import Series, case_folder, save

LENGTH = 6  # iterations an epoch
SERIES: Series = {}


class Recorder(LocalVisBackend):
    """Keeps what each call of `add_scalars` got, then writes it as ever."""

    last = 0

    def add_scalars(
        self, scalar_dict: dict[str, Any], step: int = 0, file_path: str | None = None, **named: Any
    ) -> None:
        """One call is one line."""
        is_training = "iter" in scalar_dict
        Recorder.last = step if is_training else Recorder.last
        for name, value in scalar_dict.items():
            if name not in ("iter", "step"):
                shown = name if is_training else f"val/{name}"
                SERIES.setdefault(shown, []).append((Recorder.last, float(value)))
        super().add_scalars(scalar_dict, step, file_path, **named)


class Line(BaseModel):
    """A line."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor, y: torch.Tensor, mode: str) -> Any:
        """The loss, or the error of each."""
        error = (self.layer(x) - y).abs().mean()
        return {"loss": error} if mode == "loss" else [error.item()]


class Error(BaseMetric):
    """The mean error."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        """One batch."""
        self.results += data_samples

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        """Over all of them."""
        return {"error": sum(results) / len(results)}


def main(out: Path) -> None:
    """Three epochs of six steps, each with its evaluation."""
    folder = case_folder(out, "mmengine", "by-epoch")
    torch.manual_seed(4)
    data = [(torch.tensor([float(at), 1.0]), torch.tensor([at * 0.5])) for at in range(LENGTH)]
    loader: dict[str, Any] = {
        "batch_size": 1, "num_workers": 0, "dataset": data, "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": {"type": "default_collate"},
    }  # fmt: skip
    from mmengine.registry import VISBACKENDS

    VISBACKENDS.register_module(module=Recorder)
    with tempfile.TemporaryDirectory() as work:
        Runner(
            model=Line(), work_dir=work, train_dataloader=loader, val_dataloader=loader, val_evaluator=[Error()],
            train_cfg={"by_epoch": True, "max_epochs": 3, "val_interval": 1}, val_cfg={},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.01}}, experiment_name="line",
            visualizer={"type": "Visualizer", "vis_backends": [{"type": "Recorder"}], "name": "line"},
            default_hooks={"logger": {"type": "LoggerHook", "interval": 2}},
        ).train()  # fmt: skip
        path = next(Path(work).glob("*/vis_data/scalars.json"))
        (folder / "vis_data").mkdir()
        shutil.copy(path, folder / "vis_data" / "scalars.json")
    save(folder, {"vis_data/scalars.json": SERIES})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
