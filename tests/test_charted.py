"""Points as charts get them: what restarts gave up comes with them, however it is stored."""

from __future__ import annotations

import sqlite3

import pytest

from neatd.pipeline.charted import MOST_ABANDONED, abandoned
from tests.test_resolution import fill


@pytest.mark.parametrize("count", [40, 3000])  # few are in the narrow table, many in packed columns
def test_what_a_restart_gave_up_is_told_once(db: sqlite3.Connection, count: int) -> None:
    """The steps that were gone over again, with their first values; of a window those within it, of very many the newest."""
    restart = count // 2
    run = fill(db, [float(n) for n in range(count)], restart)
    assert (db.execute("SELECT count(*) FROM chunk").fetchone()[0] > 0) == (count > 1000)
    again = max(1, restart - 5)
    given = [(step, float(step - 1)) for step in range(again, restart)]
    assert [[one[:2] for one in attempt] for attempt in abandoned(db, run, "loss")] == [given]
    assert [[one[:2] for one in attempt] for attempt in abandoned(db, run, "loss", again + 1, again + 2)] == [
        given[1:3]
    ]
    assert abandoned(db, run, "loss", restart + 10) == [] and len(given) <= MOST_ABANDONED
