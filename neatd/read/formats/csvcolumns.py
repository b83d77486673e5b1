"""The columns of a CSV header: which one is the step, which the time, what the others are called. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# Exact names, the first that is there wins; upper and lower case are the same, and a space is an underscore.
STEP_NAMES = (
    "step", "global_step", "_step", "iteration", "iter", "total_timesteps", "time/total_timesteps", "train_step",
    "num_updates", "epoch",
)  # fmt: skip
TIME_NAMES = ("timestamp", "_timestamp", "wall_time", "time", "date")
DELIMITERS = (b",", b";", b"\t", b"|")
MONITOR = "monitor/"  # before r (reward) and l (length) of an episode, which say nothing alone
_QUOTED = re.compile(rb'"[^"]*"?')


class Columns(NamedTuple):
    """One header. Where `names` is empty the column gives no value: it is the step, or has no name."""

    names: tuple[str, ...]
    known: frozenset[str]  # the names as they are compared
    step: int  # index; -1: the rows are counted
    time: int  # index; -1: there is none
    is_epoch: bool  # the step column is the epoch, for want of a better one


def delimiter_of(header: bytes) -> bytes:
    """The delimiter that stands most often outside of quotes; a comma where there is none."""
    bare = _QUOTED.sub(b"", header)
    return max(DELIMITERS, key=bare.count)


def compared(name: str) -> str:
    """A column's name as it is compared with the known ones."""
    return name.strip().lower().replace(" ", "_")


@lru_cache(maxsize=8)  # a file's state carries its header as text; files of 10,000 columns come in small pieces too
def columns_of(header: str, label: str, is_counted: bool, is_monitor: bool) -> Columns:
    """The columns of a header whose names are divided by newlines. `is_counted`: the epoch is no step, but a value."""
    names = [name.strip() for name in header.split("\n")]
    keys = [compared(name) for name in names]
    wanted = () if is_monitor else STEP_NAMES[:-1] if is_counted else STEP_NAMES
    step = next((keys.index(one) for one in wanted if one in keys), -1)
    times = ("t",) if is_monitor else TIME_NAMES
    time = next((keys.index(one) for one in times if one in keys), -1)
    before = label + MONITOR if is_monitor else label
    shown = [before + name if name and at != step else "" for at, name in enumerate(_unlike(names))]
    return Columns(tuple(shown), frozenset(key for key in keys if key), step, time, step >= 0 and keys[step] == "epoch")


def _unlike(names: list[str]) -> list[str]:
    """A name that was there before gets its number: two columns are two series."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        found.append(f"{name}.{count}" if count and name else name)
    return found
