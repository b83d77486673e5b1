"""Whether the head of a file shows metrics: one question per format, asked where a name is no proof. Pure.

A head that shows nothing yet (a header without a row, an unfinished line) is no metrics file: it is asked again when
the file has grown. A wrong yes costs more than a late one: a data set must not become a run.
"""

from __future__ import annotations

import csv
import re

from neatd.read.formats.textlog import looks_like_training
from neatd.read.metrics import STEP_KEYS, as_number, parse_object
from neatd.read.naming import is_metric

HEAD_BYTES = 64 * 1024  # the most that is looked at
TEXT_BYTES = 16 * 1024  # of a text at once
SQLITE = b"SQLite format 3\0"
_STEPS = frozenset(
    {
        *STEP_KEYS, "epoch", "epochs", "iters", "iterations", "steps", "update", "updates", "round", "training_iteration",
        "total_timesteps", "timesteps_total", "num_timesteps", "timesteps", "episode", "trainer/global_step",
        "time/total_timesteps", "time/iterations", "rollout/timesteps", "train/step", "train/global_step", "train/epoch",
    }
)  # fmt: skip
_METRIC_STARTS = (
    "train/",
    "val/",
    "valid/",
    "validation/",
    "eval/",
    "test/",
    "metric/",
    "metrics/",
    "rollout/",
    "loss/",
)
_LINES = 5  # of a file of JSON lines
_LONGEST_TEXT = 200  # characters: a longer value is a prompt, not a name
_MONITOR = ["r", "l", "t"]  # Stable-Baselines: reward, length, time of each episode
_QUOTED_STEP = re.compile(rb'"(?:%s)"\s*:\s*-?\d' % b"|".join(re.escape(one).encode() for one in sorted(_STEPS)))
_EMPTY = frozenset({"", "na", "n/a", "none", "null", "-"})


def sniff(format: str, head: bytes, is_usual: bool = False, is_cut: bool = False) -> bool:
    """Whether the head is one of `format`. `is_usual`: the name is one that trackers use, so that less is asked.

    `is_cut`: the file goes on behind a head of HEAD_BYTES. A database is only known as one: what is in it, its reader
    tells.
    """
    if format == "jsonl":
        return _is_jsonl(head, is_usual, is_cut)
    if format == "csv":
        return _is_csv(head, is_usual, is_cut)
    if format == "text":
        windows = (head[at : at + TEXT_BYTES] for at in range(0, len(head), TEXT_BYTES))
        return b"\0" not in head[:TEXT_BYTES] and any(looks_like_training(window) for window in windows)
    if format == "optuna_journal":
        return _is_journal(head)
    return format == "database" and head.startswith(SQLITE)


# ---- lines of JSON ----


def _is_jsonl(head: bytes, is_usual: bool, is_cut: bool) -> bool:
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return False
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()][: 50 if is_usual else _LINES]
    if not lines:  # one line longer than any head: RLlib with all its configuration
        return is_usual and is_cut and bool(_QUOTED_STEP.search(head))
    found = False
    for line in lines:
        data = parse_object(line)
        if isinstance(data, str):
            return False
        if not is_usual and _has_long_text(data):
            return False
        found = found or _is_measured(data)
    return found


def _is_measured(data: dict[str, object]) -> bool:
    """A step and at least one other number, at the top or one level below."""
    if not any(key in _STEPS and as_number(value) is not None for key, value in data.items()):
        return False
    inner = [pair for value in data.values() if isinstance(value, dict) for pair in value.items()]
    return any(key not in _STEPS and as_number(value) is not None for key, value in [*data.items(), *inner])


def _has_long_text(data: dict[str, object]) -> bool:
    """Prompts, answers, messages: what an example of a data set has and a measurement has not."""
    values: list[object] = list(data.values())
    values += [inner for value in data.values() if isinstance(value, dict) for inner in value.values()]
    values += [inner for value in data.values() if isinstance(value, list) for inner in value[:20]]
    return any(isinstance(value, str) and len(value) > _LONGEST_TEXT for value in values) or any(
        isinstance(one, dict) for value in data.values() if isinstance(value, list) for one in value[:20]
    )


def _is_journal(head: bytes) -> bool:
    """Optuna's: the first line creates a study."""
    line, end, _ = head.partition(b"\n")
    if not end or b'"op_code"' not in line:
        return False
    data = parse_object(line)
    return isinstance(data, dict) and isinstance(data.get("op_code"), int) and "worker_id" in data


# ---- tables ----


def _is_csv(head: bytes, is_usual: bool, is_cut: bool) -> bool:
    if b"\0" in head[:TEXT_BYTES]:
        return False
    rest = head.decode("utf-8-sig", "replace").lstrip("\r\n")
    if rest.startswith("#") and is_usual:  # Stable-Baselines' monitor and its JSON
        rest = rest.partition("\n")[2]
    line, end, rest = rest.partition("\n")
    separator = _separator(line)
    columns = [name.strip().lower() for name in _cells(line, separator)]
    at = next((n for n, name in enumerate(columns) if _is_step(name)), None)
    if not end:  # a header longer than any head
        return is_usual and is_cut and at is not None
    row, ended, _ = rest.partition("\n")
    cells = [cell.strip().lower() for cell in _cells(row, separator)]
    if not ended and not (is_cut and len(cells) > 1):
        return False
    if is_usual and columns == _MONITOR:
        return _are_numbers(cells)
    if at is None or len(columns) < 2 or (ended and len(cells) != len(columns) and not is_usual):
        return False
    if cells[at : at + 1] != [""] and not _are_numbers(cells[at : at + 1]):
        return False
    pairs = [pair for n, pair in enumerate(zip(columns, cells, strict=False)) if n != at]
    if is_usual:
        return any(_are_numbers([cell]) for _, cell in pairs)
    return _is_table_of_metrics(pairs)


def _is_table_of_metrics(pairs: list[tuple[str, str]]) -> bool:
    """Under a name that says nothing: a metric's column, which holds a number, and no long text beside it."""
    has_metric = any(_is_metric(name) and _are_numbers([cell]) for name, cell in pairs)
    return has_metric and not any(len(cell) > _LONGEST_TEXT for _, cell in pairs)


def _separator(line: str) -> str:
    return max((",", "\t", ";", "|"), key=line.count)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(iter(csv.reader([line.rstrip("\r")], delimiter=separator)), [])
    except csv.Error:
        return []


def _is_step(name: str) -> bool:
    return name in _STEPS or name.rpartition("/")[2] in ("step", "global_step", "epoch", "total_timesteps")


def _is_metric(name: str) -> bool:
    return name == "time_elapsed" or name.startswith(_METRIC_STARTS) or is_metric(name)


def _are_numbers(cells: list[str]) -> bool:
    """Whether every cell holds a number (NaN and infinities are some) and at least one cell is there."""
    numbers = [cell for cell in cells if cell not in _EMPTY]
    try:
        return all(float(cell) is not None for cell in numbers) and bool(numbers)
    except ValueError:
        return False
