"""A machine with graphics processors that are values, and a queue of real jobs on it, stepped by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.jobs import shim
from neatd.jobs.ending import stop
from neatd.jobs.folder import job_folder
from neatd.models import JOB_ENDED, Job
from neatd.pipeline import queueing
from neatd.pipeline.scene import Scene
from neatd.place import here
from neatd.read.gpu import GpuReader, GpuSample
from neatd.read.gpuvalues import Gpu
from neatd.store import jobs
from neatd.store.connection import transaction
from neatd.store.short import ensure_project
from tests.conftest import until
from tests.stores_made import put_store

GB = 1_000_000_000
HOLD = "echo $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER >> seen; for i in $(seq 3000); do [ -e go ] && exit 0; sleep 0.02; done"


def gpu(number: int, used: int = 0, total: int = 80, **more: Any) -> Gpu:
    """GPU-0, GPU-1 …; sizes in GB."""
    return Gpu(number, f"GPU-{number}", "Made GPU", memory_used_bytes=used * GB, memory_total_bytes=total * GB, **more)


class MadeGpus(GpuReader):
    """In the place of the drivers: `now` is what they tell."""

    def __init__(self, *gpus: Gpu, shows_processes: bool = True) -> None:
        self.now = GpuSample(gpus, "made", "12.8", shows_processes)

    def sample(self, now: float) -> GpuSample:
        """What they tell."""
        return self.now

    def close(self) -> None:
        """Nothing is held."""


class Place:
    """A project with a queue on a machine with these processors."""

    def __init__(self, base: Path) -> None:
        self.home, self.root = base / "home", base / "project"
        self.root.mkdir()
        put_store(self.home)
        put_store(self.home, "points")
        (self.root / "neat.yaml").write_text(f'id: "{"0" * 32}"\n')
        self.scene: Scene
        self.gpus = MadeGpus()

    @contextmanager
    def life(self, *gpus: Gpu, **settings: Any) -> Iterator[Scene]:
        """A daemon's."""
        self.gpus = MadeGpus(*gpus)
        self.scene = open_scene(self.home, Settings.model_validate({"memory_pauses": False, **settings}))
        self.scene.gpu = self.gpus
        with closing(self.scene.records), closing(self.scene.points):
            with transaction(self.scene.records):
                ensure_project(self.scene.records, here(self.root))
            yield self.scene

    def add(self, program: str = HOLD, env: dict[str, str] | None = None, **more: Any) -> str:
        """Queue a shell's program; its id."""
        words = ["sh", "-c", program]
        job_id = self.add_command(*words, **more)
        if env is not None:
            folder = job_folder(self.home, job_id)
            folder.mkdir(parents=True)
            shim.write_json(folder / "frozen.json", {"command": words, "cwd": str(self.root), "env": env})
        return job_id

    def add_command(self, *words: str, **more: Any) -> str:
        """Queue any command."""
        job = jobs.add(
            self.scene.records, "0" * 32, "job", list(words), str(self.root), "", root=str(self.root), **more
        )
        self.scene.queue.is_due = True
        return job.id

    def job(self, job_id: str) -> Job:
        return jobs.get_job(self.scene.records, job_id)

    def turn(self) -> None:
        queueing.turn(self.scene, is_sweep=True)

    def begin(self, *job_ids: str) -> list[Job]:
        """Turns until these run."""

        def run() -> bool:
            self.turn()
            return all(self.job(one).pid for one in job_ids)

        until(run, "the start of the jobs", 10.0)
        return [self.job(one) for one in job_ids]

    def end(self, *job_ids: str) -> list[Job]:
        """Turns until these have ended."""

        def are_over() -> bool:
            self.turn()
            return all(self.job(one).status in JOB_ENDED for one in job_ids)

        until(are_over, "the end of the jobs", 10.0)
        return [self.job(one) for one in job_ids]

    def statuses(self, *job_ids: str) -> list[str]:
        return [self.job(one).status for one in job_ids]

    def seen(self) -> list[str]:
        """What the jobs saw of their variables, each a line."""
        path = self.root / "seen"
        return path.read_text().splitlines() if path.exists() else []

    def environment(self, job_id: str) -> dict[str, str]:
        """What the shim was told of it."""
        found: dict[str, str] = json.loads((job_folder(self.home, job_id) / shim.SPEC).read_text())["env"]
        return found

    def close(self) -> None:
        (self.root / "go").touch()
        for folder in (self.home / "jobs").glob("j-*"):
            stop(folder, 0.0)
