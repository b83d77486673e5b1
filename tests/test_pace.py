"""How fast a run goes and when it will be done, by the end of its series."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.models import AttemptStart, Cursor, Line, ProcessFact, Run
from neatd.pipeline.pace import going
from neatd.rules.eta import epoch_pairs, is_rising, last_gap, left_s
from neatd.rules.timing import pace_of
from neatd.store import points, sealing, window
from neatd.store.tails import densest, tail

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBERS = itertools.count()
Values = Callable[[int], dict[str, float]]


def run_of(status: str = "running", **fields: Any) -> Run:
    base = {"id": f"r-{next(NUMBERS)}", "project_id": "p", "root": "/p", "folder": "a", "name": "a", "status": status}
    moments = dict.fromkeys(("created_at", "started_at", "updated_at"), BEGAN)
    return Run.model_validate({**base, **moments, **fields})


def logged(
    db: sqlite3.Connection, run: Run, values: Values, count: int, step_s: float | None = 2.0, source: str = "metrics.jsonl"
) -> None:  # fmt: skip
    """`count` lines, one a step from 1 on, `step_s` apart; without times for None."""
    at = BEGAN.timestamp()
    lines = [
        Line(step, 1, step, None if step_s is None else at + step_s * step, values(step))
        for step in range(1, count + 1)
    ]
    points.commit_lines(db, run.id, source, Cursor(seq=count), lines, [], 1.0)


def loss(step: int) -> dict[str, float]:
    return {"loss": 1 / step}


def after(steps: float, step_s: float = 2.0) -> datetime:
    return BEGAN + timedelta(seconds=steps * step_s)


def test_the_time_left_is_the_steps_left_times_the_median(db: sqlite3.Connection) -> None:
    """A hundred steps of two seconds are done, fifty are left."""
    run = run_of(planned_steps=150)
    logged(db, run, loss, 100)
    found = going(db, run, after(100))
    assert found.pace is not None and (found.pace.step_s, found.pace.ratio) == (2.0, 1.0)
    assert found.eta_s == pytest.approx(100) and found.ends_at == after(150)


def test_while_the_next_step_does_not_come_the_rest_is_still_to_do(db: sqlite3.Connection) -> None:
    """Of the time since the last step no more than one step's is taken off."""
    run = run_of(planned_steps=150)
    logged(db, run, loss, 100)
    assert going(db, run, after(100.5)).eta_s == pytest.approx(99)
    assert going(db, run, after(5_000)).eta_s == pytest.approx(98)


@pytest.mark.parametrize("status", ["stalled", "finished", "failed"])
def test_only_what_goes_on_has_an_end(db: sqlite3.Connection, status: str) -> None:
    """An ended run has its pace, and no time left."""
    run = run_of(status, planned_steps=150)
    logged(db, run, loss, 100)
    found = going(db, run, after(100))
    assert found.pace is not None and found.eta_s is found.ends_at is None


def test_lines_without_times_have_no_pace(db: sqlite3.Connection) -> None:
    """Nothing is guessed."""
    run = run_of(planned_steps=150)
    logged(db, run, loss, 100, None)
    assert going(db, run, after(100)) == (None, None, None, None, None)


def test_the_densest_series_with_times_tells_the_pace(db: sqlite3.Connection) -> None:
    """Not an evaluation, not the machine's samples, not a denser one that tells no times."""
    run = run_of(planned_steps=3_000)
    logged(db, run, lambda step: {"a": 1.0}, 400, None, "no_times.csv")
    logged(db, run, lambda step: {"loss": 1.0, **({"val/loss": 1.0} if step % 50 == 0 else {})}, 300)
    logged(db, run, lambda step: {"system/rss_bytes": 1.0}, 500, 10.0, "system")
    assert densest(db, run.id) == ["no_times.csv:a", "metrics.jsonl:loss", "metrics.jsonl:val/loss"]
    found = going(db, run, after(300))
    assert found.pace is not None and found.pace.step_s == 2.0


@pytest.mark.parametrize(
    ("epoch", "left"),
    [
        (lambda step: step / 10, 50.0),  # in parts, as the Hugging Face trainer writes it: 10 of 15 are done
        (lambda step: (step - 1) // 10, 60.0),  # from 0: the tenth began at step 91
        (lambda step: (step - 1) // 10 + 1, 60.0),  # from 1
    ],
)
def test_epochs_tell_the_end_where_no_steps_are_planned(
    db: sqlite3.Connection, epoch: Callable[[int], float], left: float
) -> None:
    """Ten steps an epoch, a hundred done, fifteen epochs planned."""
    run = run_of(facts={"told": {"planned_epochs": 15.0}})
    logged(db, run, lambda step: {"loss": 1.0, "epoch": float(epoch(step))}, 100)
    found = going(db, run, after(100))
    assert found.eta_s == pytest.approx(100, abs=20)
    assert found.eta_s is not None and found.eta_s >= 2 * left - 20


def test_an_epoch_in_one_line_was_written_at_its_end() -> None:
    """Keras counts from 0, others from 1: after the third line three are done."""
    for first in (0, 1):
        rows = [(n, float(n + first), 100.0 * n) for n in range(3)]
        assert epoch_pairs(rows, float(first)) == [(1, 0.0), (2, 100.0), (3, 200.0)]


def test_trials_are_counted_from_zero(db: sqlite3.Connection) -> None:
    """Of forty trials the one numbered 29 is done: ten are left."""
    run = run_of(facts={"told": {"planned_trials": 40}})
    at = BEGAN.timestamp()
    lines = [Line(n + 1, 1, n, at + 60 * n, {"value": 1.0}) for n in range(30)]
    points.commit_lines(db, run.id, "study.db", Cursor(seq=30), lines, [], 1.0)
    assert going(db, run, BEGAN + timedelta(seconds=60 * 29)).eta_s == pytest.approx(600)


def test_a_restart_is_a_pace_of_its_own(db: sqlite3.Connection) -> None:
    """The night before the restart is no step."""
    run, at = run_of(planned_steps=200), BEGAN.timestamp()
    lines = [Line(step, 1, step, at + step, {"loss": 1.0}) for step in range(1, 101)]
    late = [Line(100 + n, 2, 50 + n, at + 30_000 + 4 * n, {"loss": 1.0}) for n in range(1, 31)]
    points.commit_lines(db, run.id, "m", Cursor(seq=130), [*lines, *late], [AttemptStart(2, 101, 51)], 1.0)
    found = going(db, run, BEGAN + timedelta(seconds=30_120))
    assert found.pace is not None and (found.pace.step_s, found.pace.last_step) == (4.0, 80)
    assert found.eta_s == pytest.approx(480)


def test_samples_and_tokens_a_second(db: sqlite3.Connection) -> None:
    """As a series tells it, as a count rises, or by the batch size that the parameters name."""
    told, counted, by_batch = run_of(), run_of(), run_of(
        config={"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2},
        process=ProcessFact(pid=1, started=1.0, env={"WORLD_SIZE": "4"}),
    )  # fmt: skip
    logged(db, told, lambda step: {"train_samples_per_second": 12.5, "tokens_per_sec": 900.0}, 10)
    logged(db, counted, lambda step: {"num_input_tokens_seen": 512.0 * step, "loss": 1.0}, 10)
    logged(db, by_batch, lambda step: {"loss": 1.0, "tokens": float(step % 3)}, 10)
    found = [going(db, run, after(10)) for run in (told, counted, by_batch)]
    rates = [(one.samples_per_s, one.tokens_per_s) for one in found]
    assert rates == [(12.5, 900.0), (None, pytest.approx(256)), (pytest.approx(32), None)]


def test_what_is_beyond_a_calendar_has_no_date(db: sqlite3.Connection) -> None:
    """Ten to the fifteenth steps."""
    run = run_of(planned_steps=10**15)
    logged(db, run, loss, 10)
    found = going(db, run, after(10))
    assert found.eta_s is not None and found.ends_at is None


def test_the_parts_of_an_end() -> None:
    """The last gap, what rises, and a pace whose end is past."""
    assert (last_gap([]), last_gap([(3, 1.0)]), last_gap([(10, 1.0), (20, 2.0), (20, 3.0)])) == (1.0, 1.0, 10)
    assert is_rising([(1, 0.0), (1, 1.0), (2, 2.0)]) and not is_rising([(1, 0.0), (1, 1.0)]) and not is_rising([(2, 0)])
    pace = pace_of([(1, 0.0), (2, 1.0), (3, 2.0)])
    assert pace is not None and left_s(pace, 3, 1, 100.0) == 0 and left_s(pace, 2, 1, 2.0) == 0


LINES = st.lists(st.tuples(st.sampled_from(["a", "ab", "b"]), st.floats(-9, 9)), min_size=1, max_size=300)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=LINES, cuts=st.lists(st.integers(1, 90), min_size=1, max_size=6), count=st.integers(1, 60), seal=st.booleans()
)
def test_the_tail_is_the_end_of_the_whole_series(
    db: sqlite3.Connection, lines: list[tuple[str, float]], cuts: list[int], count: int, seal: bool
) -> None:
    """Narrow or sealed, in lines of one shape or of several: the newest points, oldest first."""
    run, seq = f"r-{next(NUMBERS)}", 0
    made = [Line(n, 1, n, 1e9 + n, dict.fromkeys(names, value)) for n, (names, value) in enumerate(lines, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "LEAST_SEALED", 40)
        for size in itertools.cycle(cuts):
            if not made[seq : seq + size]:
                break
            part = made[seq : seq + size]
            seq += len(part)
            points.commit_lines(db, run, "m", Cursor(seq=seq), part, [], 1.0)
        if seal:
            sealing.seal(db, run, "m")
    for name in ("a", "b"):
        found, whole = tail(db, run, name, count), window.points_of(db, run, name)
        assert found == whole[-count:] if len(found) == min(count, len(whole)) else set(found) < set(whole)


def test_a_tail_has_what_is_not_finite_and_leaves_out_what_was_abandoned(db: sqlite3.Connection) -> None:
    """As the window has it."""
    run = f"r-{next(NUMBERS)}"
    first = [Line(n, 1, n, None, {"a": math.nan if n == 3 else 1.0}) for n in range(1, 6)]
    again = [Line(6, 2, 4, None, {"a": 2.0})]
    points.commit_lines(db, run, "m", Cursor(seq=6), [*first, *again], [AttemptStart(2, 6, 4)], 1.0)
    assert [(step, repr(value)) for step, value, _ in tail(db, run, "a", 9)] == [
        (1, "1.0"), (2, "1.0"), (3, "nan"), (4, "2.0")
    ]  # fmt: skip
    assert tail(db, run, "none", 9) == []


def test_lines_without_times_have_the_pace_by_which_they_arrived(db: sqlite3.Connection) -> None:
    """As the daemon kept it: thirty of a hundred steps are left, two seconds each. Times in the lines come before it."""
    at = after(70).timestamp()
    kept = {"step_s": 2.0, "last_step_s": 4.0, "pause_s": 0.0, "at_step": 70, "at_time": at, "gap": 5}
    run, timed = (run_of(planned_steps=100, facts={"pace": kept}) for _ in range(2))
    logged(db, run, loss, 70, None)
    logged(db, timed, loss, 70, 1.0)
    found = going(db, run, after(70))
    assert found.pace is not None and (found.pace.step_s, found.pace.ratio) == (2.0, 2.0)
    assert found.eta_s == pytest.approx(60) and going(db, run, after(5_000)).eta_s == pytest.approx(50)
    assert (one := going(db, timed, after(70)).pace) is not None and one.step_s == 1.0
