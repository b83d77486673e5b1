"""points.db: lines and the cursor that counts them in one commit, and series numbers that equal their points."""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.models import AttemptStart, Cursor, Line, Prediction, Sample, SeriesFact
from neatd.read.metrics import Parsed, mark_attempts, parse_metrics
from neatd.read.tail import read_turn
from neatd.store import points, readings, window
from neatd.store.opening import connect
from tests.cost import at_most

SOURCE = "metrics.jsonl"
RUN = (f"r-{number}" for number in itertools.count())  # a fresh run for each example, in one database


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path_factory.mktemp("home"), "points")
    connection.execute("PRAGMA synchronous = OFF")  # the tests below do not cut the power
    yield connection
    connection.close()


def commit(db: sqlite3.Connection, run: str, parsed: list[Parsed], is_new: bool = False) -> list[AttemptStart]:
    """Commit lines as the daemon does in one turn; returns the attempts that began."""
    before = readings.cursor(db, run, SOURCE)
    lines, starts = mark_attempts(parsed, points.last_steps(db, run, SOURCE), before.attempt, is_new)
    seq = max((one.seq for one in parsed), default=before.seq)
    attempt = starts[-1].attempt if starts else before.attempt
    after = before.model_copy(update={"seq": seq, "attempt": attempt})
    points.commit_lines(db, run, SOURCE, after, lines, starts, 1000.0 + seq)
    return starts


def losses(*steps: int) -> list[Parsed]:
    return [Parsed(seq, step, None, {"loss": float(step)}) for seq, step in enumerate(steps, start=1)]


def comparable(found: object) -> str:
    """Values as text, so that NaN equals NaN."""
    return repr(found)


def recomputed(name: str, lines: list[Line], starts: list[AttemptStart]) -> SeriesFact | None:
    """A series' numbers from the raw lines alone: those that no later attempt began at or before."""
    here = [
        (line.step, line.values[name])
        for line in lines
        if name in line.values and not any(s.attempt > line.attempt and s.from_step <= line.step for s in starts)
    ]
    if not here:
        return None
    finite = [(step, value) for step, value in here if math.isfinite(value)]
    low = min(finite, key=lambda one: one[1], default=(None, None))
    high = max(finite, key=lambda one: one[1], default=(None, None))
    last = here[-1][1]
    return SeriesFact(
        name=name, source=SOURCE, points=len(here), first_step=here[0][0], last_step=here[-1][0],
        last=None if math.isnan(last) else last, min=low[1], min_step=low[0], max=high[1], max_step=high[0],
        nonfinite=len(here) - len(finite),
    )  # fmt: skip


VALUES = st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.5, math.nan, math.inf, -math.inf])
STREAM = st.lists(
    st.tuples(st.integers(-1, 8), st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)), max_size=25
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=STREAM, cuts=st.sets(st.integers(1, 24)))
def test_series_numbers_equal_their_points_wherever_the_turns_were_cut(
    db: sqlite3.Connection, stream: list[tuple[int, dict[str, float]]], cuts: set[int]
) -> None:
    """Attempts, numbers and points of a stream with restarts are those of one commit, and of the raw lines."""
    parsed = [Parsed(seq, step, None, values) for seq, (step, values) in enumerate(stream, start=1)]
    in_memory: dict[str, int] = {}
    lines, starts = mark_attempts(parsed, in_memory, 1, False)
    run = next(RUN)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(parsed)), len(parsed)]
    began = [start for begin, end in itertools.pairwise(bounds) for start in commit(db, run, parsed[begin:end])]
    assert began == starts
    assert points.last_steps(db, run, SOURCE) == in_memory
    facts = [fact for name in "abc" if (fact := recomputed(name, lines, starts))]
    assert comparable(points.series_of(db, run)) == comparable(facts)
    for name in "abc":
        here = [
            (line.step, line.values[name], None)
            for line in lines
            if name in line.values and not any(s.attempt > line.attempt and s.from_step <= line.step for s in starts)
        ]
        assert comparable(window.points_of(db, run, name)) == comparable(here)


def ingest(db: sqlite3.Connection, run: str, path: Path, budget: int) -> None:
    """Read a file to its end, turn by turn, as the daemon does."""
    has_more = True
    while has_more:
        turn = read_turn(path, readings.cursor(db, run, SOURCE), budget)
        parsed, _ = parse_metrics(turn.lines)
        lines, starts = mark_attempts(
            parsed, points.last_steps(db, run, SOURCE), turn.cursor.attempt, turn.is_new_generation
        )
        attempt = starts[-1].attempt if starts else turn.cursor.attempt
        after = turn.cursor.model_copy(update={"attempt": attempt})
        points.commit_lines(db, run, SOURCE, after, lines, starts, 1000.0)
        has_more = turn.has_more


LIVES = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 3)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lives=LIVES, budget=st.integers(20, 200), is_emptied_first=st.booleans())
def test_after_restarts_from_zero_the_view_is_the_last_file(
    db: sqlite3.Connection, lives: list[tuple[int, int]], budget: int, is_emptied_first: bool
) -> None:
    """A run that was begun anew, however often and after however few steps, shows its last life and nothing else."""
    run = next(RUN)
    with TemporaryDirectory() as folder:
        path = Path(folder) / SOURCE
        for life, (count, every) in enumerate(lives):
            content = [{"step": step * every, "loss": life + step / 100} for step in range(count)]
            if is_emptied_first and life:  # the daemon comes between the trainer's opening and its first line
                path.write_bytes(b"")
                ingest(db, run, path, budget)
            path.write_text("".join(json.dumps(one) + "\n" for one in content))
            ingest(db, run, path, budget)
    assert window.points_of(db, run, "loss") == [(one["step"], one["loss"], None) for one in content]


@pytest.mark.parametrize("place", ["INSERT ON point", "INSERT ON attempt", "UPDATE ON series", "UPDATE ON reading"])
def test_a_commit_that_fails_anywhere_leaves_everything_as_it_was(tmp_path: Path, place: str) -> None:
    """The cursor, the points, the attempts and the numbers are of one transaction, tried again to the same end."""
    connection = connect(tmp_path, "points")
    commit(connection, "r", losses(1, 2, 3))
    before = list(connection.iterdump())
    connection.execute(f"CREATE TRIGGER full BEFORE {place} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    again = [one._replace(seq=one.seq + 3) for one in losses(2, 3, 4)]
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        commit(connection, "r", again)
    connection.execute("DROP TRIGGER full")
    assert list(connection.iterdump()) == before
    commit(connection, "r", again)
    assert [step for step, _, _ in window.points_of(connection, "r", "loss")] == [1, 2, 3, 4]
    connection.close()


def test_a_line_cannot_be_counted_twice(db: sqlite3.Connection) -> None:
    """The same line committed again is refused by the table itself, and changes no number."""
    run = next(RUN)
    commit(db, run, losses(1, 2))
    with pytest.raises(sqlite3.IntegrityError):
        commit(db, run, losses(1, 2))
    assert points.series_of(db, run)[0].points == 2


def test_an_unread_source_has_a_cursor_of_its_own_making(db: sqlite3.Connection) -> None:
    """A fresh reading id tells a source that is read anew after points.db was lost."""
    first, second = readings.cursor(db, "r-none", SOURCE), readings.cursor(db, "r-none", SOURCE)
    assert (first.offset, first.seq, first.attempt) == (0, 0, 1)
    assert first.reading_id != second.reading_id


def test_a_cursor_comes_back_as_it_was_committed(db: sqlite3.Connection) -> None:
    """Every field of it."""
    run = next(RUN)
    after = Cursor(
        reading_id="a", generation=2, offset=3, seq=4, attempt=5, head_len=6, head_hash="h", anchor_hash="i",
        bad_lines=7, first_bad="line 1: not JSON", is_skipping=True, is_missing=True,
    )  # fmt: skip
    points.commit_lines(db, run, SOURCE, after, [], [], 1.0)
    assert readings.cursor(db, run, SOURCE) == after
    assert readings.readings(db, run) == {SOURCE: after}


def test_nan_is_kept_as_a_point(db: sqlite3.Connection) -> None:
    """SQLite has no NaN: it is stored as NULL and read as NaN."""
    run = next(RUN)
    commit(db, run, [Parsed(1, 1, 5.0, {"loss": math.nan}), Parsed(2, 2, None, {"loss": 1.0})])
    found = window.points_of(db, run, "loss")
    assert math.isnan(found[0][1]) and found[0][2] == 5.0 and found[1] == (2, 1.0, None)


def test_ties_keep_the_oldest_step(db: sqlite3.Connection) -> None:
    """The best value is where it was first reached, within a commit and across commits."""
    run = next(RUN)
    commit(
        db,
        run,
        [Parsed(1, 1, None, {"loss": 2.0}), Parsed(2, 2, None, {"loss": 1.0}), Parsed(3, 3, None, {"loss": 1.0})],
    )
    commit(db, run, [Parsed(4, 4, None, {"loss": 1.0}), Parsed(5, 5, None, {"loss": 2.0})])
    fact = points.series_of(db, run)[0]
    assert (fact.min, fact.min_step, fact.max, fact.max_step) == (1.0, 2, 2.0, 1)


def test_points_of_takes_a_window_of_steps(db: sqlite3.Connection) -> None:
    """Both ends belong to it."""
    run = next(RUN)
    commit(db, run, losses(1, 2, 3, 4))
    assert [step for step, _, _ in window.points_of(db, run, "loss", 2, 3)] == [2, 3]


def test_samples_come_by_line_and_name_with_abandoned_ones_among_them(db: sqlite3.Connection) -> None:
    """Judging sees every line once and in order: after one position, up to another."""
    run = next(RUN)
    commit(
        db,
        run,
        [Parsed(1, 5, 1.0, {"b": 1.0, "a": 2.0}), Parsed(2, 3, None, {"a": 3.0}), Parsed(3, 4, None, {"b": 4.0})],
    )
    assert window.samples_between(db, run, SOURCE, 0, 2) == [
        ("a", Sample(1, 1, 5, 2.0, 1.0)), ("b", Sample(1, 1, 5, 1.0, 1.0)), ("a", Sample(2, 2, 3, 3.0, None)),
    ]  # fmt: skip
    assert window.samples_between(db, run, SOURCE, 2, 9) == [("b", Sample(3, 2, 4, 4.0, None))]


def test_a_missing_source_keeps_what_was_read(db: sqlite3.Connection) -> None:
    """Only the mark is set."""
    run = next(RUN)
    commit(db, run, losses(1))
    before = readings.cursor(db, run, SOURCE)
    readings.mark_missing(db, run, SOURCE)
    assert readings.cursor(db, run, SOURCE) == before.model_copy(update={"is_missing": True})


def predict(db: sqlite3.Connection, run: str, *answers: tuple[int, str, bool]) -> None:
    """Commit answers (step, example, correct) as the next lines."""
    before = readings.cursor(db, run, "predictions.jsonl")
    made = [
        Prediction(before.seq + n, step, one, ok, 0.5, None, None, None) for n, (step, one, ok) in enumerate(answers, 1)
    ]
    after = before.model_copy(update={"seq": before.seq + len(made)})
    points.commit_predictions(db, run, "predictions.jsonl", after, made, 1.0)


def test_predictions_are_summed_up_for_the_step_evaluated_last(db: sqlite3.Connection) -> None:
    """After a restart that is an earlier step, and an example asked again at that step counts as answered last."""
    run = next(RUN)
    assert points.prediction_summary(db, run) is None
    predict(db, run, (10, "a", True), (10, "b", True), (20, "a", True), (20, "b", True))
    predict(db, run, (10, "a", False), (10, "b", True))
    assert points.prediction_summary(db, run) == {"step": 10, "examples": 2, "correct": 1, "accuracy": 0.5}


def test_predictions_and_their_cursor_are_committed_together(db: sqlite3.Connection) -> None:
    """A line that is there already takes the whole commit back."""
    run, name = next(RUN), "predictions.jsonl"
    predict(db, run, (1, "a", True))
    again = readings.cursor(db, run, name).model_copy(update={"seq": 9})
    same = Prediction(1, 1, "a", True, 0.1, None, None, None)
    with pytest.raises(sqlite3.IntegrityError):
        points.commit_predictions(db, run, name, again, [same._replace(seq=2), same], 1.0)
    assert readings.cursor(db, run, name).seq == 1
    assert points.prediction_summary(db, run) == {"step": 1, "examples": 1, "correct": 1, "accuracy": 1.0}


def test_the_largest_numbers_are_kept(db: sqlite3.Connection) -> None:
    """Values whose sum is beyond a float are no trouble."""
    run = next(RUN)
    commit(db, run, [Parsed(seq, seq, None, {"loss": 1.7e308}) for seq in range(1, 11)])
    assert [value for _, value, _ in window.points_of(db, run, "loss")] == [1.7e308] * 10


def test_thousands_of_restarts_in_a_turn_are_counted_once(db: sqlite3.Connection) -> None:
    """A broken writer whose step flips begins an attempt at each second line: that holds up nobody else."""
    run = next(RUN)
    with at_most(1.5):
        commit(db, run, losses(*(number % 2 for number in range(4000))))
    fact = next(one for one in points.series_of(db, run) if one.name == "loss")
    assert (fact.points, fact.last, fact.last_step) == (2, 1.0, 1)
    commit(db, run, [Parsed(4001, 0, None, {"loss": 7.0})])
    fact = next(one for one in points.series_of(db, run) if one.name == "loss")
    assert (fact.points, fact.last, fact.max) == (1, 7.0, 7.0)


@given(st.lists(st.integers(-20, 20), max_size=12))
def test_what_is_current_is_what_no_later_restart_reached(steps: list[int]) -> None:
    """Of each attempt, those that began none and those after the last too."""
    starts = [(number, step) for number, step in enumerate(steps, start=2)]
    limits = window.Limits(reversed(starts))
    for attempt in range(len(steps) + 3):
        assert limits.below(attempt) == min((step for later, step in starts if later > attempt), default=math.inf)
