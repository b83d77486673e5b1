"""What the benches of the daemon share: its lives with the settings that people have, and seeing a commit at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from neatd import control
from tests.conftest import Neat, until
from tests.stores_made import put_store

_LOOK_S = 0.0005  # a look costs 10 us: a fiftieth of a core, and half a millisecond of error


def project(base: Path) -> Neat:
    """An initialised project below `base`, with every setting at its default."""
    base.mkdir(parents=True, exist_ok=True)
    made = Neat(base)
    put_store(made.home)
    assert made.ask("neat", "init", "--yes")[0] == 0
    return made


@contextmanager
def life(base: Path, prepare: Callable[[Neat], Any] = lambda _: None) -> Iterator[Neat]:
    """A project with a daemon that has done what a start needs; `prepare` writes what is there before it."""
    made = project(base)
    prepare(made)
    made.start()
    try:
        wait_for_quiet(daemon_of(made), 0.5)
        yield made
    finally:
        control.stop(made.home)


def daemon_of(neat: Neat) -> psutil.Process:
    return psutil.Process(neat.json("neatd", "status")["pid"])


def used_s(process: psutil.Process) -> float:
    """The seconds of a core that a process and its children have used."""
    some = [process, *process.children(recursive=True)]
    return sum(one.cpu_times().user + one.cpu_times().system for one in some)


def used_over(process: psutil.Process, seconds: float) -> float:
    """The share of a core that it uses over so many seconds."""
    before, begun = used_s(process), time.monotonic()
    until(lambda: time.monotonic() - begun > seconds, f"{seconds} s", seconds + 30)
    return (used_s(process) - before) / (time.monotonic() - begun)


def wait_for_quiet(process: psutil.Process, seconds: float = 3.0, wait_s: float = 180.0) -> None:
    """Until it uses less than 3 % of a core over so many seconds."""
    until(lambda: used_over(process, seconds) < 0.03, "the end of its work", wait_s)


class Committed:
    """A database that another process writes: its commits are seen within a millisecond, at next to no cost."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30)
        self._version = -1

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def is_changed(self) -> bool:
        """Whether somebody committed since the last call."""
        before, self._version = self._version, self._connection.execute("PRAGMA data_version").fetchone()[0]
        return bool(before != self._version)

    def when(self, sql: str, is_there: Callable[[Any], bool], what: str, wait_s: float = 600.0) -> float:
        """The monotonic time at which the first cell that `sql` finds is so."""
        deadline = time.monotonic() + wait_s
        while not (self.is_changed() and is_there(self.rows(sql)[0][0])):
            assert time.monotonic() < deadline, f"waited {wait_s} s in vain for {what}"
            time.sleep(_LOOK_S)
        return time.monotonic()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def committed(neat: Neat, name: str = "points") -> Iterator[Committed]:
    """points.db or neat.db as it is committed to."""
    with closing(Committed(neat.home / f"{name}.db")) as found:
        yield found


def stored_bytes(home: Path) -> int:
    """The size of points.db once its write-ahead log is empty; no daemon may have it open."""
    with closing(sqlite3.connect(home / "points.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return (home / "points.db").stat().st_size
