"""Which alerts make one message, and when: values in, values out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.actions.addresses import address, shown, without_address
from neatd.actions.alertplan import LONGEST_S, Waiting, again_at, due

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KINDS = (("team", "spike", "r-1"), ("team", "spike", "r-2"), ("mail", "spike", "r-1"))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_the_gravest_is_told_and_of_these_the_first() -> None:
    """The others are counted, and the message counts as the next try of the one that failed oftenest."""
    waiting = [
        Waiting(name, KINDS[0], gravity, tries, NOW) for name, gravity, tries in (("a", 1, 0), ("b", 2, 1), ("c", 2, 0))
    ]
    ((batch,), later) = due(waiting, [], NOW)
    assert (batch.told, batch.ids, batch.tries, later) == ("b", ("a", "b", "c"), 2, None)


def test_one_that_failed_and_the_quiet_time_hold_back_what_comes_after() -> None:
    """Of other kinds nothing is held back."""
    failed = Waiting("a", KINDS[0], 1, 1, after(30))
    fresh = Waiting("b", KINDS[0], 2, 0, NOW)
    other = Waiting("c", KINDS[1], 1, 0, NOW)
    batches, later = due([failed, fresh, other], [(KINDS[2], after(50))], NOW)
    assert [batch.ids for batch in batches] == [("c",)] and later == after(30)
    batches, later = due([Waiting("d", KINDS[2], 1, 0, NOW)], [(KINDS[2], after(50)), (KINDS[2], after(20))], NOW)
    assert batches == [] and later == after(50)


def test_tries_come_later_and_later_and_end() -> None:
    """30 seconds, 2 minutes, 10 minutes, an hour."""
    assert [again_at(tries, NOW) for tries in range(1, 6)] == [after(30), after(120), after(600), after(3600), None]


def test_a_clock_that_was_wrong_holds_nothing_back_for_ever() -> None:
    """A moment further off than a day was written by it."""
    batches, _ = due([Waiting("a", KINDS[0], 1, 1, after(LONGEST_S + 1))], [], NOW)
    assert len(batches) == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 3), st.integers(-100, 5000))))
def test_each_alert_is_in_one_message_now_or_later(drawn: list[tuple[tuple[str, str, str], int, int, int]]) -> None:
    """None is lost and none is told twice, and none comes before its time."""
    left = [Waiting(str(n), kind, gravity, tries, after(at)) for n, (kind, gravity, tries, at) in enumerate(drawn)]
    sent, now = list[str](), NOW
    while left:
        batches, later = due(left, [], now)
        assert batches or (later is not None and later > now)
        sent += [one for batch in batches for one in batch.ids]
        left = [one for one in left if one.id not in sent]
        now = later or now
    assert sorted(sent) == sorted(str(n) for n in range(len(drawn)))


def test_an_address_is_put_together_late_and_never_shown() -> None:
    """Variables stand as they are; what a service says loses every part of the address, however it is written."""
    url, missing = address("slack://${A}/${B}?x=${A}", {"A": "tok/en"})
    assert (url, missing) == ("slack://tok/en/?x=tok/en", ["B"])
    assert shown("slack://secret/${A}") == "slack://… $A" and shown("${WHOLE}") == "… $WHOLE"
    said = without_address(
        "no user pass%20word at host.example.org/T0KEN", "json://user:pass%20word@host.example.org/T0KEN"
    )
    assert said == "no … … at …/…"
