"""A training in tmux that leaves no file is a run: its pane is read, each line once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.pipeline import paning
from neatd.pipeline.loop import Loop
from neatd.pipeline.scene import Scene
from neatd.place import here
from neatd.store import runs, short, window
from neatd.store.connection import transaction
from neatd.watch.observer import Watcher
from tests.conftest import until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
TRAINER = """
import sys, time
for step in range(1, 6):
    print(f"step {step} loss {1 / step:.4f}", flush=True)
sys.stdin.readline()
for step in range(6, 9):
    print(f"step {step} loss {1 / step:.4f}", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[list[str]]:
    """The words that ask a tmux server of this test; it ends with it."""
    words = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    yield words
    subprocess.run([*words, "kill-server"], capture_output=True, timeout=20)


def opened(home: Path, root: Path) -> tuple[Scene, Loop]:
    scene = open_scene(home, Settings(sweep_s=0.1))
    with transaction(scene.records):
        short.ensure_project(scene.records, here(root))
    loop = Loop(scene, Watcher())
    loop.prepare()
    return scene, loop


def test_a_pane_is_read_as_a_log(tmp_path: Path, terminal: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the pane, what is printed later, and nothing twice, over a restart of the daemon too."""
    monkeypatch.setattr(paning, "YOUNG_S", 0.0)
    monkeypatch.setattr(paning, "LOOK_S", 0.2)
    monkeypatch.setattr(paning, "READ_S", 0.2)
    root, home = tmp_path / "project", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    (root / "train.py").write_text(TRAINER)
    (root / "neat.yaml").write_text(f"id: {'0' * 32}\n")
    command = f"exec {sys.executable} train.py"
    subprocess.run([*terminal, "new-session", "-d", "-s", "x", "-c", str(root), command], check=True, timeout=20)
    scene, loop = opened(home, root)

    def losses() -> list[tuple[int, float]]:
        loop.step([])
        found = runs.all_runs(scene.records)
        return (
            [(step, value) for step, value, _ in window.points_of(scene.points, found[0].id, "loss")] if found else []
        )

    def is_there(count: int) -> bool:
        return len(losses()) >= count

    until(lambda: is_there(5), "the lines of the pane")
    scene.records.close()
    scene.points.close()
    scene, loop = opened(home, root)
    subprocess.run([*terminal, "send-keys", "-t", "x", "go", "Enter"], check=True, timeout=20)
    until(lambda: is_there(8), "the lines printed later")
    assert losses() == [(step, round(1 / step, 4)) for step in range(1, 9)]
    run = runs.all_runs(scene.records)[0]
    assert run.name.startswith("tmux/train.py-") and run.process is not None and run.process.started_by == "tmux"
    assert run.status == "running" and len(runs.all_runs(scene.records)) == 1
    scene.records.close()
    scene.points.close()
