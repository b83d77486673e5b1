"""Every format through the real daemon: laid out and written as its library does, value by value what was logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from neatd.store import window
from neatd.store.opening import connect
from tests.conftest import Neat
from tests.feeding import same
from tests.formats_laid import MADE_UP, Series, Wanted, lay_out, written_in_turns
from tests.formats_read import folders, points_of, run_in, settled, started, until_read

OPEN = {"running", "stalled", "lost"}  # where nothing tells of an end, by how long the run is silent
State = tuple[bytes, int]


class Live(NamedTuple):
    """The project with its daemon, and all cases in it."""

    neat: Neat
    wanted: list[Wanted]
    files: dict[Path, State]  # what was written, with its time


def state_of(path: Path) -> State:
    return path.read_bytes(), path.stat().st_mtime_ns


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One daemon for the module; the cases are written while it reads."""
    with started(tmp_path_factory.mktemp("formats"), stall_s=3.0) as neat:
        laid = lay_out(neat.root)
        written_in_turns([script for one in laid for script in one.scripts], lambda paths: until_read(neat, *paths))
        wanted = [run for one in laid for run in one.wanted]
        files = [one for case in {one.folder.split("/")[0] for one in wanted} for one in (neat.root / case).rglob("*")]
        fed = {one: state_of(one) for one in files if one.is_file() and "snapshots" not in one.parts}
        yield Live(neat, wanted, fed)


def series_of(neat: Neat, run: str) -> Series:
    """All series of a run: the first as `neat series` prints it, the others, of which there are hundreds, from the store."""
    shown, found = neat.show(run), run_in(neat, run)
    assert found is not None
    first, *names = [*shown["series"], *shown["system"]] or [None]
    with closing(connect(neat.home, "points")) as points:
        stored = {
            name: [[step, value] for step, value, _ in window.points_of(points, found.id, name)] for name in names
        }
    return ({first: points_of(neat, run, first)} if first else {}) | stored


def difference(found: Series, wanted: Wanted) -> dict[str, Any]:
    """Series that are not those that were logged; printed numbers have fewer digits, and lack steps sometimes."""
    extra = {one for one in set(found) - set(wanted.series) if one not in MADE_UP and not one.endswith("duration_s")}
    wrong = {
        name: (found.get(name), points)
        for name, points in wanted.series.items()
        if name not in found or not _are_alike(found[name], points, wanted.is_printed)
    }
    return wrong | {name: (found[name], None) for name in extra}


def _are_alike(found: list[list[float]], points: list[list[float]], is_printed: bool) -> bool:
    if not is_printed:
        return same(found, points)
    return [value for _, value in found] == pytest.approx([value for _, value in points], 5.1e-3, 6e-4, nan_ok=True)


def every_run_is_found_once(live: Live) -> None:
    """None is missing, doubled, or made of a file that belongs to another; a run that MLflow deleted is none."""
    wanted = {one.folder for one in live.wanted}
    cases = {one.split("/")[0] for one in wanted}
    found = settled(lambda: wanted ^ {one for one in folders(live.neat) if one.split("/")[0] in cases})
    assert not found and len(folders(live.neat)) == len(set(folders(live.neat)))


def every_value_is_what_was_logged(live: Live) -> None:
    """By run, name, step and value, in order; and no series is there that was not logged."""
    for one in live.wanted:
        found = settled(partial(lambda one: difference(series_of(live.neat, one.folder), one), one))
        assert found == {}, one.folder


def only_a_restart_from_an_earlier_step_begins_an_attempt(live: Live) -> None:
    """A resumed Trainer, and a value that MLflow was given again for an earlier step."""
    found = {one.folder: live.neat.show(one.folder)["attempt"] for one in live.wanted}
    assert found == {one.folder: one.attempts for one in live.wanted}


def what_trackers_say_of_a_run_is_known_of_it(live: Live) -> None:
    """Its parameters and plan, and what else they tell: name, status, commit, command, exit code."""

    def untold(one: Wanted) -> dict[str, Any]:
        run = run_in(live.neat, one.folder)
        assert run is not None
        found = run.facts.get("told", {}) | {"config": run.config, "planned_steps": run.planned_steps}
        return {name: (found.get(name), value) for name, value in one.told.items() if found.get(name) != value}

    for one in live.wanted:
        assert settled(partial(untold, one)) == {}, one.folder


def every_status_is_true_and_has_its_reason(live: Live) -> None:
    """wandb's exit codes at once; what MLflow says once its run is silent; no end where nothing tells one."""

    def wrong(one: Wanted) -> Any:
        shown = live.neat.show(one.folder)
        if shown["status"] == "finished" and not one.status:  # a log that tells its plan or its end, and came to it
            told = (f"of {one.told.get('planned_steps')}", "its trainer wrote train_runtime", " ends with ")
            return () if any(word in shown["reason"] for word in told) else shown["reason"]
        is_so = shown["status"] in ({one.status} if one.status else OPEN) and one.reason in shown["reason"]
        return () if is_so else (shown["status"], shown["reason"])

    for one in live.wanted:
        assert settled(partial(wrong, one)) == (), one.folder


def no_line_of_a_library_is_odd(live: Live) -> None:
    """Nothing is unreadable, replaced, vanished or failed in neat."""
    odd = {"unreadable-line", "source-replaced", "folder-gone", "source-unreadable", "step-failed", "watch-limited"}
    ids = {run_in(live.neat, one.folder).id for one in live.wanted}  # type: ignore[union-attr]
    assert [one for one in live.neat.json("neat", "events") if one["rule"] in odd and one["run"] in ids] == []


def no_file_is_touched(live: Live) -> None:
    """Bytes and times are as they were, and nothing lies beside the databases that SQLite leaves where it writes."""
    assert {path for path, state in live.files.items() if not path.exists() or state_of(path) != state} == set()
    ends = ("-wal", "-shm", "-journal")
    assert [one for one in live.neat.root.rglob("*") if one.name.endswith(ends) and one.is_file()] == []


def test_every_library_is_read_as_it_logged(live: Live) -> None:
    """One test, for the daemon that reads them all is started once."""
    every_run_is_found_once(live)
    every_value_is_what_was_logged(live)
    only_a_restart_from_an_earlier_step_begins_an_attempt(live)
    what_trackers_say_of_a_run_is_known_of_it(live)
    every_status_is_true_and_has_its_reason(live)
    no_line_of_a_library_is_odd(live)
    no_file_is_touched(live)
