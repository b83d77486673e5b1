"""The start of a job that was given room: its run is followed from then on, its environment is the one it was queued with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.jobs.bell import bell_folder
from neatd.jobs.folder import job_folder
from neatd.jobs.launch import NotNowError, begin
from neatd.models import Job
from neatd.pipeline import devices
from neatd.pipeline.enqueueing import FROZEN, read_frozen
from neatd.pipeline.finding import follow
from neatd.pipeline.scene import Scene
from neatd.store import jobs, queued, runs
from neatd.store.moments import utc_now
from neatd.who import SESSION_VARIABLE

LOG = "output.log"


def start(scene: Scene, job: Job) -> bool:
    """Start it and wait for nothing. False when the machine has no room for it now: then it waits again. One that cannot be
    started at all has failed, and its row says why."""
    folder = job_folder(scene.home, job.id)
    told = {"NEAT_HOME": str(scene.home), **devices.variables(job.devices, scene.settings.isolate_gpus)}
    if job.session:
        told[SESSION_VARIABLE] = job.session
    try:
        _follow_run(scene, job)
        whole = frozen_environment(scene.home, job.id)
        child = begin(job, folder, folder / LOG, told, whole, bell_folder(scene.home) / job.id)
    except NotNowError as error:
        queued.put_back(scene.records, job.id, f"waits: {error.message}", utc_now())
        return False
    except NeatError as error:
        jobs.set_job(scene.records, job.id, status="failed", reason=error.message, ended_at=utc_now())
        scene.queue.begun.pop(job.id, None)
        scene.queue.is_due = True
        return True
    if child is not None:
        scene.queue.children.append(child)
    return True


def frozen_environment(home: Path, job_id: str) -> dict[str, str] | None:
    """The environment a job was queued with; None for one that was queued with none: it gets the daemon's. Raises NeatError
    for a file that cannot be read."""
    if not (job_folder(home, job_id) / FROZEN).exists():
        return None
    return {str(name): str(value) for name, value in read_frozen(home, job_id).env.items()}


def _follow_run(scene: Scene, job: Job) -> None:
    """Follow the run of a trainer before its first line, as the job's."""
    project = scene.projects.get(job.root)
    if project is None or not job.run_folder:
        return
    live = follow(scene, project, Path(job.root) / job.run_folder)
    fields: dict[str, Any] = {"job_id": job.id, "status": "starting", "reason": "its job starts", "ended_at": None}
    if live.run.job_id != job.id:
        runs.set_run(scene.records, live.run.id, **fields, process=None)
        live.run = live.run.model_copy(update={**fields, "process": None})
