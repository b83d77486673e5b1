"""The end of a job that somebody asks for: one that waits is cancelled; one that runs gets INT, TERM, KILL, with time between.

The signals go to its whole process group. Each is written down before it is sent: a daemon that is killed in between goes on
with the next one and sends none twice. The loop is never held up: it is looked at with each turn.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from neatd.actions.ending import SIGNALS
from neatd.errors import NeatError
from neatd.jobs.ending import left_of, signal_job
from neatd.jobs.folder import job_folder
from neatd.models import JOB_ENDED, Job, Request
from neatd.pipeline import queueing
from neatd.pipeline.ended import STOPS
from neatd.pipeline.scene import Scene
from neatd.store import jobs, queued, requests

log = logging.getLogger(__name__)
KIND = "stop-job"
LEFT_S = 60.0  # after KILL: a process that is stuck in the kernel is told of
START_S = 60.0  # within which a job that was given room begins, or is known not to
_LOOK_S = 0.05


def stop_job(scene: Scene, request: Request) -> dict[str, Any] | None:
    """Go on with ending `payload["job"]`; None while it still ends.

    `payload["who"]` says for whom, `payload["wait_s"]` how long it is given after INT, and again after TERM; the settings of a
    run's end hold otherwise.

    Where no daemon carries on, this waits until it has ended.
    """
    while (outcome := _step(scene, request)) is None and not scene.is_lasting:
        time.sleep(_LOOK_S)
        request = requests.get_request(scene.records, request.id)
    if outcome is None:
        scene.has_orders = True
        return None
    scene.queue.is_due = True
    job = jobs.get_job(scene.records, request.payload["job"])
    sent = requests.get_request(scene.records, request.id).result.get("sent", [])
    return {"outcome": outcome, "status": job.status, "reason": job.reason, "exit_code": job.exit_code, "sent": sent}


def _step(scene: Scene, request: Request) -> str | None:
    """One look, and the next signal when its time has come; how it ended, None while it has not."""
    job = jobs.get_job(scene.records, str(request.payload.get("job")))
    who = str(request.payload.get("who") or "a person")
    if job.status == "queued" and queued.cancel(scene.records, job.id, f"cancelled by {who}"):
        return "cancelled before it began"
    sent: list[Any] = list(request.result.get("sent", ()))
    if job.status == "running":
        queueing.look_at(scene, job)
        job = jobs.get_job(scene.records, job.id)
    if sent and job.status in JOB_ENDED and left_of(job_folder(scene.home, job.id)):
        _signal(scene, request, job, who, sent)  # what a shell began in the background is deaf to INT, and outlives it
        return None
    if job.status in JOB_ENDED:
        return f"ended by {sent[-1][0]}" if sent else "it had ended by itself"
    if job.pid is None:
        if (scene.today() - request.created_at).total_seconds() > START_S:
            raise NeatError(f"{job.name} neither began nor failed to", "`neat queue` and `neatd logs` tell more")
        return None
    _signal(scene, request, job, who, sent)
    return None


def _signal(scene: Scene, request: Request, job: Job, who: str, sent: list[Any]) -> None:
    now = scene.today().timestamp()
    if len(sent) == len(SIGNALS):
        if now - sent[-1][1] > LEFT_S:
            raise NeatError(f"process {job.pid} did not end, not even by {SIGNALS[-1]}", "look at it with `ps`")
        return
    if sent and now - sent[0][1] < _waits(scene, request)[len(sent)]:
        return
    name = SIGNALS[len(sent)]
    if not sent:  # first: were a crash in between, it would end like one that nobody stopped, and be tried again
        jobs.set_job(scene.records, job.id, reason=f"{STOPS} by {who}")
    requests.set_request(scene.records, request.id, "running", {"sent": [*sent, [name, now]]})
    log.info("job %s: %s stops it, %s to its group", job.id, who, name)
    signal_job(job_folder(scene.home, job.id), name)


def _waits(scene: Scene, request: Request) -> tuple[float, float, float]:
    """Seconds from the first signal to each."""
    wait_s = request.payload.get("wait_s")
    if isinstance(wait_s, int | float) and wait_s >= 0:
        return 0.0, float(wait_s), 2.0 * wait_s
    return 0.0, scene.settings.stop_term_s, scene.settings.stop_kill_s
