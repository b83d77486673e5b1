"""What is judged in one turn is written in one transaction, and that holds up nobody for long; thinning waits for it."""

from __future__ import annotations

import json
import os
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from neatd.config import Settings, load_project
from neatd.daemon import open_scene
from neatd.pipeline.loop import MOST_TOLD, Loop
from neatd.place import here
from neatd.store import checkpoints, projects, short
from neatd.store.connection import transaction
from neatd.watch.observer import Watcher
from tests.conftest import until

RUNS, LINES = 40, 30


def lay(root: Path) -> None:
    """Runs of long ago in which nearly every line is better than all before it."""
    (root / "neat.yaml").write_text(f'id: "{"0" * 32}"\n')
    for run in range(RUNS):
        path = root / "runs" / str(run) / "metrics.jsonl"
        path.parent.mkdir(parents=True)
        rows = [{"step": step, "loss": 0.9**step, "val/loss": 0.9**step} for step in range(LINES)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.utime(path, (1.7e9, 1.7e9))


@pytest.mark.slow
def test_many_runs_with_much_to_tell_are_written_in_several_turns(tmp_path: Path) -> None:
    """A project with a history is set up: the store is not held for as long as all of its events take."""
    root, home = tmp_path / "project", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    lay(root)
    scene = open_scene(home, Settings())
    with closing(scene.records), closing(scene.points):
        with transaction(scene.records):
            short.ensure_project(scene.records, here(root))
        loop = Loop(scene, Watcher())
        loop.prepare()
        written = [0]

        def is_done() -> bool:
            loop.step(())
            written.append(scene.records.execute("SELECT count(*) FROM event").fetchone()[0])
            judged = scene.records.execute("SELECT count(*) FROM judging WHERE seq = ?", (LINES,)).fetchone()[0]
            return bool(judged == RUNS)

        until(is_done, "all runs judged")
    most = max(after - before for before, after in pairwise(written))
    assert written[-1] > MOST_TOLD and most < MOST_TOLD + 3 * LINES


def test_nothing_is_thinned_while_lines_wait_to_be_judged(tmp_path: Path) -> None:
    """An event among them may want a checkpoint that is there now."""
    root, home = tmp_path / "project", tmp_path / "home"
    folder = root / "runs" / "a"
    (folder / "checkpoints").mkdir(parents=True)
    home.mkdir()
    policy = "retention: {newest: 1, half: 0, every_steps: 100000}"
    (root / "neat.yaml").write_text(f'id: "{"0" * 32}"\n{policy}\n')
    scene = open_scene(home, Settings(judge_lines=5, checkpoint_rest_s=0.01))
    with closing(scene.records), closing(scene.points):
        with transaction(scene.records):
            short.ensure_project(scene.records, here(root))
        projects.allow(scene.records, root, "retention")
        scene.records.execute("UPDATE consent SET created_at = '2026-01-01T00:00:00+00:00'")
        checkpoints.approve_policy(scene.records, str(root), load_project(root).retention.model_dump_json())
        rows = [{"step": step, "loss": 1.0 + step % 3 / 10} for step in range(1, LINES + 1)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for step in (10, 20, 30):
            (folder / "checkpoints" / f"step_{step}.pt").write_bytes(b"weights" * step)
        loop = Loop(scene, Watcher())
        loop.prepare()
        early = []

        def is_thinned() -> bool:
            loop.step(())
            judged = scene.records.execute("SELECT COALESCE(max(seq), 0) FROM judging").fetchone()[0]
            moved = scene.records.execute("SELECT count(*) FROM deletion").fetchone()[0]
            if moved and judged < LINES:
                early.append(judged)
            return bool(moved)

        until(is_thinned, "the thinning")
    assert early == [] and not (folder / "checkpoints" / "step_20.pt").exists()
