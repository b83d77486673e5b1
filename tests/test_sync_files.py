"""Syncs with something in the way: links, folders, other writers, another file put there meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from neatd.errors import NeatError
from neatd.store import records
from neatd.store.opening import connect
from neatd.store.short import ensure_project, insert_record, record_row
from neatd.store.sync import sync
from tests.store_rows import place
from tests.sync_made import Clone


@pytest.fixture
def one(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "one")


@pytest.fixture
def two(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "two")


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Clone]:
    """A clone whose store is a file, so that others may write it too."""
    with closing(connect(tmp_path / "home")) as store:
        yield Clone(tmp_path / "disk", store)


def test_a_file_that_leads_out_of_the_project_is_refused(one: Clone, tmp_path: Path) -> None:
    """By a link to a file or to a folder: nothing is read from there, and nothing written."""
    one.add("note", "a")
    outside = tmp_path / "outside"
    outside.mkdir()
    one.path.parent.mkdir()
    one.path.symlink_to(outside / "file")
    with pytest.raises(NeatError, match="leads out"):
        one.sync()
    one.path.unlink()
    one.path.parent.rmdir()
    one.path.parent.symlink_to(outside)
    with pytest.raises(NeatError, match="leads out"):
        one.sync()
    assert list(outside.iterdir()) == []


def test_what_cannot_be_read_is_said_and_the_store_stays(one: Clone) -> None:
    """A folder where the file should be; a file without end."""
    one.path.mkdir(parents=True)
    with pytest.raises(NeatError, match="cannot be read"):
        one.sync()
    one.path.rmdir()
    with one.path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(NeatError, match="cannot be read: larger"):
        one.sync()


class Meanwhile:
    """Does something once, the moment a statement of a store begins."""

    def __init__(self, store: sqlite3.Connection, statement: str, act: Any) -> None:
        self.store, self.statement, self.act = store, statement, act
        store.set_trace_callback(self)

    def __call__(self, sql: str) -> None:
        if sql == self.statement:
            self.store.set_trace_callback(None)
            self.act()


def test_what_is_written_while_a_sync_reads_is_not_overwritten(on_disk: Clone, two: Clone, tmp_path: Path) -> None:
    """Between reading and writing another command changed the same record: its change is the later one."""
    made, other = on_disk.add("note", "first"), two.add("note", "other")
    on_disk.sync()
    two.pull(on_disk)
    two.sync()
    two.edit(made, title="second")
    two.sync()
    on_disk.pull(two)
    with closing(connect(tmp_path / "home")) as store:
        Meanwhile(on_disk.store, "BEGIN IMMEDIATE", lambda: records.change(store, "note", made, {"title": "third"}))
        on_disk.sync()
    assert on_disk.title(made) == "third" and other in on_disk.ids()
    assert (
        json.loads(on_disk.text().splitlines()[on_disk.text().splitlines().index(line_of(on_disk, made))])["title"]
        == "third"
    )
    assert {"second", "third", "first"} == {value for entry in on_disk.history(made) for value in entry[3:]}


def line_of(one: Clone, record_id: str) -> str:
    return next(line for line in one.text().splitlines() if f'"id": "{record_id}"' in line)


def test_a_file_that_git_puts_there_meanwhile_is_read_too(on_disk: Clone, two: Clone) -> None:
    """A pull that ends while a sync works: its lines must not be lost with the file that is replaced."""
    on_disk.add("note", "mine")
    theirs = two.add("note", "theirs")
    two.sync()
    Meanwhile(on_disk.store, "COMMIT", lambda: on_disk.pull(two))
    on_disk.sync()
    assert theirs in on_disk.ids() and len(on_disk.text().splitlines()) == 2


def test_a_sync_in_a_worktree_has_the_records_of_all(on_disk: Clone, tmp_path: Path) -> None:
    """They share the store, so either file tells everything."""
    on_disk.add("note", "a")
    worktree = Clone(tmp_path / "worktree", on_disk.store)
    worktree.add("note", "b")
    for each in (on_disk, worktree):
        each.sync()
    assert on_disk.text() == worktree.text() and len(on_disk.text().splitlines()) == 2


def test_a_project_is_not_mixed_with_another(one: Clone) -> None:
    """Each file has its own project's records."""
    other = place(one.root / "other", "2" * 36)
    ensure_project(one.store, other)
    insert_record(one.store, "note", record_row("note", other, {"title": "theirs"}, "anna"))
    one.add("note", "mine")
    one.sync()
    assert sync(one.store, one.root / "other", "2" * 36, datetime.now(UTC)).records == 1
    assert "theirs" not in one.text()
