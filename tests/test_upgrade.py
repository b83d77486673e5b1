"""A store of the first version opens: every record is there, found, and can be changed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neatd.files import data_path
from neatd.store import migrate, records
from neatd.store.connection import VERSIONS, database_path
from neatd.store.opening import connect
from neatd.store.search import search
from tests.store_rows import PROJECT, add

OLD_KINDS = ("note", "decision", "hypothesis", "bug", "task")


@pytest.fixture
def old_home(tmp_path: Path) -> Path:
    """A store as version 1 left it, with a record of each of its kinds and a link."""
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(data_path("store") / "neat" / "0001_records.sql", first)
    home = tmp_path / "home"
    home.mkdir()
    with closing(sqlite3.connect(database_path(home, "neat"))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate.apply(connection, "neat", first)
        for kind in OLD_KINDS:
            columns = "id, project_id, title, body, created_at, updated_at"
            values = (f"{kind[0]}-old", PROJECT, f"an old {kind}", "words of old", "2026-01-01T00:00:00+00:00")
            connection.execute(f"INSERT INTO {kind} ({columns}) VALUES (?, ?, ?, ?, ?, ?)", (*values, values[-1]))
        connection.execute("INSERT INTO link VALUES ('n-old', 'is', 'd-old', '2026-01-01T00:00:00+00:00')")
        connection.commit()
    return home


def test_every_old_record_is_there_and_found(old_home: Path) -> None:
    """The search index was made anew over what was there; the backup from before lies beside."""
    with closing(connect(old_home)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSIONS["neat"]
        for kind in OLD_KINDS:
            (found,) = records.list_records(connection, kind, PROJECT)
            assert found.title == f"an old {kind}" and found.origin == () and not found.is_deleted
        assert {hit.kind for hit in search(connection, "words old", PROJECT)} == set(OLD_KINDS)
        assert connection.execute("SELECT removed_at FROM link").fetchone()[0] == ""
    assert list((old_home / "backups").glob("*before-0002*"))


def test_an_old_record_is_changed_and_found_by_its_new_words(old_home: Path) -> None:
    """The index follows old rows as it follows new ones, and new kinds live beside them."""
    with closing(connect(old_home)) as connection:
        records.change(connection, "bug", "b-old", {"title": "renamed fault", "before": "50 GB"})
        assert [hit.id for hit in search(connection, "renamed", PROJECT)] == ["b-old"]
        assert [hit.id for hit in search(connection, "fault 50", PROJECT)] == ["b-old"]
    add(old_home, "insight", "a new kind")
    with closing(connect(old_home)) as connection:
        assert [hit.kind for hit in search(connection, "new kind", PROJECT)] == ["insight"]
