"""The rows of the experiment table in the order in which they are read, and which of them are needed most. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from neatd.assist.facts import RunFact
from neatd.models import ENDED, Goal

BEST = 6  # the first of the table, needed however old they are
LATELY = timedelta(days=1)


def in_order(rows: Sequence[RunFact], goal: Goal | None, now: datetime) -> tuple[RunFact, ...]:
    """The baseline first, then the best; those without a value last, as they came. `need` says which of them are needed
    before others: the baseline, the best, those of the last day, and the others from the best on."""
    sign = -1 if goal == "max" else 1
    rows = sorted(rows, key=lambda row: (not row.is_baseline, row.value is None, sign * (row.value or 0.0)))
    places = sorted(range(len(rows)), key=lambda place: (place > BEST and not _is_of_lately(rows[place], now), place))
    needs = {place: need for need, place in enumerate(places)}
    return tuple(row.model_copy(update={"need": needs[place]}) for place, row in enumerate(rows))


def going_on(rows: Sequence[RunFact], is_so: bool = True) -> list[RunFact]:
    """The runs that go on; those that have ended with `is_so` false."""
    return [row for row in rows if (not row.is_reported and row.status not in ENDED) is is_so]


def _is_of_lately(row: RunFact, now: datetime) -> bool:
    return now - max(row.started_at, row.ended_at or row.started_at) < LATELY
