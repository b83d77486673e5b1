"""How fast a run goes and when it will be done, from the end of its densest series. Reads only. Measured on two
busy cores: 3 to 8 ms a run.

Where no line tells a time, the pace is the one by which lines arrived while the daemon watched (`pipeline/arriving.py`).
What neither tells is None.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from neatd.rules.eta import Point, epoch_pairs, is_rising, last_gap, left_s, step_pairs
from neatd.rules.timing import Pace, pace_of, per_second, samples_per_step
from neatd.store import tails

if TYPE_CHECKING:
    from neatd.models import Run

PAIRS = 500  # newest points: more than twice what the median is made of, so that pauses between them are seen
EPOCH_PAIRS = 20_000  # of an epoch series: an epoch may be thousands of lines
GOES_ON = ("starting", "running")  # of a stalled run nobody knows when it will be done
_RATE = r"(?:^|[/_.]){}(?:_per_s(?:ec(?:ond)?)?|/s(?:ec)?)$"
_COUNT = r"(?:^|[/.])(?:num_|total_|n_|consumed_)?(?:train_|input_)?{}(?:_seen|_consumed|_processed)?$"
_SAMPLES, _TOKENS = r"(?:samples|examples|images|sequences)", r"(?:tokens|tok)"
_EPOCH = re.compile(r"(?:^|[/.])epochs?$", re.I)


class Planned(Protocol):
    """What is asked of a run to tell when it ends: a Run, or its row where no models are loaded."""

    @property
    def id(self) -> str: ...
    @property
    def planned_steps(self) -> int | None: ...
    @property
    def facts(self) -> dict[str, Any]: ...


class Going(NamedTuple):
    """How a run goes. Everything is None where nothing tells it."""

    pace: Pace | None = None
    eta_s: float | None = None  # seconds left; of a run that goes on
    ends_at: datetime | None = None
    samples_per_s: float | None = None
    tokens_per_s: float | None = None


NOT_KNOWN = Going()


def planned(run: Planned, name: str) -> float | None:
    """`planned_epochs` or `planned_trials`, as files and trackers say it."""
    value = (run.facts.get("told") or {}).get(name)
    return value if isinstance(value, int | float) and value > 0 else None


def going(points: sqlite3.Connection, run: Run, now: datetime) -> Going:
    """How a run goes, from its newest points."""
    pairs = _pairs(points, run.id)
    pace = pace_of(pairs) or by_arrival(run)
    numbers = _numbers(points, run.id)
    eta_s = _eta_s(points, run, pace, pairs, numbers, now.timestamp()) if run.status in GOES_ON else None
    return Going(
        pace, eta_s, None if eta_s is None else _after(now, eta_s),
        _samples_per_s(points, run, pace, numbers), _rate(points, run.id, numbers, _TOKENS),
    )  # fmt: skip


def left_of(points: sqlite3.Connection, run: Planned, now: float) -> float | None:
    """Seconds that are left at `now` of a run that goes on; None where nothing tells."""
    pairs = _pairs(points, run.id)
    return _eta_s(points, run, pace_of(pairs) or by_arrival(run), pairs, _numbers(points, run.id), now)


def by_arrival(run: Planned) -> Pace | None:
    """The pace by which lines arrived, as the daemon keeps it; None where it saw too few."""
    kept = run.facts.get("pace") or {}
    said = (kept.get(name) for name in ("step_s", "last_step_s", "pause_s", "at_step", "at_time"))
    found = [float(one) for one in said if isinstance(one, int | float)]
    return Pace(*found) if len(found) == len(Pace._fields) else None


def _gap(run: Planned, pairs: list[tuple[float, float]]) -> float:
    """How far two lines lie apart, two arrivals where lines tell no times."""
    return last_gap(pairs) if pairs else float((run.facts.get("pace") or {}).get("gap") or 1.0)


def _pairs(points: sqlite3.Connection, run_id: str) -> list[tuple[float, float]]:
    """(step, time) of the densest series that tells times."""
    for name in tails.densest(points, run_id):
        if found := step_pairs(_newest(points, run_id, name)):
            return found
    return []


_Numbers = dict[str, tuple[float | None, float | None]]  # series -> (last value, lowest value)


def _numbers(points: sqlite3.Connection, run_id: str) -> _Numbers:
    sql = "SELECT name, last, min FROM series WHERE run_id = ? AND points > 0 ORDER BY rank DESC"
    return {row[0]: (row[1], row[2]) for row in points.execute(sql, (run_id,))}


def _eta_s(
    points: sqlite3.Connection, run: Planned, pace: Pace | None, pairs: list[tuple[float, float]], numbers: _Numbers, now: float
) -> float | None:  # fmt: skip
    """By the planned steps, else epochs, else trials."""
    if run.planned_steps:
        return left_s(pace, run.planned_steps, _gap(run, pairs), now) if pace else None
    epochs, trials = planned(run, "planned_epochs"), planned(run, "planned_trials")
    if epochs:
        name, lowest = next(((one, two[1]) for one, two in numbers.items() if _EPOCH.search(one)), ("", None))
        found = (
            epoch_pairs(tails.tail(points, run.id, name, EPOCH_PAIRS, since_restart=True), lowest or 0.0)
            if name
            else []
        )
        of_epochs = pace_of(found)
        return left_s(of_epochs, epochs, last_gap(found), now) if of_epochs else None
    return left_s(pace, trials - 1, _gap(run, pairs), now) if trials and pace else None  # trials are counted from 0


def _samples_per_s(points: sqlite3.Connection, run: Run, pace: Pace | None, numbers: _Numbers) -> float | None:
    """As a series tells it, else from the batch size that the parameters name."""
    found = _rate(points, run.id, numbers, _SAMPLES)
    if found is not None or pace is None:
        return found
    of_step = samples_per_step(run.config, _world_size(run))
    return None if of_step is None else of_step * pace.steps_per_s


def _rate(points: sqlite3.Connection, run_id: str, numbers: _Numbers, what: str) -> float | None:
    """A series that tells so many a second, else one that counts them."""
    rate = _named(numbers, re.compile(_RATE.format(what), re.I).search)
    if rate and numbers[rate][0] is not None:
        return numbers[rate][0]
    count = _named(numbers, re.compile(_COUNT.format(what), re.I).search)
    pairs = [(value, time) for _, value, time in _newest(points, run_id, count) if time] if count else []
    return per_second(pairs) if is_rising(pairs) else None


def _newest(points: sqlite3.Connection, run_id: str, name: str) -> list[Point]:
    return tails.tail(points, run_id, name, PAIRS, since_restart=True)


def _named(numbers: _Numbers, is_meant: Callable[[str], object]) -> str:
    return next((name for name in numbers if is_meant(name)), "")


def _world_size(run: Run) -> int:
    text = run.process.env.get("WORLD_SIZE", "") if run.process else ""
    return int(text) if text.isdecimal() else 1


def _after(now: datetime, seconds: float) -> datetime | None:
    """To the second; None beyond what a calendar holds."""
    try:
        return (now.astimezone(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    except OverflowError:
        return None
