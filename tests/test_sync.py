"""Records out of a store into `.neat/knowledge.jsonl` and in again: what is new, what stands, what is refused, what is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.store import records
from neatd.store.short import insert_record, record_row
from neatd.store.sync import copy_knowledge, take_in
from tests.store_rows import PROJECT, place
from tests.sync_made import Clone, exchange, stores_agree

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def one(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "one")


@pytest.fixture
def two(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "two")


def test_what_is_new_is_said_and_a_second_sync_finds_nothing(one: Clone, two: Clone) -> None:
    """The file is not even touched when it would be the same."""
    made = {one.add("note", "a"), one.add("decision", "b", why="c")}
    assert one.sync()[1:] == (2, (), (), (), (), 2, True, False, ())
    two.pull(one)
    outcome = two.sync()
    assert (set(outcome.added), outcome.records, outcome.sent, outcome.is_written) == (made, 2, 0, False)
    before = two.path.stat().st_mtime_ns
    assert two.sync()[1:] == (2, (), (), (), (), 0, False, False, ())
    assert two.path.stat().st_mtime_ns == before


def test_without_records_there_is_no_file(one: Clone) -> None:
    """A project that keeps none gets no empty file to commit."""
    assert not one.sync().is_written and not one.path.exists()


def test_a_dry_run_says_the_same_and_does_nothing(one: Clone, two: Clone) -> None:
    """Neither side changes."""
    one.add("note", "a")
    one.sync()
    two.pull(one)
    two.add("note", "b")
    before = two.text()
    dry = two.sync(is_dry=True)
    assert (two.text(), len(two.ids())) == (before, 1)
    wet = two.sync()
    assert (dry.added, dry.sent, dry.records, dry.is_written) == (wet.added, wet.sent, wet.records, False)


def test_the_same_record_changed_in_two_clones_is_the_later_one_in_both(one: Clone, two: Clone) -> None:
    """The other value is in the history of both, and the sync says which record it was."""
    made = one.add("decision", "first", who="anna")
    exchange(one, two)
    one.edit(made, who="anna", title="anna's", why="because")
    two.edit(made, who="bo", title="bo's")
    one.sync()
    two.sync()
    one.pull(two)
    assert one.sync().merged == (made,)
    exchange(one, two)
    assert one.title(made) == two.title(made) == "bo's" and stores_agree(one, two)
    losses = {entry[1:] for entry in one.history(made) if entry[1].startswith("sync")}
    assert losses == {("sync:anna", "title", "anna's", "bo's"), ("sync:anna", "why", "because", None)}


def test_an_old_file_changes_nothing(one: Clone) -> None:
    """A branch from last week brings last week's lines: they are behind the store, and the deleted stay deleted."""
    made, gone = one.add("note", "old"), one.add("note", "gone")
    one.sync()
    old = one.text()
    one.edit(made, title="new")
    one.delete(gone)
    one.sync()
    new, listed = one.text(), one.listed()
    one.path.write_text(old)
    outcome = one.sync()
    assert (outcome.added, outcome.changed, outcome.deleted, outcome.merged) == ((), (), (), ())
    assert one.listed() == listed and one.text() == new


def test_a_deleted_record_is_deleted_in_every_clone(one: Clone, two: Clone, tmp_path: Path) -> None:
    """In one that has it, and in a fresh one, which would otherwise take it from an old branch."""
    made = one.add("note", "a")
    exchange(one, two)
    old = one.text()
    one.delete(made)
    one.sync()
    two.pull(one)
    assert two.sync().deleted == (made,) and two.ids() == set()
    fresh = Clone(tmp_path / "fresh")
    fresh.pull(one)
    assert fresh.sync().added == ()
    fresh.path.write_text(old)
    fresh.sync()
    assert fresh.ids() == set() and fresh.ids(is_deleted=True) == {made} and fresh.text() == one.text()


def test_an_edit_does_not_bring_a_deleted_record_back_and_is_there_when_it_is_restored(one: Clone, two: Clone) -> None:
    """Deleted here, changed there later: deleted, until somebody restores it, with what was said last."""
    made = one.add("note", "first")
    exchange(one, two)
    one.delete(made)
    two.edit(made, title="second")
    exchange(one, two)
    assert one.ids() == two.ids() == set()
    one.restore(made)
    exchange(one, two)
    assert one.title(made) == two.title(made) == "second" and stores_agree(one, two)


def test_a_clone_that_never_had_the_words_may_restore_the_record(one: Clone, two: Clone) -> None:
    """It has no words to put over those of the others: theirs come back."""
    made = one.add("note", "words", tags=["a"])
    one.delete(made)
    one.sync()
    two.pull(one)
    two.sync()
    two.restore(made)
    exchange(two, one)
    assert one.title(made) == two.title(made) == "words" and stores_agree(one, two)


def test_what_came_by_a_file_was_made_when_it_was_made(one: Clone, two: Clone) -> None:
    """The history begins with the record's own time, author and first title: a verdict asks whether it was in time."""
    made = one.add("hypothesis", "first", who="codex", predict="loss < 1")
    one.edit(made, title="second")
    exchange(one, two)
    begin = records.history(two.store, made)[0]
    found = records.get(two.store, "hypothesis", made)
    assert (begin.at, begin.who, begin.field, begin.new) == (found.created_at, "codex", "created", "first")


def test_a_record_of_another_project_is_refused_and_said(one: Clone, two: Clone) -> None:
    """A file cannot write into a notebook that is not its own; its line stays."""
    row = record_row("note", place(one.root, "2" * 36), {"title": "theirs"}, "anna")
    insert_record(one.store, "note", row)
    two.store.execute("UPDATE note SET project_id = ?", (PROJECT,))
    insert_record(two.store, "note", {**row, "project_id": PROJECT, "title": "mine"})
    one.add("note", "ours")
    one.sync()
    assert "theirs" not in one.text()
    two.sync()
    one.pull(two)
    outcome = one.sync()
    (refused,) = outcome.refused
    assert "another project" in refused.why and one.path.read_text().splitlines()[refused.number - 1] == refused.text
    assert records.get(one.store, "note", row["id"]).title == "theirs" and '"mine"' in one.text()


def test_kinds_that_do_not_travel_stay_at_home(one: Clone, tmp_path: Path) -> None:
    """A test result is of one machine; the copy at home has it, with what is private, and is written when it changed."""
    one.add("test", "342 passed")
    one.add("machine", "trainer", host="anna@10.0.0.7")
    one.sync()
    assert "342 passed" not in one.text() and "10.0.0.7" not in one.text()
    home = tmp_path / "home"
    assert copy_knowledge(one.store, home, PROJECT) == home / "knowledge" / f"{PROJECT}.jsonl"
    assert copy_knowledge(one.store, home, PROJECT) is None
    text = (home / "knowledge" / f"{PROJECT}.jsonl").read_text()
    assert "342 passed" in text and "anna@10.0.0.7" in text
    one.add("note", "more")
    assert copy_knowledge(one.store, home, PROJECT) is not None
    assert copy_knowledge(one.store, home, "2" * 36) is None


def test_taking_in_leaves_the_file_as_it_is(one: Clone, two: Clone) -> None:
    """As in a fresh clone: neat makes no tree dirty by itself."""
    one.add("note", "a")
    one.sync()
    two.pull(one)
    two.add("note", "b")
    before = two.text()
    assert len(take_in(two.store, two.root, PROJECT, datetime.now(UTC)).added) == 1
    assert (two.text(), len(two.ids())) == (before, 2)
    assert take_in(one.store, two.root / "nothing", PROJECT, NOW).added == ()


def test_lines_that_are_not_read_stay_in_the_file(one: Clone, two: Clone) -> None:
    """They may be of a newer neat: each sync says so, and each clone carries them on."""
    one.add("note", "a")
    one.sync()
    odd = '{"id": "q-zzzz", "kind": "dream", "title": "from the future"}'
    one.path.write_text(f"{odd}\n{one.text()}not json\n")
    outcome = one.sync()
    assert [entry.number for entry in outcome.refused] == [1, 3] and {odd, "not json"} <= set(one.text().splitlines())
    two.pull(one)
    two.sync()
    assert two.text() == one.text()


def test_a_line_from_a_clock_that_runs_ahead_waits_in_the_file(one: Clone, two: Clone) -> None:
    """It would win against everything that is said until then; some hours ahead are a time zone set wrong."""
    made = one.add("note", "a")
    for days, is_taken in ((3, False), (0.5, True)):
        ahead = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="microseconds")
        one.store.execute("UPDATE note SET updated_at = ?", (ahead,))
        one.path.unlink(missing_ok=True)
        one.sync()
        two.path.parent.mkdir(exist_ok=True)
        two.path.write_text(one.text())
        two.sync()
        assert (made in two.ids()) is is_taken and two.text() == one.text()


def test_a_restored_record_of_which_nothing_is_known_is_not_listed(one: Clone, two: Clone, tmp_path: Path) -> None:
    """A third clone gets the line before the words have come: it carries it on, and has no empty record meanwhile."""
    made = one.add("note", "words")
    one.delete(made)
    one.sync()
    two.pull(one)
    two.sync()
    two.restore(made)
    two.sync()
    three = Clone(tmp_path / "three")
    three.pull(two)
    assert three.sync().added == () and three.ids() == set() and three.text() == two.text()
    exchange(one, two, three)
    assert three.title(made) == "words" and stores_agree(one, two, three)


def test_a_restored_record_is_as_old_in_every_clone(one: Clone, two: Clone) -> None:
    """To delete and to restore it is not to say it anew; links travel too."""
    made = one.add("note", "words")
    exchange(one, two)
    one.delete(made)
    one.restore(made)
    one.link(made, "proves", "r-" + "1" * 16)
    exchange(one, two)
    one.link(made, "proves", "r-" + "1" * 16, "removed_at")
    exchange(one, two)
    assert stores_agree(one, two) and two.links(made)[0][3] > two.links(made)[0][2]
    found = records.get(one.store, "note", made)
    assert found.updated_at == found.created_at


def test_what_was_lost_tells_what_stands_now(one: Clone, two: Clone) -> None:
    """In the clone that changes the record once more, too."""
    made = one.add("note", "first")
    exchange(one, two)
    one.edit(made, title="lost")
    two.edit(made, title="second")
    exchange(one, two)
    one.edit(made, title="third")
    exchange(one, two)
    assert stores_agree(one, two)
    assert [entry[4] for entry in one.history(made) if entry[1] == "sync:person"] == ["third"]
