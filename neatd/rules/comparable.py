"""Whether two rows of the experiment table may be compared by their number, and if not, why. Pure.

Only what is known on both sides can differ: a run whose data nobody registered is not accused of other data.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DONE = re.compile(r"finish|complet|done|success|best|accept|baseline|support|refut", re.I)
_UNDONE = re.compile(
    r"plan|queue|pend|todo|to do|wait|start|run|progress|ongoing|stall|fail|crash|kill|interrupt|lost|abort|diverg|cancel",
    re.I,
)
_RUNNING = ("starting", "running", "stalled")
_CLOSE = 0.005  # fractions nearer than this are the same one, written another way: 0.53 and 53.2 %


class Basis(NamedTuple):
    """What a row's number stands on. Whatever is unknown is empty or None."""

    metric: str = ""
    status: str = ""  # a run's, or what a recorded experiment says of itself
    step: int | None = None
    planned_steps: int | None = None
    data: tuple[
        tuple[str, str], ...
    ] = ()  # (path, version) of registered data, or (key, version) as the parameters say
    data_names: tuple[str, ...] = ()  # what the parameters call the data: last parts of paths, names of data sets
    fraction: float | None = None  # of the data, 0 to 1
    samples: int | None = None
    amount: tuple[str, float] | None = None  # another measure of how much data: ("data_mb", 4.0)
    metric_code: str = ""  # hash of the files that compute metrics


def metric_key(name: str) -> str:
    """A metric's name as it is compared: `val_loss`, `val/loss` and `Best Val Loss` are one metric."""
    words = re.sub(r"[\s_/.:-]+", " ", name).strip().lower()
    return re.sub(r"^(?:valid|validation)\b", "val", words.removeprefix("best ").removesuffix(" best"))


def is_same_metric(one: str, other: str) -> bool:
    """Whether two names are of one metric."""
    return metric_key(one) == metric_key(other)


def why_not_comparable(row: Basis, base: Basis) -> tuple[str, ...]:
    """Every reason why `row`'s number says nothing against that of `base`; () when they may be compared."""
    reasons = (
        _other_metric(row, base), _other_data(row, base), _other_amount(row, base), _other_code(row, base),
        _unfinished(row), _base_unfinished(base),
    )  # fmt: skip
    return tuple(reason for reason in reasons if reason)


def is_unfinished(row: Basis) -> bool:
    """Whether more was to come: a run that ended early, one that runs, an experiment that is planned."""
    if row.planned_steps and row.step is not None and row.step >= row.planned_steps:
        return False
    return bool(_UNDONE.search(row.status)) and not _DONE.search(row.status)


def _other_metric(row: Basis, base: Basis) -> str:
    is_other = row.metric and base.metric and not is_same_metric(row.metric, base.metric)
    return f"other metric: {row.metric}, not {base.metric}" if is_other else ""


def _other_data(row: Basis, base: Basis) -> str:
    here, there = dict(row.data), dict(base.data)
    for path in sorted(set(here) & set(there)):
        if here[path] != there[path]:
            return f"other data: {path} was {here[path][:12]}, not {there[path][:12]}"
    if here and there and not set(here) & set(there):
        if set(here.values()) == set(there.values()):
            return ""  # the same content in another place
        return f"other data: {_listed(sorted(here))}, not {_listed(sorted(there))}"
    if row.data_names and base.data_names and row.data_names != base.data_names and not (here and there):
        return f"other data: {_listed(row.data_names)}, not {_listed(base.data_names)}"
    return ""


def _other_amount(row: Basis, base: Basis) -> str:
    if row.fraction is not None and base.fraction is not None:
        is_same = abs(row.fraction - base.fraction) <= _CLOSE
        return "" if is_same else f"other fraction of the data: {_percent(row.fraction)}, not {_percent(base.fraction)}"
    if row.samples is not None and base.samples is not None:
        return "" if row.samples == base.samples else f"other samples: {row.samples:,}, not {base.samples:,}"
    if row.amount and base.amount and row.amount[0] == base.amount[0] and row.amount[1] != base.amount[1]:
        return f"other amount of data: {row.amount[0]} {row.amount[1]:g}, not {base.amount[1]:g}"
    return ""


def _other_code(row: Basis, base: Basis) -> str:
    is_other = row.metric_code and base.metric_code and row.metric_code != base.metric_code
    return "other metric code: the files that compute it changed" if is_other else ""


def _unfinished(row: Basis) -> str:
    if not is_unfinished(row):
        return ""
    at = f" at step {row.step}" if row.step is not None else ""
    return f"not finished: {row.status}{at}" + (f" of {row.planned_steps}" if at and row.planned_steps else "")


def _base_unfinished(base: Basis) -> str:
    """A baseline that still runs moves. One that was stopped stands: a person named it, as it is."""
    return f"the baseline is {base.status}" if base.status in _RUNNING and is_unfinished(base) else ""


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
