"""Requests carried out: launch a job, apply retention, undo it. Each is idempotent, so a crash in the middle is made good.

Called by the daemon; and by the command line when no daemon runs, under the daemon's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.jobs.launch import launch
from neatd.models import Deletion, Request
from neatd.pipeline.finding import follow
from neatd.pipeline.following import job_folder
from neatd.pipeline.retaining import apply_plan, plan_run, undo
from neatd.pipeline.scene import Scene
from neatd.store import checkpoints, requests, runs
from neatd.who import SESSION_VARIABLE

log = logging.getLogger(__name__)


def carry_out(scene: Scene, request: Request) -> bool:
    """Carry out one request. What a person got wrong is its result and not an error."""
    requests.set_request(scene.records, request.id, "running")
    call = _KINDS.get(request.kind)
    if call is None:
        requests.set_request(scene.records, request.id, "failed", {"error": f"unknown request {request.kind!r}"})
        return True
    try:
        result = call(scene, request)
    except NeatError as error:
        log.warning("request %s: %s", request.id, error.message)
        requests.set_request(scene.records, request.id, "failed", {"error": error.message, "hint": error.hint})
    else:
        requests.set_request(scene.records, request.id, "done", result)
    return True


def _launch(scene: Scene, request: Request) -> dict[str, Any]:
    job = requests.get_job(scene.records, request.payload["job_id"])
    root = str(request.payload["root"])
    if root in scene.projects and job.run_folder:
        live = follow(scene, scene.projects[root], Path(root) / job.run_folder)
        fields: dict[str, Any] = {"job_id": job.id, "status": "starting", "reason": "its job starts", "ended_at": None}
        runs.set_run(scene.records, live.run.id, **fields, process=None)
        live.run = live.run.model_copy(update={**fields, "process": None})
    folder = job_folder(scene.home, job.id)
    try:
        session = request.payload.get("session")  # an assistant's, in which the run was asked for
        told = {SESSION_VARIABLE: str(session)} if session else {}
        launch(job, folder, folder / "output.log", {"NEAT_HOME": str(scene.home), **told})
    except NeatError as error:
        requests.set_job(scene.records, job.id, status="failed", reason=error.message)
        raise
    return {"job_id": job.id}


def _retention_apply(scene: Scene, request: Request) -> dict[str, Any]:
    batch = request.id
    moved: list[Deletion] = []
    refused: list[Deletion] = []
    for run_id in request.payload["run_ids"]:
        run = runs.get_run(scene.records, run_id)
        project = scene.projects.get(run.root)
        if project is None:
            raise NeatError(f"the folder of {run.name} is not watched: {run.root}", "run `neat init` there")
        planned = plan_run(scene.records, scene.points, run, project.config)
        for one in apply_plan(scene.records, run, planned, batch):
            (moved if one.status == "moved" else refused).append(one)
    return {
        "batch": batch,
        "moved": len(moved),
        "freed_bytes": sum(one.size_bytes for one in moved),
        "refused": [{"path": one.from_path, "note": one.note} for one in refused],
    }


def _retention_undo(scene: Scene, request: Request) -> dict[str, Any]:
    batch = request.payload.get("batch")
    batches = [batch] if batch else _batches(scene, request.project_id)
    if not request.payload.get("all"):
        batches = batches[:1]
    outcomes = [one for each in batches for one in undo(scene.records, each)]
    if not outcomes:
        raise NeatError(
            f"nothing of {batch} lies in the trash", "`neat retention undo --list` shows what can come back"
        )
    back = [one for one in outcomes if one.status == "restored"]
    left = [{"path": one.from_path, "note": one.note} for one in outcomes if one.status != "restored"]
    return {
        "batch": ", ".join(batches),
        "restored": len(back),
        "bytes": sum(one.size_bytes for one in back),
        "refused": left,
    }


def _batches(scene: Scene, project_id: str | None) -> list[str]:
    """What lies in the project's trash, newest first; the daemon makes a batch each time it thins."""
    ours = {run.id for run in runs.all_runs(scene.records, project_id)}
    found = list(dict.fromkeys(one.batch for one in checkpoints.trashed(scene.records) if one.run_id in ours))
    if not found:
        raise NeatError("nothing of this project lies in the trash", "`neat retention apply` is what fills it")
    return found


_KINDS: dict[str, Callable[[Scene, Request], dict[str, Any]]] = {
    "launch": _launch,
    "retention-apply": _retention_apply,
    "retention-undo": _retention_undo,
}
