"""Sealed columns: what is read does not depend on where points lie, and packing gives back every number."""

from __future__ import annotations

import itertools
import math
import sqlite3
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.models import Cursor, Line, Stretch
from neatd.read.attempts import mark
from neatd.read.rows import Parsed
from neatd.store import points, readings, sealing, tails, window
from neatd.store.buckets import buckets_of, pack_buckets
from neatd.store.columns import columns_between
from neatd.store.opening import connect
from neatd.store.packing import pack_floats, pack_ints, pack_times
from neatd.store.resolution import at_resolution
from neatd.store.summary import unpack_buckets
from neatd.store.unpacking import unpack_floats, unpack_ints, unpack_times

SOURCE = "metrics.jsonl"
RUN = (f"r-{number}" for number in itertools.count())
FLOATS = st.floats(allow_nan=True) | st.floats(width=32) | st.decimals(-100, 100, places=3).map(float)

EVEN = st.builds(lambda a, b: list(range(a, a + 50 * b, b)), st.integers(0, 99), st.integers(1, 9))
VALUES = st.sampled_from([0.0, 1.5, -2.0, math.nan, math.inf])


def milli(one: float) -> float:
    return round(one, 3)


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@settings(max_examples=100, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=200))
def test_every_number_comes_back(values: list[float]) -> None:
    """Doubles, float32, decimals, NaN and infinities: what was packed is what is unpacked."""
    found = unpack_floats(pack_floats(values))
    assert len(found) == len(values) and all(same(*pair) for pair in zip(found, values, strict=True))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=100)
    | st.builds(lambda a, b: list(range(a, a + 50 * b, b)), st.integers(0, 99), st.integers(1, 9))
)
def test_every_step_comes_back(steps: list[int]) -> None:
    """Whole numbers at even distances or any."""
    assert list(unpack_ints(pack_ints(steps))) == steps


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.none() | st.floats(1e9, 3e9) | st.floats(-1e9, 3e12).map(lambda one: round(one, 3)), min_size=1, max_size=100
    )
)
def test_every_time_comes_back(times: list[float | None]) -> None:
    """Times to the last bit, and rows without one."""
    assert unpack_times(pack_times(times), len(times)) == times


def test_noise_takes_little_more_than_it_must_and_constants_nothing() -> None:
    """Bytes a value: float32 noise below 3.3, decimals of four digits below 2.2, a constant next to none."""
    import random

    rng = random.Random(7)
    noise = list(array("f", [1 + rng.gauss(0, 0.01) for _ in range(8192)]))
    decimals = [round(2 + rng.gauss(0, 0.1), 4) for _ in range(8192)]
    sizes = [len(pack_floats(values)) / 8192 for values in (noise, decimals, [3e-4] * 8192)]
    assert sizes[0] < 3.3 and sizes[1] < 2.2 and sizes[2] < 0.05


@settings(max_examples=100, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=300))
def test_buckets_hold_the_extremes_where_they_stand(values: list[float]) -> None:
    """Of every 64 values the lowest, the highest and the first that is not finite, at their places."""
    found = unpack_buckets(pack_buckets(buckets_of(values)))
    for index, start in enumerate(range(0, len(values), 64)):
        some = values[start : start + 64]
        finite = [one for one in some if math.isfinite(one)]
        if finite:
            assert some[found.min_at[index]] == min(finite) == found.mins[index]
            assert some[found.max_at[index]] == max(finite) == found.maxs[index]
        bad = next(((place, one) for place, one in enumerate(some) if not math.isfinite(one)), None)
        assert repr(found.bad()[index]) == repr(bad)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    ),
    max_size=60,
)


CUTS = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=5)


def commit(db: sqlite3.Connection, run: str, rows: list[Parsed]) -> None:
    """As the daemon does in one turn."""
    before = readings.cursor(db, run, SOURCE)
    lines, starts, has_steps = mark(rows, points.last_steps(db, run, SOURCE), before.attempt, False, before.has_steps)
    attempt = starts[-1].attempt if starts else before.attempt
    seq = rows[-1].seq if rows else before.seq
    after = before.model_copy(update={"seq": seq, "attempt": attempt, "has_steps": has_steps})
    points.commit_lines(db, run, SOURCE, after, lines, starts, 1000.0)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS,
    cuts=st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=5),
    least=st.integers(1, 6),
    most=st.integers(2, 9),
)
def test_where_points_lie_changes_nothing_that_is_read(
    db: sqlite3.Connection,
    rows: list[tuple[int, dict[str, float]]],
    cuts: list[tuple[int, bool]],
    least: int,
    most: int,
) -> None:
    """Narrow rows, blocks of any size, sealed at any moment: series numbers, windows and samples are the same."""
    parsed = [Parsed(seq, step, None, values) for seq, (step, values) in enumerate(rows, start=1)]
    plain, sealed = next(RUN), next(RUN)
    commit(db, plain, parsed)
    begin = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "LEAST_SEALED", least)
        patch.setattr(sealing, "MOST_SEALED", most)
        patch.setattr(sealing, "MOST_DATA", 40)  # two columns, so that a block goes on in another row
        patch.setattr(sealing, "LEAST_WORTH", 1)
        for end, is_sealed in [*sorted(cuts), (len(parsed), True)]:
            commit(db, sealed, parsed[begin:end])
            begin = max(begin, end)
            if is_sealed:
                sealing.seal(db, sealed, SOURCE)
                left = "SELECT count(*) FROM point p JOIN series s ON s.id = p.series_id WHERE s.run_id = ?"
                assert db.execute(left, (sealed,)).fetchone()[0] == 0
    assert repr(points.series_of(db, sealed)) == repr(points.series_of(db, plain))
    assert points.last_steps(db, sealed, SOURCE) == points.last_steps(db, plain, SOURCE)
    for name in "abc":
        assert repr(window.points_of(db, sealed, name)) == repr(window.points_of(db, plain, name))
        assert repr(window.points_of(db, sealed, name, 2, 5)) == repr(window.points_of(db, plain, name, 2, 5))
        assert repr(window.values_at(db, sealed, name, {1, 4, 7})) == repr(window.values_at(db, plain, name, {1, 4, 7}))
    for upto in (1, 7, len(parsed)):
        assert repr(window.samples_between(db, sealed, SOURCE, upto - 1, upto + 9)) == repr(
            window.samples_between(db, plain, SOURCE, upto - 1, upto + 9)
        )


def test_columns_that_step_back_inside_are_looked_at_row_by_row(db: sqlite3.Connection) -> None:
    """A restart in the middle of a stretch begins an attempt at its row, as single rows do."""
    steps = (1, 2, 3, 2, 3, 4)
    stretch = Stretch(range(1, 7), steps, (None,) * 6, {"loss": tuple(map(float, range(6)))})
    lines, starts, _ = mark([stretch], {}, 1, False, False)
    single, expected, _ = mark(
        [Parsed(n, s, None, {"loss": float(n - 1)}) for n, s in enumerate(steps, 1)], {}, 1, False, False
    )
    assert starts == expected and lines == single and isinstance(lines[0], Line)
    run = next(RUN)
    points.commit_lines(db, run, SOURCE, Cursor(seq=6, attempt=2), lines, starts, 1.0)
    assert window.points_of(db, run, "loss") == [(1, 0.0, None), (2, 3.0, None), (3, 4.0, None), (4, 5.0, None)]


def test_a_stream_of_a_lower_rank_is_meant(db: sqlite3.Connection) -> None:
    """A series that two trackers of a run write is one name; the other is found with its stream before it."""
    run = next(RUN)
    for source, rank, value in (("tb", 2, 2.0), ("metrics.jsonl", 0, 1.0)):
        points.commit_lines(db, run, source, Cursor(seq=1), [Line(1, 1, 1, None, {"loss": value})], [], 1.0, rank=rank)
    assert {fact.name: fact.last for fact in points.series_of(db, run)} == {"loss": 1.0, "tb:loss": 2.0}
    assert window.points_of(db, run, "loss") == [(1, 1.0, None)] and window.points_of(db, run, "tb:loss") == [
        (1, 2.0, None)
    ]


@pytest.mark.parametrize(
    "name", ["points_of", "values_at", "samples_between", "tail", "at_resolution", "columns_between"]
)
def test_a_reader_sees_each_point_once_while_another_process_seals(tmp_path: Path, name: str) -> None:
    """Points that move into columns between two questions of a reader are neither missed nor seen twice."""
    writer = connect(tmp_path, "points")
    lines = [Line(seq, 1, seq, None, {"loss": float(seq)}) for seq in range(1, 101)]
    points.commit_lines(writer, "r", SOURCE, Cursor(seq=100), lines, [], 1.0)
    reader = connect(tmp_path, "points")
    moved: list[int] = []

    def seal_before_the_narrow_rows_are_read(sql: str) -> None:
        if ("FROM point" in sql or "JOIN point" in sql) and not moved:
            moved.append(sealing.seal(writer, "r", SOURCE))

    def seal_after_the_narrow_rows_are_read(sql: str) -> None:
        if "FROM chunk" in sql and not moved:
            moved.append(sealing.seal(writer, "r", SOURCE))

    reads: dict[str, Callable[[], int]] = {
        "points_of": lambda: len(window.points_of(reader, "r", "loss")),
        "values_at": lambda: len(window.values_at(reader, "r", "loss", range(1, 101)) or {}),
        "samples_between": lambda: len(window.samples_between(reader, "r", SOURCE, 0, 100)),
        "tail": lambda: len(tails.tail(reader, "r", "loss", 100)),
        "at_resolution": lambda: len(at_resolution(reader, "r", "loss", 500)),
        "columns_between": lambda: sum(len(one.seqs) for one in columns_between(reader, "r", SOURCE, 0, 100)),
    }
    is_narrow_first = name == "tail"
    reader.set_trace_callback(
        seal_after_the_narrow_rows_are_read if is_narrow_first else seal_before_the_narrow_rows_are_read
    )
    assert reads[name]() == 100 and moved == [100]
    reader.set_trace_callback(None)
    assert reads[name]() == 100
    reader.close()
    writer.close()
