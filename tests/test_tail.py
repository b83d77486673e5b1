"""Tail: every line of a file exactly once, whatever the writes, the budgets and the restarts in between."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.models import Cursor
from neatd.read import tail
from neatd.read.rows import Fed
from neatd.read.tail import Turn, read_turn

BUDGET = 1 << 16
LIMIT = 40  # bytes: what the tests with long lines set as the longest line


def turns(path: Path, cursor: Cursor, budget: int = BUDGET, take_tail: bool = False) -> Iterator[Turn]:
    """Turns until nothing is left, the cursor kept as text in between, as over a restart."""
    has_more = True
    while has_more:
        turn = read_turn(path, Cursor.model_validate_json(cursor.model_dump_json()), budget, take_tail)
        cursor, has_more = turn.cursor, turn.has_more
        yield turn


def read_all(path: Path, cursor: Cursor, budget: int = BUDGET, take_tail: bool = False) -> tuple[list[bytes], Cursor]:
    """What is left to read of the file, and the cursor after it."""
    found = list(turns(path, cursor, budget, take_tail))
    return [line for turn in found for _, line in turn.lines], found[-1].cursor


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    path.touch()
    return path


@pytest.fixture
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LONGEST_LINE", LIMIT)


LINES = st.lists(st.binary(max_size=2 * LIMIT).map(lambda line: line.replace(b"\n", b" ")), max_size=12)
BUDGETS = st.lists(st.integers(1, 100), min_size=1, max_size=8)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=LINES, cuts=st.lists(st.integers(0, 600), max_size=8), budgets=BUDGETS)
def test_any_content_is_read_exactly_once(lines: list[bytes], cuts: list[int], budgets: list[int]) -> None:
    """Lines, their numbers and the count of overlong ones depend on the content alone, not on how it came."""
    content = b"".join(line + b"\n" for line in lines)
    numbered = list(enumerate((line for line in lines if line.strip()), start=1))
    found: list[tuple[int, bytes]] = []
    cursor = Cursor(reading_id="r")
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "LONGEST_LINE", LIMIT)
        path = Path(folder) / "m"
        path.touch()
        for number, (begin, end) in enumerate(pairwise([*places, len(content)])):
            append(path, content[begin:end])
            for turn in turns(path, cursor, budgets[number % len(budgets)]):
                found += turn.lines
                cursor = turn.cursor
    # A line of blanks that is too long to hold is counted without being looked at; such lines are left out here.
    if not any(len(line) > LIMIT and not line.strip() for line in lines):
        assert found == [one for one in numbered if len(one[1]) <= LIMIT]
        assert cursor.bad_lines == sum(len(line) > LIMIT for _, line in numbered)
        assert (cursor.offset, cursor.seq, cursor.generation) == (len(content), len(numbered), 1)


OBJECTS = st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=4) | st.none(), max_size=3))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    objects=OBJECTS,
    cuts=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=10),
    budget=st.integers(1, 50),
)
def test_taking_the_tail_neither_splits_nor_doubles_a_line(
    objects: list[dict[str, object]], cuts: list[tuple[int, bool]], budget: int
) -> None:
    """A writer may be met at any byte with `take_tail`: a JSON object is taken whole, and once."""
    lines = [json.dumps(one).encode() for one in objects]
    content = b"\n".join(lines)
    places = sorted((cut, rests) for cut, rests in cuts if cut < len(content))
    found: list[bytes] = []
    cursor, written = Cursor(), 0
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        path.touch()
        for end, rests in [*places, (len(content), True)]:
            append(path, content[written:end])
            written = end
            some, cursor = read_all(path, cursor, budget, take_tail=rests)
            found += some
    assert found == lines


def test_a_torn_last_line_is_left_until_its_newline_comes(source: Path) -> None:
    """Half a line is not consumed, and the whole of it comes in the turn after."""
    append(source, b'{"step": 1}\n{"step"')
    lines, cursor = read_all(source, Cursor())
    assert (lines, cursor.offset) == ([b'{"step": 1}'], 12)
    append(source, b": 2}\n")
    assert read_all(source, cursor)[0] == [b'{"step": 2}']


def test_a_last_line_without_newline_is_taken_only_when_asked_for(source: Path) -> None:
    """A run that ended without a last newline loses no line, once its file is at rest."""
    append(source, b'{"step": 1}\n{"step": 2}')
    lines, cursor = read_all(source, Cursor())
    assert lines == [b'{"step": 1}']
    lines, cursor = read_all(source, cursor, take_tail=True)
    assert lines == [b'{"step": 2}']
    append(source, b'\n{"step": 3}\n')
    assert read_all(source, cursor)[0] == [b'{"step": 3}']


@pytest.mark.parametrize("torn", [b'{"step": 2', b'{"a": {"b": 1}', b'{"a": "}', b"[1, 2]", b'{"a": 1} x'])
def test_a_tail_that_is_no_whole_object_is_not_taken(source: Path, torn: bytes) -> None:
    """A torn line stays torn, even with `take_tail`."""
    append(source, b"{}\n" + torn)
    lines, cursor = read_all(source, Cursor(), take_tail=True)
    assert (lines, cursor.offset) == ([b"{}"], 3)


def test_a_line_cut_by_the_budget_is_not_taken_for_the_tail(source: Path) -> None:
    """What follows what looks whole belongs to the line."""
    append(source, b'{}\n{"a": 1} and more\n')
    assert read_all(source, Cursor(), 11, take_tail=True)[0] == [b"{}", b'{"a": 1} and more']


def test_a_shrunken_file_is_a_new_generation_read_from_its_start(source: Path) -> None:
    """A cut file is read again, its numbers going on from the last line of before."""
    append(source, b"{}\n{}\n{}\n")
    _, cursor = read_all(source, Cursor(reading_id="r"))
    source.write_bytes(b'{"a": 1}\n')
    turn = read_turn(source, cursor, BUDGET)
    assert turn.lines == [(4, b'{"a": 1}')]
    assert (turn.is_new_generation, turn.cursor.generation, turn.cursor.reading_id) == (True, 2, "r")


def test_other_content_of_the_same_size_is_a_new_generation(source: Path) -> None:
    """Size proves nothing: the head is compared."""
    append(source, b'{"a": 1}\n{"a": 2}\n')
    _, cursor = read_all(source, Cursor())
    source.write_bytes(b'{"b": 1}\n{"b": 2}\n')
    lines, after = read_all(source, cursor)
    assert (lines, after.generation, after.seq) == ([b'{"b": 1}', b'{"b": 2}'], 2, 4)


def test_a_change_just_before_the_offset_is_a_new_generation(source: Path) -> None:
    """A file with the same head that was cut and grew past the offset again shows by the bytes before the offset."""
    head = b"".join(b'{"step": %d}\n' % step for step in range(200))
    append(source, head + b'{"step": 200, "loss": 1}\n')
    _, cursor = read_all(source, Cursor())
    os.truncate(source, len(head))
    append(source, b'{"step": 200, "loss": 2}\n{"step": 201}\n')
    turn = next(turns(source, cursor))
    assert (turn.is_new_generation, turn.lines[0][0], len(turn.lines)) == (True, 202, 202)


def test_another_head_is_a_new_generation(source: Path) -> None:
    """A run begun anew with other first lines shows by them, though it wrote the same ones since."""
    rest = b"".join(b'{"step": %d}\n' % step for step in range(200))
    append(source, b'{"lr": 1}\n' + rest)
    _, cursor = read_all(source, Cursor())
    source.write_bytes(b'{"lr": 2}\n' + rest)
    assert len(read_turn(source, cursor, BUDGET).lines) == 201


def test_a_copy_with_another_inode_is_the_same_file(source: Path) -> None:
    """An rsync or a move to another disk changes the inode and reads nothing twice."""
    append(source, b"{}\n")
    _, cursor = read_all(source, Cursor())
    copy = source.with_name("copy")
    copy.write_bytes(source.read_bytes() + b"[]\n")
    copy.replace(source)
    lines, after = read_all(source, cursor)
    assert (lines, after.generation) == ([b"[]"], 1)


def test_an_emptied_file_stays_a_new_generation_until_its_first_line(source: Path) -> None:
    """A trainer that opens its file anew is usually met while the file is empty, or holds half a line."""
    append(source, b"{}\n")
    _, cursor = read_all(source, Cursor())
    source.write_bytes(b"")
    first = read_turn(source, cursor, BUDGET)
    append(source, b'{"a"')
    second = read_turn(source, first.cursor, BUDGET)
    append(source, b": 1}\n")
    third = read_turn(source, second.cursor, BUDGET)
    append(source, b"{}\n")
    fourth = read_turn(source, third.cursor, BUDGET)
    assert [turn.is_new_generation for turn in (first, second, third, fourth)] == [True, True, True, False]
    assert [turn.cursor.generation for turn in (first, second, third, fourth)] == [2, 2, 2, 2]
    assert third.lines == [(2, b'{"a": 1}')]


@pytest.mark.usefixtures("short_lines")
def test_a_line_over_the_limit_is_counted_once_and_passed_over(source: Path) -> None:
    """However slowly it comes, a giant line is one bad line, and the lines around it are read."""
    append(source, b"{}\n")
    cursor = Cursor()
    found: list[tuple[int, bytes]] = []
    for part in (b"x" * 30, b"x" * 30, b"x" * 30, b'{"a": 1}', b"\n", b"[]\n"):
        append(source, part)
        for turn in turns(source, cursor, 16, take_tail=True):
            found += turn.lines
            cursor = turn.cursor
    assert found == [(1, b"{}"), (3, b"[]")]
    assert (cursor.bad_lines, cursor.first_bad, cursor.is_skipping) == (1, "line 2: longer than 0 MiB", False)


@pytest.mark.usefixtures("short_lines")
def test_a_line_over_the_limit_is_bad_however_large_the_budget(source: Path) -> None:
    """The limit is one of the line, and not of what happens to be read at once."""
    append(source, b"{}\n" + b"x" * (LIMIT + 1) + b"\n" + b"y" * LIMIT + b"\n")
    lines, cursor = read_all(source, Cursor())
    assert (lines, cursor.bad_lines, cursor.seq) == ([b"{}", b"y" * LIMIT], 1, 3)


def test_line_ends_of_windows_and_empty_lines_give_no_lines_of_their_own(source: Path) -> None:
    """CRLF, blank and empty lines do not number."""
    append(source, b'\r\n\n{"a": 1}\r\n   \n\n{"a": 2}\r\n')
    turn = read_turn(source, Cursor(), BUDGET)
    assert [(seq, json.loads(line)) for seq, line in turn.lines] == [(1, {"a": 1}), (2, {"a": 2})]


def test_nuls_of_a_crash_are_a_line_like_any_other(source: Path) -> None:
    """A hole left by a power cut reaches the parser, which counts it, and hides nothing after it."""
    append(source, b"{}\n" + b"\0" * 5000 + b"\n[]\n")
    assert read_all(source, Cursor(), 64)[0] == [b"{}", b"\0" * 5000, b"[]"]


def test_a_missing_file_is_an_error_of_the_caller(source: Path) -> None:
    """Nothing is said of a file that is not there, and a cursor marked missing recovers when it is back."""
    _, cursor = read_all(source, Cursor(is_missing=True))
    assert cursor.is_missing is False
    source.unlink()
    with pytest.raises(FileNotFoundError):
        read_turn(source, cursor, BUDGET)


@pytest.mark.parametrize("at", [0, 12])
def test_a_file_that_is_written_anew_while_it_is_read_gives_no_row_of_two_files(tmp_path: Path, at: int) -> None:
    """Nothing of such a turn counts: the next one finds the file as it is, and what was read of it before."""
    path, old = tmp_path / "m.csv", b"step,a\n1,10\n2,20\n3,30\n"
    new = b"step,a,b\n" + b"".join(b"%d,%d0,7\n" % (n, n) for n in range(1, 6))
    path.write_bytes(old)

    def lines(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
        return Fed([], data.rfind(b"\n") + 1, seq + data.count(b"\n"), state)

    def torn(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
        path.write_bytes(new)
        return lines(data, state, seq, label)

    before = tail.take(path, Cursor(), at or 1, lines, "lines", 0).cursor if at else Cursor()
    taken = tail.take(path, before, BUDGET, torn, "lines", before.seq)
    assert taken.fed.rows == [] and taken.cursor == before and taken.has_more
    again = tail.take(path, taken.cursor, BUDGET, lines, "lines", before.seq)
    assert again.cursor.offset == len(new) and again.is_new_generation == bool(at)


def test_a_file_of_lines_that_is_written_anew_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of lines: the turn counts for nothing, and all of the new file is read."""
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"old 1\nold 2\n")
    whole = tail._whole_lines

    def torn(*words: Any) -> Any:
        found = whole(*words)
        path.write_bytes(b"new 1\nnew 2\nnew 3\n")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(tail, "_whole_lines", torn)
        turn = read_turn(path, Cursor(), BUDGET)
    assert (turn.lines, turn.cursor, turn.has_more) == ([], Cursor(), True)
    assert read_all(path, turn.cursor)[0] == [b"new 1", b"new 2", b"new 3"]
