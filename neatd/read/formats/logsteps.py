"""What a log remembers between its lines, and how epochs and steps within them become one rising step. Pure.

A memory is plain JSON values of bounded size: it is part of the state that is committed with the rows.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from neatd.read.rows import Told

Memory = dict[str, Any]
MOST_COUNTERS = 16  # of loops and bars in one log; the oldest is forgotten
LARGEST_STEP = 2**62
_VALIDATION = re.compile(r"(?i)(?<![a-z])(?:val|valid|validation|validating|eval|evaluating|evaluation)(?![a-z])")
_TEST = re.compile(r"(?i)(?<![a-z])(?:test|testing)(?![a-z])")


class Found(NamedTuple):
    """What one line says."""

    values: dict[str, float]  # empty: the line is known, but gives no row
    step: int | None = None  # None: it names none
    told: Told = {}  # noqa: RUF012 - never changed in place
    bar: str = ""  # the progress bar it is a state of: the same step twice is one row
    time: float | None = None  # unix seconds
    is_epoch: bool = False  # its step is an epoch, or of a validation's own count: training does not stand there
    waits_for_bar: bool = False  # its step is that of the bar drawn again beneath it
    is_main_bar: bool = False  # the bar that dicts of a trainer stand beneath
    is_strong: bool = True  # nothing but training writes such lines


def phase(text: str) -> str:
    """`val`, `test` or nothing: which part of the data a line is about."""
    return "val" if _VALIDATION.search(text) else "test" if _TEST.search(text) else ""


def prefixed(values: dict[str, float], part: str) -> dict[str, float]:
    """The values of a validation under names that are not the training's."""
    if not part:
        return values
    return {name if phase(name.replace("_", " ")) else f"{part}_{name}": value for name, value in values.items()}


def position(memory: Memory, part: str, epoch: int | None, inner: int, total: int | None) -> int:
    """The rising step of `inner` (of `total`) within `epoch`.

    A counter that begins again is of an epoch; one that goes on into the next is of the whole run already.
    """
    counters = memory.setdefault("counters", {})
    known = counters.pop(part, None)
    if known is None:
        first = epoch if epoch in (0, 1) or epoch is None else 1
        known = {"first": first, "epoch": epoch, "inner": inner, "base": 0, "length": total, "is_whole": False}
        known["base"] = ((epoch or 0) - (first or 0)) * (total or 0)
    elif epoch is None or known["epoch"] is None:
        _again(known, inner, total)
    elif epoch != known["epoch"]:
        _next_epoch(known, epoch, inner, total)
    known |= {"epoch": epoch if epoch is not None else known["epoch"], "inner": inner}
    counters[part] = known
    while len(counters) > MOST_COUNTERS:
        del counters[next(iter(counters))]
    return min(inner if known["is_whole"] else known["base"] + inner, LARGEST_STEP)


def _again(known: Memory, inner: int, total: int | None) -> None:
    """A counter without an epoch that was at its end and begins again goes on; one cut short was started anew."""
    if inner < known["inner"] and known["length"] and known["inner"] >= known["length"]:
        known["base"] += known["length"]
    if total != known["length"]:
        known["length"] = total


def _next_epoch(known: Memory, epoch: int, inner: int, total: int | None) -> None:
    if epoch > known["epoch"] and inner > known["inner"] and known["base"] == 0:
        known["is_whole"] = True
    length = total or max(known["inner"], known["length"] or 0)
    if epoch > known["epoch"] and not total:
        known["base"] += (epoch - known["epoch"]) * length
    else:
        known["base"] = max(0, epoch - (known["first"] or 0)) * length
    known["length"] = length


def standing(memory: Memory, epoch: int | None) -> int | None:
    """Where a line stands that names an epoch at most: at the last step of the training, else at its epoch."""
    step = memory.get("step")
    return step if step is not None else epoch


def with_epoch(values: dict[str, float], epoch: int | None) -> dict[str, float]:
    """The values and their epoch, where one is known."""
    return values if epoch is None or "epoch" in values else {**values, "epoch": float(epoch)}
