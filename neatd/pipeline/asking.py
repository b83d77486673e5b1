"""Requests carried out: launch a job, apply retention, undo it. Each is idempotent, so a crash in the middle is made good.

Called by the daemon; and by the command line when no daemon runs, under the daemon's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.jobs import shim
from neatd.jobs.launch import launch
from neatd.models import Deletion, Request
from neatd.pipeline import consequences, stopping, undoing
from neatd.pipeline.finding import follow
from neatd.pipeline.following import job_folder
from neatd.pipeline.memory import why_wait
from neatd.pipeline.retaining import apply_plan, plan_run
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep.scheduled import find_job
from neatd.store import checkpoints, jobs, pauses, requests, runs
from neatd.who import SESSION_VARIABLE

log = logging.getLogger(__name__)
MOST_CONSEQUENCES = 25  # of events, in a turn: some milliseconds each
PAUSED = "`neat rules go-on` lets the jobs of this project begin again"


def carry_out(scene: Scene, request: Request) -> bool:
    """Carry out one request. What a person got wrong is its result and not an error. A launch waits while the risk that
    memory runs out is HIGH: it stays pending, with the reason as its result. Maintenance takes its time: such a request goes
    on as `running`, and its end is written by `upkeep/keeper.py`."""
    if request.id in scene.asked:
        return True
    if request.kind == stopping.KIND and not scene.is_lasting:
        return True  # a command that happens to find it ends no run
    why, until = _why_wait(scene, request)
    if why and scene.is_lasting:
        _wait(scene, request, why, until)
        return True
    requests.set_request(scene.records, request.id, "running", request.result)
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
        if result is not None:
            requests.set_request(scene.records, request.id, "done", result)
    return True


def due(scene: Scene) -> list[Request]:
    """What is to be carried out now, oldest first; of what a storm of events asks for a part, and the rest in later turns."""
    rest = requests.pending_of(scene.records, consequences.KIND, MOST_CONSEQUENCES + 1)
    scene.has_orders |= len(rest) > MOST_CONSEQUENCES
    return [*rest[:MOST_CONSEQUENCES], *requests.pending(scene.records, besides=consequences.KIND)]


def note_pauses(scene: Scene) -> None:
    """What holds up jobs now, for who asks how things stand."""
    scene.paused = tuple(
        {"project": one.project_id, "event": one.event, "rule": one.rule, "reason": one.reason,
         "since": one.since.isoformat()}
        for one in pauses.paused(scene.records)
    )  # fmt: skip


def _why_wait(scene: Scene, request: Request) -> tuple[str, str]:
    """(why, what lets it begin); ("", "") where nothing holds it up. A job that was begun before a crash is not held up:
    it may run already."""
    if request.kind != "launch" or (job_folder(scene.home, request.payload["job_id"]) / shim.SPEC).exists():
        return "", ""
    if why := why_wait(scene):
        return why, ""
    why = pauses.why_paused(scene.records, request.project_id)
    return (f"paused by a rule: {why}", PAUSED) if why else ("", "")


def _wait(scene: Scene, request: Request, why: str, until: str) -> None:
    if not request.result.get("waits"):
        log.info("job %s waits: %s", request.payload.get("job_id"), why)
    requests.set_request(scene.records, request.id, "pending", {"waits": why} | ({"until": until} if until else {}))
    jobs.set_job(scene.records, request.payload["job_id"], reason=f"waits: {why}")


def _launch(scene: Scene, request: Request) -> dict[str, Any]:
    job = jobs.get_job(scene.records, request.payload["job_id"])
    why, until = _why_wait(scene, request)
    if why:
        jobs.set_job(scene.records, job.id, status="failed", reason=f"not started: {why}")
        hint = until or "wait until there is room; with `neatd start` it waits by itself"
        raise NeatError(f"not started: {why}", hint)
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
        jobs.set_job(scene.records, job.id, status="failed", reason=error.message)
        raise
    return {"job_id": job.id}


def _retention_apply(scene: Scene, request: Request) -> dict[str, Any]:
    batch = request.id
    moved: list[Deletion] = []
    refused: list[Deletion] = []
    left: list[dict[str, str]] = []
    for run_id in request.payload["run_ids"]:
        run = runs.get_run(scene.records, run_id)
        project = scene.projects.get(run.root)
        if project is None:
            raise NeatError(f"the folder of {run.name} is not watched: {run.root}", "run `neat init` there")
        planned = plan_run(scene.records, scene.points, run, project.config)
        if planned.note or (planned.is_most and not request.payload.get("yes")):
            left.append({"path": run.folder, "note": planned.note or "more than half of its bytes would go: add --yes"})
            continue
        for one in apply_plan(scene.records, run, planned, batch):
            (moved if one.status == "moved" else refused).append(one)
    if request.payload.get("yes") and request.payload.get("root") in scene.projects:  # all of a folder, and agreed to
        root = str(request.payload["root"])
        checkpoints.approve_policy(scene.records, root, scene.projects[root].config.retention.model_dump_json())
    return {
        "batch": batch,
        "moved": len(moved),
        "freed_bytes": sum(one.size_bytes for one in moved),
        "refused": [*left, *({"path": one.from_path, "note": one.note} for one in refused)],
    }


def _retention_undo(scene: Scene, request: Request) -> dict[str, Any]:
    return undoing.undo_asked(scene.records, request.project_id, request.payload)


def _maintain(scene: Scene, request: Request) -> None:
    """Put a job of maintenance in the row; one that nobody would carry out here stays for the daemon."""
    scene.asked[request.id] = find_job(scene.home, str(request.payload.get("job"))).name


_KINDS: dict[str, Callable[[Scene, Request], dict[str, Any] | None]] = {
    consequences.KIND: consequences.follow_up,
    stopping.KIND: stopping.end_run,
    "maintain": _maintain,
    "launch": _launch,
    "retention-apply": _retention_apply,
    undoing.KIND: _retention_undo,
}
