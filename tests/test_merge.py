"""Versions of a record become one: in any order, any number of times, and nothing that one of them said is gone."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.store.merge import Edit, Line, history, join, parted, settled

ID, MADE = "n-" + "0" * 16, "2026-01-01T00:00:00.000000+00:00"


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00.000000+00:00"


def version(minute: int, title: str, *edits: Edit, **more: object) -> Line:
    """A note with this title, said at this minute."""
    fields = {"title": f'"{title}"', "source": '"anna"'}
    return Line(ID, "note", MADE, at(minute), fields, edits=frozenset(edits))._replace(**more)


def edit(minute: int, old: str, new: str, who: str = "anna") -> Edit:
    return Edit(at(minute), who, "title", f'"{old}"', f'"{new}"')


TIMES = st.integers(0, 5).map(at)
VALUES = st.sampled_from(['"x"', '"y"', '"z"'])
FIELDS = st.fixed_dictionaries({"source": st.just('"anna"')}, optional={"title": VALUES, "body": VALUES})
EDITS = st.builds(Edit, TIMES, st.sampled_from(["anna", "bo"]), st.sampled_from(["title", "body"]), VALUES, VALUES)
LOST = st.dictionaries(st.tuples(st.sampled_from(["title", "body"]), VALUES), TIMES, max_size=2)
LINKS = st.dictionaries(
    st.tuples(st.sampled_from(["blocks", "proves"]), st.just("r-1")), st.tuples(TIMES, st.just("") | TIMES), max_size=2
)
DELETED = {"created_at": TIMES, "deleted_at": st.just("") | TIMES, "restored_at": st.just("") | TIMES}
CONTENT = {
    "updated_at": TIMES,
    "fields": FIELDS,
    "edits": st.frozensets(EDITS, max_size=3),
    "lost": LOST,
    "links": LINKS,
}
TOMBSTONES = st.fixed_dictionaries(DELETED)
LINES = (st.fixed_dictionaries(DELETED | CONTENT) | TOMBSTONES).map(lambda known: settled(Line(ID, "note", **known)))


@given(one=LINES, two=LINES)
def test_the_order_of_two_versions_does_not_matter(one: Line, two: Line) -> None:
    """Each clone has its own side first."""
    assert join(one, two) == join(two, one)


@given(one=LINES, two=LINES, three=LINES)
def test_the_order_of_merges_does_not_matter(one: Line, two: Line, three: Line) -> None:
    """Whether two clones met before they met the third is not to be seen afterwards."""
    assert join(join(one, two), three) == join(one, join(two, three))


@given(one=LINES, two=LINES)
def test_a_version_that_is_known_changes_nothing(one: Line, two: Line) -> None:
    """A file that was merged already may be merged again."""
    assert join(one, one) == one
    assert join(join(one, two), two) == join(one, two)


@given(lines=st.lists(LINES, min_size=1, max_size=5))
def test_all_that_was_said_is_still_to_be_read(lines: list[Line]) -> None:
    """Each value of each version stands, or is in the history."""
    merged = reduce(join, lines)
    told = {(one.field, value) for one in history(merged) for value in (one.old, one.new)}
    for line in lines:
        assert set(line.fields.items()) <= set(merged.fields.items()) | told
        assert set(line.edits) <= merged.edits


@given(line=LINES)
def test_a_history_reads_back(line: Line) -> None:
    """As it is stored, it tells edits from losses."""
    assert parted(history(line)) == (line.edits, line.lost)


def test_what_was_said_later_stands_and_the_other_is_kept() -> None:
    """The loss names who had said it, when, and what stands in its place."""
    one, two = version(1, "y", edit(1, "x", "y", "bo")), version(2, "z", edit(2, "x", "z"))
    merged = join(one, two)
    assert (merged.fields["title"], merged.updated_at) == ('"z"', at(2))
    losses = [entry for entry in history(merged) if entry.who.startswith("sync")]
    assert losses == [Edit(at(1), "sync:bo", "title", '"y"', '"z"')]


def test_a_loss_of_what_nobody_edited_is_its_makers() -> None:
    """Two clones that made the same record, from the same file of notes."""
    merged = join(version(1, "x"), version(2, "y"))
    assert history(merged) == [Edit(at(1), "sync:anna", "title", '"x"', '"y"')]


def test_an_edit_of_what_was_there_is_no_loss() -> None:
    """An older version is what the newer one was made from: its history says so already."""
    merged = join(version(0, "x"), version(1, "y", edit(1, "x", "y")))
    assert history(merged) == [edit(1, "x", "y")]


def test_equal_times_are_decided_alike_everywhere() -> None:
    """By the text, and the other text is kept."""
    one, two = version(1, "a"), version(1, "b")
    assert join(one, two).fields["title"] == join(two, one).fields["title"] == '"b"'
    assert join(one, two).lost == {("title", '"a"'): at(1)}


@pytest.mark.parametrize("later", [2, 9])
def test_a_deleted_record_stays_deleted_whatever_is_said_of_it(later: int) -> None:
    """Before or after; what was said is not lost, if somebody restores it."""
    merged = join(Line(ID, "note", MADE, deleted_at=at(5)), version(later, "x"))
    assert merged.is_deleted and merged.fields["title"] == '"x"'


def test_a_record_comes_back_when_it_was_restored_after_it_was_deleted() -> None:
    """And not when it was deleted again after that."""
    back = version(1, "x", deleted_at=at(5), restored_at=at(6))
    assert not join(back, Line(ID, "note", MADE, deleted_at=at(5))).is_deleted
    assert join(back, Line(ID, "note", MADE, deleted_at=at(7))).is_deleted


def test_a_link_goes_by_the_later_of_made_and_removed() -> None:
    """Made here, removed there, made again: both times only grow."""
    one = version(1, "x", links={("blocks", "t-1"): (at(1), ""), ("proves", "r-1"): (at(1), "")})
    two = version(1, "x", links={("blocks", "t-1"): (at(3), at(2))})
    assert join(one, two).links == {("blocks", "t-1"): (at(3), at(2)), ("proves", "r-1"): (at(1), "")}


def test_a_loss_is_never_later_than_what_stands() -> None:
    """A line may be written by hand: a loss from the future, forgotten while it stands, would come back as another one."""
    odd = settled(version(1, "x", lost={("title", '"y"'): at(9)}))
    two, three = version(2, "y"), version(3, "z")
    assert odd.lost == {("title", '"y"'): at(1)}
    assert join(join(odd, two), three) == join(odd, join(two, three))
