"""Event files by torch's SummaryWriter, by tensorboardX and by TensorBoard's own protobufs: `… OUT`."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import torch
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto
from tensorboardX import SummaryWriter as XWriter
from torch.utils.tensorboard import SummaryWriter

from tests.written.expected import Series, case_folder, save

HPARAMS = {"lr": 0.001, "batch_size": 16, "optimizer": "adam", "nesterov": True}


def named(folder: Path) -> dict[Path, Path]:
    """Give the event files names without this machine's: old folder -> new path in the case."""
    found = {}
    for number, path in enumerate(sorted(folder.rglob("events.out.tfevents.*"))):
        new = path.with_name(f"events.out.tfevents.1700000000.trainer.1.{number}")
        path.rename(new)
        found[path.parent] = new.relative_to(folder)
    return found


def single(value: float) -> float:
    """The value as a float of 32 bits holds it."""
    return float(np.float32(value))


def log(writer: SummaryWriter | XWriter, series: Series, tag: str, value: float, step: int, **more: bool) -> None:
    writer.add_scalar(tag, value, step, **more)
    is_exact = more.get("double_precision", False)
    series.setdefault(tag, []).append((step, value if is_exact else single(value)))


def plain(out: Path) -> None:
    """Scalars in both encodings among an image, a histogram, and a text."""
    folder = case_folder(out, "torch", "plain")
    series: Series = {}
    random = np.random.default_rng(7)
    with SummaryWriter(str(folder)) as writer:
        for step in range(40):
            log(writer, series, "train/loss", 1 / (step + 1), step)
            log(writer, series, "val/größe", step * 0.1, step, new_style=True)
            log(writer, series, "exact", step / 3, step, new_style=True, double_precision=True)
            if step % 20 == 5:
                image = random.integers(0, 255, (3, 40, 40)).astype(np.uint8)
                writer.add_image("sample", image, step)
                writer.add_histogram("weights", torch.linspace(-1, 1, 100), step)
        writer.add_text("notes", "a line of text " * 400, 40)
        for step, value in ((2**40, 1.0), (2**62, math.nan), (-3, math.inf), (0, -math.inf), (41, 0.0)):
            log(writer, series, "odd", value, step)
    save(folder, {str(path): series for path in named(folder).values()})


def several(out: Path) -> None:
    """add_scalars and add_hparams, which make files in folders of their own."""
    folder = case_folder(out, "torch", "folders")
    with SummaryWriter(str(folder)) as writer:
        for step in range(5):
            writer.add_scalars("loss", {"train": 1.0 + step, "val": 2.0 + step}, step)
        writer.add_hparams(HPARAMS, {"hparam/accuracy": 0.5, "hparam/loss": 0.25}, run_name="session", global_step=7)
    files: dict[str, Series] = {}
    told = {}
    for parent, path in named(folder).items():
        files[str(path)] = {}
        if parent.name in ("loss_train", "loss_val"):
            first = 1.0 if parent.name == "loss_train" else 2.0
            files[str(path)] = {"loss": [(step, first + step) for step in range(5)]}
        elif parent.name == "session":
            files[str(path)] = {"hparam/accuracy": [(7, 0.5)], "hparam/loss": [(7, 0.25)]}
            told[str(path)] = {"config": HPARAMS}
    save(folder, files, told)


def by_tensorboardx(out: Path) -> None:
    folder = case_folder(out, "tensorboardX", "plain")
    series: Series = {}
    random = np.random.default_rng(8)
    with XWriter(str(folder)) as writer:
        for step in range(60):
            log(writer, series, "loss", math.exp(-step / 10), step)
            if step % 20 == 5:
                writer.add_image("sample", random.integers(0, 255, (3, 40, 40)).astype(np.uint8), step)
                writer.add_histogram("weights", np.linspace(-1, 1, 100), step)
        log(writer, series, "odd", math.nan, -1)
    save(folder, {str(path): series for path in named(folder).values()})


def tensors(out: Path) -> None:
    """TensorBoard's own messages as Keras writes them: scalars as tensors of every type, several in one event."""
    folder = case_folder(out, "tensorboard", "tensors")
    series: Series = {}
    writer = EventFileWriter(str(folder))
    claimed = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    for step in range(1, 6):
        summary = Summary()
        for dtype in ("float32", "float64", "float16", "int32", "int64", "uint8", "bool"):
            value = np.array(step + 0.5).astype(dtype)
            # The plugin has to be named by a tag's first event only.
            metadata = claimed if step == 1 else None
            summary.value.add(tag=dtype, tensor=make_tensor_proto(value), metadata=metadata)
            series.setdefault(dtype, []).append((step, float(value)))
        raw = make_tensor_proto(np.array(step / 7))
        content = np.array(step / 7, dtype="<f8").tobytes()
        raw.ClearField("double_val")
        raw.tensor_content = content
        summary.value.add(tag="content", tensor=raw, metadata=claimed)
        series.setdefault("content", []).append((step, step / 7))
        summary.value.add(tag="three", tensor=make_tensor_proto(np.arange(3.0)), metadata=claimed)
        summary.value.add(tag="unclaimed", tensor=make_tensor_proto(np.array(1.0)))
        writer.add_event(Event(wall_time=1.7e9 + step, step=step, summary=summary))
        one = scalar_pb("epoch_loss", step / 8)
        writer.add_event(Event(wall_time=1.7e9 + step, step=step, summary=one))
        series.setdefault("epoch_loss", []).append((step, step / 8))
    writer.close()
    save(folder, {str(path): series for path in named(folder).values()})


if __name__ == "__main__":
    for write in (plain, several, by_tensorboardx, tensors):
        write(Path(sys.argv[1]))
