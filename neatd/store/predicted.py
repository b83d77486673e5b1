"""Predictions read: evaluations in numbers, and the newest answers. An example asked again at the same step counts once, as
it was answered last."""

from __future__ import annotations

import sqlite3

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
