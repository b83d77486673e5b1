"""What stands at this moment, as plain values: for the hooks, which load no models. Stdlib only."""

from __future__ import annotations

import re
from typing import NamedTuple

_SYSTEM = re.compile(r"(?:^|[/:])system/")
MOST_COUNTED = 1000  # of what is told by number only


class Value(NamedTuple):
    """A series' last value; "NaN" where it is no number."""

    metric: str
    last: float | None
    step: int | None


class RunNow(NamedTuple):
    """A run that goes on, or that ended lately. Times are unix seconds."""

    id: str
    name: str
    status: str
    reason: str
    step: int | None
    planned_steps: int | None
    started_at: float
    line_at: float | None  # when its last line was read
    values: tuple[Value, ...] = ()


class Said(NamedTuple):
    """A record in one line, as it stands now."""

    kind: str
    id: str
    title: str
    status: str
    why: str = ""
    is_new: bool = True  # made since; else changed


class Happened(NamedTuple):
    """An anomaly, or the end of a run."""

    id: str
    what: str  # "critical non_finite", "run failed"
    run: str
    message: str


class Now(NamedTuple):
    """Where a project stands at this moment, besides its brief."""

    project: str
    runs: tuple[RunNow, ...] = ()
    happened: tuple[Happened, ...] = ()  # anomalies since the brief was written
    tasks: tuple[Said, ...] = ()  # the next ones, in their order
    since: tuple[Said, ...] = ()  # what was made and changed since the brief was written
    more_since: int = 0  # besides; MOST_COUNTED stands for that many and more
    branch: str = ""
    commit: str = ""
    watching: str = ""  # "" while a daemon watches, else since when none does


class News(NamedTuple):
    """What an open session does not know yet, and up to where it then knows."""

    happened: tuple[Happened, ...]
    told: int
    told_at: str
    more: int = 0  # earlier ones that are not told one by one


def telling(metric: str) -> tuple[int, str]:
    """What people look at first: losses and accuracies, the validation's before the training's."""
    name = metric.lower()
    is_judged = any(
        word in name for word in ("loss", "acc", "dice", "f1", "ppl", "perplexity", "reward", "bleu", "auc", "iou")
    )
    is_held_out = any(word in name for word in ("val", "eval", "test", "dev"))
    return (0 if is_judged and is_held_out else 1 if is_judged else 2 if is_held_out else 3), name


def is_system(metric: str) -> bool:
    """Whether a series tells of the machine or the process and not of the training: memory, processors, GPUs. There are
    dozens of them in each run; they are shown where they are asked for."""
    return "system/" in metric and _SYSTEM.search(metric) is not None
