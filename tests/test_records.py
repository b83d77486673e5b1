"""Records: listed, found, changed and closed with their history, and taken in from an inbox that may hold anything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.kinds import CLOSED
from neatd.knowledge import RECORD_KINDS
from neatd.store import records
from neatd.store.short import leave_in_inbox, record_row
from tests.store_rows import PROJECT, add, add_run, open_store, place


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_store(tmp_path)
    yield connection
    connection.close()


def test_records_are_listed_newest_first_and_by_project(store: sqlite3.Connection, tmp_path: Path) -> None:
    """Closed ones too; those of other projects only when no project is asked for."""
    ids = [add(tmp_path, "note", f"note {number}") for number in range(3)]
    records.close(store, "note", ids[0], "")
    assert [one.id for one in records.list_records(store, "note", PROJECT)] == ids[::-1]
    assert records.list_records(store, "note", "another") == []
    assert len(records.list_records(store, "note")) == 3


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_a_record_of_each_kind_is_found_by_the_beginning_of_its_id(
    store: sqlite3.Connection, tmp_path: Path, kind: str
) -> None:
    """The letter tells the kind, and what is found is the record."""
    record_id = add(tmp_path, kind, "one")
    assert records.resolve(store, record_id[:7]) == (kind, record_id)
    assert records.get(store, kind, record_id) == records.get_any(store, kind, record_id)


def test_runs_are_found_by_id_too(store: sqlite3.Connection) -> None:
    """`neat show` takes the id of a run like any other."""
    run = add_run(store)
    assert records.get_any(store, *records.resolve(store, run.id[:9])) == run


@pytest.mark.parametrize("text", ["", "one", "zz-1234", "d", "12-34"])
def test_what_is_no_id_is_said_to_be_none(store: sqlite3.Connection, text: str) -> None:
    """With what one looks like."""
    with pytest.raises(NeatError, match="is not an id"):
        records.resolve(store, text)


def test_a_change_keeps_the_old_value_in_history(store: sqlite3.Connection, tmp_path: Path) -> None:
    """Who, which field, old and new, oldest first; an equal value is no change."""
    record_id = add(tmp_path, "decision", "old", alternative=("a",))
    before = records.get(store, "decision", record_id).updated_at
    records.change(store, "decision", record_id, {"title": "new", "alternative": ["a", "b"]}, "claude-code")
    records.change(store, "decision", record_id, {"title": "new"})
    found = [(one.who, one.field, one.old, one.new) for one in records.history(store, record_id)]
    assert found == [
        ("person", "created", None, "old"), ("claude-code", "title", "old", "new"),
        ("claude-code", "alternative", '["a"]', '["a", "b"]'),
    ]  # fmt: skip
    after = records.get(store, "decision", record_id)
    assert after.model_dump()["alternative"] == ("a", "b") and after.updated_at > before


def test_a_change_of_several_fields_is_whole_or_none(store: sqlite3.Connection, tmp_path: Path) -> None:
    """An unknown field leaves the known one as it was."""
    record_id = add(tmp_path, "note", "old")
    with pytest.raises(sqlite3.OperationalError):
        records.change(store, "note", record_id, {"title": "new", "mood); --": "x"})
    assert records.get(store, "note", record_id).title == "old"
    assert len(records.history(store, record_id)) == 1


@pytest.mark.parametrize(
    ("kind", "status"), [("task", "done"), ("bug", "fixed"), ("note", "closed"), ("decision", "closed")]
)
def test_closing_ends_a_record_and_adds_the_outcome(
    store: sqlite3.Connection, tmp_path: Path, kind: str, status: str
) -> None:
    """The body keeps what it said."""
    record_id = add(tmp_path, kind, "one", body="before")
    assert records.close(store, kind, record_id, "after") == status
    found = records.get(store, kind, record_id)
    assert (found.status, found.body) == (status, "before\nafter")
    assert status in CLOSED


@pytest.mark.parametrize(
    ("verdict", "status"), [("supported", "supported"), ("refuted", "refuted"), ("undecided", "open")]
)
def test_a_verdict_is_kept_with_its_evidence(
    store: sqlite3.Connection, tmp_path: Path, verdict: str, status: str
) -> None:
    """An undecided hypothesis stays open for a later run; saying the same again adds no history."""
    record_id = add(tmp_path, "hypothesis", "one", predict="val/dice > 0.2", run="a")
    evidence = [{"run": "r-1", "metric": "val/dice", "step": 5, "value": 0.21}]
    for _ in range(2):
        records.set_verdict(store, record_id, verdict, "0.21 > 0.2", evidence)
    found = records.get(store, "hypothesis", record_id).model_dump()
    assert (found["verdict"], found["status"], found["evidence"]) == (verdict, status, tuple(evidence))
    fields = [one.field for one in records.history(store, record_id)]
    assert len(fields) == len(set(fields)) and set(fields) >= {"created", "verdict", "evidence"}


def left(root: Path, kind: str, **fields: object) -> Path:
    """A record left in the project's inbox by a sandboxed command."""
    return leave_in_inbox(root, kind, record_row(kind, place(root), fields, "codex"))


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_a_record_is_taken_from_the_inbox_once(store: sqlite3.Connection, tmp_path: Path, kind: str) -> None:
    """However often its file is met: the daemon may die between storing it and removing the file."""
    path = left(tmp_path, kind, title="one", tags=("a",))
    for _ in range(2):
        assert records.take_from_inbox(store, path, PROJECT)
    (found,) = records.list_records(store, kind, PROJECT)
    assert (found.title, found.tags, found.source) == ("one", ("a",), "codex")
    assert len(records.history(store, found.id)) == 1


def test_a_record_of_the_inbox_belongs_to_the_project_of_the_inbox(store: sqlite3.Connection, tmp_path: Path) -> None:
    """A file cannot write into another project's notebook."""
    path = left(tmp_path, "note", title="one")
    records.take_from_inbox(store, path, "2" * 36)
    assert [one.project_id for one in records.list_records(store, "note")] == ["2" * 36]


def test_tasks_of_the_inbox_find_their_place(store: sqlite3.Connection, tmp_path: Path) -> None:
    """At the top, after another, and last when that other is not in this store."""
    first = add(tmp_path, "task", "first")
    add(tmp_path, "task", "last")
    for title, fields in (("top", {"position": "top"}), ("second", {"after": first[:8]}), ("end", {"after": "t-zz"})):
        assert records.take_from_inbox(store, left(tmp_path, "task", title=title, **fields), PROJECT)
    assert [task.title for task in records.list_records(store, "task")] == ["top", "first", "second", "last", "end"]


def test_a_decision_of_the_inbox_ends_the_one_it_supersedes(store: sqlite3.Connection, tmp_path: Path) -> None:
    """As it would have without a sandbox; one that is not known here costs only the relation."""
    old = add(tmp_path, "decision", "old")
    assert records.take_from_inbox(store, left(tmp_path, "decision", title="new", supersedes=old[:8]), PROJECT)
    assert records.take_from_inbox(store, left(tmp_path, "decision", title="newer", supersedes="d-zz"), PROJECT)
    assert records.get(store, "decision", old).status == "superseded"
    assert [one.supersedes for one in records.list_records(store, "decision")] == ["d-zz", old, ""]


NOW = "2026-01-02T03:04:05.000006+00:00"
GOOD = {"id": "n-" + "0" * 16, "created_at": NOW, "updated_at": NOW, "source": "codex", "title": "one"}
SPOILED: list[object] = [
    {"kind": "note"}, {"row": GOOD}, [], "note", None, {"kind": "note", "row": []}, {"kind": "note", "row": None},
    {"kind": "run", "row": GOOD}, {"kind": "job", "row": GOOD}, {"kind": "note; DROP TABLE note", "row": GOOD},
    *({"kind": "note", "row": row} for row in (
        {}, GOOD | {"title": {"a": 1}}, GOOD | {"title": None}, GOOD | {"title": 5}, GOOD | {"mood": "good"},
        GOOD | {"title); --": "x"}, GOOD | {"rowno": "1"}, GOOD | {"id": "d-" + "0" * 16}, GOOD | {"id": "n-1"},
        GOOD | {"id": "../../etc"}, GOOD | {"created_at": "yesterday"}, GOOD | {"created_at": "2026-01-02T03:04:05"},
        GOOD | {"tags": "not json"}, GOOD | {"tags": '{"a": 1}'}, GOOD | {"evidence": "[1]"}, GOOD | {"source": ""},
        GOOD | {"title": "\ud800"}, {k: v for k, v in GOOD.items() if k != "source"},
        {k: v for k, v in GOOD.items() if k != "updated_at"},
    )),
]  # fmt: skip


@pytest.mark.parametrize("content", [*(json.dumps(one) for one in SPOILED), "", "{", "\xff", "[" * 100_000])
def test_a_file_that_is_no_record_is_refused_and_spoils_nothing(
    store: sqlite3.Connection, tmp_path: Path, content: str
) -> None:
    """A clone may bring files into an inbox: whatever they hold, the listing of records still works."""
    path = tmp_path / "one.json"
    path.write_bytes(content.encode("latin-1"))
    assert records.take_from_inbox(store, path, PROJECT) is False
    assert [one for kind in RECORD_KINDS for one in records.list_records(store, kind)] == []


def test_the_record_that_the_spoiled_ones_are_made_from_is_taken(store: sqlite3.Connection, tmp_path: Path) -> None:
    """Else the test above would pass for nothing."""
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"kind": "note", "row": GOOD}))
    assert records.take_from_inbox(store, path, PROJECT)


IDS = st.lists(st.text("ab", min_size=8, max_size=8).map(lambda text: f"n-{text}"), min_size=1, max_size=30)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ids=IDS)
def test_shortened_ids_are_unique_and_no_longer_than_needed(ids: list[str]) -> None:
    """Each begins exactly one id, and one letter less would begin two or be shorter than four letters."""
    shortened = records.unique_prefixes(ids)
    assert set(shortened) == set(ids)
    for one, prefix in shortened.items():
        assert [other for other in set(ids) if other.startswith(prefix)] == [one]
        assert len(prefix) == 6 or sum(other.startswith(prefix[:-1]) for other in set(ids)) > 1
