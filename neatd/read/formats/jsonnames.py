"""What JSONL files of known names mean by their keys, where that differs from any other JSONL. Pure: a table and its use.

In these files "time" is most often the seconds a step took, so it is a value unless a row here says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple

from neatd.read.metrics import STEP_KEYS, TIME_KEYS

_NOTHING: Mapping[str, str] = MappingProxyType({})


class JsonOptions(NamedTuple):
    """How the lines of one file are read. The defaults are those of a file that no tool is known by."""

    step_keys: tuple[str, ...] = STEP_KEYS  # the first one that is there
    time_keys: tuple[str, ...] = TIME_KEYS  # unix seconds or milliseconds
    told: Mapping[str, str] = _NOTHING  # key -> what of `Told` it tells; never a value
    ignored: frozenset[str] = frozenset()  # keys, at the top, that are no metrics; with all below them
    mode_key: str = ""  # its text and a slash go before the line's names
    training_modes: frozenset[str] = frozenset()  # lines of any other mode stand at the last step of training
    within: str = ""  # the step begins again whenever this key's number rises: `step_within` counts on
    unstepped_label: str = ""  # goes before the names of lines that have none of `step_keys`
    is_unstepped_last: bool = False  # such lines stand at the last step that the file named
    unstepped_keys: tuple[str, ...] = ()  # what they name their step by, while the file has named no other
    has_epochs: bool = True  # a line without a step, in a file that names none, has its whole `epoch` as its step
    is_shared_name: bool = False  # other things have this name too: it is one of ours when its first line is an object


PLAIN = JsonOptions()

_DETECTRON2 = JsonOptions(
    step_keys=("iteration",), time_keys=(), told={"max_iter": "planned_steps"}, is_shared_name=True
)  # eta_seconds stays a value: it is what the tool says about what is left
_MMENGINE = (
    JsonOptions(  # lines of an evaluation name no iter: their step is an epoch, or the iter of a file without any
        step_keys=("iter",),
        time_keys=(),
        unstepped_label="val/",
        is_unstepped_last=True,
        unstepped_keys=("step",),
        ignored=frozenset({"step"}),
    )
)
_MMCV = JsonOptions(  # the first line holds env_info, config, seed and exp_name
    step_keys=("iter",),
    time_keys=(),
    told={"exp_name": "name"},
    ignored=frozenset({"seed", "env_info", "config", "hook_msgs"}),
    mode_key="mode",
    training_modes=frozenset({"train"}),
    within="epoch",
)
_LLAMA_FACTORY = JsonOptions(
    step_keys=("current_steps",),
    time_keys=(),
    told={"total_steps": "planned_steps"},
    ignored=frozenset({"percentage", "elapsed_time", "remaining_time"}),
)
_RLLIB = JsonOptions(
    step_keys=("training_iteration",),
    time_keys=("timestamp",),
    told={"hostname": "host", "config": "config", "experiment_tag": "name"},
    ignored=frozenset(
        {"pid", "node_ip", "date", "done", "trial_id", "experiment_id", "hist_stats", "iterations_since_restore"}
    ),
)
_META_RESEARCH = JsonOptions(  # DETR, DeiT, MAE, DINO, ConvNeXt: one line an epoch
    time_keys=(), told={"n_parameters": "params"}, is_shared_name=True
)

# What a path ends with, from the left; the first row that fits. `*` does not reach over a slash.
NAMES: tuple[tuple[str, JsonOptions], ...] = (
    ("vis_data/scalars.json", _MMENGINE),
    ("vis_data/[12][0-9]*_[0-9]*.json", _MMENGINE),
    ("[12][0-9]*_[0-9]*.log.json", _MMCV),
    ("None.log.json", _MMCV),  # mmcv run without a time stamp
    ("trainer_log.jsonl", _LLAMA_FACTORY),
    ("result.json", _RLLIB._replace(is_shared_name=True)),
    ("metrics.json", _DETECTRON2),
    ("log.txt", _META_RESEARCH),
)


def options(file_name: str) -> JsonOptions:
    """How to read a file, by its name or its path with slashes; `PLAIN` for one that no tool is known by."""
    parts = file_name.replace("\\", "/").split("/")
    for pattern, found in NAMES:
        wanted = pattern.split("/")
        last = parts[-len(wanted) :]
        if len(last) == len(wanted) and all(map(fnmatchcase, last, wanted)):
            return found
    return PLAIN


class Within(NamedTuple):
    """Where a file stands whose steps begin again with each epoch. Plain numbers: `list(within)` is its state."""

    outer: int = 0  # the epoch
    base: int = 0  # steps before it
    reached: int = 0  # the last step within it


def step_within(within: Within, outer: int, inner: int) -> tuple[int, Within]:
    """(the step counted over all epochs, the state behind it).

    An epoch is taken to be as long as the last step that it logged, so the count can lag behind the trainer's by less
    than a logging interval an epoch; it never steps back while the epochs go on. An earlier epoch (a resumed run that
    appends) keeps as many steps an epoch as there were until then.
    """
    if outer > within.outer:
        within = Within(outer, within.base + within.reached, 0)
    elif outer < within.outer:
        length = within.base // max(within.outer - 1, 1)
        within = Within(outer, length * max(outer - 1, 0), 0)
    return within.base + inner, within._replace(reached=max(within.reached, inner))
