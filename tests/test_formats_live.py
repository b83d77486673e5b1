"""Every format through the real daemon: laid out and written as its library does, value by value what was logged."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from neatd import control
from neatd.models import Run
from neatd.store import readings, runs
from neatd.store.opening import connect
from tests.conftest import Neat, until
from tests.feeding import same
from tests.formats_laid import MADE_UP, Wanted, lay_out, written_in_turns
from tests.stores_made import put_store

Series = dict[str, list[list[float]]]
State = tuple[bytes, int]


class Live(NamedTuple):
    """The project with its daemon, and all cases in it."""

    neat: Neat
    wanted: list[Wanted]
    files: dict[Path, State]  # what was written, with its time


def state_of(path: Path) -> State:
    return path.read_bytes(), path.stat().st_mtime_ns


def all_files(root: Path) -> dict[Path, State]:
    """What lies in a project beside what is neat's own."""
    return {one: state_of(one) for one in root.rglob("*") if one.is_file() and ".neat" not in one.relative_to(root).parts}


def run_in(neat: Neat, folder: str) -> Run | None:
    """A run as it is stored."""
    records = connect(neat.home, "neat")
    try:
        return next((one for one in runs.all_runs(records) if one.folder == folder), None)
    finally:
        records.close()


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


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One daemon for the module; the cases are written while it reads."""
    neat = Neat(tmp_path_factory.mktemp("formats"))
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3)
    put_store(neat.home)
    assert neat.ask("neat", "init", "--yes")[0] == 0
    neat.start()
    try:
        laid = lay_out(neat.root)
        beats = iter(range(1, 1000))

        def until_read(paths: list[Path]) -> None:
            neat.metrics("beat", {"step": next(beats), "x": 1.0})
            for path in [*paths, neat.root / "beat" / "metrics.jsonl"]:
                until(lambda path=path: is_read(neat, path), f"{path} to be read")  # type: ignore[misc]

        written_in_turns([script for one in laid for script in one.scripts], until_read)
        yield Live(neat, [run for one in laid for run in one.wanted], all_files(neat.root))
    finally:
        control.stop(neat.home)


def series_of(neat: Neat, run: str) -> Series:
    """All series of a run as `neat series` prints them."""
    return {name: number_pairs(neat.json("neat", "series", run, name)) for name in neat.show(run)["series"]}


def number_pairs(points: list[list[Any]]) -> list[list[float]]:
    return [[step, float(value)] for step, value, _ in points]


def is_as_wanted(found: Series, wanted: Wanted) -> bool:
    """Whether the series are those that were logged; printed numbers have fewer digits, and lack steps sometimes."""
    extra = {name for name in set(found) - set(wanted.series) if name not in MADE_UP and not name.endswith("duration_s")}
    if extra or set(wanted.series) - set(found):
        return False
    if not wanted.is_printed:
        return all(same(found[name], points) for name, points in wanted.series.items())
    pairs = [(found[name], points) for name, points in wanted.series.items()]
    return all([one for _, one in a] == pytest.approx([one for _, one in b], 2e-3, 6e-4, nan_ok=True) for a, b in pairs)


def test_every_run_is_found_once(live: Live) -> None:
    """None is missing, doubled, or made of a file that belongs to another."""
    found = sorted(run["folder"] for run in live.neat.json("neat", "runs"))
    assert found == sorted([one.folder for one in live.wanted] + ["beat"])


def test_every_value_is_what_was_logged(live: Live) -> None:
    """By run, name, step and value, in order; nothing else is there."""
    for one in live.wanted:
        until(lambda one=one: is_as_wanted(series_of(live.neat, one.folder), one), f"{one}, not {series_of(live.neat, one.folder)}", 10)
