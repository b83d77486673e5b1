"""Backups are whole, and putting one back loses neither the old file nor the backup's content."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.errors import NeatError, StoreError
from neatd.store.backup import back_up, newest_age_h, restore
from neatd.store.damage import newest_backup
from neatd.store.opening import connect
from tests.store_rows import add, child, output


def titles(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT title FROM note ORDER BY rowno")]


def fill(home: Path) -> None:
    """Enough notes that pages lie beyond those of an early backup."""
    for number in range(40):
        add(home, "note", f"later {number} " + "x" * 400)


def test_a_backup_holds_what_is_committed_while_others_write(tmp_path: Path) -> None:
    """What lies in the journal belongs to it, an open transaction does not; it is one file, the user's alone."""
    with closing(connect(tmp_path)) as connection:
        add(tmp_path, "note", "one")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO note (id, title, created_at, updated_at) VALUES ('n-x', 'half', '', '')")
        backup = back_up(tmp_path)
        connection.execute("ROLLBACK")
    assert titles(backup) == ["one"]
    assert list(backup.parent.iterdir()) == [backup]
    assert backup.stat().st_mode & 0o077 == 0


def test_only_daily_backups_beyond_the_number_kept_are_dropped(tmp_path: Path) -> None:
    """The oldest go; one made by hand or before an upgrade stays, and so do those of the other database."""
    connect(tmp_path).close()
    connect(tmp_path, "points").close()
    kept = [back_up(tmp_path, label="manual"), back_up(tmp_path, "points")]
    daily = [back_up(tmp_path, keep=2) for _ in range(4)]
    assert set((tmp_path / "backups").iterdir()) == {*kept, *daily[2:]}
    assert newest_backup(tmp_path) == daily[-1]


def test_the_age_of_the_newest_backup_is_in_hours(tmp_path: Path) -> None:
    """None when there is none."""
    connect(tmp_path).close()
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert newest_age_h(tmp_path, now) is None
    os.utime(back_up(tmp_path), (now.timestamp() - 5400, now.timestamp() - 5400))
    assert newest_age_h(tmp_path, now) == 1.5


@pytest.mark.parametrize("content", [b"", b"S", b"no database at all" * 99])
def test_a_broken_store_is_not_backed_up(tmp_path: Path, content: bytes) -> None:
    """An empty backup would be the newest, and `neat restore` would put it back."""
    add(tmp_path, "note", "one")
    backup = back_up(tmp_path)
    (tmp_path / "neat.db").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        back_up(tmp_path)
    assert str(backup) in caught.value.hint
    assert list((tmp_path / "backups").iterdir()) == [backup]


def test_nothing_to_back_up_is_said(tmp_path: Path) -> None:
    """And no store is made by asking."""
    with pytest.raises(NeatError, match="does not exist"):
        back_up(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_restore_puts_the_newest_backup_back_and_keeps_the_broken_file(tmp_path: Path) -> None:
    """The records of the backup are there, and the file that was replaced lies beside it, unchanged."""
    add(tmp_path, "note", "one")
    back_up(tmp_path)
    add(tmp_path, "note", "two")
    newest = back_up(tmp_path, label="manual")
    (tmp_path / "neat.db").write_bytes(b"garbage" * 99)
    used, aside = restore(tmp_path)
    assert used == newest and newest.exists()
    assert aside is not None and aside.read_bytes() == b"garbage" * 99
    with closing(connect(tmp_path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert titles(tmp_path / "neat.db") == ["one", "two"]
    assert (tmp_path / "neat.db").stat().st_mode & 0o077 == 0


def test_restore_takes_the_backup_that_is_named(tmp_path: Path) -> None:
    """An older one, and the store of now is kept, too: it can be put back the same way."""
    add(tmp_path, "note", "one")
    older = back_up(tmp_path)
    add(tmp_path, "note", "two")
    back_up(tmp_path)
    _, aside = restore(tmp_path, older)
    assert titles(tmp_path / "neat.db") == ["one"]
    restore(tmp_path, aside)
    assert titles(tmp_path / "neat.db") == ["one", "two"]


def test_every_file_that_was_put_aside_stays(tmp_path: Path) -> None:
    """Two restores within a second keep both."""
    add(tmp_path, "note", "one")
    back_up(tmp_path)
    asides = {restore(tmp_path)[1] for _ in range(3)}
    assert len(asides) == 3 and all(aside is not None and aside.exists() for aside in asides)


WRITE_AND_DIE = """
import os, sys
from pathlib import Path
from neatd.store.opening import connect
connection = connect(Path(sys.argv[1]))
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("UPDATE note SET title = 'from the journal'")
os._exit(0)
"""


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_restored_store_is_the_backup_and_nothing_of_an_old_journal(tmp_path: Path, is_gone: bool) -> None:
    """A killed writer leaves a -wal; whether the store itself is there or removed, it goes aside with it."""
    add(tmp_path, "note", "one")
    back_up(tmp_path)
    fill(tmp_path)
    output(child(WRITE_AND_DIE, tmp_path))
    if is_gone:
        (tmp_path / "neat.db").unlink()
    _, aside = restore(tmp_path)
    assert titles(tmp_path / "neat.db") == ["one"]
    with closing(connect(tmp_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert len(list(tmp_path.glob("neat.db.broken-*-wal"))) == 1
    if not is_gone:  # the old store with its journal is whole as well
        assert aside is not None and titles(aside) == ["from the journal"] * 41


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (title TEXT)")


def points_database(path: Path) -> None:
    connect(path.parent, "points").close()
    (path.parent / "points.db").rename(path)


def truncated(path: Path) -> None:
    path.write_bytes((path.parent / "neat.db").read_bytes()[:-4096])


def garbage(path: Path) -> None:
    path.write_bytes(b"x" * 999)


@pytest.mark.parametrize("make", [Path.touch, other_database, points_database, truncated, garbage])
def test_what_is_no_backup_of_the_records_is_not_put_in_their_place(tmp_path: Path, make: object) -> None:
    """An empty file is a sound database to SQLite; the store stays where it is."""
    add(tmp_path, "note", "one")
    assert callable(make)
    make(tmp_path / "chosen.db")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(NeatError, match=r"chosen\.db is broken"):
        restore(tmp_path, tmp_path / "chosen.db")
    assert titles(tmp_path / "neat.db") == ["one"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_without_any_backup_restore_says_so(tmp_path: Path) -> None:
    """And leaves the store alone."""
    add(tmp_path, "note", "one")
    with pytest.raises(NeatError, match="no backup"):
        restore(tmp_path)
    assert titles(tmp_path / "neat.db") == ["one"]
