"""Points as a chart wants them: series of many runs at a resolution, what restarts abandoned, and where to go on from."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from neatd.models import Run
from neatd.store.connection import in_one_view
from neatd.store.points import series_of
from neatd.store.resolution import at_resolution
from neatd.store.since import cursor_text, heads
from neatd.store.tabled import attempts
from neatd.store.window import WHOLE, Found, Limits, limits_of, narrow_rows, opened, series_named

MOST_ABANDONED = 2000  # of an attempt of a series, the newest
MOST_CHUNKS = 8  # that are opened for them


@in_one_view
def charted(
    points: sqlite3.Connection,
    found: Sequence[Run],
    names: Sequence[str],
    most: int,
    first: int | None = None,
    last: int | None = None,
) -> dict[str, Any]:
    """{run id: its series, each with at most about `most` points of steps `first` to `last`, and the cursor after them}.

    A series that a run does not have is left out of its part.
    """
    positions, ordinals = heads(points, [run.id for run in found]), attempts(points)
    return {
        run.id: {
            "name": run.name,
            "cursor": cursor_text(positions.get(run.id, {})),
            "attempt": ordinals.get(run.id, 1),
            "started_at": run.started_at,
            "series": _series(points, run, names, most, first, last),
        }
        for run in found
    }


def _series(
    points: sqlite3.Connection, run: Run, names: Sequence[str], most: int, first: int | None, last: int | None
) -> dict[str, Any]:
    facts = {fact.name: fact for fact in reversed(series_of(points, run.id))}
    found: dict[str, Any] = {}
    for name in names:
        if name not in facts:
            continue
        drawn = at_resolution(points, run.id, name, most, first, last)
        total = facts[name].points
        found[name] = {
            "points": drawn,
            "total": total,
            "is_whole": len(drawn) == total,
            "abandoned": abandoned(points, run.id, name, first, last),
        }
    return found


def abandoned(
    points: sqlite3.Connection, run_id: str, name: str, first: int | None = None, last: int | None = None
) -> list[list[tuple[int, float, float | None]]]:
    """The points that restarts gave up, by attempt; of very many the newest."""
    named = series_named(points, run_id, name)
    limits = limits_of(points, run_id, named[1]) if named else None
    if named is None or limits is None or not limits.starts:
        return []
    low = min(step for _, step in limits.starts)
    low, high = (low if first is None else max(low, first)), (2**62 if last is None else last)
    found = _sealed(points, named[0], limits, low, high) + _narrow(points, named[0], low, high)
    kept: dict[int, list[tuple[int, float, float | None]]] = {}
    for one in sorted(found, key=lambda one: one.seq):
        if limits.below(one.attempt) <= one.step and low <= one.step <= high:
            kept.setdefault(one.attempt, []).append((one.step, one.value, one.time))
    return [kept[attempt][-MOST_ABANDONED:] for attempt in sorted(kept)]


def _narrow(points: sqlite3.Connection, series_id: int, low: int, high: int) -> list[Found]:
    sql = (
        "SELECT seq, attempt, step, value, time FROM point WHERE series_id = ? AND step >= ? AND step <= ?"
        " ORDER BY seq DESC LIMIT ?"
    )
    return narrow_rows(points.execute(sql, (series_id, low, high, 4 * MOST_ABANDONED)))


def _sealed(points: sqlite3.Connection, series_id: int, limits: Limits, low: int, high: int) -> list[Found]:
    """Those of the newest chunks that hold some given up."""
    sql = (
        "SELECT id, attempt, last_step FROM chunk WHERE series_id = ? AND last_step >= ? AND first_step <= ?"
        " ORDER BY first_seq DESC"
    )
    rows = points.execute(sql, (series_id, low, high)).fetchall()
    some = [row["id"] for row in rows if row["last_step"] >= limits.below(row["attempt"])][:MOST_CHUNKS]
    return [one for chunk in some for one in opened(points.execute(f"{WHOLE} WHERE c.id = ?", (chunk,)).fetchone())]
