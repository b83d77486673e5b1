"""points.db read: any window of any series, whole or at a resolution; narrow rows and sealed chunks through one door.

The first, the last and the extreme points of a window are always in the answer, and so is one of each stretch of values
that are not finite. Points of the current attempt only, in file order.
"""

from __future__ import annotations

import json
import math
import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from neatd.store.connection import in_one_view
from neatd.store.summary import Summary, summarise
from neatd.store.unpacking import unpack_floats, unpack_ints, unpack_times

if TYPE_CHECKING:
    from neatd.models import Sample

CHUNK = (
    "c.id, block_id, attempt, first_seq, last_seq, first_step, last_step, points, kept, nonfinite, nonfinite_step,"
    " nonfinite_value, total, first, last, min, min_step, max, max_step"
)
DATA = "substr(d.data, c.at + 1, c.size) AS data"
DATA_OF = "FROM chunk c JOIN block d ON d.id = c.data_id"
WHOLE = f"SELECT {CHUNK}, {DATA}, b.seqs, b.steps, b.times {DATA_OF} JOIN block b ON b.id = c.block_id"  # for `opened`


class Found(NamedTuple):
    """One point as it is stored. `value` is NaN where the store has NULL."""

    seq: int
    attempt: int
    step: int
    value: float
    time: float | None


class Limits:
    """Where each restart of a stream began: (attempt, from_step). A broken writer has thousands."""

    def __init__(self, starts: Iterable[tuple[int, int]]) -> None:
        self.starts = tuple(sorted(starts))
        self._lowest = [*accumulate((step for _, step in reversed(self.starts)), min)][::-1]  # from each of them on

    def below(self, attempt: int) -> float:
        """Points of `attempt` are current below this step."""
        at = bisect_right(self.starts, attempt, key=itemgetter(0))
        return self._lowest[at] if at < len(self.starts) else math.inf


def limits_of(points: sqlite3.Connection, run_id: str, source: str) -> Limits:
    """The restarts of a stream."""
    rows = points.execute("SELECT attempt, from_step FROM attempt WHERE run_id = ? AND source = ?", (run_id, source))
    return Limits((row[0], row[1]) for row in rows)


def series_named(points: sqlite3.Connection, run_id: str, name: str) -> tuple[int, str] | None:
    """(id, stream) of the series that a name means: the one of lowest rank, or of the stream named before a colon."""
    sql = (
        "SELECT id, source FROM series WHERE run_id = :run AND (name = :name OR source || ':' || name = :name)"
        " ORDER BY name != :name, points = 0, rank, source LIMIT 1"
    )
    row = points.execute(sql, {"run": run_id, "name": name}).fetchone()
    return (row[0], row[1]) if row else None


@in_one_view
def points_of(
    points: sqlite3.Connection, run_id: str, name: str, first: int | None = None, last: int | None = None
) -> list[tuple[int, float, float | None]]:
    """(step, value, time) of a series' current attempt in file order, steps `first` to `last` inclusive."""
    named = series_named(points, run_id, name)
    if named is None:
        return []
    limits = limits_of(points, run_id, named[1])
    found = stored(points, named[0], steps_between(first, last))
    low, high = -math.inf if first is None else first, math.inf if last is None else last
    return [(one.step, one.value, one.time) for one in current(found, limits) if low <= one.step <= high]


@in_one_view
def values_at(points: sqlite3.Connection, run_id: str, name: str, steps: Collection[int]) -> dict[int, float] | None:
    """Step -> the last value of a series' current attempt there, of the steps that it has; None without such a series.

    A chunk is opened once, and only when one of the steps lies within it.
    """
    named = series_named(points, run_id, name)
    if named is None:
        return None
    limits, wanted = limits_of(points, run_id, named[1]), frozenset(steps)
    rows = points.execute(f"SELECT {CHUNK} FROM chunk c WHERE series_id = ? ORDER BY first_seq", (named[0],)).fetchall()
    held = [row for row in rows if any(row["first_step"] <= step <= row["last_step"] for step in wanted)]
    found = [one for row in held for one in opened(_whole(points, row)) if one.step in wanted]
    sql = "SELECT seq, attempt, step, value, time FROM point WHERE series_id = ? AND step IN (SELECT value FROM json_each(?))"
    found += narrow_rows(points.execute(sql, (named[0], json.dumps(sorted(wanted)))))
    return {one.step: one.value for one in current(sorted(found, key=itemgetter(0)), limits)}


@in_one_view
def steps_around(points: sqlite3.Connection, run_id: str, name: str, step: int) -> tuple[int | None, int | None]:
    """The nearest steps below and above `step` that a series' current attempt has."""
    found: list[int | None] = []
    for first, last, pick in ((None, step - 1, max), (step + 1, None, min)):
        named = series_named(points, run_id, name)
        assert named is not None
        limits = limits_of(points, run_id, named[1])
        some = stored(points, named[0], steps_between(first, last))
        fits = [one.step for one in current(some, limits) if (one.step < step if pick is max else one.step > step)]
        found.append(pick(fits, default=None))
    return found[0], found[1]


def current(found: list[Found], limits: Limits) -> list[Found]:
    """Without the points that a restart abandoned."""
    if not limits.starts:
        return found
    below = {attempt: limits.below(attempt) for attempt in {one.attempt for one in found}}
    return [one for one in found if one.step < below[one.attempt]]


def steps_between(first: int | None, last: int | None) -> tuple[str, str, list[int]]:
    """(condition on chunks, condition on narrow rows, their values)."""
    tests = [("last_step >= ?", "step >= ?", first), ("first_step <= ?", "step <= ?", last)]
    wanted = [one for one in tests if one[2] is not None]
    chunks, narrow = ("".join(f" AND {one[index]}" for one in wanted) for index in (0, 1))
    return chunks, narrow, [one[2] for one in wanted if one[2] is not None]


def stored(points: sqlite3.Connection, series_id: int, where: tuple[str, str, list[int]]) -> list[Found]:
    """Every stored point that may fit `where`, abandoned ones too, in file order."""
    chunk_where, narrow_where, values = where
    sql = f"{WHOLE} WHERE series_id = ?{chunk_where} ORDER BY first_seq"
    rows = points.execute(sql, (series_id, *values)).fetchall()
    sql = f"SELECT seq, attempt, step, value, time FROM point WHERE series_id = ?{narrow_where} ORDER BY seq"
    narrow = narrow_rows(points.execute(sql, (series_id, *values)))
    found = [one for row in rows for one in opened(row)] + narrow
    return found if _are_apart(rows, narrow) else sorted(found, key=itemgetter(0))


def _are_apart(rows: Sequence[sqlite3.Row], narrow: Sequence[Found]) -> bool:
    """Whether chunks, then narrow rows, are in file order: lines of other shapes may lie between those of a chunk."""
    ends = [(row["first_seq"], row["last_seq"]) for row in rows] + ([(narrow[0].seq, 0)] if narrow else [])
    return all(before[1] < after[0] for before, after in pairwise(ends))


def narrow_rows(rows: Iterable[sqlite3.Row]) -> list[Found]:
    return [Found(seq, attempt, step, as_float(value), time) for seq, attempt, step, value, time in rows]


def opened(chunk: sqlite3.Row, count: int | None = None) -> Iterator[Found]:
    """The points of a chunk, a row of `WHOLE`; of its last `count` ones where that is given."""
    seqs, attempt = unpack_ints(chunk["seqs"]), chunk["attempt"]
    every = seqs, unpack_ints(chunk["steps"]), unpack_floats(chunk["data"]), unpack_times(chunk["times"], len(seqs))
    some = every if count is None else tuple(one[-count:] for one in every)
    return (Found(seq, attempt, step, value, time) for seq, step, value, time in zip(*some, strict=True))


def _whole(points: sqlite3.Connection, chunk: sqlite3.Row) -> sqlite3.Row:
    """A chunk's row with its packed columns."""
    row: sqlite3.Row = points.execute(f"{WHOLE} WHERE c.id = ?", (chunk["id"],)).fetchone()
    return row


def as_float(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return math.nan if value is None else value


@in_one_view
def current_summaries(points: sqlite3.Connection, series_id: int, run_id: str, source: str) -> list[Summary]:
    """The numbers of a series' current points, in file order: of whole chunks as they are kept, else counted anew."""
    limits = limits_of(points, run_id, source)
    rows = points.execute(
        f"SELECT {CHUNK}, is_rising FROM chunk c WHERE series_id = ? ORDER BY first_seq", (series_id,)
    ).fetchall()
    sql = "SELECT seq, attempt, step, value, time FROM point WHERE series_id = ? ORDER BY seq"
    narrow = narrow_rows(points.execute(sql, (series_id,)))
    if not _are_apart(rows, narrow):
        every = sorted([one for row in rows for one in opened(_whole(points, row))] + narrow, key=itemgetter(0))
        return _counted(current(every, limits))
    found: list[Summary] = []
    for row in rows:
        below = limits.below(row["attempt"])
        if row["last_step"] < below:
            found.append(_summary(row) if row["is_rising"] else _in_file_order(points, row))
        elif row["first_step"] < below:
            found += _counted([one for one in opened(_whole(points, row)) if one.step < below])
    return found + _counted(current(narrow, limits))


def _counted(found: Sequence[Found]) -> list[Summary]:
    return [summarise([one.step for one in found], [one.value for one in found])] if found else []


def _in_file_order(points: sqlite3.Connection, row: sqlite3.Row) -> Summary:
    """A chunk's own steps are the lowest and the highest: a series stands at those of its first and its last line."""
    every = list(opened(_whole(points, row)))
    return _summary(row)._replace(first_step=every[0].step, last_step=every[-1].step)


def _summary(row: sqlite3.Row) -> Summary:
    one = Summary(*(row[name] for name in Summary._fields))
    return one._replace(first=as_float(one.first), last=as_float(one.last))


@in_one_view
def samples_between(
    points: sqlite3.Connection, run_id: str, source: str, after_seq: int, upto_seq: int
) -> list[tuple[str, Sample]]:
    """(series name, sample) of all lines after_seq < seq <= upto_seq of a stream, by line, then name: a fixed order."""
    from neatd.models import Sample  # the rest of this module is asked by `neat queue`, which loads no models

    found: list[tuple[int, str, Sample]] = []
    for name, some in between(points, run_id, source, after_seq, upto_seq):
        found += [(one.seq, name, Sample(one.seq, one.attempt, one.step, one.value, one.time)) for one in some]
    found.sort(key=itemgetter(0, 1))
    return [(name, sample) for _, name, sample in found]


def between(
    points: sqlite3.Connection, run_id: str, source: str, after_seq: int, upto_seq: int
) -> Iterator[tuple[str, list[Found]]]:
    """Series name -> its points of the lines after_seq < seq <= upto_seq of a stream, abandoned ones too."""
    named = (run_id, source, after_seq, upto_seq)
    sql = (
        "SELECT DISTINCT s.id, s.name FROM series s JOIN chunk c ON c.series_id = s.id WHERE s.run_id = ? AND s.source = ?"
        " AND c.last_seq > ? AND c.first_seq <= ?"
    )
    where = (" AND last_seq > ? AND first_seq <= ?", " AND seq > ? AND seq <= ?", [after_seq, upto_seq])
    found: dict[str, list[Found]] = {}
    for series_id, name in points.execute(sql, named).fetchall():
        found[name] = [one for one in stored(points, series_id, where) if after_seq < one.seq <= upto_seq]
    sealed = frozenset(found)
    sql = (  # all narrow series at once: there may be ten thousand
        "SELECT s.name, p.seq, p.attempt, p.step, p.value, p.time FROM series s JOIN point p ON p.series_id = s.id"
        " WHERE s.run_id = ? AND s.source = ? AND p.seq > ? AND p.seq <= ? ORDER BY s.id, p.seq"
    )
    for name, seq, attempt, step, value, time in points.execute(sql, named):
        if name not in sealed:
            found.setdefault(name, []).append(Found(seq, attempt, step, as_float(value), time))
    return iter(sorted(found.items()))


def names_below(points: sqlite3.Connection, run_id: str, rank: int) -> set[str]:
    """The series of a run in streams of a lower rank."""
    return {row[0] for row in points.execute("SELECT name FROM series WHERE run_id = ? AND rank < ?", (run_id, rank))}
