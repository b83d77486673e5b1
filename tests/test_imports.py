"""Records from a file: made once, updated by what the file changed, never against what a person changed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from neatd.place import Place
from neatd.store import imports, records
from neatd.store.imports import Item
from neatd.store.opening import connect
from tests.store_rows import PROJECT

FILE = "notes/log.md"


def none_alike(old: Sequence[tuple[str, str, str]], new: Sequence[Item]) -> Mapping[str, str]:
    return {}


def item(key: str, kind: str = "insight", **fields: Any) -> Item:
    return Item(key, kind, {"title": key, **fields}, f"{FILE}:1")


class Notes:
    def __init__(self, base: Path, name: str = "a") -> None:
        self.place = Place(base / name, PROJECT, "demo", "main", "abc")
        self.store = connect(base / f"home-{name}")

    def read(self, *items: Item, match: imports.Matcher = none_alike, is_dry_run: bool = False) -> list[str]:
        done = imports.apply(self.store, self.place, FILE, "digest", items, match, is_dry_run=is_dry_run)
        return [one.action for one in done]

    def all(self, kind: str = "insight") -> dict[str, Any]:
        return {one.title: one for one in records.list_records(self.store, kind, PROJECT)}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    made = Notes(tmp_path)
    with closing(made.store):
        yield made


def test_the_same_items_again_change_nothing(notes: Notes) -> None:
    """Not even the time of the last change."""
    assert notes.read(item("a", component="memory"), item("b")) == ["added", "added"]
    before = notes.all()
    assert notes.read(item("a", component="memory"), item("b")) == ["unchanged", "unchanged"]
    assert notes.all() == before and before["a"].origin == (f"{FILE}:1",) and before["a"].source == "import"


def test_only_what_the_file_changed_is_changed(notes: Notes) -> None:
    """A field that a person edited here stays when the file says the same of it as before."""
    notes.read(item("a", component="memory", phase="1.1"))
    records.change(notes.store, "insight", notes.all()["a"].id, {"component": "attention"})
    assert notes.read(item("a", component="memory", phase="1.2")) == ["updated"]
    found = notes.all()["a"]
    assert (found.component, found.phase) == ("attention", "1.2")


def test_a_field_that_the_file_no_longer_says_is_emptied(notes: Notes) -> None:
    """Each type in its own way."""
    fields = {"metric": "loss", "value": 0.5, "params": {"d": 1}, "tags": ("x",), "status": "planned"}
    notes.read(item("e", "experiment", **fields))
    assert notes.read(item("e", "experiment")) == ["updated"]
    found = notes.all("experiment")["e"]
    assert (found.metric, found.value, found.params, found.status) == ("", None, {}, "open")


def test_what_vanished_is_deleted_and_can_come_back(notes: Notes) -> None:
    """It is out of the lists; in the file again, it is a record again."""
    notes.read(item("a"), item("b"))
    assert notes.read(item("a")) == ["unchanged", "removed"]
    assert list(notes.all()) == ["a"]
    (gone,) = records.list_records(notes.store, "insight", PROJECT, is_deleted=True)
    assert gone.title == "b"
    assert notes.read(item("a"), item("b")) == ["unchanged", "restored"]
    assert set(notes.all()) == {"a", "b"}


def test_what_a_person_changed_here_is_kept_when_it_vanishes(notes: Notes) -> None:
    """The file gave it up, the person did not."""
    notes.read(item("a"))
    records.change(notes.store, "insight", notes.all()["a"].id, {"body": "more of mine"})
    records.change(notes.store, "insight", notes.all()["a"].id, {"title": "mine"})
    assert notes.read() == ["kept"]
    assert list(notes.all()) == ["mine"]


def test_what_a_person_deleted_stays_deleted(notes: Notes) -> None:
    """Reading the same file again does not bring it back."""
    notes.read(item("a"))
    records.delete(notes.store, "insight", notes.all()["a"].id)
    assert notes.read(item("a")) == ["unchanged"]
    assert notes.all() == {}


def test_an_edited_title_keeps_its_record(notes: Notes) -> None:
    """As the matcher pairs them; the id stays and the history tells the old words."""
    notes.read(item("a"))
    before = notes.all()["a"].id
    assert notes.read(item("a!"), match=lambda old, new: {"a!": "a"}) == ["updated"]
    assert notes.all()["a!"].id == before
    assert [one.old for one in records.history(notes.store, before) if one.field == "title"] == ["a"]


def test_a_dry_run_leaves_no_trace(notes: Notes) -> None:
    """It says what would be done, and the store is as before."""
    assert notes.read(item("a"), is_dry_run=True) == ["added"]
    assert notes.all() == {} and imports.last_digest(notes.store, notes.place, FILE) == ""


def test_two_clones_make_the_same_record_of_the_same_place(tmp_path: Path) -> None:
    """Ids follow from project, file and place, so that a sync finds one record and not two."""
    one, other = Notes(tmp_path, "a"), Notes(tmp_path, "b")
    with closing(one.store), closing(other.store):
        one.read(item("a"))
        other.read(item("a"))
        assert one.all()["a"].id == other.all()["a"].id


def test_a_record_that_came_by_sync_is_not_doubled(tmp_path: Path) -> None:
    """The file is read after the record travelled here: it is taken as it is."""
    one = Notes(tmp_path, "a")
    with closing(one.store):
        one.read(item("a"))
        one.store.execute("DELETE FROM imported")
        assert one.read(item("a")) == ["unchanged"]
        assert len(one.all()) == 1


def test_one_that_became_another_kind_moves(notes: Notes) -> None:
    """The old record goes, the new one comes."""
    notes.read(item("a"))
    assert notes.read(item("a", "lesson")) == ["added"]
    assert notes.all() == {} and list(notes.all("lesson")) == ["a"]


def test_secrets_do_not_get_in(notes: Notes) -> None:
    """A key in a notes file is not carried into the store."""
    notes.read(item("a", body="export OPENAI_API_KEY=sk-abcdefghij0123456789abcdefghij0123456789"))
    assert "sk-abc" not in notes.all()["a"].body and "secret removed" in notes.all()["a"].body


def test_a_file_that_was_emptied_takes_nothing_with_it(notes: Notes) -> None:
    """More than half at once is no edit; whoever means it says so."""
    items = [item(f"a{number}") for number in range(8)]
    notes.read(*items)
    assert notes.read() == ["kept"] * 8 and len(notes.all()) == 8
    assert notes.read(*items) == ["unchanged"] * 8
    notes.read()
    done = imports.apply(notes.store, notes.place, FILE, "digest", [], none_alike, is_pruning=True)
    assert [one.action for one in done] == ["removed"] * 8 and notes.all() == {}


def test_worktrees_that_differ_do_not_undo_each_other(notes: Notes, tmp_path: Path) -> None:
    """Each file's own edits count, however often both are read."""
    notes.read(item("a", component="memory"), item("b"))
    other = Notes.__new__(Notes)
    other.place, other.store = notes.place._replace(root=tmp_path / "worktree"), notes.store
    other.read(item("a", component="attention"))
    before = notes.all()
    for _ in range(3):
        notes.read(item("a", component="memory"), item("b"))
        other.read(item("a", component="attention"))
    assert notes.all() == before and before["a"].component == "memory"
    other.read(item("a", component="loss"))
    assert notes.all()["a"].component == "loss" and "b" in notes.all()
