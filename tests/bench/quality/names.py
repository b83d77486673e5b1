"""How people call the series of a training: one style a run. Names only."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """The names of one run's series. `layer` is a prefix or a pattern with {}; memory may be in GB."""

    key: str
    step: str
    time: str
    loss: str
    lr: str
    norm: str
    layer: str
    accuracy: str
    step_time: str  # seconds of a step
    rate: str  # samples a second
    memory: str
    val_loss: str
    val_accuracy: str
    memory_unit_mb: float = 1.0


STYLES = {
    one.key: one
    for one in (
        Style("plain", "step", "time", "loss", "lr", "grad_norm", "grad_norm/{}", "accuracy",
              "step_time", "samples_per_s", "memory_mb", "val/loss", "val/accuracy"),
        Style("slash", "step", "time", "train/loss", "train/lr", "train/grad_norm", "train/grad_norm/{}",
              "train/accuracy", "train/step_time_s", "train/samples_per_s", "system/memory_mb", "val/loss",
              "val/accuracy"),
        Style("under", "step", "timestamp", "train_loss", "learning_rate", "grad_norm", "grad_norm_{}", "train_acc",
              "batch_time", "throughput", "rss_mb", "val_loss", "val_acc"),
        Style("hub", "step", "time", "loss", "learning_rate", "grad_norm", "grad_norm/{}", "train_accuracy",
              "step_time", "train_samples_per_second", "gpu_mem_gb", "eval_loss", "eval_accuracy", 1024.0),
        Style("board", "step", "time", "Loss/train", "LR", "GradNorm/total", "GradNorm/{}", "Accuracy/train",
              "Perf/step_time", "Perf/samples_per_sec", "System/memory_mb", "Loss/val", "Accuracy/val"),
        Style("optim", "global_step", "time", "train/loss_step", "optim/lr", "optim/grad_norm", "optim/grad_norm/{}",
              "train/acc_step", "perf/step_s", "perf/throughput", "sys/mem_mb", "val/loss", "val/acc"),
    )
}  # fmt: skip
# How often each is met.
SHARES = {"plain": 0.25, "slash": 0.25, "under": 0.2, "hub": 0.14, "board": 0.08, "optim": 0.08}
