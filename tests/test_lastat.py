"""The last value by a step is the one that a look at every point finds, however the points are kept."""

from __future__ import annotations

import itertools
import random
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.models import AttemptStart, Cursor, Line
from neatd.store import points, sealing, window
from neatd.store.lastat import last_at
from tests.cost import at_most

RUN = (f"r-lastat-{number}" for number in itertools.count())


def written(db: sqlite3.Connection, count: int, seed: int, restart: int | None, is_mixed: bool) -> str:
    """A run of so many lines in several commits; mixed, steps come out of order and twice."""
    run, noise = next(RUN), random.Random(seed)
    rows, starts, step, attempt = [], [], 0, 1
    for seq in range(1, count + 1):
        step += noise.choice([0, 1, 1, 7]) if not is_mixed else noise.choice([-2, 1, 3])
        if seq == restart:
            step, attempt = max(1, step - 9), 2
            starts = [AttemptStart(2, seq, step)]
        rows.append(Line(seq, attempt, step, None, {"loss": noise.random()}))
    half = count // 2
    for part in (rows[:half], rows[half:]):
        some = [one for one in starts if part and part[0].seq <= one.from_seq <= part[-1].seq]
        points.commit_lines(db, run, "m", Cursor(seq=part[-1].seq if part else 0), part, some, 1.0)
    return run


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.sampled_from([2, 9, 60, 200]), seed=st.integers(0, 999), restart=st.none() | st.integers(2, 200),
    is_mixed=st.booleans(), asked=st.lists(st.integers(-5, 900), max_size=12),
)  # fmt: skip
def test_it_is_what_a_look_at_every_point_finds(
    db: sqlite3.Connection, count: int, seed: int, restart: int | None, is_mixed: bool, asked: list[int]
) -> None:
    """Over columns and narrow rows, restarts, and steps that come out of order or twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "LEAST_SEALED", 40)
        patch.setattr(sealing, "MOST_SEALED", 16)
        run = written(db, count, seed, None if is_mixed else restart, is_mixed)
    every = window.points_of(db, run, "loss")
    expected = {}
    for step in asked:
        below = [(one[0], at, one[1]) for at, one in enumerate(every) if one[0] <= step]
        if below:
            expected[step] = (max(below)[0], max(below)[2])
    assert last_at(db, run, "loss", asked) == expected


def test_ten_checkpoints_of_many_points_open_ten_columns(db: sqlite3.Connection) -> None:
    """What it costs grows with what is asked for, not with the run."""
    run, size = next(RUN), 100_000
    for part in range(2):
        rows = [Line(seq, 1, seq, None, {"loss": float(seq)}) for seq in range(part * size + 1, (part + 1) * size + 1)]
        points.commit_lines(db, run, "m", Cursor(seq=rows[-1].seq), rows, [], 1.0)
    asked = range(1000, 2 * size, size // 5)
    with at_most(0.5):
        assert last_at(db, run, "loss", asked) == {step: (step, float(step)) for step in asked}


def test_a_series_that_is_not_there_has_none(db: sqlite3.Connection) -> None:
    """No run of that name, and no answer."""
    assert last_at(db, "r-none", "loss", [1]) == {}
