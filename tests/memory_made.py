"""A daemon's life in this process, on a machine whose memory is a file; its jobs are real processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.knowledge import Bug
from neatd.models import Event, Run
from neatd.pipeline.loop import Loop
from neatd.pipeline.scene import LiveRun
from neatd.place import here
from neatd.store import events, jobs, records, runs, short
from neatd.store.connection import transaction
from neatd.watch.observer import Watcher
from tests.conftest import until

PROGRAM = """
import json, os, time
os.makedirs("runs/a", exist_ok=True)
with open("runs/a/config.json", "w") as file:
    json.dump({"data": {"max_samples": 806, "num_workers": 8}, "batch_size": 4}, file)
metrics = open("runs/a/metrics.jsonl", "a", buffering=1)
metrics.write(json.dumps({"step": 1, "loss": 1.0}) + "\\n")
end = time.time() + 60
while not os.path.exists("go") and time.time() < end: time.sleep(0.02)
"""


class Life:
    """A project, a loop that is stepped by hand, a clock that can be moved, a machine of 64 GB."""

    def __init__(self, base: Path) -> None:
        self.root, self.home, self.machine = base / "project", base / "home", base / "machine"
        (self.root / "runs").mkdir(parents=True)
        self.home.mkdir()
        (self.root / "neat.yaml").write_text(f'id: "{"0" * 32}"\n')
        self.use(10)
        self.scene = open_scene(self.home, Settings(sweep_s=0.01, stall_s=0.2))
        self.scene.memory.root = self.machine
        self.offset = 0.0
        self.scene.clock = lambda: time.monotonic() + self.offset
        with transaction(self.scene.records):
            short.ensure_project(self.scene.records, here(self.root))
        self.loop = Loop(self.scene, Watcher())
        self.loop.prepare()

    def use(self, percent: float) -> None:
        """So much of the machine's memory is used."""
        (self.machine / "proc").mkdir(parents=True, exist_ok=True)
        left = round(64_000_000 * (1 - percent / 100))
        (self.machine / "proc" / "meminfo").write_text(f"MemTotal: 64000000 kB\nMemAvailable: {left} kB\n")

    def ask(self, program: str = PROGRAM) -> str:
        """Queue a job; its id."""
        project_id = next(iter(self.scene.projects.values())).project.id
        command = [sys.executable, "-c", program]
        job = jobs.add(self.scene.records, project_id, "runs/a", command, str(self.root), "runs/a", root=str(self.root))
        self.loop.are_orders_due = True
        return job.id

    def step(self, wait_s: float = 0.0) -> None:
        """A turn, some seconds of the clock later."""
        self.offset += wait_s
        self.loop.step([self.root / "runs" / "a" / "metrics.jsonl"])

    @property
    def live(self) -> LiveRun:
        (found,) = (live for _, live in self.scene.live_runs())
        return found

    @property
    def run(self) -> Run:
        (found,) = runs.all_runs(self.scene.records)
        return found

    def begun(self) -> LiveRun:
        """The run, once its process is known and was looked at."""

        def is_there() -> bool:
            self.step(1.0)
            found = [live for _, live in self.scene.live_runs() if live.memory and live.memory.last.rss_bytes]
            return bool(found and found[0].run.config)

        until(is_there, "the run's process", 20.0)
        return self.live

    def kill(self) -> None:
        """SIGKILL to the job; its run has ended."""
        self.end(lambda pid: os.kill(pid, signal.SIGKILL))

    def end(self, how: Any) -> None:
        process = self.live.run.process
        assert process is not None
        how(process.pid)

        def has_ended() -> bool:
            self.step()
            return self.run.ended_at is not None

        until(has_ended, "the run's end")

    def events(self, *rules: str) -> list[Event]:
        return [one for one in events.events(self.scene.records) if one.rule in rules]

    def bugs(self) -> list[Bug]:
        return records.list_records(self.scene.records, "bug")


@contextmanager
def life(base: Path) -> Iterator[Life]:
    """One, until its job has ended."""
    made = Life(base)
    try:
        yield made
    finally:
        (made.root / "go").touch()
        for connection in (made.scene.records, made.scene.points):
            assert isinstance(connection, sqlite3.Connection)
            connection.close()
