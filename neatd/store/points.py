"""points.db: lines become points of series, committed in one transaction with the cursor that counts them.

Only the daemon writes here. The current attempt is what a person asks for: a point is abandoned when a later attempt
began at its step or before. Series numbers (first, last, best) are of the current attempt and kept with each commit.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from neatd.models import AttemptStart, Cursor, Line, Prediction, Sample, SeriesFact
from neatd.store.connection import transaction

_CURSOR = (
    "reading_id", "generation", "offset", "seq", "attempt", "head_len", "head_hash", "anchor_hash", "bad_lines",
    "first_bad", "is_skipping", "is_missing", "has_steps",
)  # fmt: skip


def cursor(points: sqlite3.Connection, run_id: str, source: str) -> Cursor:
    """Where reading of a source stands; a fresh cursor with a new reading id when it was never read."""
    row = points.execute("SELECT * FROM reading WHERE run_id = ? AND source = ?", (run_id, source)).fetchone()
    if row is None:
        return Cursor(reading_id=secrets.token_hex(8))
    return Cursor.model_validate({name: row[name] for name in _CURSOR})


def last_steps(points: sqlite3.Connection, run_id: str, source: str) -> dict[str, int]:
    """Series name -> the step it stands at: its newest point's, or just before a later attempt's start if that is less.

    This is what `mark_attempts` carries along within one turn, so that where the turns were cut changes nothing.
    """
    sql = (
        "SELECT s.name, p.step, (SELECT min(a.from_step) - 1 FROM attempt a WHERE a.run_id = s.run_id"
        " AND a.source = s.source AND a.from_seq > p.seq) FROM series s JOIN point p ON p.series_id = s.id"
        " AND p.seq = (SELECT max(seq) FROM point WHERE series_id = s.id) WHERE s.run_id = ? AND s.source = ?"
    )
    rows = points.execute(sql, (run_id, source))
    return {name: step if floor is None else min(step, floor) for name, step, floor in rows}


def commit_lines(
    points: sqlite3.Connection, run_id: str, source: str, after: Cursor, lines: Sequence[Line],
    starts: Sequence[AttemptStart], seen_at: float,
) -> None:  # fmt: skip
    """Commit lines, attempts begun in them, series numbers and the cursor that counts them: all or nothing.

    `seen_at` (unix seconds) is when the lines were written, as near as the file tells.
    """
    with transaction(points):
        bounds = [start.from_seq for start in starts]
        for start, part in zip([None, *starts], _parts(lines, bounds), strict=True):
            if start is not None:
                _begin_attempt(points, run_id, source, start)
            _insert_points(points, run_id, source, part)
        _save_cursor(points, run_id, source, after, lines[-1].step if lines else None, seen_at)


def _parts(lines: Sequence[Line], bounds: list[int]) -> Iterator[Sequence[Line]]:
    """`lines` cut before each line whose seq is in `bounds`."""
    begin = 0
    for bound in bounds:
        end = next(index for index in range(begin, len(lines)) if lines[index].seq == bound)
        yield lines[begin:end]
        begin = end
    yield lines[begin:]


def _insert_points(points: sqlite3.Connection, run_id: str, source: str, lines: Sequence[Line]) -> None:
    gathered: dict[str, list[tuple[int, int, float, float | None, int]]] = {}
    for line in lines:
        for name, value in line.values.items():
            gathered.setdefault(name, []).append((line.seq, line.step, value, line.time, line.attempt))
    for name, rows in gathered.items():
        series_id = _series_id(points, run_id, source, name)
        points.executemany(
            "INSERT INTO point (series_id, seq, step, value, time, attempt) VALUES (?, ?, ?, ?, ?, ?)",
            [(series_id, *row) for row in rows],
        )
        _extend(points, series_id, [(row[1], row[2]) for row in rows])


def _series_id(points: sqlite3.Connection, run_id: str, source: str, name: str) -> int:
    sql = "SELECT id FROM series WHERE run_id = ? AND source = ? AND name = ?"
    row = points.execute(sql, (run_id, source, name)).fetchone()
    if row:
        return int(row[0])
    cursor = points.execute("INSERT INTO series (run_id, source, name) VALUES (?, ?, ?)", (run_id, source, name))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _extend(points: sqlite3.Connection, series_id: int, added: Sequence[tuple[int, float]]) -> None:
    """Bring a series' numbers forward by (step, value) pairs in file order. Ties keep the oldest step."""
    if not added:
        return
    finite = [(value, step) for step, value in added if abs(value) < float("inf")]
    low = min(finite, default=(None, None), key=lambda pair: pair[0])
    high = max(finite, default=(None, None), key=lambda pair: pair[0])
    points.execute(
        "UPDATE series SET points = points + :n, first_step = COALESCE(first_step, :first), last_step = :last_step,"
        " last = :last, nonfinite = nonfinite + :nonfinite,"
        " min_step = CASE WHEN :low IS NULL OR min <= :low THEN min_step ELSE :low_step END,"
        " min = CASE WHEN :low IS NULL OR min <= :low THEN min ELSE :low END,"
        " max_step = CASE WHEN :high IS NULL OR max >= :high THEN max_step ELSE :high_step END,"
        " max = CASE WHEN :high IS NULL OR max >= :high THEN max ELSE :high END WHERE id = :id",
        {
            "n": len(added), "first": added[0][0], "last_step": added[-1][0], "last": added[-1][1],
            "nonfinite": len(added) - len(finite), "low": low[0], "low_step": low[1], "high": high[0],
            "high_step": high[1], "id": series_id,
        },
    )  # fmt: skip


def _begin_attempt(points: sqlite3.Connection, run_id: str, source: str, start: AttemptStart) -> None:
    """Record a new attempt and take the abandoned points out of every series' numbers."""
    points.execute("INSERT INTO attempt VALUES (?, ?, ?, ?, ?)", (run_id, source, *start))
    rows = points.execute(
        "SELECT id, last_step FROM series WHERE run_id = ? AND source = ?", (run_id, source)
    ).fetchall()
    for series_id, last_step in rows:
        if last_step is None or last_step < start.from_step:
            continue  # nothing of this series is abandoned
        points.execute(
            "UPDATE series SET points = 0, first_step = NULL, last_step = NULL, last = NULL, min = NULL, min_step = NULL,"
            " max = NULL, max_step = NULL, nonfinite = 0 WHERE id = ?",
            (series_id,),
        )
        _extend(points, series_id, [(row[0], _float(row[1])) for row in _current(points, series_id, run_id, source)])


def _current(points: sqlite3.Connection, series_id: int, run_id: str, source: str) -> Iterable[sqlite3.Row]:
    """(step, value, time) of the points that no later attempt abandoned, in file order."""
    sql = (
        "SELECT p.step, p.value, p.time FROM point p WHERE p.series_id = ? AND NOT EXISTS (SELECT 1 FROM attempt a"
        " WHERE a.run_id = ? AND a.source = ? AND a.attempt > p.attempt AND a.from_step <= p.step) ORDER BY p.seq"
    )
    return points.execute(sql, (series_id, run_id, source))


def _save_cursor(
    points: sqlite3.Connection, run_id: str, source: str, after: Cursor, last_step: int | None, seen_at: float
) -> None:
    values = [getattr(after, name) for name in _CURSOR]
    columns = ", ".join(f'"{name}"' for name in _CURSOR)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in _CURSOR)
    points.execute(
        f"INSERT INTO reading (run_id, source, {columns}, last_step, updated_at)"
        f" VALUES (?, ?, {', '.join('?' * len(values))}, ?, ?) ON CONFLICT (run_id, source) DO UPDATE SET {updates},"
        " last_step = COALESCE(excluded.last_step, last_step),"
        " updated_at = CASE WHEN excluded.seq > seq THEN excluded.updated_at ELSE updated_at END",
        (run_id, source, *values, last_step, seen_at),
    )


def commit_predictions(
    points: sqlite3.Connection,
    run_id: str,
    source: str,
    after: Cursor,
    predictions: Sequence[Prediction],
    seen_at: float,
) -> None:
    """Commit predictions and the cursor that counts them: all or nothing."""
    with transaction(points):
        points.executemany(
            "INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(run_id, source, *one) for one in predictions],
        )
        _save_cursor(points, run_id, source, after, None, seen_at)


def mark_missing(points: sqlite3.Connection, run_id: str, source: str) -> None:
    """Note that a source is not there now. What was read of it stays, and so does the time of its last line."""
    points.execute("UPDATE reading SET is_missing = 1 WHERE run_id = ? AND source = ?", (run_id, source))


def series_of(points: sqlite3.Connection, run_id: str) -> list[SeriesFact]:
    """The series of a run in numbers, current attempt, by name. No point is touched."""
    rows = points.execute("SELECT * FROM series WHERE run_id = ? AND points > 0 ORDER BY name, source", (run_id,))
    names = list(SeriesFact.model_fields)
    return [SeriesFact.model_validate({name: row[name] for name in names}) for row in rows]


def points_of(
    points: sqlite3.Connection, run_id: str, name: str, first: int | None = None, last: int | None = None
) -> list[tuple[int, float, float | None]]:
    """(step, value, time) of one series' current attempt in file order, steps `first` to `last` inclusive."""
    found: list[tuple[int, float, float | None]] = []
    sql = "SELECT id, source FROM series WHERE run_id = ? AND name = ? ORDER BY source"
    for series_id, source in points.execute(sql, (run_id, name)).fetchall():
        rows = _current(points, series_id, run_id, source)
        found += [(row[0], _float(row[1]), row[2]) for row in rows if _within(row[0], first, last)]
    return found


def _within(step: int, first: int | None, last: int | None) -> bool:
    return (first is None or step >= first) and (last is None or step <= last)


def _float(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return float("nan") if value is None else value


def samples_between(
    points: sqlite3.Connection, run_id: str, source: str, after_seq: int, upto_seq: int
) -> list[tuple[str, Sample]]:
    """(series name, sample) of all lines after_seq < seq <= upto_seq of a source, by line, then name: a fixed order."""
    found: list[tuple[int, str, Sample]] = []
    sql = "SELECT id, name FROM series WHERE run_id = ? AND source = ?"
    for series_id, name in points.execute(sql, (run_id, source)).fetchall():
        rows = points.execute(
            "SELECT seq, attempt, step, value, time FROM point WHERE series_id = ? AND seq > ? AND seq <= ?",
            (series_id, after_seq, upto_seq),
        )
        found += [(row[0], name, Sample(row[0], row[1], row[2], _float(row[3]), row[4])) for row in rows]
    found.sort(key=lambda one: one[:2])
    return [(name, sample) for _, name, sample in found]


def readings(points: sqlite3.Connection, run_id: str) -> dict[str, Cursor]:
    """Source -> cursor of everything read of a run."""
    rows = points.execute("SELECT * FROM reading WHERE run_id = ?", (run_id,))
    return {row["source"]: Cursor.model_validate({name: row[name] for name in _CURSOR}) for row in rows}


def prediction_summary(points: sqlite3.Connection, run_id: str) -> dict[str, float | int] | None:
    """Of the step evaluated last: how many examples, how many correct, the accuracy; None without predictions.

    An example that was asked again at that step, as after a restart, counts once, as it was answered last.
    """
    last = "SELECT step FROM prediction WHERE run_id = :run ORDER BY source DESC, seq DESC LIMIT 1"
    row = points.execute(
        "SELECT step, count(*), sum(is_correct) FROM (SELECT step, is_correct, max(seq) FROM prediction"
        f" WHERE run_id = :run AND step = ({last}) GROUP BY example_id)",
        {"run": run_id},
    ).fetchone()
    if not row[1]:
        return None
    return {"step": row[0], "examples": row[1], "correct": row[2], "accuracy": row[2] / row[1]}
