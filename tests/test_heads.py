"""The head of a file is read when it may tell something new, and never beyond a budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.read.heads import Heads
from neatd.read.listing import listed
from neatd.read.sniff import HEAD_BYTES

CSV = "step,loss\n1,2.5\n"


class Counting(Heads):
    """Heads that count how many were read."""

    reads = 0

    def _may_read(self) -> bool:
        self.reads += 1
        return super()._may_read()


def ask(heads: Heads, path: Path) -> str | None:
    """The format of the file, as a walk asks."""
    listing = listed(str(path.parent), ("a",))
    assert listing is not None
    return next(heads.format_of(one) for one in listing.files if one.name == path.name)


@pytest.fixture
def heads() -> Counting:
    made = Counting()
    made.begin(seconds=60.0)
    return made


def test_a_yes_holds_while_the_file_grows(tmp_path: Path, heads: Counting) -> None:
    """It is not read again; another file under its name is."""
    path = tmp_path / "x.csv"
    path.write_text(CSV)
    assert [ask(heads, path), ask(heads, path)] == ["csv", "csv"]
    with path.open("a") as file:
        file.write("2,2.4\n" * 5000)
    assert (ask(heads, path), heads.reads) == ("csv", 1)
    other = tmp_path / "other"
    other.write_text("id,name\n1,x\n")
    other.replace(path)
    assert (ask(heads, path), heads.reads) == (None, 2)


def test_a_no_is_asked_again_at_each_change_of_a_small_file(tmp_path: Path, heads: Counting) -> None:
    """And not without one; an empty file is not read at all."""
    path = tmp_path / "x.csv"
    path.write_text("")
    assert (ask(heads, path), heads.reads) == (None, 0)
    path.write_text("step,loss\n")
    assert not heads.knows(str(path))
    assert ([ask(heads, path) for _ in range(3)], heads.reads) == ([None] * 3, 1)
    assert heads.knows(str(path))
    path.write_text(CSV)
    assert (ask(heads, path), heads.reads) == ("csv", 2)


def test_a_no_costs_a_dozen_reads_in_a_files_life(tmp_path: Path, heads: Counting) -> None:
    """At each doubling up to the bytes that are looked at, then never."""
    path = tmp_path / "server.log"
    for size in range(5000, 2 * HEAD_BYTES, 1000):
        path.write_bytes(b"GET /index\n" * (size // 11))
        assert ask(heads, path) is None
    assert heads.reads <= 6
    path.write_bytes(b"GET /index\n" * HEAD_BYTES)
    assert ask(heads, path) is None and heads.reads <= 6


def test_the_number_of_answers_is_bounded_and_those_of_files_that_went_are_dropped(tmp_path: Path) -> None:
    """What is too much is said, and passed over."""
    heads = Heads(most=2)
    heads.begin()
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text(CSV)
    assert [ask(heads, tmp_path / name) for name in ("a.csv", "b.csv", "c.csv")] == ["csv", "csv", None]
    assert heads.is_full and len(heads) == 2
    heads.begin()
    assert ask(heads, tmp_path / "b.csv") == "csv"
    heads.forget_unseen()
    assert len(heads) == 1 and ask(heads, tmp_path / "c.csv") == "csv" and not heads.is_full


def test_without_a_budget_nothing_new_is_read_and_what_is_known_stays(tmp_path: Path, heads: Counting) -> None:
    """Neither beyond the number of reads nor beyond the time."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(CSV)
    assert ask(heads, tmp_path / "a.csv") == "csv"
    for budget in ((0, 60.0), (100, -1.0)):
        heads.begin(*budget)
        assert [ask(heads, tmp_path / name) for name in ("a.csv", "b.csv")] == ["csv", None]
        assert heads.is_short and heads.is_spent
    heads.begin()
    assert ask(heads, tmp_path / "b.csv") == "csv" and not heads.is_short
