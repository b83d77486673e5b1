"""A store that was destroyed, in every way that a disk has, comes back from its backup; what was there is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.errors import NeatError
from neatd.lifesign import lock_path
from neatd.locks import FileLock
from neatd.pipeline.loop import Loop
from neatd.store.backup import set_broken_points_aside
from neatd.store.opening import connect
from neatd.watch.observer import Watcher
from tests.cli_place import Cli
from tests.conftest import until
from tests.store_rows import add
from tests.upkeep_made import set_up


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def quiet(home: Path) -> Path:
    """neat.db with its log written into it, as a machine leaves it that was shut down."""
    path = home / "neat.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return path


def deleted(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbage_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    page = 4096
    for start in range(page * 2, len(data), page * 3):
        data[start : start + page] = b"\xa5garbage" * (page // 8)
    path.write_bytes(data)


def first_page_lost(path: Path) -> None:
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])


def half_written(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_within_a_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1500])


DESTROYED = (deleted, emptied, garbage_in_the_middle, first_page_lost, half_written, cut_within_a_page)


@pytest.mark.parametrize("destroy", DESTROYED, ids=lambda one: one.__name__)
def test_a_destroyed_store_is_never_replaced_by_itself_and_comes_back_from_its_backup(
    cli: Cli, destroy: Callable[[Path], None]
) -> None:
    """The daemon refuses it and names the backup; `neat restore` puts that back; the broken file lies beside it."""
    kept = [cli.keep("note", f"note {number} " + "x" * 6000) for number in range(12)]
    backup = Path(cli.json("backup")["file"])
    path = quiet(cli.home)
    destroy(path)
    broken = path.read_bytes() if path.exists() else None
    with pytest.raises(NeatError) as caught:
        open_scene(cli.home, Settings())
    assert str(backup) in caught.value.hint and "neat restore" in caught.value.hint
    assert (path.read_bytes() if path.exists() else None) == broken
    found = cli.json("restore", "--yes")
    assert found["restored"] == str(backup)
    assert broken is None or Path(found["aside"]).read_bytes() == broken
    assert {one["id"] for one in cli.json("list", "note")} == set(kept)
    scene = open_scene(cli.home, Settings())
    with closing(scene.records), closing(scene.points):
        assert scene.records.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert scene.records.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_restore_can_be_undone_by_the_name_that_it_printed(cli: Cli) -> None:
    """Nothing that was in the store is lost, whatever was put in its place."""
    cli.keep("note", "old")
    cli.ok("backup")
    newer = cli.keep("note", "newer than the backup")
    found = cli.json("restore", "--yes")
    assert newer not in {one["id"] for one in cli.json("list", "note")}
    cli.ok("restore", found["aside"], "--yes")
    assert newer in {one["id"] for one in cli.json("list", "note")}


def test_a_broken_backup_is_refused_and_the_store_stays(cli: Cli) -> None:
    """It is opened and checked before anything moves."""
    kept = cli.keep("note", "kept " + "x" * 9000)
    backup = Path(cli.json("backup")["file"])
    garbage_in_the_middle(backup)
    assert "is broken too" in cli.refused("restore", "--yes")
    assert [one["id"] for one in cli.json("list", "note")] == [kept]
    assert not list(cli.home.glob("*.broken-*"))


def test_restore_refuses_while_neatd_lives_and_without_a_yes(cli: Cli) -> None:
    """The lock is held meanwhile, so that none starts in between."""
    cli.ok("backup")
    with FileLock(lock_path(cli.home)):
        assert "`neatd stop` first" in cli.refused("restore", "--yes")
    assert cli("restore").code != 0 and not list(cli.home.glob("*.broken-*"))


def test_points_that_were_destroyed_are_read_again_from_their_sources(cli: Cli) -> None:
    """`neat restore` sets a broken points.db aside; the next life reads the same series again, and judges nothing twice."""
    run = cli.root / "runs/a"
    run.mkdir(parents=True)
    rows = "".join(f'{{"step": {step}, "loss": {9.0 if step == 150 else 1 / step}}}\n' for step in range(1, 200))
    (run / "metrics.jsonl").write_text(rows)
    watch(cli)
    before, events = cli.json("series", "runs/a", "loss"), cli.json("events")
    assert len(before) == 199
    cli.ok("backup")
    assert set_broken_points_aside(cli.home) is None
    path = cli.home / "points.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    first_page_lost(path)
    found = cli.json("restore", "--yes")
    assert found["points_aside"] and Path(found["points_aside"]).exists() and not path.exists()
    watch(cli)
    assert cli.json("series", "runs/a", "loss") == before
    assert [one["id"] for one in cli.json("events")] == [one["id"] for one in events]


def watch(cli: Cli) -> None:
    """Turns of a daemon's loop until everything is read and judged."""
    scene = open_scene(cli.home, Settings(sweep_s=0.1))
    with closing(scene.records), closing(scene.points):
        loop = Loop(scene, Watcher())
        loop.prepare()

        def is_done() -> bool:
            loop.step(())
            return any(live.sources for _, live in scene.live_runs()) and not any(
                live.has_work for _, live in scene.live_runs()
            )

        until(is_done, "all lines read and judged")


def test_a_sound_points_store_and_one_that_is_not_there_stay(tmp_path: Path) -> None:
    """Only what cannot be read is set aside."""
    add(tmp_path, "note", "one")
    assert set_broken_points_aside(tmp_path) is None
    connect(tmp_path, "points").close()
    assert set_broken_points_aside(tmp_path) is None and (tmp_path / "points.db").exists()
    (tmp_path / "points.db").write_bytes(b"no database" * 500)
    assert set_broken_points_aside(tmp_path) is not None and not (tmp_path / "points.db").exists()
