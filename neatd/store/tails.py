"""points.db read from its end: the newest points of a series, at a cost that does not grow with it.

Points of the current attempt only, in file order. Of sealed points only the last chunks are opened.
"""

from __future__ import annotations

import sqlite3
from operator import itemgetter

from neatd.now import is_system
from neatd.store.connection import in_one_view
from neatd.store.window import CHUNK, WHOLE, Found, current, limits_of, narrow_rows, opened, series_named

MOST_CHUNKS = 4  # lines of another shape may lie between those of the last one; and a chunk may be short
DENSEST = 4


@in_one_view
def tail(
    points: sqlite3.Connection, run_id: str, name: str, count: int, since_restart: bool = False
) -> list[tuple[int, float, float | None]]:  # fmt: skip
    """(step, value, time) of at most the `count` newest points of a series, oldest first; [] without such a series.

    `since_restart` leaves out what was written before the run was restarted last: its times are of another day.
    """
    named = series_named(points, run_id, name)
    if named is None:
        return []
    sql = "SELECT seq, attempt, step, value, time FROM point WHERE series_id = ? ORDER BY seq DESC LIMIT ?"
    found = narrow_rows(points.execute(sql, (named[0], count)))
    sql = f"SELECT {CHUNK} FROM chunk c WHERE series_id = ? ORDER BY first_seq DESC LIMIT ?"
    for row in points.execute(sql, (named[0], MOST_CHUNKS)).fetchall():
        if len(found) < count or row["last_seq"] > found[-1].seq:
            found = sorted([*found, *_end_of(points, row, count)], key=itemgetter(0), reverse=True)[:count]
    limits = limits_of(points, run_id, named[1])
    newest = max((attempt for attempt, _ in limits.starts), default=0) if since_restart else 0
    kept = current([one for one in reversed(found) if one.attempt >= newest], limits)
    return [(one.step, one.value, one.time) for one in kept]


def _end_of(points: sqlite3.Connection, chunk: sqlite3.Row, count: int) -> list[Found]:
    """The last points of a chunk."""
    return list(opened(points.execute(f"{WHOLE} WHERE c.id = ?", (chunk["id"],)).fetchone(), count))


def densest(points: sqlite3.Connection, run_id: str) -> list[str]:
    """The run's series with the most points, the densest first, as `tail` takes their names."""
    sql = "SELECT source, name FROM series WHERE run_id = ? AND points > 0 ORDER BY points DESC, rank, source, name"
    names = (f"{source}:{name}" for source, name in points.execute(sql, (run_id,)) if not is_system(name))
    return [name for name, _ in zip(names, range(DENSEST), strict=False)]


def last_step_named(points: sqlite3.Connection, run_id: str, name: str) -> int | None:
    """The furthest step of a run's series of this name, or of `<anything>/<name>`; None without one. No point is touched."""
    sql = "SELECT max(last_step) FROM series WHERE run_id = ? AND points > 0 AND (name = ? OR name LIKE ?)"
    found = points.execute(sql, (run_id, name, f"%/{name}")).fetchone()[0]
    return None if found is None else int(found)
