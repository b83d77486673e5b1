"""A file that is written anew goes on where it stood, or is another one: told early, and never wrongly."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from neatd.read.formats.csvlog import feed
from neatd.read.formats.replay import Chain, Followed, Replay, chain_of, chained, fingerprint, follow
from neatd.read.rows import Parsed
from tests.written_files import written

NUMBERS = st.floats(allow_nan=False) | st.sampled_from([0.0, 1.0, math.nan])  # one NaN: text has no other
VALUES = st.dictionaries(st.sampled_from("abcde"), NUMBERS, max_size=4)
ROW = st.builds(Parsed, st.just(0), st.integers(-(2**63) + 1, 2**63 - 1), st.none() | st.floats(0, 2e9), VALUES)
ROWS = st.lists(ROW, max_size=20)


def followed(old: list[Parsed], new: list[Parsed], pieces: list[int]) -> Followed:
    """The new generation in pieces, with the state kept as JSON text between them; all that is fresh together."""
    chain = chain_of(json.loads(json.dumps(chained(Chain(), old).as_state())))
    found = Followed(Replay(chain), "waiting", [])
    fresh: list[Parsed] = []
    start = 0
    for end in (*sorted(min(at, len(new)) for at in pieces), len(new)):
        found = follow(found.replay, new[start:end])
        fresh, start = fresh + found.fresh, end
        if found.verdict == "different":
            return found
    return found._replace(fresh=fresh)


def shuffled(row: Parsed) -> Parsed:
    """The same row as a header in another order gives it."""
    return row._replace(seq=row.seq + 7, values=dict(reversed(row.values.items())))


PIECES = st.lists(st.integers(0, 80), max_size=5)


@settings(deadline=None, max_examples=60)
@for_all(ROWS, ROWS, PIECES)
def test_appended_rows_are_fresh_and_no_others(old: list[Parsed], more: list[Parsed], pieces: list[int]) -> None:
    """With the columns in another order; the chain behind them is that of all rows."""
    found = followed(old, [*map(shuffled, old), *more], pieces)
    assert found.verdict == "same" and repr(found.fresh) == repr(more)
    assert found.replay.seen == chained(Chain(), [*old, *more])


@settings(deadline=None, max_examples=60)
@for_all(st.lists(ROW, min_size=1, max_size=20), st.integers(0, 19), ROW, ROWS, PIECES)
def test_a_changed_row_makes_another_file(
    old: list[Parsed], at: int, other: Parsed, more: list[Parsed], pieces: list[int]
) -> None:
    """Whichever it is, and whatever comes behind it; nothing of it was given as fresh."""
    at %= len(old)
    is_like = (other.step, other.time, repr(sorted(other.values.items()))) == (
        old[at].step, old[at].time, repr(sorted(old[at].values.items())),
    )  # fmt: skip
    found = followed(old, [*old[:at], other, *old[at + 1 :], *more], pieces)
    assert found.verdict == ("same" if is_like else "different")
    assert is_like or not found.fresh


@settings(deadline=None, max_examples=60)
@for_all(st.lists(ROW, min_size=1, max_size=20), st.integers(0, 19), PIECES)
def test_fewer_rows_that_are_alike_are_waited_for(old: list[Parsed], left: int, pieces: list[int]) -> None:
    """A rewrite is not atomic: whether it ends here, only time tells."""
    found = followed(old, old[: left % len(old)], pieces)
    assert (found.verdict, found.fresh) == ("waiting", [])


@settings(deadline=None, max_examples=60)
@for_all(ROWS, PIECES)
def test_pieces_change_no_chain(rows: list[Parsed], pieces: list[int]) -> None:
    """Nor does keeping it as JSON."""
    chain, start = Chain(), 0
    for end in (*sorted(min(at, len(rows)) for at in pieces), len(rows)):
        chain, start = chain_of(json.loads(json.dumps(chained(chain, rows[start:end]).as_state()))), end
    assert chain == chained(Chain(), rows)


def test_a_new_run_of_another_seed_is_told_by_its_first_row() -> None:
    """Although the old file had a thousand."""
    old = [Parsed(at, at, None, {"loss": 1 / at}) for at in range(1, 1001)]
    assert follow(Replay(chained(Chain(), old)), [Parsed(1, 1, None, {"loss": 0.9})]).verdict == "different"


def test_a_divergence_is_told_before_the_rows_are_twice_as_many() -> None:
    """Row 101 is another one: row 128 tells, of a thousand."""
    old = [Parsed(at, at, None, {"loss": 1 / at}) for at in range(1, 1001)]
    new = [row if row.seq != 101 else row._replace(step=0) for row in old]
    assert follow(Replay(chained(Chain(), old)), new[:127]).verdict == "waiting"
    assert follow(Replay(chained(Chain(), old)), new[:128]).verdict == "different"


@pytest.mark.parametrize("at", range(11))
def test_each_row_is_compared_up_to_the_last(at: int) -> None:
    """Those behind the last power of two as well."""
    old = [Parsed(seq, seq, None, {"loss": 1 / seq}) for seq in range(1, 12)]
    new = [row._replace(values={"loss": 7.0}) if row is old[at] else row for row in old]
    assert follow(Replay(chained(Chain(), old)), new).verdict == "different"


def test_the_state_stays_small() -> None:
    """However many rows there were."""
    chain = chained(Chain(), (Parsed(at, at, None, {"a": 1.0}) for at in range(5000)))
    assert len(chain.marks) == 13 and len(json.dumps(chain.as_state())) < 600


@pytest.mark.parametrize("value", [0.0, -0.0, math.nan, math.inf, 5e-324])
def test_every_bit_of_a_value_counts(value: float) -> None:
    """NaN is like itself; and a value is not like the same one under another name."""
    row = Parsed(1, 1, None, {"a": value})
    assert fingerprint("", row) == fingerprint("", row._replace(values={"a": float(repr(value))}))
    others = [
        row._replace(values={"b": value}),
        row._replace(values={"a": 1.0}),
        row._replace(time=0.0),
        row._replace(step=2),
    ]
    assert len({fingerprint("", one) for one in (row, *others)}) == 5


@pytest.mark.parametrize("name", ["metrics", "progress"])
def test_what_lightning_and_stable_baselines_rewrite_is_the_same(name: str) -> None:
    """Each state of a file against each later one, over the rewrite that brought a new column."""
    library, pattern = ("lightning", "**/version_0") if name == "metrics" else ("stable-baselines3", ".")
    for case in written(library):
        folder = next(iter(case.glob(pattern))) if name == "metrics" else case
        paths = [*sorted(folder.glob(f"{name}-*.csv")), folder / f"{name}.csv"]
        states = [list(feed(path.read_bytes(), {}, 0, "").rows) for path in paths]
        headers = [path.read_bytes().split(b"\n")[0] for path in paths]
        assert len(set(headers)) > 1
        for at, old in enumerate(states):
            for new in states[at:]:
                found = follow(Replay(chained(Chain(), old)), new)
                assert found.verdict == "same" and repr(found.fresh) == repr(new[len(old) :])


def test_a_resumed_lightning_run_is_another_file() -> None:
    """Should it have been written over the first one."""
    for case in written("lightning"):
        first, second = (
            feed((case / f"lightning_logs/version_{at}/metrics.csv").read_bytes(), {}, 0, "").rows for at in (0, 1)
        )
        assert follow(Replay(chained(Chain(), first)), list(second)).verdict == "different"
