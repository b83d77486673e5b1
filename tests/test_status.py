"""A run's status: what is called what, on which evidence, and that the reason says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.models import ENDED
from neatd.rules.status import Patience, RunFacts, run_status

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE = Patience(stall_s=60.0, lost_s=1800.0)


def facts(silence_s: float = 1.0, **fields: Any) -> RunFacts:
    """A run at step 400 of 1000 whose last line came `silence_s` ago, one line a second."""
    base = RunFacts(
        has_points=True,
        last_step=400,
        planned_steps=1000,
        last_line_at=NOW - timedelta(seconds=silence_s),
        usual_gap_s=1.0,
    )
    return base._replace(**fields)


def status(silence_s: float = 1.0, **fields: Any) -> str:
    return run_status(facts(silence_s, **fields), PATIENCE, NOW)[0]


def reason(silence_s: float = 1.0, **fields: Any) -> str:
    return run_status(facts(silence_s, **fields), PATIENCE, NOW)[1]


@pytest.mark.parametrize("ending", sorted(ENDED))
def test_a_jobs_ending_is_taken_as_it_is(ending: str) -> None:
    """The shim saw the exit code: its word counts over silence, steps and processes, and its reason is kept."""
    said = {"job_status": ending, "job_reason": "exit code 3", "pid": 7}
    assert run_status(facts(5000, **said), PATIENCE, NOW) == (ending, "exit code 3 at step 400")
    assert run_status(facts(0, **said, is_alive=True), PATIENCE, NOW)[0] == ending


def test_a_job_that_ended_before_its_first_line_says_so() -> None:
    """There is no step to name."""
    assert reason(job_status="failed", job_reason="exit code 1", last_step=None, has_points=False) == (
        "exit code 1 before its first line"
    )


def test_a_live_process_that_writes_runs() -> None:
    """Process and lines: running, with the pid as the reason."""
    assert run_status(facts(pid=7, is_alive=True), PATIENCE, NOW) == ("running", "process 7 runs")


def test_a_live_process_without_a_line_is_starting() -> None:
    """Loading data may take an hour: without a first line nothing is a stall."""
    assert status(7200, pid=7, is_alive=True, has_points=False, last_step=None) == "starting"


def test_a_queued_job_without_pid_is_starting() -> None:
    """A job that waits for its turn is alive, though no process is."""
    assert run_status(facts(job_status="queued", has_points=False), PATIENCE, NOW) == (
        "starting", "its job runs; no line yet",
    )  # fmt: skip


def test_a_silent_live_process_is_stalled() -> None:
    """It stands, but it is there: never lost."""
    assert status(61, pid=7, is_alive=True) == "stalled"
    assert status(1e6, pid=7, is_alive=True) == "stalled"


def test_silence_is_measured_in_the_runs_own_pace() -> None:
    """A run with a line every ten seconds is not stalled by a minute without one, but by twenty of its gaps."""
    assert status(199, pid=7, is_alive=True, usual_gap_s=10.0) == "running"
    assert status(201, pid=7, is_alive=True, usual_gap_s=10.0) == "stalled"
    assert status(59, pid=7, is_alive=True, usual_gap_s=0.001) == "running"


def test_a_process_that_ended_short_of_the_plan_is_lost() -> None:
    """Nobody saw the exit code, so it is neither finished nor failed, however quick it was."""
    assert status(1, pid=7) == "lost"
    assert "process 7 has ended at step 400 of 1000; its exit code was not visible" in reason(1, pid=7)


@pytest.mark.parametrize(
    ("last_step", "expected"), [(998, "lost"), (999, "finished"), (1000, "finished"), (1001, "finished")]
)
def test_a_process_that_ended_at_the_planned_step_finished(last_step: int, expected: str) -> None:
    """A trainer that counts from 0 ends at 999 of 1000; one step earlier is not the plan."""
    assert status(pid=7, last_step=last_step) == expected


def test_without_a_plan_nothing_finishes_by_its_steps() -> None:
    """No planned number, no evidence of an end."""
    assert status(pid=7, planned_steps=None) == "lost"
    assert status(5000, planned_steps=None) == "lost"


def test_lines_without_a_visible_process_are_a_run() -> None:
    """A trainer on another machine, over a shared folder."""
    assert status(1) == "running"
    assert status(1, has_points=False, last_step=None) == "starting"


def test_silence_without_a_process_is_stalled_then_lost() -> None:
    """First doubt, then half an hour later the end."""
    assert status(61) == "stalled"
    assert status(1799) == "stalled"
    assert status(1801) == "lost"


def test_a_run_without_process_that_reached_its_plan_and_rests_finished() -> None:
    """While lines still come it is running, even past the plan; it does not take a stall to say that they ended."""
    assert status(1, last_step=1000) == "running"
    assert status(4, last_step=1000) == "running" and status(6, last_step=1000) == "finished"
    assert status(20, last_step=999, usual_gap_s=10.0) == "running"
    assert status(31, last_step=999, usual_gap_s=10.0) == "finished"


def test_a_slow_run_is_not_lost_between_two_of_its_lines() -> None:
    """A line every 200 s: 3,000 s of silence are no end yet, though patience alone would say so."""
    assert status(3000, usual_gap_s=200.0) == "running"
    assert status(4001, usual_gap_s=200.0) == "lost"


ANY = st.builds(
    facts,
    silence_s=st.floats(-10, 1e7),
    has_points=st.booleans(),
    last_step=st.none() | st.integers(0, 2000),
    planned_steps=st.none() | st.integers(1, 2000),
    usual_gap_s=st.floats(0, 1e4),
    pid=st.none() | st.just(7),
    is_alive=st.booleans(),
    job_status=st.sampled_from([None, None, "queued", "running", *sorted(ENDED)]),
    job_reason=st.just("exit code 1"),
)


@given(ANY)
def test_an_ending_always_has_evidence(some: RunFacts) -> None:
    """Failed, killed and interrupted need a job's word; finished needs it or the planned step; a live process never ended."""
    found, why = run_status(some, PATIENCE, NOW)
    if some.job_status in ENDED:
        assert found == some.job_status
        return
    assert found not in ("failed", "killed", "interrupted")
    if found == "finished":
        assert (
            some.last_step is not None and some.planned_steps is not None and some.last_step >= some.planned_steps - 1
        )
    if (some.is_alive and some.pid is not None) or some.job_status in ("queued", "running"):
        assert found not in ENDED
    assert why and why == why.strip()


@given(ANY, st.floats(0, 1e7))
def test_a_reason_stays_true_while_nothing_happens(some: RunFacts, later_s: float) -> None:
    """As long as the status is the same, the reason is too: it holds times and no durations, so no row is rewritten."""
    first = run_status(some, PATIENCE, NOW)
    later = run_status(some, PATIENCE, NOW + timedelta(seconds=later_s))
    assert later[0] != first[0] or later == first


# ---- more evidence ----


def test_a_stall_says_since_when_against_what_and_who_is_alive() -> None:
    """The usual gap and the longest pause are what the silence is measured against."""
    why = reason(400, pid=812, is_alive=True, usual_gap_s=12.0, longest_pause_s=95.0)
    assert why == "silent since 2026-03-01 11:53:20 UTC; usual gap 12 s, longest 95 s; process 812 alive"
    assert reason(61, pid=7, is_alive=True, usual_gap_s=0.0) == "silent since 2026-03-01 11:58:59 UTC; process 7 alive"


def test_a_pause_that_comes_back_is_no_stall() -> None:
    """Three times the longest one, or the limit that was learnt for the source."""
    assert status(284, pid=7, is_alive=True, longest_pause_s=95.0) == "running"
    assert status(286, pid=7, is_alive=True, longest_pause_s=95.0) == "stalled"
    assert status(599, silence_limit_s=600.0) == "running"


def test_silence_alone_is_never_a_crash() -> None:
    """A process that lives has not ended, though its log ends with a traceback: another rank may have died."""
    assert status(1e6, pid=7, is_alive=True, has_traceback=True) == "stalled"
    assert "traceback" in reason(1e6, pid=7, is_alive=True, has_traceback=True)
    assert status(1e6, pid=7, is_alive=True, told_status="failed", oom_kills=3) == "stalled"


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, "finished"), (1, "failed"), (255, "failed"), (130, "interrupted"), (137, "killed"), (-9, "killed")],
)
def test_a_trackers_record_of_the_end_counts_at_once(code: int, expected: str) -> None:
    """Also while the process lives on, as a notebook's does."""
    assert status(1, pid=7, is_alive=True, told_exit_code=code) == expected
    assert status(1, told_exit_code=code) == expected
    assert f"exit code {code} at step 400" in reason(told_exit_code=code)


@pytest.mark.parametrize("told", ["finished", "failed", "killed"])
def test_a_trackers_word_counts_once_the_process_is_gone(told: str) -> None:
    """While it is there, or while lines still come, it may be the word of a run before."""
    assert status(1, pid=7, told_status=told) == told
    assert status(1, pid=7, is_alive=True, told_status=told) == "running"
    assert status(1, told_status=told) == "running" and status(61, told_status=told) == told
    assert reason(1, pid=7, told_status=told).startswith(f"its tracker says {told}; process 7 has ended at step 400")


def test_a_tracker_that_says_running_says_nothing() -> None:
    """A killed run stays RUNNING in many a tracker for ever."""
    assert status(1, pid=7, told_status="running") == "lost"


def test_a_process_that_vanished_as_the_kernel_killed_for_memory_was_killed() -> None:
    """Its control group counted; one that had reached its plan had ended by then."""
    assert status(1, pid=7, oom_kills=1) == "killed"
    assert "out-of-memory killer struck in its control group (1 killed)" in reason(1, pid=7, oom_kills=1)
    assert status(1, pid=7, oom_kills=1, last_step=999) == "finished"


def test_a_traceback_at_the_end_of_the_log_is_a_failure() -> None:
    """It says more than the tracker, which calls every end finished, and than a kill, which may have struck a worker."""
    assert status(1, pid=7, has_traceback=True) == "failed"
    assert status(1, pid=7, has_traceback=True, told_status="finished", last_step=1000) == "failed"
    assert status(61, has_traceback=True) == "failed" and status(1, has_traceback=True) == "running"
    why = reason(1, pid=7, has_traceback=True, oom_kills=1)
    assert why.startswith("its log ends with a Python traceback") and "killed 1 for memory" in why


def test_a_job_that_was_killed_for_memory_says_so() -> None:
    """The shim saw the signal, the kernel's count says whose it was; an ending by itself has nothing to do with it."""
    said = {"job_status": "killed", "job_reason": "signal 9", "oom_kills": 1}
    assert reason(**said) == "signal 9 at step 400; the kernel killed 1 for memory in its control group"
    assert reason(**said | {"job_status": "finished"}) == "signal 9 at step 400"


def test_a_failure_names_its_error() -> None:
    """The traceback's last line, the log it stands in and the step; Ctrl-C is no failure."""
    said: dict[str, Any] = {
        "has_traceback": True,
        "traceback": "IndexError: list index out of range",
        "traceback_log": "train.log",
    }
    assert run_status(facts(1, pid=7, **said), PATIENCE, NOW) == (
        "failed", "ended with IndexError: list index out of range in train.log at step 400; process 7 has ended",
    )  # fmt: skip
    assert reason(61, **said).startswith(
        "ended with IndexError: list index out of range in train.log at step 400; silent"
    )
    assert status(1, pid=7, **said | {"traceback": "KeyboardInterrupt"}) == "interrupted"
    assert reason(400, pid=7, is_alive=True, **said).endswith("traceback: IndexError: list index out of range")


def test_files_that_say_that_it_ended_well_are_evidence() -> None:
    """Over a kill that struck a worker, not over a traceback nor over a tracker that says it failed."""
    said: dict[str, Any] = {"ended_well": "train.log ends with 'Training complete'", "planned_steps": None}
    assert run_status(facts(1, pid=7, **said), PATIENCE, NOW) == (
        "finished", "train.log ends with 'Training complete'; process 7 has ended at step 400",
    )  # fmt: skip
    assert status(1, pid=7, **said, oom_kills=1) == "finished"
    assert status(1, pid=7, **said, has_traceback=True) == "failed"
    assert status(1, pid=7, **said, told_status="failed") == "failed"
    assert status(1, **said) == "running" and status(61, **said) == "finished"
    assert status(1e6, pid=7, is_alive=True, **said) == "stalled"


def test_a_tracker_that_wrote_when_it_ended_counts_at_once() -> None:
    """Also while the process lives on, as a notebook's does."""
    assert status(1, told_status="finished", has_told_end=True) == "finished"
    assert status(1, told_status="killed", has_told_end=True, pid=7, is_alive=True) == "killed"
    assert status(1, told_status="running", has_told_end=True) == "running"


def test_a_run_that_ended_before_neat_watched_is_lost_and_says_so() -> None:
    """Nobody knows how it ended."""
    assert run_status(facts(5000, was_seen=False), PATIENCE, NOW)[0] == "lost"
    assert reason(5000, was_seen=False).startswith(
        "it ended before neat watched; how is not known; silent since 2026-03-01"
    )
    assert status(5000, was_seen=False, last_step=1000) == "finished"


EVIDENCE = st.builds(
    lambda some, more: some._replace(**more),
    ANY,
    st.fixed_dictionaries(
        {},
        optional={
            "told_status": st.sampled_from(["finished", "failed", "killed", "running"]),
            "told_exit_code": st.sampled_from([0, 1, 130, 137]),
            "oom_kills": st.integers(0, 2),
            "has_traceback": st.booleans(),
            "longest_pause_s": st.floats(0, 1e4),
        },
    ),
)


@given(EVIDENCE)
def test_a_crash_needs_silence_or_a_dead_process_and_evidence(some: RunFacts) -> None:
    """Failed and killed are never said of a process that lives, nor without a word, a traceback or the kernel's count."""
    found, why = run_status(some, PATIENCE, NOW)
    assert why and why == why.strip()
    if some.job_status in ENDED or some.told_exit_code is not None:
        return
    if found in ("failed", "killed", "interrupted"):
        assert not some.is_alive or some.pid is None
        assert some.has_traceback or some.told_status == found or (found == "killed" and some.oom_kills)


@given(EVIDENCE, st.floats(0, 1e7))
def test_a_reason_with_evidence_stays_true_too(some: RunFacts, later_s: float) -> None:
    """It holds no durations since."""
    first = run_status(some, PATIENCE, NOW)
    later = run_status(some, PATIENCE, NOW + timedelta(seconds=later_s))
    assert later[0] != first[0] or later == first
