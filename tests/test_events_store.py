"""Events: once each, with the judged position and the snapshots they ask for in one transaction."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.models import Run, Verdict
from neatd.pipeline.protecting import latest_step
from neatd.store import events
from neatd.store.connection import transaction
from tests.store_rows import AT, PROJECT, add_run, open_store

SOURCE = "metrics.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_store(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def run(store: sqlite3.Connection) -> Run:
    return add_run(store)


def verdict(step: int = 250, **fields: object) -> Verdict:
    """A spike of train/loss; fields override."""
    known = {
        "rule": "loss-spike", "condition": "spike", "metric": "train/loss", "seq": step, "attempt": 1, "step": step,
        "time": None, "value": 7.25, "score": 9.5, "threshold": 6.0, "severity": "critical", "message": "it jumped",
        "window": ((249, 1.5), (248, math.nan)), "then": ("event", "snapshot"),
    }  # fmt: skip
    return Verdict.model_validate(known | fields)


def judge(store: sqlite3.Connection, run: Run, *verdicts: Verdict, seq: int = 250) -> int:
    """Write a turn of judging; returns how many events are new."""
    with transaction(store):
        return events.write_judging(store, run, SOURCE, "reading-1", seq, {"spike": {"n": math.nan}}, verdicts, AT)


def test_judging_comes_back_as_it_was_written(store: sqlite3.Connection, run: Run) -> None:
    """Position and detectors' state, NaN among it; ("", 0) and None before the first."""
    assert (events.judged_position(store, run.id, SOURCE), events.judged_state(store, run.id, SOURCE)) == (
        ("", 0),
        None,
    )
    judge(store, run)
    judge(store, run, seq=300)
    assert events.judged_position(store, run.id, SOURCE) == ("reading-1", 300)
    state = events.judged_state(store, run.id, SOURCE)
    assert state is not None and math.isnan(state["spike"]["n"])


def test_an_event_holds_what_the_verdict_said(store: sqlite3.Connection, run: Run) -> None:
    """Numbers exactly, the window in its details, and a snapshot that waits."""
    assert judge(store, run, verdict()) == 1
    (event,) = events.events(store)
    assert event == events.get_event(store, event.id)
    assert (event.run_id, event.project_id, event.rule, event.metric, event.step) == (
        run.id, PROJECT, "loss-spike", "train/loss", 250,
    )  # fmt: skip
    assert (event.value, event.score, event.threshold, event.severity, event.started_at) == (
        7.25,
        9.5,
        6.0,
        "critical",
        AT,
    )
    assert event.details["window"] == [[249, 1.5], [248, "NaN"]] and event.details["condition"] == "spike"
    (snapshot,) = events.snapshots(store)
    assert (snapshot.event_id, snapshot.run_id, snapshot.status) == (event.id, run.id, "pending")


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e-320, 0.1, 1.7976931348623157e308])
def test_a_value_comes_back_exactly(store: sqlite3.Connection, run: Run, value: float) -> None:
    """Infinities too, which JSON and SQLite's own text would lose."""
    judge(store, run, verdict(value=value, score=None))
    (event,) = events.events(store)
    assert (event.value, event.score) == (value, None)


def test_nan_comes_back_as_nan(store: sqlite3.Connection, run: Run) -> None:
    """It is what most anomalies are about."""
    judge(store, run, verdict(value=math.nan))
    value = events.events(store)[0].value
    assert value is not None and math.isnan(value)


def test_the_same_verdict_again_is_no_second_event(store: sqlite3.Connection, run: Run) -> None:
    """A file that is read anew, as another attempt and by other numbers of lines, says nothing new."""
    judge(store, run, verdict(value=math.nan, time=1767323045.0))
    assert judge(store, run, verdict(value=math.nan, time=1767323045.0, seq=900, attempt=2), seq=900) == 0
    assert (len(events.events(store)), len(events.snapshots(store))) == (1, 1)


@pytest.mark.parametrize(
    "other", [{"step": 251}, {"value": 7.5}, {"rule": "nan"}, {"metric": "val/loss"}, {"time": 9.0}]
)
def test_a_verdict_that_differs_is_an_event_of_its_own(
    store: sqlite3.Connection, run: Run, other: dict[str, object]
) -> None:
    """By step, value, rule, metric or time."""
    assert judge(store, run, verdict(), verdict(**other)) == 2


def test_no_snapshot_is_asked_for_that_the_rule_does_not_want(store: sqlite3.Connection, run: Run) -> None:
    """A best value is an event only."""
    judge(store, run, verdict(then=("event",), goal="min"))
    assert events.snapshots(store) == [] and events.events(store)[0].details["goal"] == "min"


def test_position_events_and_snapshots_are_all_there_or_none(store: sqlite3.Connection, run: Run) -> None:
    """A failure at the last of them takes the turn back, and judging it again tells each event once."""
    judge(store, run, seq=5)
    store.execute("CREATE TRIGGER full BEFORE UPDATE ON judging BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        judge(store, run, verdict(), verdict(300))
    assert (events.events(store), events.snapshots(store)) == ([], [])
    assert events.judged_position(store, run.id, SOURCE) == ("reading-1", 5)
    store.execute("DROP TRIGGER full")
    assert judge(store, run, verdict(), verdict(300)) == 2


@pytest.mark.parametrize(
    ("time", "at"),
    [(1767323045.0, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)), (0.0, AT), (-5.0, AT), (1e12, AT), (math.nan, AT)],
)
def test_an_event_is_dated_by_its_line_where_that_is_a_date(
    store: sqlite3.Connection, run: Run, time: float, at: datetime
) -> None:
    """Seconds since the start of the run, or nonsense, are no date: when the line was seen is."""
    judge(store, run, verdict(time=time))
    assert events.events(store)[0].started_at == at


def test_a_mishap_is_kept_once_by_its_key(store: sqlite3.Connection, run: Run) -> None:
    """The daemon meets the same bad line at every look."""
    told = [events.add_mishap(store, "unreadable-line", "line 3", "key", run_id=run.id) for _ in range(2)]
    assert told == [True, False]
    assert [(one.rule, one.message, one.severity) for one in events.events(store, run_id=run.id)] == [
        ("unreadable-line", "line 3", "warning")
    ]


def test_events_are_listed_newest_first_within_limits(store: sqlite3.Connection, run: Run) -> None:
    """By project or run, and no more than asked for."""
    other = add_run(store, "runs/b")
    judge(store, run, verdict(1, time=1000.0), verdict(2, time=3000.0))
    judge(store, other, verdict(3, time=2000.0))
    assert [one.step for one in events.events(store, PROJECT)] == [2, 3, 1]
    assert [one.step for one in events.events(store, run_id=run.id, limit=1)] == [2]
    assert events.events(store, "another") == []


def test_snapshots_count_by_status_and_bytes(store: sqlite3.Connection, run: Run) -> None:
    """Only those that are done take room."""
    judge(store, run, verdict(1), verdict(2))
    one, two = events.snapshots(store, run_id=run.id)
    events.set_snapshot(store, one.id, status="done", mode="copy", size_bytes=70, path="snapshots/x")
    events.set_snapshot(store, two.id, status="failed", size_bytes=30, reason="disk full")
    assert events.snapshot_bytes(store, PROJECT) == 70
    assert [found.id for found in events.snapshots(store, PROJECT, status="done")] == [one.id]
    assert events.snapshots(store, status="pending") == []


def test_a_checkpoint_is_kept_from_before_the_first_of_several_points(store: sqlite3.Connection, run: Run) -> None:
    """What was saved while it went on is no recovery point."""
    judge(store, run, verdict(details={"since_step": 244}))
    (event,) = events.events(store)
    assert event.step == 250 and latest_step(event) == 243
