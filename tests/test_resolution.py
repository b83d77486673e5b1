"""A window at a resolution: never more points than asked for, the ends and extremes always there, nothing made up."""

from __future__ import annotations

import itertools
import math
import random
import sqlite3
from operator import itemgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.models import AttemptStart, Cursor, Line
from neatd.store import points, resolution, sealing, window
from neatd.store.resolution import at_resolution

SOURCE = "metrics.jsonl"
RUN = (f"r-{number}" for number in itertools.count())
VALUES = st.one_of(st.floats(-9, 9), st.sampled_from([math.nan, math.inf, -math.inf]))


def fill(db: sqlite3.Connection, values: list[float], restart: int | None = None, mixed: bool = False) -> str:
    """A run with a point a step, from step 1 on; from `restart` on it goes once more over the last steps before it.

    Mixed, of every seven lines the first is written last, as threads of a trial or of a summary writer do.
    """
    run, starts = next(RUN), []
    lines = [Line(seq, 1, seq, 1e9 + seq, {"loss": value}) for seq, value in enumerate(values, start=1)]
    if restart is not None:
        again = max(1, restart - 5)
        starts = [AttemptStart(2, restart, again)]
        late = enumerate(values[restart - 1 :], start=restart)
        lines[restart - 1 :] = [Line(seq, 2, again + seq - restart, 1e9 + seq, {"loss": value}) for seq, value in late]
    if mixed:
        order = [seq + 6 if seq % 7 == 1 else seq - 1 for seq in range(1, 1 + len(lines))]
        lines = [one._replace(step=max(1, step)) for one, step in zip(lines, order, strict=True)]
    points.commit_lines(db, run, SOURCE, Cursor(seq=len(values)), lines, starts, 1.0)
    return run


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.sampled_from([2, 60, 300, 900]), seed=st.integers(0, 999), mixed=st.booleans(),
    special=st.dictionaries(st.integers(0, 899), VALUES, max_size=9),
    most=st.integers(8, 60), block=st.integers(130, 400),
    cut=st.tuples(st.integers(-300, 900), st.integers(0, 1200)), restart=st.none() | st.integers(2, 900),
)  # fmt: skip
def test_a_window_holds_its_ends_and_extremes(
    db: sqlite3.Connection, size: int, seed: int, special: dict[int, float], most: int, block: int,
    cut: tuple[int, int], restart: int | None, mixed: bool,
) -> None:  # fmt: skip
    """At any level: real points only, by step, the first, last, lowest and highest among them, NaN where there is any."""
    rng = random.Random(seed)
    values = [special.get(at, rng.uniform(-9, 9)) for at in range(rng.randint(2, size))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "MOST_SEALED", block)
        patch.setattr(sealing, "LEAST_BUCKETS", 130)
        patch.setattr(points, "LEAST_SEALED", 140)
        patch.setattr(resolution, "EXACT", 100)
        is_restarted = restart is not None and restart <= len(values) and not mixed
        run = fill(db, values, restart if is_restarted else None, mixed)
        first, last = min(cut), max(cut)
        whole = sorted(window.points_of(db, run, "loss", first, last), key=itemgetter(0))
        found = at_resolution(db, run, "loss", most, first, last)
    assert len(found) <= most and [step for step, _, _ in found] == sorted(step for step, _, _ in found)
    assert {repr(one) for one in found} <= {repr(one) for one in whole}
    if len(whole) <= most:
        assert repr(found) == repr(whole)
    finite = [value for _, value, _ in whole if math.isfinite(value)]
    if finite:
        shown = [value for _, value, _ in found if math.isfinite(value)]
        assert min(shown) == min(finite) and max(shown) == max(finite)
    if whole:
        assert [found[0][0], found[-1][0]] == [whole[0][0], whole[-1][0]]
    assert any(not math.isfinite(value) for _, value, _ in found) == (len(finite) < len(whole))


def test_points_do_not_jump_as_a_run_grows(db: sqlite3.Connection) -> None:
    """What was drawn of the first steps is drawn again when ten percent more are there."""
    values = [math.sin(step / 7) + step % 5 for step in range(1, 1001)]
    before = at_resolution(db, fill(db, values), "loss", 120)
    after = at_resolution(db, fill(db, values + values[:20]), "loss", 120)
    kept = [one for one in before if one[0] < 900]
    assert len(kept) > 50 and set(kept) <= set(after)


def test_a_long_series_without_a_clock_has_no_times(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the extremes of every 64 points, those that are not finite among them, at uneven steps."""
    monkeypatch.setattr(resolution, "EXACT", 100)
    run = next(RUN)
    values = [math.sin(number / 50) if number % 997 else math.nan for number in range(1, 6001)]
    lines = [Line(seq, 1, seq * seq, None, {"loss": value}) for seq, value in enumerate(values, start=1)]
    points.commit_lines(db, run, SOURCE, Cursor(seq=len(values)), lines, [], 1.0)
    found = at_resolution(db, run, "loss", 300)
    whole = {repr(one) for one in window.points_of(db, run, "loss")}
    assert {time for _, _, time in found} == {None} and {repr(one) for one in found} <= whole
    assert any(math.isnan(value) for _, value, _ in found) and len(found) > 60


def test_a_series_that_is_not_there_is_empty(db: sqlite3.Connection) -> None:
    """No series, no points; a window outside of a series has none either."""
    run = fill(db, [1.0, 2.0])
    assert at_resolution(db, run, "none", 10) == [] and at_resolution(db, run, "loss", 10, 5, 9) == []


@pytest.mark.parametrize("most", [8, 40, 900], ids=["chunks", "buckets", "points"])
def test_every_level_tells_the_ends_and_extremes_with_their_times(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """A series of nine chunks: from their rows alone, from the extremes of every 64 points, from the points."""
    monkeypatch.setattr(sealing, "MOST_SEALED", 200)
    monkeypatch.setattr(sealing, "LEAST_BUCKETS", 130)
    monkeypatch.setattr(resolution, "EXACT", 100)
    values = [math.sin(number / 50) for number in range(1800)]
    values[700], values[1100] = 9.0, -9.0
    found = at_resolution(db, fill(db, values), "loss", most)
    assert len(found) <= most
    for step in (1, 701, 1101, 1800):
        assert (step, values[step - 1], 1e9 + step) in found


def test_steps_as_far_apart_as_there_can_be_are_drawn(db: sqlite3.Connection) -> None:
    """Sealed and read at a resolution, whose buckets are then as wide as numbers go."""
    run, far = next(RUN), (1 << 63) - 1
    steps = [-far, *range(-far + 1, -far + 300), *range(far - 300, far)]
    lines = [Line(seq, 1, step, None, {"loss": float(seq)}) for seq, step in enumerate(steps, start=1)]
    points.commit_lines(db, run, SOURCE, Cursor(seq=len(steps)), lines, [], 1.0)
    found = window.points_of(db, run, "loss")
    assert [one[0] for one in found] == steps
    few = at_resolution(db, run, "loss", 50)
    assert len(few) <= 50 and (few[0][0], few[-1][0]) == (-far, far - 1)
