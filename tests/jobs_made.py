"""Jobs for tests: a folder to run one in, and a program that waits for its test."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from neatd.jobs import shim
from neatd.jobs.launch import launch
from neatd.jobs.reconcile import JobState, observe
from neatd.models import Job

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups are POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="start ticks and boot ids are Linux's")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
# A job that waits for the file `go` in its folder, so that tests decide when it ends; it gives up by itself.
UNTIL_GO = """
import os, sys, time
end = time.time() + 60
while not os.path.exists("go") and time.time() < end: time.sleep(0.005)
"""


def wait_for(is_true: Callable[[], object], wait_s: float = 60.0) -> None:
    deadline = time.monotonic() + wait_s
    while not is_true():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.005)


class Place:
    """A job directory, a working folder and a log below one folder; starts Python programs as the job there."""

    def __init__(self, folder: Path) -> None:
        self.dir, self.cwd, self.log = folder / "jobs" / "j-1", folder / "work", folder / "logs" / "j-1.log"
        self.cwd.mkdir()

    def job(self, *command: str) -> Job:
        return Job(
            id="j-1", project_id="p", name="n", command=command, cwd=str(self.cwd), created_at=NOW, updated_at=NOW
        )

    def start(self, program: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        launch(self.job(sys.executable, "-c", program, *arguments), self.dir, self.log, env or {})

    def spec(self, program: str) -> None:
        """A spec.json by hand, for a shim that is run without `launch`."""
        self.dir.mkdir(parents=True)
        command = [sys.executable, "-c", program]
        spec = {"job_id": "j-1", "command": command, "cwd": str(self.cwd), "env": {}, "log": str(self.log)}
        shim.write_json(self.dir / shim.SPEC, spec)

    def go(self) -> None:
        (self.cwd / "go").touch()

    def ended(self) -> JobState:
        wait_for(lambda: observe(self.dir).status != "running")
        return observe(self.dir)

    def shim(self) -> psutil.Process:
        return psutil.Process(self.file(shim.START)["shim_pid"])

    def file(self, name: str) -> dict[str, object]:
        return json.loads((self.dir / name).read_text())

    def claim(self, **changes: object) -> None:
        """A start.json by hand that names this test's own process as the job, with `changes`."""
        ticks = shim.start_ticks(os.getpid())
        own = {"pid": os.getpid(), "started": psutil.Process().create_time(), "ticks": ticks, "boot_id": shim.boot_id()}
        gone = {"shim_pid": 2**22 + 1, "shim_started": 1.0, "shim_ticks": 1 if ticks else None}
        self.dir.mkdir(parents=True, exist_ok=True)
        shim.write_json(self.dir / shim.START, {**own, **gone, **changes})


def is_over(pid: int) -> bool:
    """Whether the process has ended. An orphan may stay a zombie until init comes round, which takes seconds in places."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
