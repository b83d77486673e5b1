"""Which alerts make one message, and when it goes: of one rule in one run there is one message in a while. Pure.

Invariant: an alert that waits is in one batch, now or later; none is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

# After the first, second … failure: a service that restarts, one that is mended, one that somebody has to look after.
BACK_OFF_S = (30.0, 120.0, 600.0, 3600.0)
LONGEST_S = 86_400.0  # a moment that is further off was written by a clock that went wrong

Kind = tuple[str, str, str]  # channel, rule, run


class Waiting(NamedTuple):
    """An alert as far as its turn depends on it."""

    id: str
    kind: Kind
    gravity: int
    tries: int
    next_at: datetime


class Batch(NamedTuple):
    """Alerts that make one message: the gravest, of these the first, is told; the others are counted."""

    kind: Kind
    told: str
    ids: tuple[str, ...]
    tries: int


def due(
    waiting: Iterable[Waiting], quiet: Iterable[tuple[Kind, datetime]], now: datetime
) -> tuple[list[Batch], datetime | None]:
    """(what is to be sent now, when to look again; None with nothing left). `quiet` holds a kind back until a moment."""
    until: dict[Kind, datetime] = {}
    for kind, moment in quiet:
        until[kind] = max(moment, until.get(kind, moment))
    kinds: dict[Kind, list[Waiting]] = {}
    for one in waiting:
        kinds.setdefault(one.kind, []).append(one)
    batches, later = [], []
    for kind, some in kinds.items():
        moment = _moment(some, until.get(kind), now)
        if moment <= now:
            batches.append(_batch(kind, some))
        else:
            later.append(moment)
    return batches, min(later, default=None)


def again_at(tries: int, now: datetime) -> datetime | None:
    """When a message that failed so many times is tried again; None when it is given up."""
    return now + timedelta(seconds=BACK_OFF_S[tries - 1]) if tries <= len(BACK_OFF_S) else None


def _moment(some: Sequence[Waiting], quiet: datetime | None, now: datetime) -> datetime:
    """One that failed keeps those that came after it waiting too: they have the same way to go."""
    failed = [one.next_at for one in some if one.tries]
    moments = [max(failed) if failed else min(one.next_at for one in some), quiet or now]
    return max(min(moment, now) if (moment - now).total_seconds() > LONGEST_S else moment for moment in moments)


def _batch(kind: Kind, some: Sequence[Waiting]) -> Batch:
    told = max(some, key=lambda one: one.gravity)  # the first of the gravest
    return Batch(kind, told.id, tuple(one.id for one in some), max(one.tries for one in some) + 1)
