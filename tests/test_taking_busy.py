"""A commit that fails leaves nothing ahead of the store: what was read is read again."""

from __future__ import annotations

from pathlib import Path

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.pipeline.loop import FULL_DISK_PAUSE_S, Loop
from neatd.place import here
from neatd.store import runs, short, window
from neatd.store.connection import database_path, open_connection, transaction
from neatd.watch.observer import Watcher
from tests.conftest import until


def table(count: int, offset: float) -> str:
    return "step,loss\n" + "".join(f"{step},{offset + step / 1000:.4f}\n" for step in range(count))


def test_a_rewritten_table_whose_first_commit_fails_is_read_from_its_first_row(tmp_path: Path) -> None:
    """The store is busy in the very turn in which the file turns out to be another one: every row of it arrives."""
    root, home = tmp_path / "project", tmp_path / "home"
    place = root / "runs" / "a" / "metrics.csv"
    place.parent.mkdir(parents=True)
    home.mkdir()
    (root / "neat.yaml").write_text(f'id: "{"0" * 32}"\n')
    place.write_text(table(300, 0.0))
    scene = open_scene(home, Settings(sweep_s=0.01, read_bytes=1024))
    with transaction(scene.records):
        short.ensure_project(scene.records, here(root))
    loop = Loop(scene, Watcher())
    loop.prepare()

    def losses() -> list[tuple[int, float]]:
        loop.step([place])
        found = runs.all_runs(scene.records)
        return (
            [(step, value) for step, value, _ in window.points_of(scene.points, found[0].id, "loss")] if found else []
        )

    until(lambda: len(losses()) == 300, "the first table")
    scene.points.execute("PRAGMA busy_timeout = 50")
    other = open_connection(database_path(home, "points"), "points")
    other.execute("BEGIN IMMEDIATE")
    place.write_text(table(400, 5.0))
    until(lambda: losses() and scene.trouble, "the busy store to be met")
    other.execute("ROLLBACK")
    other.close()
    begun = scene.clock()
    moved = FULL_DISK_PAUSE_S + 1
    scene.clock = lambda: begun + moved  # the pause is over
    expected = [(step, round(5 + step / 1000, 4)) for step in range(400)]
    until(lambda: losses() == expected, "every row of the new table")
    scene.records.close()
    scene.points.close()
