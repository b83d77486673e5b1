"""Predictions read: evaluations in numbers, and the newest answers. An example asked again at the same step counts once, as
it was answered last."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

NEWEST = 50  # answers that are always looked for
MOST = 20_000  # answers that are looked at
LONGEST = 2000  # characters of a text


def evaluations(points: sqlite3.Connection, run_id: str) -> list[tuple[int, int, int]]:
    """(step, examples, correct) of each step evaluated, in the order in which they were last answered."""
    in_order = _in_order(points, run_id)
    if in_order is not None:
        return in_order
    once = (
        "SELECT source, step, is_correct, max(seq) AS seq FROM prediction WHERE run_id = ?"
        " GROUP BY source, step, example_id"
    )
    sql = f"SELECT step, count(*), sum(is_correct) FROM ({once}) GROUP BY source, step ORDER BY source, max(seq)"
    return [(row[0], row[1], row[2]) for row in points.execute(sql, (run_id,))]


def _in_order(points: sqlite3.Connection, run_id: str) -> list[tuple[int, int, int]] | None:
    """The same of a run that evaluated each step in one go, a fifth of the time for many answers; None for one that came back
    to a step, as after a restart: what counts twice is found by sorting then."""
    cursor = points.cursor()
    cursor.row_factory = None  # plain tuples
    found: list[tuple[int, int, int]] = []
    seen: set[tuple[str, int]] = set()
    sql = "SELECT source, step, example_id, is_correct FROM prediction WHERE run_id = ? ORDER BY source, seq"
    rows = cursor.execute(sql, (run_id,))
    for key, some in groupby(rows, itemgetter(0, 1)):
        if key in seen:
            return None
        seen.add(key)
        answers = {example: is_correct for _, _, example, is_correct in some}
        found.append((key[1], len(answers), sum(answers.values())))
    return found


def newest(points: sqlite3.Connection, run_id: str, steps: int) -> list[tuple[int, str, bool]]:
    """(step, example, is_correct), the newest first: the last 50 and those of the last `steps` evaluations, at most 20,000.

    Of many examples an evaluation the oldest may be there in part; it is left out then.
    """
    sql = "SELECT step, example_id, is_correct FROM prediction WHERE run_id = ? ORDER BY source DESC, seq DESC LIMIT ?"
    found: dict[tuple[int, str], bool] = {}
    seen: dict[int, None] = {}
    looked = 0
    for step, example, is_correct in points.execute(sql, (run_id, MOST)):
        looked += 1
        if step not in seen and len(seen) >= steps and len(found) >= NEWEST:
            break
        seen[step] = None
        found.setdefault((step, example), bool(is_correct))
    if looked == MOST and len(seen) > 2:
        cut = list(seen)[-1]
        found = {key: value for key, value in found.items() if key[0] != cut}
    return [(step, example, is_correct) for (step, example), is_correct in found.items()]


def last_wrong(points: sqlite3.Connection, run_id: str, step: int | None, most: int) -> list[dict[str, Any]]:
    """The newest wrong answers up to a step, texts shortened; looked for among the last 200,000."""
    newest = "SELECT * FROM prediction WHERE run_id = ? ORDER BY source DESC, seq DESC LIMIT ?"
    sql = (
        "SELECT step, example_id, loss, substr(expected, 1, 80), substr(answer, 1, 80)"
        f" FROM ({newest}) WHERE NOT is_correct AND step <= ? LIMIT ?"
    )
    names = ("step", "id", "loss", "expected", "answer")
    rows = points.execute(sql, (run_id, 10 * MOST, 2**62 if step is None else step, most))
    return [dict(zip(names, row, strict=True)) for row in rows]


def sources(points: sqlite3.Connection, run_id: str) -> list[tuple[str, int]]:
    """(stream, its last line) of a run's predictions."""
    sql = "SELECT DISTINCT source FROM prediction WHERE run_id = ? ORDER BY source DESC"
    names = [row[0] for row in points.execute(sql, (run_id,))]
    newest = "SELECT max(seq) FROM prediction WHERE run_id = ? AND source = ?"
    return [(name, points.execute(newest, (run_id, name)).fetchone()[0]) for name in names]


def beyond(
    points: sqlite3.Connection, run_id: str, source: str, low: float | None, high: float | None, most: int
) -> list[sqlite3.Row]:
    """The newest `most` answers that are wrong with a loss below `low`, or right with one above `high`, newest first; looked
    for among the last 200,000. Texts are cut where nobody reads on."""
    newest = "SELECT * FROM prediction WHERE run_id = ? AND source = ? ORDER BY seq DESC LIMIT ?"
    texts = ", ".join(f"substr({name}, 1, {LONGEST}) AS {name}" for name in ("prompt", "expected", "answer"))
    sql = (
        f"SELECT seq, step, example_id, is_correct, loss, {texts} FROM ({newest})"
        " WHERE (NOT is_correct AND loss < ?) OR (is_correct AND loss > ?) LIMIT ?"
    )
    return points.execute(sql, (run_id, source, 10 * MOST, low, high, most)).fetchall()


# ---- for judging: evaluations are the answers at one step that follow each other ----


def step_before(points: sqlite3.Connection, run_id: str, source: str, seq: int) -> int | None:
    """The step of the answer before the line `seq`; None without one."""
    sql = "SELECT step FROM prediction WHERE run_id = ? AND source = ? AND seq < ? ORDER BY seq DESC LIMIT 1"
    row = points.execute(sql, (run_id, source, seq)).fetchone()
    return row[0] if row else None


def whole_upto(points: sqlite3.Connection, run_id: str, source: str) -> tuple[int | None, int]:
    """(the step of the last answer, the last line of the evaluation before its own); (None, 0) without answers."""
    step = step_before(points, run_id, source, 1 << 62)
    sql = "SELECT seq FROM prediction WHERE run_id = ? AND source = ? AND step != ? ORDER BY seq DESC LIMIT 1"
    row = points.execute(sql, (run_id, source, step)).fetchone()
    return step, row[0] if row else 0


def evaluation_after(
    points: sqlite3.Connection, run_id: str, source: str, after_seq: int, upto_seq: int
) -> tuple[int, int, int] | None:
    """(step, first line, last line) of the first evaluation within after_seq < seq <= upto_seq."""
    where = "FROM prediction WHERE run_id = ? AND source = ? AND seq > ? AND seq <= ?"
    row = points.execute(
        f"SELECT step, seq {where} ORDER BY seq LIMIT 1", (run_id, source, after_seq, upto_seq)
    ).fetchone()
    if row is None:
        return None
    step, first = row
    named = (run_id, source, first, upto_seq, step)
    other = points.execute(f"SELECT seq {where} AND step != ? ORDER BY seq LIMIT 1", named).fetchone()
    return step, first, other[0] - 1 if other else upto_seq


def answers_between(
    points: sqlite3.Connection, run_id: str, source: str, first_seq: int, last_seq: int, most: int
) -> list[tuple[int, str, bool, float]]:
    """(line, example, is_correct, loss) of the newest `most` answers within both lines, the oldest first. No loss is NaN."""
    sql = (
        "SELECT seq, example_id, is_correct, loss FROM prediction"
        " WHERE run_id = ? AND source = ? AND seq >= ? AND seq <= ? ORDER BY seq DESC LIMIT ?"
    )
    rows = points.execute(sql, (run_id, source, first_seq, last_seq, most)).fetchall()
    return [(seq, one, bool(right), math.nan if loss is None else loss) for seq, one, right, loss in reversed(rows)]


def texts_of(
    points: sqlite3.Connection, run_id: str, source: str, seqs: Sequence[int]
) -> dict[int, tuple[str | None, str | None]]:
    """Line -> (what was expected, what the model said), shortened."""
    sql = (
        "SELECT seq, substr(expected, 1, 200), substr(answer, 1, 200) FROM prediction"
        " WHERE run_id = ? AND source = ? AND seq IN (SELECT value FROM json_each(?))"
    )
    return {row[0]: (row[1], row[2]) for row in points.execute(sql, (run_id, source, json.dumps(list(seqs))))}
