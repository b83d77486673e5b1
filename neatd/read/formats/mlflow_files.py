"""MLflow's file store: `metrics/<key>` holds a line "timestamp_ms value step" for each value of one metric. Pure.

Older releases wrote no step; newer ones add the data set's name and digest behind it.
"""

from __future__ import annotations

from typing import Any

from neatd.models import Stretch
from neatd.read.metrics import LARGEST_STEP, as_step
from neatd.read.rows import BadLine, Fed, Parsed, whole_lines

_LATEST_S = 1e15  # a later time is none


def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """A row for each line; `label` is the metric's name, the file's path below `metrics/`."""
    whole, consumed = whole_lines(data)
    lines = [line for line in whole if line.strip()]
    if stretch := _stretch(lines, seq, label):
        return Fed([stretch], consumed, seq + len(lines), state)
    found = [_row(line, place, label) for place, line in enumerate(lines, start=seq + 1)]
    rows = [one for one in found if isinstance(one, Parsed)]
    return Fed(rows, consumed, seq + len(lines), state, [one for one in found if isinstance(one, BadLine)])


def _stretch(lines: list[bytes], seq: int, name: str) -> Stretch | None:
    """All lines at once, when all of them are as they should be: a third of the time."""
    parts = [line.split() for line in lines]
    try:
        times = [int(one[0]) / 1000 for one in parts]
        values = [float(one[1]) for one in parts]
        steps = [int(one[2]) for one in parts]
    except (ValueError, IndexError, OverflowError):
        return None
    if not parts or max(map(abs, steps)) > LARGEST_STEP or max(map(abs, times)) > _LATEST_S:
        return None
    return Stretch(range(seq + 1, seq + 1 + len(parts)), steps, times, {name: values})


def _row(line: bytes, seq: int, name: str) -> Parsed | BadLine:
    parts = line.split()
    try:
        time, value = int(parts[0]) / 1000, float(parts[1])
        step = as_step(int(parts[2])) if len(parts) > 2 else seq
    except (ValueError, IndexError, OverflowError):
        return BadLine(seq, "not a time, a value and a step")
    if step is None:
        return BadLine(seq, "its step is too large")
    return Parsed(seq, step, time if abs(time) <= _LATEST_S else None, {name: value}, is_counted=len(parts) == 2)
