"""What a file may be by its name and the names of its folders: formats in the order in which its head is tried. Pure.

Some names say it all (`metrics.jsonl`, `events.out.tfevents.*`); the others are only worth a look at the file's head.
Loads next to nothing: hooks ask it too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

METRICS = "metrics.jsonl"
PREDICTIONS = "predictions.jsonl"
SOURCES = (METRICS, PREDICTIONS)

Parts = tuple[str, ...]
"""A path relative to the project, as names; () is the project itself."""


class Named(NamedTuple):
    """What a name says. `formats` are tried in this order; a certain one is alone."""

    formats: tuple[str, ...]
    is_certain: bool = False  # the name is proof enough
    is_usual: bool = False  # a name that trackers give to metrics: less is asked of the head


def _certain(name: str) -> Named:
    return Named((name,), True, True)


_CERTAIN = {
    METRICS: _certain("jsonl"),
    "trainer_log.jsonl": _certain("jsonl"),  # LLaMA-Factory
    PREDICTIONS: _certain("predictions"),
    "trainer_state.json": _certain("trainer_state"),
}
_JSONL, _OTHER_JSONL = Named(("jsonl",), is_usual=True), Named(("jsonl",))
_CSV, _OTHER_CSV = Named(("csv",), is_usual=True), Named(("csv",))
# detectron2, MMEngine, RLlib and Tune: lines of JSON in spite of their names.
_USUAL_JSON = frozenset({"metrics.json", "scalars.json", "result.json"})
_USUAL_CSV = frozenset(
    {
        "metrics.csv", "results.csv", "progress.csv", "monitor.csv", "summary.csv", "log.csv", "logs.csv", "history.csv",
        "training_log.csv", "train_log.csv", "training.csv", "training_history.csv", "loss.csv", "losses.csv",
    }
)  # fmt: skip
_DATABASE = Named(("database",))
# `training.log` may be Keras's CSV, `log.txt` lines of JSON (DETR, MAE), `journal.log` a study's.
_TEXT = Named(("optuna_journal", "jsonl", "csv", "text"))
_TEXT_NAMES = re.compile(r"(?:log|training_log|stdout|output|train)[^/]*\.txt|.+\.(?:log|out)(?:\.\d{1,4})?", re.S)
# What wandb writes about itself.
_NO_LOGS = frozenset({"debug.log", "debug-internal.log", "debug-core.log"})
_UNFINISHED = (".tmp", ".gz", ".zip", ".zst", ".lock", ".profile-empty")
_MLFLOW_RUN = re.compile(r"[0-9a-f]{32}")
_MLFLOW = _certain("mlflow")
_MLFLOW_OTHERS = frozenset({"params", "tags", "artifacts", "inputs", "outputs"})
_TSV_PLACE = ("plots", "metrics")  # of DVCLive


def mlflow_place(folder: Parts) -> int | None:
    """How many names lead to the MLflow run around `folder`, which is its `metrics` or lies in it; None: there is none."""
    if "metrics" not in folder:
        return None
    for n, name in enumerate(folder):
        if name == "metrics" and n and (_MLFLOW_RUN.fullmatch(folder[n - 1]) or (n > 2 and folder[n - 3] == "mlruns")):
            return n
    return None


def dvclive_place(folder: Parts) -> int | None:
    """How many names lead to the DVCLive folder around `folder`, which is its `plots/metrics` or lies in it."""
    for n in range(len(folder) - 1):
        if folder[n : n + 2] == _TSV_PLACE:
            return n
    return None


def is_barren(folder: Parts) -> bool:
    """Whether a folder is a tracker's and never holds metrics: an MLflow run's parameters, what MLflow threw away."""
    name = folder[-1]
    if name == ".trash":
        return True
    if name not in _MLFLOW_OTHERS or len(folder) < 2:
        return False
    return bool(_MLFLOW_RUN.fullmatch(folder[-2])) or (len(folder) > 3 and folder[-4] == "mlruns")


def named(folder: Parts, name: str) -> Named | None:
    """What a file `name` in `folder` may be; None: nothing that is read."""
    if "metrics" in folder:
        if mlflow_place(folder) is not None:
            return None if name.startswith(".") or name.endswith(_UNFINISHED) else _MLFLOW
        if name.endswith(".tsv") and dvclive_place(folder) is not None:
            return _CSV
    return by_name(name)


@lru_cache(maxsize=8192)  # each file of a project is asked at each walk, and runs hold the same names
def by_name(name: str) -> Named | None:
    """The same without a look at the folders."""
    found = _CERTAIN.get(name)
    if found:
        return found
    ending = name.rpartition(".")[2]
    if ending in ("pt", "pth", "py", "png", "safetensors", "yaml", "npy", "bin", "ckpt", "jpg"):
        return None
    if "tfevents" in name:
        return None if name.endswith(_UNFINISHED) else _TENSORBOARD
    if name.startswith(("._", "~$")):  # what a Mac and an office leave beside files
        return None
    return _by_ending(name.lower(), ending.lower())


_TENSORBOARD, _WANDB = _certain("tensorboard"), _certain("wandb")


def _by_ending(name: str, ending: str) -> Named | None:
    if ending == "jsonl":
        return _OTHER_JSONL
    if ending == "json":
        return _JSONL if name in _USUAL_JSON or name.endswith(".log.json") else None
    if ending in ("csv", "tsv"):
        return _CSV if name in _USUAL_CSV or name.endswith(".monitor.csv") else _OTHER_CSV
    if ending == "wandb":
        return _WANDB if name.startswith("run-") else None
    if ending in ("db", "sqlite", "sqlite3"):
        return _DATABASE
    if (ending in ("log", "out", "txt") or ending.isdigit()) and _TEXT_NAMES.fullmatch(name):
        return None if name in _NO_LOGS else _TEXT
    return None


def may_be_source(folder: Parts, name: str) -> bool:
    """Whether a file may be read for a run, by its names alone."""
    return named(folder, name) is not None


# ---- names of metrics ----

METRIC_WORDS = frozenset(
    {
        "loss", "losses", "acc", "accuracy", "acc1", "acc5", "top1", "top5", "lr", "reward", "rewards", "rew",
        "return", "dice", "f1", "auc", "auroc", "map", "map50", "iou", "miou", "perplexity", "ppl", "bleu",
        "rouge", "error", "err", "score", "wer", "cer", "mae", "mse", "rmse", "nll", "kl", "elbo", "psnr",
        "ssim", "fid", "precision", "recall", "bpb", "bpc", "grad", "entropy", "gnorm", "mfu",
    }
)  # fmt: skip
_WORD = re.compile(r"[a-z0-9@]+")


def is_metric(name: str) -> bool:
    """Whether a name says that something of a training was measured: one of its words does."""
    return not METRIC_WORDS.isdisjoint(_WORD.findall(name.lower().replace("_", " ")))


# ---- several files that are one stream ----

_ROTATED = re.compile(r"(.+\.(?:log|out))\.(\d{1,4})", re.I | re.S)
_SERIAL = re.compile(r"(training_log|log)_\d[\d_]*\.txt", re.I)  # nnU-Net, torchtune: a new one with each start
_DIGITS = re.compile(r"(\d+)")


def shared_name(name: str) -> str:
    """The name that a log has in common with those it goes on from: `train.log` of `train.log.1`; else its own."""
    if name[-1:].isdigit() and (rotated := _ROTATED.fullmatch(name)):
        return rotated[1]
    if not name.endswith(".txt"):
        return name
    serial = _SERIAL.fullmatch(name)
    return f"{serial[1]}_*.txt" if serial else name


def turn(path: str) -> tuple[object, ...]:
    """A sort key for the files of one stream, oldest first: by the numbers in their names, the rotated ones backwards.

    A Hugging Face `trainer_state.json` outside of a checkpoint is the last one.
    """
    folder, _, name = path.rpartition("/")
    rotated = _ROTATED.fullmatch(name)
    if rotated:
        return (0, _natural(f"{folder}/{rotated[1]}"), -int(rotated[2]))
    is_final = name == "trainer_state.json" and not folder.rpartition("/")[2].startswith("checkpoint-")
    return (1 if is_final else 0, _natural(path), 0)


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(one), "") if one.isdecimal() else (1, 0, one) for one in _DIGITS.split(text) if one)
