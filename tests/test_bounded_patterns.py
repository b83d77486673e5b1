"""What a project's own patterns may cost, and that a log that proves them slow goes on without them."""

from __future__ import annotations

import json
import time
from itertools import count

import pytest

from neatd.errors import ConfigError
from neatd.read.formats.patterns import Pattern, fits
from neatd.read.formats.saferegex import compiled
from neatd.read.formats.textlog import LONGEST_LINE, feed, feeder
from tests.cost import at_most

SLOW = [
    r"(?P<l>.*)(?P<m>.{0,80})z",
    r"(?P<l>.*)(?P<d>\d+)x",
    r"(?P<l>[^;]*)(?:ab?)?(?P<q>\d+)x",
    r"(?i)(?P<l>[a-z]+)[A-Z]+[a-z]+[A-Z]+!",
]


@pytest.mark.parametrize("regex", SLOW)
def test_a_pattern_that_takes_a_second_for_one_line_is_refused(regex: str) -> None:
    """One that is begun at every place of what it takes itself is as slow as one that ends at every place."""
    with pytest.raises(ConfigError, match="multiply"):
        compiled(regex)


def test_a_pattern_that_proves_slow_is_switched_off_and_said() -> None:
    """Once for the log, over feeds, until it is another pattern; neat's own readers go on."""
    ticks = count(step=0.2)
    slow = Pattern(name="slow", regex=r"n=(?P<n>\d+)")
    feed_log = feeder((slow,), lambda: next(ticks))
    first = feed_log(b"n=1\nn=2\nn=3\nstep 4 loss 0.5\n", {}, 0, "")
    assert [row.values for row in first.rows][:2] == [{"n": 1.0}, {"n": 2.0}] and first.rows[-1].values == {"loss": 0.5}
    assert [bad.why for bad in first.bad] == ["pattern 'slow' is too slow for this log: switched off"]
    state = json.loads(json.dumps(first.state))
    later = feeder((slow,), lambda: next(ticks))(b"n=5\n", state, first.seq, "")
    assert (
        not any("n" in row.values for row in later.rows)
        and not later.bad
        and later.state["patterns_off"] == [slow.regex]
    )
    mended = Pattern(name="slow", regex=r"^n=(?P<n>\d+)")
    assert feeder((mended,))(b"n=5\n", state, first.seq, "").rows[0].values == {"n": 5.0}


def test_a_plain_pattern_is_never_too_slow() -> None:
    """What it may take grows with the log: a megabyte of lines that it fits, and one of lines that it does not."""
    plain = Pattern(name="mine", regex=r"gen (?P<step>\d+), .*best (?P<best>[\d.]+)")
    lines = [f"gen {n}, mean 0.25, best 0.{n:05}\nevaluating the population of generation {n}\n" for n in range(12_000)]
    # A clock at a quarter of its pace: how slow the machine is, and what its collector does, says nothing of the pattern.
    fed = feeder((plain,), lambda: time.thread_time() / 4)("".join(lines).encode(), {}, 0, "")
    assert len(fed.rows) == 12_000 and not fed.bad and "patterns_off" not in fed.state


def test_the_head_of_a_log_is_tried_for_a_second_at_most() -> None:
    """However many patterns there are."""
    given = tuple(Pattern(name="x", regex=rf"(?P<l>.*)z{n}") for n in range(50))
    with at_most(3):
        assert not fits(given, "a.log", (b"a" * 999 + b"\n") * 16)
    assert fits(given, "a.log", b"plain words\n1y7\n") is False
    assert fits((Pattern(name="x", regex=r"e=(?P<l>\d+)"),), "a.log", b"plain words\ne=7\n")


@pytest.mark.parametrize("size", [1 << 20, 70_000, 1000])
@pytest.mark.parametrize("words", [b"", b" loss 0.5 step 3 "])
def test_a_line_that_is_too_long_is_counted_once_however_it_is_cut(words: bytes, size: int) -> None:
    """The rows around it are read."""
    data = b"step 1 loss 0.5\n" + b"x" * (LONGEST_LINE + 10_000) + words + b"\nstep 2 loss 0.25\n"
    state, seq, held, rows, bad = {}, 0, b"", [], []
    for at in range(0, len(data), size):
        held += data[at : at + size]
        fed = feed(held, state, seq, "")
        held, state, seq = held[fed.consumed :], fed.state, fed.seq
        rows += [row.step for row in fed.rows]
        bad += [one.why for one in fed.bad]
    assert rows == [1, 2] and bad == ["longer than 64 kB"]
