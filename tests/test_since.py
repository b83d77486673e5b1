"""A reader that stays: what it was given first and what was appended since is what is stored, whatever happened between."""

from __future__ import annotations

import itertools
import math
import sqlite3
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.models import AttemptStart, Cursor, Line
from neatd.store import points, sealing, since, window
from neatd.store.since import appended, cursor_of, cursor_text, heads, is_continued

RUN = (f"r-since-{number}" for number in itertools.count())
Series = dict[str, list[tuple[int, float, float | None]]]


class Training:
    """A run of two streams that is written as the daemon writes it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db, self.run = db, next(RUN)
        self.cursors = {name: Cursor(reading_id=f"{name}-0", stream=name, format="jsonl") for name in ("a", "b")}
        self.steps = dict.fromkeys(self.cursors, 0)

    def write(self, stream: str, count: int, back: int) -> None:
        """So many lines at once; from `back` steps before the last one on, where it is not 0: a restart."""
        before = self.cursors[stream]
        first = self.steps[stream] + 1
        starts, attempt = [], before.attempt
        if 0 < back < first:
            first, attempt = first - back, attempt + 1
            starts = [AttemptStart(attempt, before.seq + 1, first)]
        rows = [
            Line(before.seq + 1 + n, attempt, first + n, 1e9 + n, {f"{stream}/loss": (math.nan if n == 3 else n / 7)})
            for n in range(count)
        ]
        after = before.model_copy(update={"seq": before.seq + count, "attempt": attempt})
        points.commit_lines(self.db, self.run, stream, after, rows, starts, 1.0)
        self.cursors[stream], self.steps[stream] = after, first + count - 1

    def replace(self, stream: str) -> None:
        """The file is another one: read anew, as another reading."""
        fresh = Cursor(reading_id=self.cursors[stream].reading_id + "x", generation=9, stream=stream, format="jsonl")
        self.cursors[stream] = fresh.model_copy(
            update={"seq": self.cursors[stream].seq, "attempt": self.cursors[stream].attempt}
        )
        self.write(stream, 2, 0)

    def stored(self) -> Series:
        names = [fact.name for fact in points.series_of(self.db, self.run)]
        return {name: window.points_of(self.db, self.run, name) for name in names}


class Reader:
    """One who follows by cursors alone."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.read()

    def read(self) -> None:
        self.has, self.cursor = self.training.stored(), cursor_text(self._now())

    def _now(self) -> since.Heads:
        return heads(self.training.db, [self.training.run]).get(self.training.run, {})

    def catch_up(self) -> None:
        before, now = cursor_of(self.cursor), self._now()
        if not is_continued(before, now):
            self.read()
            return
        for name, rows in appended(self.training.db, self.training.run, before, now).items():
            self.has[name] = [*self.has.get(name, []), *rows]
        self.cursor = cursor_text(now)


WRITES = st.tuples(st.sampled_from("ab"), st.integers(1, 40), st.sampled_from([0, 0, 0, 3]))
DEEDS = st.lists(st.one_of(WRITES, st.sampled_from(["look", "look", "replace", "seal"])), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
@example(deeds=["look", ("a", 15, 0), "seal"])  # a column that begins before what the reader has, and ends after it
def test_what_a_reader_has_is_what_is_stored(db: sqlite3.Connection, deeds: list[Any]) -> None:
    """No point is missing and none is there twice, over sealed columns, restarts, replaced files and several streams."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "LEAST_SEALED", 20)
        patch.setattr(sealing, "MOST_SEALED", 16)
        patch.setattr(sealing, "LEAST_WORTH", 8)
        training = Training(db)
        training.write("a", 5, 0)
        reader = Reader(training)
        for deed in [*deeds, "look"]:
            if deed == "look":
                reader.catch_up()
                assert repr(reader.has) == repr(training.stored()) or _same(reader.has, training.stored())
            elif deed == "replace":
                training.replace("b")
            elif deed == "seal":
                sealing.seal(db, training.run, "a")
            else:
                training.write(*deed)


def _same(a: Series, b: Series) -> bool:
    return {name: repr(rows) for name, rows in a.items() if rows} == {
        name: repr(rows) for name, rows in b.items() if rows
    }


def test_who_is_far_behind_reads_again(db: sqlite3.Connection) -> None:
    """A reader that missed very much is not sent all of it: it reads at its own resolution."""
    training = Training(db)
    training.write("a", 3, 0)
    before = heads(db, [training.run])[training.run]
    training.write("a", since.MOST + 1, 0)
    now = heads(db, [training.run])[training.run]
    assert not is_continued(before, now) and not is_continued({}, now)


def test_a_name_that_means_another_series_is_read_again(db: sqlite3.Connection) -> None:
    """A stream of lower rank that comes later has the name from then on: its points are no sequel of the other's."""
    run = next(RUN)

    def put(stream: str, rank: int, values: list[float]) -> None:
        rows = [Line(seq, 1, seq, None, {"loss": value}) for seq, value in enumerate(values, start=1)]
        after = Cursor(reading_id=stream, stream=stream, format=stream, seq=len(rows))
        points.commit_lines(db, run, stream, after, rows, [], 1.0, stream, rank)

    put("tb", 5, [1.0, 2.0])
    before = heads(db, [run])[run]
    put("csv", 0, [10.0, 20.0, 30.0])
    now = heads(db, [run])[run]
    assert not is_continued(before, now) and is_continued(now, now)
    assert [one[1] for one in window.points_of(db, run, "loss")] == [10.0, 20.0, 30.0]


def test_only_named_series_come(db: sqlite3.Connection) -> None:
    """Who follows one series is told of that one."""
    training = Training(db)
    training.write("a", 2, 0)
    training.write("b", 2, 0)
    now = heads(db, [training.run])[training.run]
    assert set(appended(db, training.run, {}, now, frozenset({"b/loss"}))) == {"b/loss"}
    assert set(appended(db, training.run, {}, now)) == {"a/loss", "b/loss"}


@pytest.mark.parametrize("word", ["%", "bm9uZQ", "W10", "eyJhIjoxfQ", "eyJhIjpbMSwyLDNdfQ", "é", "a" * 5000])
def test_a_word_that_is_no_cursor_is_refused(word: str) -> None:
    """With what to do, and no traceback."""
    with pytest.raises(NeatError, match="no cursor"):
        cursor_of(word)
