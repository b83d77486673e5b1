"""A store without room, locked or thrown away, a system that tells of nothing, folders that move: all values, once."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Neat, until
from tests.daemons_made import own_daemon
from tests.fault_files import Jsonl, Lightning, Narrow, TensorBoard, Text, every_format
from tests.fault_matrix import compare, contents, is_all_judged, run_ids, stores, wait_for
from tests.fault_place import Place, curve, lines, place_in

LOCKED_S = 3.0
DEAF = """
from neatd.watch import observer

class Deaf:
    most = 100

    def __init__(self, hints):
        pass

    def start(self):
        pass

    def stop(self):
        pass

    def add(self, folder):
        return folder

    def drop(self, watch):
        pass

observer._backend = Deaf;"""


# ---- a store without room ----


@contextmanager
def full_disk(home: Path) -> Iterator[None]:
    """The file system of the home has no byte left while this lasts."""
    filler = home / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(bytes(size))
    yield
    filler.unlink()


@contextmanager
def file_limit(home: Path, pid: int) -> Iterator[None]:
    """Where nothing may be mounted: no file of the daemon can grow while this lasts."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, ((home / "points.db-wal").stat().st_size, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def small_disk(at: Path) -> Iterator[bool]:
    """A file system of 24 MB at `at`; False where that is not allowed."""
    at.mkdir()
    is_mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", at], capture_output=True).returncode == 0
    )
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", at], check=True)


def test_a_disk_that_is_full_for_a_while(tmp_path: Path) -> None:
    """Every format is read on in the same life of the daemon, as soon as there is room."""
    with small_disk(tmp_path / "disk") as is_mounted, place_in(tmp_path / "disk") as place:
        place.up()
        first = Jsonl(place.neat.root)
        first.grow(10)
        wait_for(place.neat, first.run, first.expected())
        other = tmp_path / "disk" / "project"
        writers: list[Jsonl] = [first, Narrow(other), TensorBoard(other), Text(other), Lightning(other, 600)]
        for one in writers:
            one.grow(600)
        until(lambda: is_all_judged(place.neat.home), "a quiet daemon")
        for one in writers:
            one.grow(700)
        with full_disk(place.neat.home) if is_mounted else file_limit(place.neat.home, place.lives.pid):
            until(lambda: place.neat.json("neatd", "status")["trouble"], "the daemon to say that it cannot write")
        for one in writers:
            wait_for(place.neat, one.run, one.expected())
            assert place.attempts(Path(one.run).name) == 1
        place.down()


# ---- a store that is locked, or thrown away ----


def test_points_that_another_process_locks_for_seconds(place: Place) -> None:
    """What is written meanwhile is there afterwards."""
    path = place.folder("locked") / "metrics.jsonl"
    path.write_bytes(lines(curve(1, 50)))
    place.holds("locked", curve(1, 50))
    with closing(sqlite3.connect(place.neat.home / "points.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        for step in range(51, 61):
            with path.open("ab") as file:
                file.write(lines(curve(step, step)))
        until(lambda: time.monotonic() - begun > LOCKED_S, "seconds of a lock")
        other.execute("COMMIT")
    place.holds("locked", curve(1, 60))


def test_points_that_are_thrown_away_between_two_lives(tmp_path: Path) -> None:
    """Read anew from every format: the same values, and every event is told once."""
    with place_in(tmp_path) as place:
        made = every_format(place.neat.root, 500)
        for one in made:
            one.grow(500)
        place.up()
        for one in made:
            wait_for(place.neat, one.run, one.expected())
        until(lambda: is_all_judged(place.neat.home), "all of it judged")
        place.down()
        before = contents(place.neat.home)
        for name in ("points.db", "points.db-wal", "points.db-shm"):
            (place.neat.home / name).unlink(missing_ok=True)
        place.up()
        for one in made:
            wait_for(place.neat, one.run, one.expected())
        until(lambda: is_all_judged(place.neat.home), "all of it judged again")
        place.down()
        after = contents(place.neat.home)
        compare(after, before)
        assert any(one["events"] for one in after.values())


# ---- a file system without events ----


def test_a_system_that_tells_of_no_change(neat: Neat) -> None:
    """The sweeps find new runs, growth, a rewritten table, a rotated file and a database's rows."""
    with own_daemon(neat, DEAF):
        made = every_format(neat.root, 200)
        for rows in (100, 200):
            for one in made:
                one.grow(rows)
            for one in made:
                wait_for(neat, one.run, one.expected())
        first = made[0]
        first.path.rename(first.path.with_name("metrics.jsonl.1"))
        first.grow(300)
        wait_for(neat, first.run, first.expected())


# ---- folders that move ----


def moved(path: Path) -> Path:
    return path.rename(path.with_name(f"{path.name}-new"))


def moved_into_a_folder(path: Path) -> Path:
    path.with_name("archive").mkdir(exist_ok=True)
    return path.rename(path.with_name("archive") / path.name)


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("move", [moved, moved_into_a_folder])
def test_a_run_whose_folder_moves_goes_on(place: Place, move: Callable[[Path], Path], is_up: bool) -> None:
    """The same run under its new name, with what was unread and what came later; nothing stays behind twice."""
    run = f"{move.__name__}-{is_up}"
    folder = place.folder(run)
    (folder / "metrics.jsonl").write_bytes(lines(curve(1, 50)))
    place.holds(run, curve(1, 50))
    before = _id(place, folder)
    if not is_up:
        place.down()
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(lines(curve(51, 60)))
    new = move(folder)
    place.up()
    name = new.relative_to(place.neat.root / "runs").as_posix()
    place.holds(name, curve(1, 60))
    with (new / "metrics.jsonl").open("ab") as file:
        file.write(lines(curve(61, 70)))
    place.holds(name, curve(1, 70))
    assert _id(place, new) == before and place.attempts(name) == 1


def test_a_copied_run_is_another(place: Place) -> None:
    """Both have all points, each once."""
    folder = place.folder("original")
    (folder / "metrics.jsonl").write_bytes(lines(curve(1, 50)))
    place.holds("original", curve(1, 50))
    shutil.copytree(folder, folder.with_name("copied"))
    place.holds("copied", curve(1, 50))
    place.still_holds("original", curve(1, 50))
    assert _id(place, folder) != _id(place, folder.with_name("copied"))


def _id(place: Place, folder: Path) -> str | None:
    with stores(place.neat.home) as (records, _):
        return run_ids(records).get(os.fspath(folder.relative_to(place.neat.root)))
