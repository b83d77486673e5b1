"""Predictions read: evaluations in numbers, and the newest answers. An example asked again at the same step counts once, as
it was answered last."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from typing import Any

NEWEST = 50  # answers that are always looked for
MOST = 20_000  # answers that are looked at


def evaluations(points: sqlite3.Connection, run_id: str) -> list[tuple[int, int, int]]:
    """(step, examples, correct) of each step evaluated, in the order in which they were last answered."""
    once = (
        "SELECT source, step, is_correct, max(seq) AS seq FROM prediction WHERE run_id = ?"
        " GROUP BY source, step, example_id"
    )
    sql = f"SELECT step, count(*), sum(is_correct) FROM ({once}) GROUP BY source, step ORDER BY source, max(seq)"
    return [(row[0], row[1], row[2]) for row in points.execute(sql, (run_id,))]


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
