"""Objects within a line of a log: what transformers' Trainer prints, and JSON behind any prefix. Pure.

A dict is read by `ast.literal_eval` from bounded text; nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from neatd.read.formats.lognumbers import has_metric, number, unwrapped
from neatd.read.formats.logsteps import Found, Memory, standing
from neatd.read.metrics import STEP_KEYS, as_number, as_step
from neatd.read.rows import Told

LONGEST_DICT = 16 * 1024  # characters
STEPS = (
    *STEP_KEYS,
    "num_updates",
    "train_num_updates",
    "valid_num_updates",
    "train/global_step",
    "trainer/global_step",
)
_NOT_FINITE = re.compile(r"(?<![\w'\"])(-?)(nan|inf)(?![\w'\"])", re.I)
_ALWAYS = ("loss", "eval_loss", "train_loss", "val_loss")  # with one of these an object needs no step
_MOST_VALUES = 2000


def of_object(line: str, memory: Memory) -> Found | None:
    """The row of the object at the end of a line, if it tells of training."""
    begin, end = line.find("{"), line.rfind("}")
    if begin < 0 or end < begin or len(line) > LONGEST_DICT or line[end + 1 :].strip(" ,;"):
        return None
    data = _object(line[begin : end + 1])
    return None if data is None else _found(data, memory)


def _object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = _python(text)
    return data if isinstance(data, dict) else None


def _python(text: str) -> object:
    """A Python dict as `print` writes it. A backslash in it is refused: literal_eval would warn of some."""
    if "\\" in text or not text.startswith("{'"):
        return None
    try:
        return ast.literal_eval(_NOT_FINITE.sub(r"'\1\2'", unwrapped(text)))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _found(data: dict[str, Any], memory: Memory) -> Found | None:
    values: dict[str, float] = {}
    _numbers(data, "", values)
    named = next((key for key in STEPS if key in data), None)
    epoch = _number(data.get("epoch"))
    is_known = named is not None or epoch is not None or any(key in data for key in _ALWAYS)
    if not is_known or not has_metric(values):
        return None
    step = as_step(_number(data[named])) if named else _stands(data, memory, epoch)
    if named and step is None:
        return None
    if named:
        values.pop(named, None)
    told: Told = {"planned_steps": memory["main"][1]} if not named and "main" in memory else {}
    waits = not named and "main" in memory
    is_strong = named is not None or "loss" in data or "eval_loss" in data
    return Found(values, step, told=told, is_epoch=not named and not waits, is_strong=is_strong, waits_for_bar=waits)


def _stands(data: dict[str, Any], memory: Memory, epoch: float | None) -> int | None:
    """The step of the trainer's own bar before the line; None where no bar was seen.

    An evaluation has a bar of its own, so another bar takes over only once the first is at its end and training goes on.
    """
    if "other" in memory and "loss" in data and memory["main"][0] >= memory["main"][1]:
        memory["main"] = memory.pop("other")
    if "main" in memory:
        return int(memory["main"][0])
    whole = int(epoch) if epoch is not None and epoch == epoch and abs(epoch) < 2**62 and epoch == int(epoch) else None
    return standing(memory, whole) if "epoch" in data and isinstance(data["epoch"], int) else memory.get("step")


def _numbers(data: dict[Any, Any], prefix: str, found: dict[str, float], depth: int = 0) -> None:
    for key, value in data.items():
        if len(found) >= _MOST_VALUES or not isinstance(key, str):
            continue
        if isinstance(value, dict) and depth < 4:
            _numbers(value, f"{prefix}{key}/", found, depth + 1)
        elif (one := _number(value)) is not None:
            found[prefix + key] = one


def _number(value: object) -> float | None:
    """A number, also one that was formatted: the Trainer prints `'0.5'` since 4.57, fairseq always did."""
    plain = as_number(value)
    return number(value) if plain is None and isinstance(value, str) and value[:1] in "-.0123456789" else plain
