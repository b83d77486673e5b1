"""The store is made whole or not at all, brought forward in order, and never replaced when it cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neatd.errors import StoreError
from neatd.files import data_path
from neatd.store import migrate
from neatd.store.backup import back_up
from neatd.store.connection import VERSIONS, database_path
from neatd.store.opening import connect
from tests.store_rows import add, child, output

NAMES = ("neat", "points")
FIRST = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO thing (name) VALUES ('kept');"
SECOND = "ALTER TABLE thing ADD COLUMN size INTEGER DEFAULT 7;\nCREATE TRIGGER t AFTER INSERT ON thing BEGIN\n  SELECT 1;\nEND;"
THIRD = "UPDATE thing SET size = size + 1;"


def folder_of(base: Path, *scripts: str) -> Path:
    """A folder of numbered migrations."""
    base.mkdir(exist_ok=True)
    for number, sql in enumerate(scripts, start=1):
        (base / f"{number:04d}_step.sql").write_text(sql)
    return base


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("name", NAMES)
def test_the_known_version_is_that_of_the_shipped_migrations(name: str) -> None:
    """`VERSIONS` is written by hand, so that opening a current store reads no folder."""
    assert len(list((data_path("store") / name).glob("[0-9]*.sql"))) == VERSIONS[name]


@pytest.mark.parametrize("name", NAMES)
def test_migrating_from_blank_twice_is_harmless(tmp_path: Path, name: str) -> None:
    """The second time finds nothing to do and changes no byte of the schema."""
    migrate.ensure(tmp_path, name)
    before = dump(database_path(tmp_path, name))
    migrate.ensure(tmp_path, name)
    assert dump(database_path(tmp_path, name)) == before
    with closing(connect(tmp_path, name)) as connection:
        assert version(connection) == VERSIONS[name]
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_new_store_is_the_users_alone_and_leaves_no_working_file(tmp_path: Path) -> None:
    """The half-made file is gone, and the store is not readable by others."""
    home = tmp_path / "new" / "home"
    connect(home).close()
    assert sorted(path.name for path in home.iterdir()) == ["migrate.lock", "neat.db"]
    assert (home / "neat.db").stat().st_mode & 0o077 == 0


def test_an_old_database_is_brought_forward_in_order(tmp_path: Path) -> None:
    """Only the pending migrations run, each once, and what was in the tables stays."""
    old, new = folder_of(tmp_path / "old", FIRST), folder_of(tmp_path / "new", FIRST, SECOND, THIRD)
    with closing(sqlite3.connect(tmp_path / "some.db")) as connection:
        migrate.apply(connection, "neat", old)
        assert version(connection) == 1
        migrate.apply(connection, "neat", new)
        migrate.apply(connection, "neat", new)
        assert version(connection) == 3
        assert connection.execute("SELECT name, size FROM thing").fetchall() == [("kept", 8)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    """Neither its first statements nor its number stay; those before it do."""
    broken = (
        "CREATE TABLE other (id INTEGER); INSERT INTO thing (name) VALUES ('half'); INSERT INTO nowhere VALUES (1);"
    )
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        migrate.apply(connection, "neat", folder_of(tmp_path / "a", FIRST, SECOND))
    before = dump(path)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate.apply(connection, "neat", folder_of(tmp_path / "b", FIRST, SECOND, broken))
    assert dump(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert version(connection) == 2


def newer(monkeypatch: pytest.MonkeyPatch, base: Path, *scripts: str) -> None:
    """Let this neat be one that ships further migrations of neat.db."""
    shipped = sorted((data_path("store") / "neat").glob("*.sql"))
    folder = folder_of(base, *(path.read_text() for path in shipped), *scripts)
    for path, real in zip(sorted(folder.iterdir()), shipped, strict=False):
        path.rename(folder / real.name)
    monkeypatch.setattr(migrate, "data_path", lambda _: base.parent)
    monkeypatch.setitem(VERSIONS, "neat", len(shipped) + len(scripts))


def test_an_upgrade_backs_the_store_up_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backup holds the store as it was, and the upgraded one the records of before."""
    home = tmp_path / "home"
    kept = add(home, "note", "from before")
    old = VERSIONS["neat"]
    newer(monkeypatch, tmp_path / "neat", "ALTER TABLE note ADD COLUMN mood TEXT DEFAULT 'good';")
    with closing(connect(home)) as connection:
        assert tuple(connection.execute("SELECT id, mood FROM note").fetchone()) == (kept, "good")
        assert version(connection) == old + 1
    (backup,) = (home / "backups").iterdir()
    assert backup.name.endswith(f"-before-{old + 1:04d}.db")
    with closing(sqlite3.connect(backup)) as connection:
        assert version(connection) == old
        assert connection.execute("SELECT id FROM note").fetchone() == (kept,)


def test_an_upgrade_that_fails_says_so_and_keeps_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records are there, readable by the version that wrote them, and nobody is sent to a backup."""
    home = tmp_path / "home"
    add(home, "note", "from before")
    before = dump(home / "neat.db")
    newer(monkeypatch, tmp_path / "neat", "DELETE FROM note; INSERT INTO nowhere VALUES (1);")
    with pytest.raises(StoreError, match="nowhere") as caught:
        connect(home)
    assert str(home / "neat.db") in caught.value.message and "restore" not in caught.value.hint
    assert dump(home / "neat.db") == before


def test_a_store_of_a_newer_neat_is_refused(tmp_path: Path) -> None:
    """Its version is named, and not a byte of it changes."""
    connect(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "neat.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = (tmp_path / "neat.db").read_bytes()
    with pytest.raises(StoreError, match="version 99"):
        connect(tmp_path)
    assert (tmp_path / "neat.db").read_bytes() == before


def cut_to(size: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[: size if size >= 0 else len(whole) + size]


def garbage(whole: bytes) -> bytes:
    return bytes(range(256)) * (len(whole) // 256)


def other_database(whole: bytes) -> bytes:
    """A sound SQLite file of another program."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE thing (id INTEGER)")
        return connection.serialize()


BROKEN = {
    "empty": cut_to(0), "one byte": cut_to(1), "ten bytes": cut_to(10), "half a header": cut_to(50),
    "the header": cut_to(100), "one page": cut_to(4096), "a page and a byte": cut_to(4097), "without its last byte": cut_to(-1),
    "without its last page": cut_to(-4096), "garbage": garbage, "another database": other_database,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_broken_store_is_named_and_left_as_it_is(tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    """The error names the file and the newest backup, or for points that they are read again; no byte changes."""
    connect(tmp_path, name).close()
    backup = back_up(tmp_path, name)
    path = database_path(tmp_path, name)
    path.write_bytes(damage(path.read_bytes()))
    broken = path.read_bytes()
    for _ in range(2):  # the second time, what the first may have left beside the file changes nothing
        with pytest.raises(StoreError) as caught:
            connect(tmp_path, name)
        assert str(path) in caught.value.message
        assert (str(backup) if name == "neat" else "read again") in caught.value.hint
        assert path.read_bytes() == broken
    assert list((tmp_path / "backups").iterdir()) == [backup]


def test_a_store_that_is_gone_is_not_made_anew_while_there_are_backups(tmp_path: Path) -> None:
    """The error names the newest backup, and nothing is created."""
    add(tmp_path, "note", "kept")
    back_up(tmp_path)
    newest = back_up(tmp_path, label="manual")
    (tmp_path / "neat.db").unlink()
    with pytest.raises(StoreError) as caught:
        connect(tmp_path)
    assert str(tmp_path / "neat.db") in caught.value.message and str(newest) in caught.value.hint
    assert not (tmp_path / "neat.db").exists()


WRITE_AND_DIE = """
import os, sys
from pathlib import Path
from neatd.store.opening import connect
connection = connect(Path(sys.argv[1]), sys.argv[2])
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("CREATE TABLE left_over (id INTEGER)")
os._exit(0)
"""


@pytest.mark.parametrize("name", NAMES)
def test_the_journal_of_a_removed_store_is_not_replayed_into_the_next(tmp_path: Path, name: str) -> None:
    """A -wal outlives its database when a person moves that away after a crash; it is kept aside."""
    output(child(WRITE_AND_DIE, tmp_path, name))
    path = database_path(tmp_path, name)
    journal = path.with_name(path.name + "-wal").read_bytes()
    assert journal
    path.unlink()
    with closing(connect(tmp_path, name)) as connection:
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'left_over'").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    (aside,) = tmp_path.glob(f"{path.name}.broken-*-wal")
    assert aside.read_bytes() == journal


CREATE = """
import sys
from pathlib import Path
from neatd.store.opening import connect
print("ready", flush=True)
sys.stdin.readline()
connect(Path(sys.argv[1])).execute("SELECT count(*) FROM note").fetchone()
"""


def test_two_processes_that_make_the_store_at_once_both_succeed(tmp_path: Path) -> None:
    """One makes it, the other finds it; neither waits for a person."""
    both = [child(CREATE, tmp_path / "home") for _ in range(2)]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        output(process)
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["migrate.lock", "neat.db"]


def test_statements_are_split_where_sqlite_ends_them() -> None:
    """A semicolon in a trigger, a text or a comment ends nothing; several on a line are several."""
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT 1;\n  SELECT 2;\nEND;"
    parts = [
        "CREATE TABLE a (b);",
        "  -- one; two\nINSERT INTO a VALUES (';');",
        " SELECT 1;",
        "\n" + trigger,
        "\nSELECT 1",
    ]
    assert list(migrate.statements("".join(parts))) == parts
