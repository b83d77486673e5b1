"""Growth is bounded: of the dense training series of runs that ended long ago only the points that draw them stay.

Of every 64 points the lowest and the highest stay, of each chunk its ends, every value that is not finite, and what
something refers to: the last point up to each checkpoint, event and number cited as evidence. Evaluations are never
thinned, and the numbers of a series (points, min, max, last) and of its chunks never change; `kept` says how many of
`points` are left. Abandoned points are thinned by themselves, so that they hide no extreme of the current ones.

It does not matter whether the source is still there: a file at rest is not read again, so waiting for its end would bound
nothing, and while it is there points.db can be made again from it in full. The pages that get free hold new points: the
file stops growing and does not shrink; `VACUUM` would write all of it anew while neatd waits.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from neatd.kinds import KINDS
from neatd.models import ENDED
from neatd.now import is_system
from neatd.store.connection import transaction
from neatd.store.moments import stamp
from neatd.store.sealing import Rows, insert_block, packed_column
from neatd.store.staying import is_evaluation_like, staying
from neatd.store.summary import BUCKET
from neatd.store.unpacking import unpack_floats, unpack_ints, unpack_times
from neatd.store.window import WHOLE, Limits, limits_of

MANY = 4096  # points of a series: fewer are no burden
LEAST = 4 * BUCKET  # points of a chunk that are worth the work
BATCH_S = 0.02  # of chunks in one transaction: the daemon's other writes wait no longer


@dataclass
class Position:
    """Where the last call stopped, so that the next one goes on there; the daemon keeps it, and may lose it."""

    ended_at: str = ""
    run_id: str = ""
    has_more: bool = False  # the call ran out of time


def compact(
    points: sqlite3.Connection, records: sqlite3.Connection, now: datetime, days: float, budget_s: float,
    position: Position | None = None,
) -> int:  # fmt: skip
    """Thin the runs that ended more than `days` ago, the oldest first, for about `budget_s` seconds; returns how many points
    went. 0 days: never. Only the daemon, the one that writes points, may call it."""
    place = position or Position()
    place.has_more = False
    if days <= 0:
        return 0
    deadline, gone = time.monotonic() + budget_s, 0
    for run_id, ended_at in _ended_before(records, stamp(now - timedelta(days=days)), place):
        if time.monotonic() >= deadline:
            place.has_more = True
            return gone
        went, is_done = _compact_run(points, records, run_id, deadline)
        gone += went
        if not is_done:
            place.has_more = True
            return gone
        place.ended_at, place.run_id = ended_at, run_id
    place.ended_at, place.run_id = "", ""  # all are done: the next call begins with the oldest again
    return gone


def _ended_before(records: sqlite3.Connection, moment: str, place: Position) -> list[tuple[str, str]]:
    """(run, when it ended), the oldest first, from where the last call stopped."""
    sql = (
        f"SELECT id, ended_at FROM run WHERE ended_at < ? AND (ended_at, id) > (?, ?)"
        f" AND status IN ({', '.join('?' * len(ENDED))}) ORDER BY ended_at, id"
    )
    rows = records.execute(sql, (moment, place.ended_at, place.run_id, *sorted(ENDED)))
    return [(row[0], row[1]) for row in rows]


class _Series(NamedTuple):
    id: int
    source: str
    name: str
    points: int


def _compact_run(
    points: sqlite3.Connection, records: sqlite3.Connection, run_id: str, deadline: float
) -> tuple[int, bool]:
    """(points that went, whether the run is done)."""
    rows = points.execute("SELECT id, source, name, points FROM series WHERE run_id = ?", (run_id,))
    every = [_Series(*row) for row in rows]
    densest = max((one.points for one in every if not is_system(one.name)), default=0)
    gone = 0
    marks: dict[str, list[int]] | None = None
    for one in every:
        if one.points <= MANY or is_evaluation_like(one.name, one.points, densest):
            continue
        waiting = _waiting(points, one.id)
        if not waiting:
            continue
        marks = _marks(records, run_id) if marks is None else marks
        steps = sorted({*marks.get("", ()), *marks.get(one.name, ())})
        limits = limits_of(points, run_id, one.source)
        while waiting:
            gone += _thin_some(points, waiting, limits, steps, deadline)
            if waiting and time.monotonic() >= deadline:
                return gone, False
    return gone, True


def _waiting(points: sqlite3.Connection, series_id: int) -> list[int]:
    """The chunks of a series that are whole yet and get smaller: one that is mostly not finite would stay as it is."""
    sql = (
        "SELECT id FROM chunk WHERE series_id = ? AND kept = points AND points >= ? AND nonfinite * 2 < points"
        " ORDER BY first_seq DESC"
    )
    return [row[0] for row in points.execute(sql, (series_id, LEAST))]


def _marks(records: sqlite3.Connection, run_id: str) -> dict[str, list[int]]:
    """Series -> steps that something refers to; under "" those of checkpoints, which are judged by any series."""
    found: dict[str, list[int]] = {}
    for (step,) in records.execute("SELECT step FROM checkpoint WHERE run_id = ? AND step IS NOT NULL", (run_id,)):
        found.setdefault("", []).append(step)
    for metric, step in records.execute(
        "SELECT metric, step FROM event WHERE run_id = ? AND step IS NOT NULL", (run_id,)
    ):
        found.setdefault(metric, []).append(step)
    for kind in KINDS:
        sql = f"SELECT evidence FROM {kind} WHERE evidence != '[]' AND instr(evidence, ?) > 0"
        for (text,) in records.execute(sql, (run_id,)):
            for metric, step in _cited(json.loads(text), run_id):
                found.setdefault(metric, []).append(step)
    return found


def _cited(evidence: Any, run_id: str) -> list[tuple[str, int]]:
    pieces = evidence if isinstance(evidence, list) else []
    named = [one for one in pieces if isinstance(one, dict) and one.get("run") == run_id]
    return [(str(one.get("metric", "")), one["step"]) for one in named if isinstance(one.get("step"), int)]


def _thin_some(
    points: sqlite3.Connection, waiting: list[int], limits: Limits, marks: Sequence[int], deadline: float
) -> int:
    """Thin chunks in one transaction until its time is over; those that are done leave `waiting`."""
    gone, ends = 0, min(deadline, time.monotonic() + BATCH_S)
    with transaction(points):
        while waiting:
            gone += _thin(points, waiting.pop(), limits, marks)
            if time.monotonic() >= ends:
                break
    return gone


def _thin(points: sqlite3.Connection, chunk_id: int, limits: Limits, marks: Sequence[int]) -> int:
    """Give a chunk a block of its own with the rows that stay; returns how many points went."""
    sql = f"{WHOLE} WHERE c.id = ?"
    row = points.execute(sql, (chunk_id,)).fetchone()
    seqs, steps, values = unpack_ints(row["seqs"]), unpack_ints(row["steps"]), unpack_floats(row["data"])
    times = unpack_times(row["times"], len(seqs))
    stay = staying(steps, values, limits.below(row["attempt"]), marks)
    times_left = [times[at] for at in stay]
    left = Rows(row["attempt"], [seqs[at] for at in stay], [steps[at] for at in stay], times_left, {})
    packed = packed_column([values[at] for at in stay], times_left)
    _take_out(points, chunk_id, row["block_id"])
    block = insert_block(points, left, [packed])
    points.execute(
        "UPDATE chunk SET block_id = ?, data_id = ?, kept = ?, at = 0, size = ?, buckets_at = 0, buckets_size = ?"
        " WHERE id = ?",
        (block, block, len(stay), len(packed.data), len(packed.buckets), chunk_id),
    )
    others = "NOT EXISTS (SELECT 1 FROM chunk WHERE block_id = block.id)"
    points.execute(f"DELETE FROM block WHERE id = ? AND {others}", (row["block_id"],))
    return len(seqs) - len(stay)


def _take_out(points: sqlite3.Connection, chunk_id: int, block_id: int) -> None:
    """Take a chunk's bytes out of those that lie with them, which move up."""
    sql = (
        "SELECT c.data_id, c.at, c.size, c.buckets_at, c.buckets_size, d.data, d.buckets"
        " FROM chunk c JOIN block d ON d.id = c.data_id WHERE c.id = ?"
    )
    data_id, at, size, buckets_at, buckets_size, data, buckets = points.execute(sql, (chunk_id,)).fetchone()
    data = data[:at] + data[at + size :]
    buckets = buckets[:buckets_at] + buckets[buckets_at + buckets_size :]
    points.execute("UPDATE block SET data = ?, buckets = ? WHERE id = ?", (data, buckets, data_id))
    points.execute(
        "UPDATE chunk SET at = at - ?, buckets_at = buckets_at - ? WHERE block_id = ? AND data_id = ? AND at > ?",
        (size, buckets_size, block_id, data_id, at),
    )
    points.execute("DELETE FROM block WHERE id = ? AND id != ? AND length(data) = 0", (data_id, block_id))
