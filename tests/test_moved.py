"""A run's folder that is renamed stays the same run; a copy is another."""

from __future__ import annotations

import shutil

from tests.conftest import Neat, until


def lines(first: int, last: int) -> list[dict[str, float]]:
    return [
        {"step": step, "loss": 1 / step, "pad/number_one": step * 1.5, "pad/number_two": 0.25}
        for step in range(first, last + 1)
    ]


def runs_of(neat: Neat) -> dict[str, str]:
    """Name -> id of all runs."""
    return {run["name"]: run["id"] for run in neat.json("neat", "runs")}


def test_a_renamed_folder_is_the_same_run_and_goes_on(neat: Neat) -> None:
    """Id and points stay, lines written after the rename are the next points, and an event says what happened."""
    neat.settings()
    neat.start()
    neat.metrics("runs/a", *lines(1, 20))
    neat.wait_for_points("runs/a", "loss", 20)
    before = runs_of(neat)["runs/a"]
    (neat.root / "runs" / "a").rename(neat.root / "runs" / "better")
    until(lambda: runs_of(neat).get("runs/better") == before, "the new name")
    neat.metrics("runs/better", *lines(21, 25))
    found = neat.wait_for_points("runs/better", "loss", 25)
    assert [step for step, _ in found] == list(range(1, 26)) and len(runs_of(neat)) == 1
    assert neat.wait_for_event("run-moved")["run"] == before


def test_a_folder_moved_while_nobody_watched_is_the_same_run(neat: Neat) -> None:
    """The same after a restart, into another folder of the project."""
    neat.settings()
    neat.start()
    neat.metrics("runs/a", *lines(1, 20))
    neat.wait_for_points("runs/a", "loss", 20)
    before = runs_of(neat)["runs/a"]
    neat.call("neatd", "stop")
    (neat.root / "kept").mkdir()
    shutil.move(neat.root / "runs" / "a", neat.root / "kept" / "a")
    neat.metrics("kept/a", *lines(21, 22))
    neat.start()
    assert [step for step, _ in neat.wait_for_points("kept/a", "loss", 22)] == list(range(1, 23))
    assert runs_of(neat) == {"kept/a": before}


def test_a_copied_folder_is_another_run(neat: Neat) -> None:
    """Both have the points; the first keeps its id."""
    neat.settings()
    neat.start()
    neat.metrics("runs/a", *lines(1, 20))
    neat.wait_for_points("runs/a", "loss", 20)
    before = runs_of(neat)["runs/a"]
    shutil.copytree(neat.root / "runs" / "a", neat.root / "runs" / "b", ignore=shutil.ignore_patterns("snapshots"))
    neat.wait_for_points("runs/b", "loss", 20)
    found = runs_of(neat)
    assert found["runs/a"] == before != found["runs/b"]
