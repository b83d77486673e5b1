"""Hugging Face's trainer_state.json: the whole history of a run, written anew into each checkpoint's folder. Pure.

The whole file is fed each time, from the newest checkpoint; only rows that were not given before come out. Where the
history is another than before (resumed from an earlier checkpoint) the rows from there on are given again: they step
back, which begins a new attempt. It is not written atomically: what is not whole JSON yet is not consumed.
"""

from __future__ import annotations

import base64
import json
from hashlib import blake2b
from typing import Any

from neatd.read.metrics import as_number, as_step
from neatd.read.rows import BadLine, Fed, Parsed, Told

MARK = 8  # letters of a row's mark in the state: 6 bytes, chained, so a mark stands for all rows before it too
_CONFIG = ("train_batch_size", "logging_steps", "eval_steps", "save_steps")


class TrainerTold(Told, total=False):
    """What only this file says."""

    best_metric: float


def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """The rows of a whole file that are new. State: {"marks": those of the rows given, in one text}."""
    try:
        content = json.loads(data.decode("utf-8-sig", "replace"))
        history = content["log_history"]
    except RecursionError:
        return Fed([], 0, seq, state, [BadLine(seq + 1, "nested too deep")], is_stuck=True)
    except ValueError as error:
        return _unread(data, state, seq, error)
    except (KeyError, TypeError):
        history = None
    if not isinstance(history, list):
        return Fed([], len(data), seq, state, [BadLine(seq + 1, "holds no log_history")], is_stuck=True)
    known: str = state.get("marks", "")
    marks = _marks(history)
    same = _shared(known, marks)
    if same == len(history):  # an older checkpoint of the same history says nothing new
        return Fed([], len(data), seq, state, told=_told(content) if len(marks) >= len(known) else {})
    rows, bad = _rows(history, same, seq, label)
    return Fed(rows, len(data), seq + len(rows) + len(bad), {"marks": marks}, bad, _told(content))


def _unread(data: bytes, state: dict[str, Any], seq: int, error: ValueError) -> Fed:
    """A file that is being written, which is waited for; or one that is damaged."""
    text = data.decode("utf-8-sig", "replace").rstrip()
    is_cut = isinstance(error, json.JSONDecodeError) and (
        error.pos >= len(text) or error.msg.startswith("Unterminated")
    )  # any other error is of a number that no int holds
    if is_cut or not text.endswith("}"):
        return Fed([], 0, seq, state)
    return Fed([], 0, seq, state, [BadLine(seq + 1, "not JSON")], is_stuck=True)


def _marks(history: list[Any]) -> str:
    """A mark of `MARK` letters for each row, over all rows up to it."""
    found, digest = [], b""
    for row in history:
        text = json.dumps(row, sort_keys=True).encode()
        digest = blake2b(digest + text, digest_size=MARK * 3 // 4).digest()
        found.append(base64.b64encode(digest).decode())
    return "".join(found)


def _shared(known: str, marks: str) -> int:
    """How many rows both begin with. As marks are chained, all before a like one are alike."""
    low, high = 0, min(len(known), len(marks)) // MARK
    while low < high:
        middle = (low + high + 1) // 2
        at = slice((middle - 1) * MARK, middle * MARK)
        low, high = (middle, high) if known[at] == marks[at] else (low, middle - 1)
    return low


def _rows(history: list[Any], first: int, seq: int, label: str) -> tuple[list[Parsed], list[BadLine]]:
    rows: list[Parsed] = []
    bad: list[BadLine] = []
    for at in range(first, len(history)):
        seq += 1
        found = _row(history[at], seq, at + 1, label)
        if isinstance(found, str):
            bad.append(BadLine(seq, found))
        else:
            rows.append(found)
    return rows, bad


def _row(said: object, seq: int, ordinal: int, label: str) -> Parsed | str:
    """A row of the history, with its epoch as a value; or why it is none."""
    if not isinstance(said, dict):
        return "not a JSON object"
    step = as_step(said["step"]) if "step" in said else ordinal
    if step is None:
        return "its step is not a whole number"
    numbers = {label + name: as_number(value) for name, value in said.items() if name != "step"}
    values = {name: number for name, number in numbers.items() if number is not None}
    return Parsed(seq, step, None, values, "step" not in said)


def _told(content: dict[str, Any]) -> TrainerTold:
    """What the file says of the run besides its history."""
    told: TrainerTold = {}
    steps, epochs, best = content.get("max_steps"), content.get("num_train_epochs"), content.get("best_metric")
    if isinstance(steps, int) and not isinstance(steps, bool) and steps > 0:
        told["planned_steps"] = steps
    if isinstance(epochs, int | float) and not isinstance(epochs, bool) and 0 < epochs < 1e9:
        told["planned_epochs"] = float(epochs)
    number = as_number(best)
    if number is not None:
        told["best_metric"] = number
    if isinstance(content.get("best_model_checkpoint"), str):
        told["best_checkpoint"] = content["best_model_checkpoint"]
    if isinstance(content.get("trial_name"), str):
        told["name"] = content["trial_name"]
    config = {name: content[name] for name in _CONFIG if isinstance(content.get(name), int | float)}
    params = content.get("trial_params")
    config |= params if isinstance(params, dict) else {}
    if config:
        told["config"] = config
    return told
