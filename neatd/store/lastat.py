"""points.db read at moments: the last value a series had when it reached certain steps, of ten million points as of ten.

Points of the current attempt only. Of sealed points only those columns are opened that may hold what is asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from neatd.store.columns import Opened, column_of
from neatd.store.connection import in_one_view
from neatd.store.window import CHUNK, DATA, DATA_OF, Limits, limits_of, series_named

MOST_OPEN = 8  # columns that are kept open: those asked for next are near


class _Last(NamedTuple):
    """The point that stands last: by its step, and of those of one step by its line."""

    step: int
    seq: int
    value: float


_NOTHING = _Last(-(2**63), -1, float("nan"))


@in_one_view
def last_at(points: sqlite3.Connection, run_id: str, name: str, steps: Iterable[int]) -> dict[int, tuple[int, float]]:
    """Step asked for -> (the highest step up to it that the series has, its last value there); without those before its
    first one."""
    named = series_named(points, run_id, name)
    if named is None:
        return {}
    series = _Series(points, named[0], limits_of(points, run_id, named[1]))
    found = {step: series.last(step) for step in sorted(set(steps))}
    return {step: (one.step, one.value) for step, one in found.items() if one is not _NOTHING}


class _Series:
    """A series, opened where it is asked for."""

    def __init__(self, points: sqlite3.Connection, series_id: int, limits: Limits) -> None:
        self._opened, self._id, self._limits = Opened(points), series_id, limits
        sql = f"SELECT {CHUNK} FROM chunk c WHERE series_id = ? ORDER BY first_seq"
        rows = points.execute(sql, (series_id,)).fetchall()
        tops = [min(row["last_step"], limits.below(row["attempt"]) - 1) for row in rows]
        kept = [(row, top) for row, top in zip(rows, tops, strict=True) if row["first_step"] <= top]
        self._ids = [row["id"] for row, _ in kept]
        self._lows = np.array([row["first_step"] for row, _ in kept], dtype=np.float64)
        self._tops = np.array([top for _, top in kept], dtype=np.float64)
        self._open: dict[int, Any] = {}
        self._narrow = self._sorted(column_of(self._opened, "", series_id, " AND 0", "", ()))

    def last(self, step: int) -> _Last:
        """The point that stands last of those up to a step."""
        best = _last_of(self._narrow, step)
        reach = np.where(self._lows <= step, np.minimum(self._tops, step), -np.inf)
        while len(reach) and reach[at := int(np.argmax(reach))] >= best.step and np.isfinite(reach[at]):
            best = max(best, _last_of(self._chunk(at), step), key=lambda one: one[:2])
            reach[at] = -np.inf
        return best

    def _chunk(self, at: int) -> Any:
        if at not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            sql = f"SELECT {CHUNK}, {DATA} {DATA_OF} WHERE c.id = ?"
            row = self._opened.points.execute(sql, (self._ids[at],)).fetchone()
            self._open[at] = self._sorted(self._opened.chunk("", row))
        return self._open[at]

    def _sorted(self, column: Any) -> Any:
        """(steps, seqs, values) of a column's current points, by step and line."""
        if column is None:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        below = {attempt: self._limits.below(attempt) for attempt in np.unique(column.attempts).tolist()}
        bounds = np.array([below[attempt] for attempt in column.attempts.tolist()]) if self._limits.starts else np.inf
        which = column.steps < bounds
        steps, seqs, values = column.steps[which], column.seqs[which], column.values[which]
        order = np.lexsort((seqs, steps))
        return steps[order], seqs[order], values[order]


def _last_of(column: Any, step: int) -> _Last:
    steps, seqs, values = column
    at = int(np.searchsorted(steps, step, side="right")) - 1
    return _Last(int(steps[at]), int(seqs[at]), float(values[at])) if at >= 0 else _NOTHING
