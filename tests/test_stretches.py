"""Columns of several series whose ordinals lie between each other: attempts and points are those of the single rows."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neatd.models import AttemptStart, Cursor, Line, Stretch
from neatd.read.attempts import mark, mark_next_file, rows_of
from neatd.read.metrics import mark_attempts
from neatd.read.rows import Parsed
from neatd.store import points, window

NAMES = [("a",), ("b",), ("c",), ("a", "b")]
RUN = (f"r-{number}" for number in itertools.count())
ROWS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(NAMES)), min_size=1, max_size=40)
STANDS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9))
LEASTS = st.integers(1, 5)


def parsed(rows: Sequence[tuple[int, tuple[str, ...]]], first: int = 1) -> list[Parsed]:
    return [
        Parsed(seq, step, 1e9 + seq, {name: seq / 4 + place for place, name in enumerate(names)})
        for seq, (step, names) in enumerate(rows, start=first)
    ]


def in_columns(rows: Sequence[Parsed], least: int) -> list[Parsed | Stretch]:
    """Rows as a parser gives them: one stretch for each set of names, single rows where there are few."""
    found: list[Parsed | Stretch] = []
    for names in {tuple(row.values): None for row in rows}:
        some = [row for row in rows if tuple(row.values) == names]
        seqs, steps, times, values, _ = zip(*some, strict=True)
        columns = {name: tuple(one[name] for one in values) for name in names}
        found += some if len(some) < least else [Stretch(seqs, steps, times, columns)]
    return sorted(found, key=lambda one: one.seq)


def single(lines: Sequence[Line | Stretch]) -> list[Line]:
    """Lines one by one, in file order."""
    found: list[Line] = []
    for one in lines:
        if isinstance(one, Line):
            found.append(one)
        else:
            found += [Line(row.seq, one.attempt, row.step, row.time, row.values) for row in rows_of(one)]
    return sorted(found, key=lambda line: line.seq)


def row_by_row(rows: Sequence[Parsed], stands: dict[str, int]) -> tuple[list[Line], list[AttemptStart]]:
    """What the first rows of a next file come to, in the plainest way: `stands` is brought forward with each of them."""
    lines: list[Line] = []
    starts: list[AttemptStart] = []
    seen: set[str] = set()
    for row in rows:
        fresh = {name: value for name, value in row.values.items() if name not in seen}
        if fresh:
            starts += mark_attempts([row._replace(values=fresh)], stands, 1 + len(starts), not seen)[1]
        seen |= fresh.keys()
        stands.update(dict.fromkeys(row.values, row.step))
        lines.append(Line(row.seq, 1 + len(starts), row.step, row.time, row.values))
    return lines, starts


@settings(max_examples=100, deadline=None)
@given(ROWS, STANDS, LEASTS)
def test_a_next_file_in_columns_begins_the_attempts_that_its_rows_begin(
    rows: list[tuple[int, tuple[str, ...]]], stands: dict[str, int], least: int
) -> None:
    """The same attempts at the same rows, the same lines, the same steps where the series stand."""
    plain, other = dict(stands), dict(stands)
    expected, begun = row_by_row(parsed(rows), plain)
    lines, starts, has_steps = mark_next_file(in_columns(parsed(rows), least), other, 1)
    assert (single(lines), starts, has_steps) == (expected, begun, True)
    assert other == plain


@settings(max_examples=80, deadline=None)
@given(ROWS, STANDS, LEASTS)
def test_a_step_back_within_a_file_cuts_no_column(
    rows: list[tuple[int, tuple[str, ...]]], stands: dict[str, int], least: int
) -> None:
    """Stretches stay whole; a series stands at the last of its rows, in whatever stretch it lies."""
    plain, other = dict(stands), dict(stands)
    expected, _, _ = mark(parsed(rows), plain, 1, False, False, is_unordered=True)
    columns = in_columns(parsed(rows), least)
    lines, starts, _ = mark(columns, other, 1, False, False, is_unordered=True)
    assert single(lines) == expected and not starts and other == plain
    assert [type(one) is Stretch for one in lines] == [type(one) is Stretch for one in columns]


@settings(max_examples=100, deadline=None)
@given(ROWS, ROWS, LEASTS, st.integers(1, 6))
@example([(0, ("a",))], [(0, ("a",)), (1, ("a",)), (0, ("a",))], 1, 1)  # a column that goes back, counted anew
def test_what_is_stored_is_the_same(
    db: sqlite3.Connection,
    first: list[tuple[int, tuple[str, ...]]],
    second: list[tuple[int, tuple[str, ...]]],
    least: int,
    sealed: int,
) -> None:
    """Two files of a stream, as rows and as columns: numbers, points, steps and the last line's step."""
    stored = []
    for least_alike, least_sealed in ((1000, 1000), (least, sealed)):
        run, stands = next(RUN), dict[str, int]()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(points, "LEAST_SEALED", least_sealed)
            lines, _, _ = mark(in_columns(parsed(first), least_alike), stands, 1, False, False, is_unordered=True)
            points.commit_lines(db, run, "one", Cursor(seq=len(first)), lines, [], 1.0, "tb")
            assert points.last_steps(db, run, "tb") == stands
            more = in_columns(parsed(second, len(first) + 1), least_alike)
            lines, starts, _ = mark_next_file(more, stands, 1)
            after = Cursor(seq=len(first) + len(second), attempt=1 + len(starts))
            points.commit_lines(db, run, "two", after, lines, starts, 1.0, "tb")
        assert points.last_steps(db, run, "tb") == stands
        sql = "SELECT last_step FROM reading WHERE run_id = ? ORDER BY source"
        every = [window.points_of(db, run, name) for name in "abc"]
        samples = window.samples_between(db, run, "tb", 0, 1000)
        stored.append((points.series_of(db, run), every, samples, [tuple(row) for row in db.execute(sql, (run,))]))
    assert stored[0] == stored[1]
