"""A queue in a home of its own: scenes of a daemon one after the other over the same store, and jobs of a few milliseconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.jobs import shim
from neatd.jobs.ending import stop
from neatd.jobs.folder import FROZEN, job_folder
from neatd.models import JOB_ENDED, Job
from neatd.pipeline import asking, queueing
from neatd.pipeline.scene import Scene
from neatd.place import here
from neatd.store import jobs, requests
from neatd.store.connection import transaction
from neatd.store.short import ensure_project
from tests.conftest import until
from tests.stores_made import put_store

# Says that it is up, waits for the file `go` and ends with the code that it is given.
WAIT = "touch up.$$; for i in $(seq 3000); do [ -e go ] && exit ${1:-0}; sleep 0.02; done"
PROJECT = "0" * 32


class Queue:
    """A project with a queue. `life()` is a daemon's; leaving it is its death."""

    def __init__(self, base: Path) -> None:
        self.home, self.root = base / "home", base / "project"
        self.root.mkdir()
        put_store(self.home)
        put_store(self.home, "points")
        (self.root / "neat.yaml").write_text(f'id: "{PROJECT}"\n')
        self.later_s = 0.0
        self.scene: Scene

    @contextmanager
    def life(self, **settings: Any) -> Iterator[Scene]:
        """A scene; its clock is ahead by `later_s`."""
        known = {"cpu_slots": 2, "memory_pauses": False} | settings
        self.scene, self.later_s = open_scene(self.home, Settings.model_validate(known)), 0.0
        self.scene.clock = lambda: time.monotonic() + self.later_s
        with closing(self.scene.records), closing(self.scene.points):
            with transaction(self.scene.records):
                ensure_project(self.scene.records, here(self.root))
            yield self.scene

    def add(self, *command: str, **more: Any) -> str:
        """Queue a command, or a line for the shell; its id."""
        words = list(command) if len(command) > 1 else ["sh", "-c", command[0]]
        job = jobs.add(self.scene.records, PROJECT, "job", words, str(self.root), "", root=str(self.root), **more)
        self.scene.queue.is_due = True
        return job.id

    def job(self, job_id: str) -> Job:
        return jobs.get_job(self.scene.records, job_id)

    def folder(self, job_id: str) -> Path:
        return job_folder(self.home, job_id)

    def end(self, *job_ids: str) -> list[Job]:
        """Turns until these have ended."""

        def have_ended() -> bool:
            queueing.turn(self.scene)
            return all(self.job(one).status in JOB_ENDED for one in job_ids)

        until(have_ended, "the end of the jobs")
        return [self.job(one) for one in job_ids]

    def begin(self, *job_ids: str) -> list[Job]:
        """Turns until these run, as their rows say."""

        def run() -> bool:
            queueing.turn(self.scene)
            return all(self.job(one).pid for one in job_ids)

        until(run, "the start of the jobs")
        return [self.job(one) for one in job_ids]

    def is_up(self) -> int:
        """How many jobs of WAIT have come to wait."""
        return len(list(self.root.glob("up.*")))

    def go(self) -> None:
        (self.root / "go").touch()

    def freeze(self, job_id: str, **env: str) -> None:
        """What a job is queued with, by hand."""
        self.folder(job_id).mkdir(parents=True, exist_ok=True)
        shim.write_json(self.folder(job_id) / FROZEN, {"command": ["true"], "cwd": str(self.root), "env": env})

    def ask_stop(self, job_id: str, **more: Any) -> str:
        return requests.ask(self.scene.records, "stop-job", None, {"job": job_id, **more})

    def carry_out(self, request_id: str) -> dict[str, Any]:
        """One look at a request; what it came to, {} while it goes on."""
        asking.carry_out(self.scene, requests.get_request(self.scene.records, request_id))
        found = requests.get_request(self.scene.records, request_id)
        return {} if found.status == "running" else {"status": found.status, **found.result}

    def lines(self, name: str = "out") -> list[str]:
        """The words that jobs wrote."""
        path = self.root / name
        return path.read_text().split() if path.exists() else []

    def close(self) -> None:
        """No job is left running."""
        self.go()
        for folder in (self.home / "jobs").glob("j-*"):
            stop(folder, 0.0)
