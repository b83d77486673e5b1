"""A project with its daemon for a whole module of tests, and what the store and the commands say of its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from neatd import control
from neatd.models import Run
from neatd.store import readings, runs
from neatd.store.opening import connect
from tests.conftest import Neat, until
from tests.stores_made import put_store


@contextmanager
def started(base: Path, config: str = "", **settings: object) -> Iterator[Neat]:
    """A project with `config` in its neat.yaml, its daemon running, which is ended after."""
    neat = Neat(base)
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3, **settings)
    put_store(neat.home)
    assert neat.ask("neat", "init", "--yes")[0] == 0
    put(neat.root / "neat.yaml", config)
    neat.start()
    try:
        yield neat
    finally:
        control.stop(neat.home)


def put(path: Path, data: bytes | str) -> Path:
    """Bytes or text at the end of a file, which is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return path


def run_in(neat: Neat, folder: str) -> Run | None:
    """A run as it is stored."""
    records = connect(neat.home, "neat")
    try:
        return next((one for one in runs.all_runs(records) if one.folder == folder), None)
    finally:
        records.close()


def folders(neat: Neat) -> list[str]:
    """Of all runs."""
    return sorted(run["folder"] for run in neat.json("neat", "runs"))


def points_of(neat: Neat, run: str, name: str) -> list[list[float]]:
    """(step, value) of a series as `neat series` prints it."""
    return [[step, float(value)] for step, value, _ in neat.json("neat", "series", run, name)]


def until_read(neat: Neat, *paths: Path) -> None:
    """Wait until these files are read to their ends, and the daemon has taken a turn that began after this call."""
    beat = neat.metrics("beat", {"step": 1, "beat": 1.0})
    for path in (*paths, beat):
        until(lambda path=path: is_read(neat, path), f"{path} to be read")  # type: ignore[misc]


def is_read(neat: Neat, path: Path) -> bool:
    """Whether a file is read to its end, as the store says."""
    points, records = connect(neat.home, "points"), connect(neat.home, "neat")
    try:
        for run in runs.all_runs(records):
            folder = neat.root / run.folder
            if path.is_relative_to(folder):
                cursor = readings.readings(points, run.id).get(path.relative_to(folder).as_posix())
                if cursor is not None and cursor.offset == path.stat().st_size and not cursor.replay:
                    return True
        return False
    finally:
        points.close()
        records.close()


def settled(find: Callable[[], Any], wait_s: float = 15.0) -> Any:
    """What `find` finds: nothing, as soon as that is so; else what it still found at the end."""
    found: list[Any] = []

    def is_nothing() -> bool:
        found[:] = [find()]
        return not found[0]

    with suppress(AssertionError):
        until(is_nothing, "nothing", wait_s)
    return found[0]
