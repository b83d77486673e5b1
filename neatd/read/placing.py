"""Which run a file belongs to: its run's folder, its stream and the label of its series. Pure.

A run is the folder that holds the metrics; trackers nested in one folder are one run. The rules:

1. A file's run is the folder it lies in, but for what follows.
2. Parts of a run are always taken off: `checkpoint-N`; `vis_data`; the folders in `metrics` of an MLflow run (its label
   is the metric's name) and in `plots/metrics` of DVCLive (label: the folders in between).
3. Of event files, once each: a folder that SummaryWriter.add_hparams made (a unix time, next to event files; no label)
   or add_scalars (next to event files of the same process, `tag_key` without a number at its end; in a collection a
   metric's word has to be in its name; label: its name); then a folder of a split as Keras writes (`train`,
   `validation`, ...; label: its name), unless it holds more than event files (Ultralytics calls a run `train`), lies in
   the project's own folder, or is alone in a collection such as `runs`.
4. A tracker's folder joins what is around it: `wandb`, `wandb/*run-*` and its `files` and `logs`, `tb`, `tensorboard`,
   `logs` and the like. Going up through such folders only, the last one that is an anchor is the run; without any the
   file's own folder is. An anchor holds metrics of its own (neither text nor a database), checkpoints, or a
   configuration without programs beside it. The project's own folder is one only when it holds metrics: `runs/a` and
   `runs/b`, `wandb/offline-run-A` and `wandb/offline-run-B` stay different runs.
5. `X/runs/<date>_<host>` (Hugging Face's Trainer, also SummaryWriter's default) joins X when X is an anchor, and also
   when X is not the project's own folder and holds no programs: an output folder, before its first checkpoint.
6. What is not named there is never taken off: `lightning_logs/version_0`, `runs/exp1`, `logs/exp1` are runs.
7. A database belongs to no folder: its runs are in it, and their place is the file itself.

Text logs are a fallback (`are_needed`): a source only where its run has no other one and, below a run's folder, no
other run has any. In the project's own folder, or `logs` in it, a log is dropped when anything else in the project was
written within a quarter of an hour of it: it is that training's console, unless the user named it (`watch.include`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

from neatd.read.naming import Parts, dvclive_place, is_metric, mlflow_place, shared_name

TEXT, DATABASE = "text", "database"
CONSOLE_S = 900.0
_TRACKERS = frozenset(
    {
        "wandb", "tb", "tensorboard", "tensorboards", "tb_logs", "tb_log", "tblogs", "tensorboard_logs", "tensorboard_log",
        "tf_logs", "tfevents", "tf_events", "events", "summaries", "logs", "log", "csv_logs", "dvclive",
    }
)  # fmt: skip
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "eval", "evaluation"})
_COLLECTIONS = frozenset({"runs", "tb_logs", "lightning_logs", "experiments", "outputs"})
_CONSOLES = frozenset({"logs", "log", "slurm", "slurm_logs", "slurm-logs"})
_WANDB_RUN = re.compile(r"(?:offline-|dryrun-)?run-.+", re.S)
_DATED = re.compile(r"\w+?\d\d_\d\d-\d\d-\d\d_.+", re.S)
_UNIX_TIME = re.compile(r"1\d{9}(?:\.\d+)?")
_WRITER = re.compile(r"tfevents\.\d+\.(.+?)(?:\.(\d+)\.\d+)?(?:\.v2)?$", re.S)


class Held(NamedTuple):
    """What a folder itself holds, as far as it says what is a run."""

    has_metrics: bool = False  # a source that is neither text nor a database
    has_more: bool = False  # such a source besides event files
    has_config: bool = False
    has_checkpoints: bool = False
    has_programs: bool = False
    writers: frozenset[str] = frozenset()  # host and process of each event file
    splits: int = 0  # folders in it that are named like a split and hold event files

    @property
    def is_output(self) -> bool:
        """Whether training writes here, and not only its trackers."""
        return self.has_checkpoints or (self.has_config and not self.has_programs)


class Spot(NamedTuple):
    """Where a file belongs."""

    run: Parts
    stream: str
    label: str = ""


Look = Callable[[Parts], Held]


def place(folder: Parts, name: str, format: str, held: Look) -> Spot:
    """The run of the file `name` in `folder`; `held` tells what a folder holds."""
    if format == DATABASE:
        return Spot((*folder, name), name)
    if format == "mlflow" and (at := mlflow_place(folder)):
        return Spot(folder[:at], "mlflow", "/".join((*folder[at + 1 :], name)))
    around, label = folder, ""
    if format == "tensorboard":
        around, label = _event_folder(folder, name, held)
    elif format == "csv" and (at := dvclive_place(folder)) is not None:
        around, label = folder[:at], "".join(f"{one}/" for one in folder[at + 2 :])
    run = _run_around(around, held)
    return Spot(run, _stream(folder[len(run) :], name, format), label)


def _stream(below: Parts, name: str, format: str) -> str:
    if format == "trainer_state":
        return "trainer_state.json"
    if format == "tensorboard":
        return "/".join(below) or "tensorboard"
    return "/".join((*below, shared_name(name)))


def _run_around(folder: Parts, held: Look) -> Parts:
    run = at = folder
    while at:
        up = _above(at)
        if up is None:
            break
        if _joins(at, up, held):
            run = up
        at = up
    return run


def _above(at: Parts) -> Parts | None:
    """What lies around a tracker's folder or a part of a run; None: it is neither."""
    name, around = at[-1], at[-2] if len(at) > 1 else ""
    if around == "runs" and _DATED.fullmatch(name):
        return at[:-2]
    if name.lower() in _TRACKERS or _is_part(name) or _is_wandb_run(at):
        return at[:-1]
    return at[:-1] if name == "files" and _is_wandb_run(at[:-1]) else None


def _is_wandb_run(at: Parts) -> bool:
    return len(at) > 1 and at[-2] == "wandb" and bool(_WANDB_RUN.fullmatch(at[-1]))


def _is_part(name: str) -> bool:
    return name == "vis_data" or _is_checkpoint(name)


def _is_checkpoint(name: str) -> bool:
    return name.startswith("checkpoint-") and name[11:].isdecimal()


def _joins(at: Parts, up: Parts, held: Look) -> bool:
    if _is_checkpoint(at[-1]):
        return True
    around = held(up)
    if not up:
        return around.has_metrics
    if _is_part(at[-1]) or around.has_metrics or around.is_output:
        return True
    return len(at) - len(up) == 2 and not around.has_programs


# ---- event files ----


def _event_folder(folder: Parts, name: str, held: Look) -> tuple[Parts, str]:
    label = ""
    if folder and (writers := held(folder[:-1]).writers):
        last = folder[-1]
        if _UNIX_TIME.fullmatch(last):
            folder = folder[:-1]
        elif writer(name) in writers and _is_of_scalars(folder, writer(name), held):
            folder, label = folder[:-1], f"{last}/"
    if folder and _is_split(folder, held):
        folder, label = folder[:-1], f"{folder[-1]}/{label}"
    return folder, label


def _is_of_scalars(folder: Parts, by: str, held: Look) -> bool:
    """`loss_train` is add_scalars("loss", {"train": ...}); `lr_0.1` is an experiment, and `runs/exp_b` may be one."""
    if not _may_be_of_scalars(folder[-1]):
        return False
    if is_metric(folder[-1]):
        return True
    own, up = held(folder), folder[:-1]
    is_known = bool(by.rpartition("|")[2]) and not (own.has_more or own.is_output)
    return is_known and bool(up) and up[-1].lower() not in (_COLLECTIONS | _TRACKERS)


def _may_be_of_scalars(name: str) -> bool:
    return "_" in name and not name[-1].isdigit()


def _is_split(folder: Parts, held: Look) -> bool:
    if folder[-1].lower() not in _SPLITS:
        return False
    own, up = held(folder), folder[:-1]
    if own.has_more or own.is_output:
        return False
    around = held(up)
    return around.has_metrics or bool(up and (up[-1].lower() not in _COLLECTIONS or around.splits > 1))


def is_split_name(name: str) -> bool:
    """Whether a folder is called like a part of the data."""
    return name.lower() in _SPLITS


def writer(name: str) -> str:
    """Host and process that wrote an event file; the host alone where the name tells no process."""
    found = _WRITER.search(name)
    return f"{found[1]}|{found[2] or ''}" if found else ""


def may_hold_part(folder: Parts, held: Held) -> bool:
    """Whether a folder in a run's folder may hold files of that run, by its name: what a quick look goes into."""
    name = folder[-1]
    if name in ("runs", "plots", "files") or _above(folder) or is_split_name(name) or "metrics" in folder[-4:]:
        return True
    return bool(held.writers) and bool(_UNIX_TIME.fullmatch(name) or _may_be_of_scalars(name))


# ---- text logs ----


class Source(NamedTuple):
    """A placed file, as far as it says whether a text log is needed."""

    spot: Spot
    is_text: bool


def are_needed(
    found: Sequence[Source], written: Callable[[int], float], is_named: Callable[[int], bool] = lambda n: False
) -> list[bool]:
    """For each placed file whether it is a source; only text logs may be none (see above).

    `written` tells when the n-th was last written, in unix seconds; it is asked where a log may be a console only.
    `is_named`: whether the user says that the n-th belongs to a training of its own.
    """
    own = {one.spot.run for one in found if not one.is_text}
    around = {run[:n] for run in own for n in range(len(run))}
    lone = [n for n, one in enumerate(found) if one.is_text and one.spot.run not in own]
    consoles = {n for n in lone if _is_for_consoles(found[n].spot.run)}
    others = sorted(written(n) for n, one in enumerate(found) if not one.is_text) if consoles else []
    kept = {
        n
        for n in lone
        if is_named(n) or not (_was_beside(written(n), others) if n in consoles else found[n].spot.run in around)
    }
    return [not one.is_text or n in kept for n, one in enumerate(found)]


def taken_for_consoles(
    found: Sequence[Source], needed: Sequence[bool], written: Callable[[int], float]
) -> list[tuple[int, int]]:
    """(n, the source written nearest to it) of the logs that were dropped as another training's console."""
    if all(needed):
        return []
    own = {one.spot.run for one in found if not one.is_text}
    dropped = [
        n for n, one in enumerate(found) if not needed[n] and one.spot.run not in own and _is_for_consoles(one.spot.run)
    ]
    others = [(written(n), n) for n, one in enumerate(found) if not one.is_text] if dropped else []
    return [(n, min(others, key=lambda one: abs(one[0] - written(n)))[1]) for n in dropped if others]


def _is_for_consoles(run: Parts) -> bool:
    """Whether the logs of many trainings may lie there."""
    return not run or (len(run) == 1 and run[0].lower() in _CONSOLES)


def _was_beside(at: float, others: list[float]) -> bool:
    nearest = bisect_left(others, at - CONSOLE_S)
    return nearest < len(others) and others[nearest] <= at + CONSOLE_S
