"""Requests carried out: stop a job, apply retention, undo it. Each is idempotent, so a crash in the middle is made good.

Called by the daemon; and by the command line when no daemon runs, under the daemon's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from neatd.errors import NeatError
from neatd.models import Deletion, Request
from neatd.pipeline import consequences, halting, stopping, undoing
from neatd.pipeline.retaining import apply_plan, plan_run
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep.scheduled import find_job
from neatd.store import checkpoints, jobs, pauses, requests, runs

log = logging.getLogger(__name__)
MOST_CONSEQUENCES = 25  # of events, in a turn: some milliseconds each


def carry_out(scene: Scene, request: Request) -> bool:
    """Carry out one request. What a person got wrong is its result and not an error. Maintenance takes its time: such a request
    goes on as `running`, and its end is written by `upkeep/keeper.py`."""
    if request.id in scene.asked:
        return True
    if request.kind == stopping.KIND and not scene.is_lasting:
        return True  # a command that happens to find it ends no run
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


def _queue(scene: Scene, request: Request) -> dict[str, Any]:
    """What an older neat asked for beside the job's row, which is the order now: it is in the queue by that."""
    job = jobs.get_job(scene.records, request.payload["job_id"])
    if job.status == "queued" and not job.root:
        session = request.payload.get("session")  # an assistant's, in which the run was asked for
        jobs.set_job(scene.records, job.id, root=str(request.payload.get("root", "")), session=session)
    scene.queue.is_due = True
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
    "launch": _queue,
    halting.KIND: halting.stop_job,
    "retention-apply": _retention_apply,
    undoing.KIND: _retention_undo,
}
