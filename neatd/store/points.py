"""points.db: rows become points of series, committed in one transaction with the cursor that counts them.

Only the daemon writes here. The current attempt is what a person asks for: a point is abandoned when a later attempt
began at its step or before. Series numbers (first, last, best) are of the current attempt and kept with each commit.
Few rows go to a narrow table, a backlog straight to packed columns (`sealing`); `window` reads both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from neatd.models import AttemptStart, Cursor, Line, Prediction, SeriesFact, Stretch
from neatd.store import window
from neatd.store.connection import transaction
from neatd.store.readings import save_cursor
from neatd.store.sealing import LEAST_SEALED, Rows, write_blocks
from neatd.store.shapes import last_step, together
from neatd.store.summary import Summary, summarise

FEW_NAMES = 64


def last_steps(points: sqlite3.Connection, run_id: str, source: str) -> dict[str, int]:
    """Series name -> the step it stands at: its newest point's, or just before a later attempt's start if that is less.

    This is what `mark_attempts` carries along within one turn, so that where the turns were cut changes nothing.
    """
    sql = (
        "SELECT s.name, s.newest_step, (SELECT min(a.from_step) - 1 FROM attempt a WHERE a.run_id = s.run_id"
        " AND a.source = s.source AND a.from_seq > s.newest_seq) FROM series s"
        " WHERE s.run_id = ? AND s.source = ? AND s.newest_seq IS NOT NULL"
    )
    rows = points.execute(sql, (run_id, source))
    return {name: step if floor is None else min(step, floor) for name, step, floor in rows}


def commit_lines(
    points: sqlite3.Connection, run_id: str, source: str, after: Cursor, lines: Sequence[Line | Stretch],
    starts: Sequence[AttemptStart], seen_at: float, stream: str = "", rank: int = 0,
) -> int:  # fmt: skip
    """Commit lines, attempts begun in them, series numbers and the cursor that counts them: all or nothing.

    Returns how many rows went to the narrow table, where they wait to be sealed.
    `seen_at` (unix seconds) is when the lines were written, as near as the file tells. `stream` is the source's own name
    unless several files go on from each other; of a series name in several streams the lowest `rank` is meant.
    """
    narrow, abandoned = 0, set[int]()
    with transaction(points):
        bounds = [start.from_seq for start in starts]
        for start, part in zip([None, *starts], _parts(lines, bounds), strict=True):
            if start is not None:
                abandoned |= _begin_attempt(points, run_id, stream or source, start)
            narrow += _insert_points(points, run_id, stream or source, part, rank)
        for series_id in sorted(abandoned):  # once: a broken writer begins thousands of attempts in one turn
            _count_anew(points, series_id, run_id, stream or source)
        save_cursor(points, run_id, source, after, last_step(lines), seen_at)
    return narrow


def _parts(lines: Sequence[Line | Stretch], bounds: list[int]) -> Iterator[Sequence[Line | Stretch]]:
    """`lines` cut before each one that begins at an ordinal in `bounds`: no stretch spans two attempts."""
    begin = 0
    for bound in bounds:
        end = next(index for index in range(begin, len(lines)) if lines[index].seq == bound)
        yield lines[begin:end]
        begin = end
    yield lines[begin:]


def _insert_points(
    points: sqlite3.Connection, run_id: str, source: str, lines: Sequence[Line | Stretch], rank: int
) -> int:
    """Lines of one attempt. Those that name the same series lie together: many of them become a block, the others are
    narrow rows, whose number is returned."""
    narrow = 0
    pieces: dict[int, list[_Piece]] = {}
    shapes = together(lines)
    ids = _series_ids(points, run_id, source, {name: None for one in shapes for name in one.columns}, rank)
    for one in shapes:
        columns = {ids[name]: values for name, values in one.columns.items()}
        rows, summaries = Rows(one.attempt, one.seqs, one.steps, one.times, columns), dict[int, list[Summary]]()
        if len(one.seqs) >= LEAST_SEALED:
            summaries = write_blocks(points, rows)
        else:
            _insert_narrow(points, rows)
            narrow += len(one.seqs)
        for series_id, values in columns.items():
            pieces.setdefault(series_id, []).append(_Piece(one.seqs, one.steps, values, summaries.get(series_id, [])))
    _count(points, pieces)
    return narrow


class _Piece(NamedTuple):
    """New points of a series that came in lines of one shape."""

    seqs: Sequence[int]
    steps: Sequence[int]
    values: Sequence[float]
    summaries: list[Summary]  # of its chunks; empty for points of the narrow table


def _insert_narrow(points: sqlite3.Connection, rows: Rows) -> None:
    sql = "INSERT INTO point (series_id, seq, step, value, time, attempt) VALUES (?, ?, ?, ?, ?, ?)"
    for series_id, values in rows.columns.items():
        cells = zip(repeat(series_id), rows.seqs, rows.steps, values, rows.times, repeat(rows.attempt))
        points.executemany(sql, cells)


def _count(points: sqlite3.Connection, pieces: Mapping[int, list[_Piece]]) -> None:
    """Bring the numbers of series forward by their new points in file order, though lines of other shapes lie between."""
    more: list[dict[str, Any]] = []
    for series_id, some in pieces.items():
        piece = some[0]
        if len(some) > 1:
            rows = sorted(row for one in some for row in zip(one.seqs, one.steps, one.values, strict=True))
            seqs, steps, values = zip(*rows, strict=True)
            piece = _Piece(seqs, steps, values, [])
        newest = {"newest_seq": piece.seqs[-1], "newest_step": piece.steps[-1], "id": series_id}
        more += [one._asdict() | newest for one in piece.summaries or [summarise(piece.steps, piece.values)]]
    points.executemany(f"{_EXTEND}, newest_seq = :newest_seq, newest_step = :newest_step WHERE id = :id", more)


# Ties keep the oldest step.
_EXTEND = (
    "UPDATE series SET points = points + :points, first_step = COALESCE(first_step, :first_step),"
    " last_step = :last_step, last = :last, nonfinite = nonfinite + :nonfinite,"
    " min_step = CASE WHEN :min IS NULL OR min <= :min THEN min_step ELSE :min_step END,"
    " min = CASE WHEN :min IS NULL OR min <= :min THEN min ELSE :min END,"
    " max_step = CASE WHEN :max IS NULL OR max >= :max THEN max_step ELSE :max_step END,"
    " max = CASE WHEN :max IS NULL OR max >= :max THEN max ELSE :max END"
)


def _series_ids(
    points: sqlite3.Connection, run_id: str, source: str, names: Collection[str], rank: int
) -> dict[str, int]:
    """Name -> id of a stream's series; new ones are made."""
    sql = "SELECT name, id FROM series WHERE run_id = ? AND source = ?"
    if len(names) < FEW_NAMES:  # of a stream that may have ten thousand
        sql += f" AND name IN ({', '.join('?' * len(names))})"
    known: dict[str, int] = dict(
        points.execute(sql, (run_id, source, *(names if len(names) < FEW_NAMES else ()))).fetchall()
    )
    fresh = [name for name in names if name not in known]
    if not fresh:
        return known
    insert = "INSERT INTO series (run_id, source, name, rank) VALUES (?, ?, ?, ?)"
    points.executemany(insert, [(run_id, source, name, rank) for name in fresh])
    return _series_ids(points, run_id, source, names, rank)


def _extend(points: sqlite3.Connection, series_id: int, more: Summary) -> None:
    """Bring a series' numbers forward by the points that follow."""
    points.execute(f"{_EXTEND} WHERE id = :id", {**more._asdict(), "id": series_id})


def _begin_attempt(points: sqlite3.Connection, run_id: str, source: str, start: AttemptStart) -> set[int]:
    """Record a new attempt. The series of which it abandons points: their numbers are to be counted anew."""
    points.execute("INSERT INTO attempt VALUES (?, ?, ?, ?, ?)", (run_id, source, *start))
    sql = "SELECT id FROM series WHERE run_id = ? AND source = ? AND last_step >= ?"
    return {row[0] for row in points.execute(sql, (run_id, source, start.from_step))}


def _count_anew(points: sqlite3.Connection, series_id: int, run_id: str, source: str) -> None:
    """The numbers of a series without the points that were abandoned."""
    points.execute(
        "UPDATE series SET points = 0, first_step = NULL, last_step = NULL, last = NULL, min = NULL, min_step = NULL,"
        " max = NULL, max_step = NULL, nonfinite = 0 WHERE id = ?",
        (series_id,),
    )
    for one in window.current_summaries(points, series_id, run_id, source):
        _extend(points, series_id, one)


def commit_predictions(
    points: sqlite3.Connection, run_id: str, source: str, after: Cursor, predictions: Sequence[Prediction], seen_at: float
) -> None:  # fmt: skip
    """Commit predictions and the cursor that counts them: all or nothing."""
    with transaction(points):
        points.executemany(
            "INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(run_id, source, *one) for one in predictions],
        )
        save_cursor(points, run_id, source, after, None, seen_at)


def series_of(points: sqlite3.Connection, run_id: str) -> list[SeriesFact]:
    """The series of a run in numbers, current attempt, by name. No point is touched.

    A name that several streams have is the one of the lowest rank; the others are named with their stream: "tb:loss".
    """
    sql = "SELECT * FROM series WHERE run_id = ? AND points > 0 ORDER BY name, rank, source"
    names, found = list(SeriesFact.model_fields), dict[str, SeriesFact]()
    for row in points.execute(sql, (run_id,)):
        name = row["name"] if row["name"] not in found else f"{row['source']}:{row['name']}"
        found[name] = SeriesFact.model_validate({one: row[one] for one in names} | {"name": name})
    return sorted(found.values(), key=lambda fact: fact.name)


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
