"""When queued jobs are likely to begin and end, from how long jobs like them took."""

from __future__ import annotations

from neatd.rules.durations import LAST, Coming, Durations, Expected, Going, Like, expected
from neatd.store.queuelist import program_of

A, B = Like("a.py", "default"), Like("b.py", "default")


def test_the_median_of_the_last_ones_counts() -> None:
    """Older ones do not, nor one that took long once; another group's jobs are better than none."""
    known = Durations([*((A, seconds) for seconds in (10, 500, 12)), *[(A, 11)] * (LAST - 3), (A, 9999)])
    assert known.of(A) == 11
    assert known.of(Like("a.py", "sweep")) == 11 and known.of(B) is None


def test_jobs_follow_each_other_on_the_slots() -> None:
    """Two slots, one taken for 40 s more: the next begin as slots get free."""
    known = Durations([(A, 100.0)])
    queue = [Coming(str(n), A, "cpu") for n in range(4)]
    found = expected(known, [Going("r", A, "cpu", 940.0)], queue, {"cpu": 2}, 1000.0)
    assert found["r"] == Expected(940.0, 1040.0)
    assert [found[str(n)] for n in range(4)] == [
        Expected(1000.0, 1100.0), Expected(1040.0, 1140.0), Expected(1100.0, 1200.0), Expected(1140.0, 1240.0)
    ]  # fmt: skip


def test_what_is_unknown_makes_no_estimate_of_what_is_behind_it() -> None:
    """A job of a program that never ended well takes its slot for nobody knows how long; other slots go on."""
    known = Durations([(A, 100.0)])
    queue = [Coming("b", B, "cpu"), Coming("a", A, "cpu"), Coming("own", A, "g"), Coming("held", A, "g", False)]
    found = expected(known, [], queue, {"cpu": 1, "g": 1}, 0.0)
    assert found["b"] == Expected(0.0, None) and found["a"] == Expected(None, None)
    assert found["own"] == Expected(0.0, 100.0) and found["held"] == Expected(None, None)


def test_a_job_that_runs_longer_than_usual_ends_now() -> None:
    """Nobody knows better."""
    assert expected(Durations([(A, 5.0)]), [Going("r", A, "cpu", 0.0)], [], {}, 99.0)["r"].ends_at == 99.0


def test_a_job_that_comes_after_another_begins_when_that_ends() -> None:
    """Of a chain each; of one whose end is not known, none."""
    known = Durations([(A, 10.0)])
    queue = [Coming("1", A, "cpu"), Coming("2", A, "cpu", after=("1",)), Coming("3", A, "cpu", after=("?",))]
    found = expected(known, [], queue, {"cpu": 8}, 0.0)
    assert (found["1"].ends_at, found["2"].starts_at, found["3"].starts_at) == (10.0, 10.0, None)


def test_a_job_of_several_gpus_waits_for_all_of_them() -> None:
    """And one for which there are too few never begins."""
    known = Durations([(A, 10.0)])
    queue = [Coming("1", A, "gpu"), Coming("2", A, "gpu", takes=2), Coming("3", A, "gpu", takes=3)]
    found = expected(known, [], queue, {"gpu": 2}, 0.0)
    assert found["2"] == Expected(10.0, 20.0) and found["3"] == Expected(None, None)


def test_jobs_are_alike_by_their_program() -> None:
    """The script, the module, else the first word."""
    begin = '["/x/python", "src/train.py"'
    assert program_of(begin) == begin
    assert program_of('["uv", "run", "-m", "pkg.train", "--x"]') == '"pkg.train"'
    assert program_of('["true"]') == program_of('["true", "now"]') == '"true"'
