"""The store as the page's process reads it: opened anew when it was replaced, never made."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from neatd.errors import StoreError
from neatd.store.opening import connect
from neatd.web.stores import Stores


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("neat", "points"):
        connect(tmp_path, name).close()
    return tmp_path


def test_a_question_makes_no_store_where_there_is_none(home: Path, tmp_path: Path) -> None:
    """It says what is gone; the store that comes back is read."""
    stores, away = Stores(home), home / "away"
    assert stores.projects() == []
    away.mkdir()
    for one in home.glob("*.db*"):
        shutil.move(one, away / one.name)
    for ask in (stores.open, stores.writing):
        with pytest.raises(StoreError, match="gone"):
            ask()
    assert not list(home.glob("*.db*"))
    for one in away.iterdir():
        shutil.move(one, home / one.name)
    assert stores.projects() == []


def test_nothing_is_written_by_those_who_read(home: Path) -> None:
    """Their connections refuse it."""
    for one in Stores(home).open():
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            one.execute("CREATE TABLE x (y)")
