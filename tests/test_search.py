"""Full-text search: every word, as a beginning; what a person types is never a mistake of syntax."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.store import records
from neatd.store.connection import transaction
from neatd.store.search import search
from neatd.store.short import insert_record, record_row
from tests.store_rows import PROJECT, add, open_store, place


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def store(home: Path) -> Iterator[sqlite3.Connection]:
    add(home, "note", "memory leak in the loader", body="grows by 2 GiB an epoch")
    add(home, "note", "the loader is fine", body="no leak of memory after all")
    add(home, "bug", "out of memory", cause="all volumes at once", fix="lazy loading", follow_up="measure it")
    add(home, "decision", "train on 128 cubed", why="160 does not fit", alternative=("größer mit Batch 1",))
    add(home, "hypothesis", "a topology loss helps", predict="val/dice > 0.20", run="topo")
    add(home, "task", "run the sweep")
    connection = open_store(home)
    yield connection
    connection.close()


def found(store: sqlite3.Connection, query: str, **wanted: str) -> list[str]:
    return [hit.title for hit in search(store, query, wanted.get("project", PROJECT), wanted.get("kind"))]


@pytest.mark.parametrize(
    ("query", "count"),
    [("memory", 3), ("memory leak", 2), ("mem lea", 2), ('"memory leak"', 1), ('"leak of memory"', 1), ("MEMORY", 3),
     ("memory zebra", 0), ("leaks", 2), ("", 0), ("   ", 0)],
)  # fmt: skip
def test_every_word_must_occur_and_quotes_make_phrases(store: sqlite3.Connection, query: str, count: int) -> None:
    """Words are beginnings of words, in any form; an empty query finds nothing."""
    assert len(found(store, query)) == count


@pytest.mark.parametrize(
    ("query", "kind"),
    [("volumes", "bug"), ("lazy", "bug"), ("measure", "bug"), ("160", "decision"), ("größer", "decision"),
     ("dice", "hypothesis"), ("topo", "hypothesis"), ("sweep", "task"), ("epoch", "note")],
)  # fmt: skip
def test_what_a_kind_holds_besides_its_title_is_searched(store: sqlite3.Connection, query: str, kind: str) -> None:
    """Causes, fixes, reasons, alternatives, predictions and bodies."""
    assert [hit.kind for hit in search(store, query, PROJECT)] == [kind]


def test_the_hit_tells_where_the_words_are(store: sqlite3.Connection) -> None:
    """With the record's id, status and date, as a list shows it."""
    (hit,) = search(store, "lazy", PROJECT)
    assert (
        "[lazy]" in hit.excerpt
        and hit.id.startswith("b-")
        and hit.status == "open"
        and hit.created_at.endswith("+00:00")
    )


def test_kind_and_project_narrow_the_search(store: sqlite3.Connection) -> None:
    """And no project searches all of them."""
    assert len(found(store, "memory", kind="note")) == 2
    assert found(store, "memory", project="another") == []
    assert len(search(store, "memory", None)) == 3


def test_the_limit_holds(store: sqlite3.Connection) -> None:
    """The best come first, so the first of two is the first of three."""
    assert search(store, "memory", PROJECT, limit=1) == search(store, "memory", PROJECT)[:1]


def test_a_changed_record_is_found_by_its_new_words_only(tmp_path: Path) -> None:
    """Every kind that has fields of its own is indexed anew when one changes; a status change finds it as before."""
    changes = {"note": "body", "bug": "fix", "decision": "why", "hypothesis": "predict", "task": "title"}
    store = open_store(tmp_path)
    for kind, field in changes.items():
        record_id = add(tmp_path, kind, "title", **({} if field == "title" else {field: "before"}))
        records.change(store, kind, record_id, {field: "after title"})
        records.close(store, kind, record_id, "")
    assert search(store, "before", PROJECT) == []
    hits = search(store, "after title", PROJECT)
    assert sorted(hit.kind for hit in hits) == sorted(changes)
    assert {hit.status for hit in hits} == {"closed", "fixed", "done"}
    store.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(codec=None) | st.sampled_from('"*()-^:{}+ANDORNOT \0'), max_size=20))
def test_no_query_is_a_mistake(store: sqlite3.Connection, query: str) -> None:
    """Quotes, operators, NULs and halves of characters are words like others, or nothing."""
    assert isinstance(search(store, query, PROJECT), list)


def test_a_filter_looks_beyond_the_newest_matches(tmp_path: Path) -> None:
    """Only the newest two thousand are ranked at first; one that is older and wanted is found all the same."""
    add(tmp_path, "note", "common words", tags=("rare",))
    connection = open_store(tmp_path)
    with transaction(connection):
        for number in range(2100):
            row = record_row("note", place(tmp_path), {"title": f"common {number}"}, "person")
            insert_record(connection, "note", row)
    assert [hit.title for hit in search(connection, "common tag:rare", PROJECT)] == ["common words"]
    assert len(search(connection, "common", PROJECT, limit=5000)) == 2101
    assert len(search(connection, "common", PROJECT)) == 20
    connection.close()
