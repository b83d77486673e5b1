"""One project and its daemons, which several tests share: each has a run folder of its own, and takes the daemon as it is."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.conftest import Neat, until
from tests.fault_files import Points, value
from tests.fault_matrix import check, check_shown, wait_for
from tests.test_killed import Lives, lives


def curve(first: int, last: int, name: str = "loss") -> Points:
    """(step, value) of steps `first` to `last`."""
    return [(step, value(name, step)) for step in range(first, last + 1)]


def lines(points: Points, time: float = 1.7e9) -> bytes:
    """Points as lines of JSON."""
    return b"".join(
        json.dumps({"step": step, "time": time, "loss": number}).encode() + b"\n" for step, number in points
    )


class Place:
    """A project with a daemon that can be stopped, continued, ended and begun again."""

    def __init__(self, neat: Neat, lives: Lives) -> None:
        self.neat, self.lives = neat, lives

    def folder(self, name: str) -> Path:
        """A run's folder, made."""
        path = self.neat.root / "runs" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def up(self) -> None:
        """A daemon lives."""
        if not self.lives.pid:
            self.lives.begin()

    def down(self, how: int = signal.SIGTERM) -> None:
        """None lives."""
        if self.lives.pid:
            self.lives.end(how)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """The daemon stands still: what happens meanwhile it sees all at once."""
        process = psutil.Process(self.lives.pid)
        os.kill(self.lives.pid, signal.SIGSTOP)
        until(lambda: process.status() == psutil.STATUS_STOPPED, "the daemon to stand still")
        try:
            yield
        finally:
            os.kill(self.lives.pid, signal.SIGCONT)

    def holds(self, name: str, points: Points, series: str = "loss") -> None:
        """Wait until a run's only series has these points, and no other ones; then once more through the command."""
        wait_for(self.neat, f"runs/{name}", {series: points})
        check_shown(self.neat, f"runs/{name}", {series: points})

    def still_holds(self, name: str, points: Points, series: str = "loss") -> None:
        """Without waiting."""
        check(self.neat.home, f"runs/{name}", {series: points})

    def attempts(self, name: str) -> int:
        """How many times the run was begun."""
        return int(self.neat.show(f"runs/{name}")["attempt"])

    def rules_seen(self, name: str) -> Sequence[str]:
        """The rules of all events of a run."""
        words = ("neat", "events", "--run", f"runs/{name}")
        return [one["rule"] for one in self.neat.json(*words)]


@contextmanager
def place_in(folder: Path) -> Iterator[Place]:
    """A project in an empty folder, with no daemon yet; the last one is ended."""
    neat = Neat(folder)
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3, stall_s=3600)
    assert neat.ask("neat", "init", "--yes")[0] == 0
    with lives(neat) as of:
        yield Place(neat, of)
