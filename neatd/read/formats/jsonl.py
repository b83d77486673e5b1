"""JSONL metrics, fast: most lines have the same keys as the one before and nothing but numbers. Pure.

Such lines become columns at once. A line that the fast parser refuses (bare NaN and Infinity, which Python writes), or
that needs a closer look, goes the slow way alone, so that one NaN does not slow down the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from neatd.read.metrics import LARGEST_STEP, STEP_KEYS, TIME_KEYS, as_number, as_time, parse_metrics
from neatd.read.rows import BadLine, Fed, Parsed, Stretch, whole_lines

LEAST = 16  # lines alike that are worth columns
_NUMBERS = frozenset({float, int})
_NO_NUMBERS = frozenset({str, bool, list, type(None)})


def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """Whole lines as rows. A line without a step key has its ordinal as step (`is_counted`)."""
    lines, consumed = whole_lines(data)
    lines = [line for line in lines if line and not line.isspace()]
    rows: list[Parsed | Stretch] = []
    bad: list[BadLine] = []
    has_steps = bool(state.get("has_steps"))
    for first, some, found in _alike(lines, seq + 1):
        good: list[Parsed] = []
        stretch = _stretch(first, found, label) if len(some) >= LEAST else None
        if stretch is not None:
            rows.append(stretch)
        else:
            good, wrong = parse_metrics(enumerate(some, start=first), label)
            rows += good if has_steps else [_by_epoch(row, label) for row in good]
            bad += wrong
        has_steps = has_steps or stretch is not None or any(not row.is_counted for row in good)
    return Fed(rows, consumed, seq + len(lines), {"has_steps": True} if has_steps else state, bad)


def _by_epoch(row: Parsed, label: str) -> Parsed:
    """A line that names no step, in a file that has named none so far, stands at its whole epoch."""
    epoch = row.values.get(f"{label}epoch")
    if not row.is_counted or epoch is None or not epoch.is_integer() or abs(epoch) > LARGEST_STEP:
        return row
    return row._replace(
        step=int(epoch), values={name: one for name, one in row.values.items() if name != f"{label}epoch"}
    )


def _alike(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, Sequence[bytes], list[dict[str, Any]]]]:
    """Consecutive lines with the same keys: (ordinal of the first one, the lines, what they hold)."""
    start = 0
    for _, group in groupby(_loaded(lines), key=tuple):
        found = list(group)
        end = start + len(found)
        yield first + start, lines[start:end], found
        start = end


def _loaded(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """The object of each line; empty for one that the slow way has to read."""
    try:
        found = list(map(orjson.loads, lines))  # nearly always
    except ValueError:
        found = [_one_loaded(line) for line in lines]
    return found if set(map(type, found)) <= {dict} else [one if type(one) is dict else {} for one in found]


def _one_loaded(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        return {}


class _Keys(NamedTuple):
    step: str
    time: str | None


def _stretch(first: int, found: list[dict[str, Any]], label: str) -> Stretch | None:
    """Lines with the same keys as columns; None where a value is no plain number, or a key is not clear."""
    names = tuple(found[0])
    keys = _keys(names)
    if keys is None:
        return None
    columns = dict(zip(names, zip(*(one.values() for one in found), strict=True), strict=True))
    steps, times = columns.pop(keys.step), _times(columns.pop(keys.time) if keys.time else None, len(found))
    if set(map(type, steps)) != {int} or min(steps) < -LARGEST_STEP or max(steps) > LARGEST_STEP or times is None:
        return None
    kept: dict[str, Sequence[float]] = {}
    for name, values in columns.items():
        kinds = set(map(type, values))
        if kinds <= _NUMBERS:
            kept[label + name] = tuple(map(float, values)) if int in kinds else values
        elif not kinds <= _NO_NUMBERS or (str in kinds and any(as_number(one) is not None for one in values)):
            return None
    return Stretch(range(first, first + len(found)), steps, times, kept)


def _keys(names: tuple[str, ...]) -> _Keys | None:
    """None where no key, or more than one, may be the step or the time: the slow way knows which counts."""
    steps = [key for key in STEP_KEYS if key in names]
    times = [key for key in TIME_KEYS if key in names]
    return _Keys(steps[0], times[0] if times else None) if len(steps) == 1 and len(times) < 2 else None


def _times(values: Sequence[Any] | None, count: int) -> Sequence[float | None] | None:
    """None where one is no time."""
    if values is None:
        return (None,) * count
    times = [as_time(one) for one in values]
    return None if None in times else times
