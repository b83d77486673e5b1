"""The end of a job as its row tells it, and the job that tries it again where its retries allow that.

Invariant: the row of an ended job and that of its next try are one transaction; nothing else is ever run again.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.jobs.folder import job_folder
from neatd.jobs.reconcile import JobState
from neatd.models import Job
from neatd.pipeline import jobruns, measured, results, worktrees
from neatd.pipeline.enqueueing import DIFF, FROZEN
from neatd.pipeline.finding import refresh_projects
from neatd.pipeline.scene import Scene
from neatd.store import jobs, requests
from neatd.store.connection import transaction
from neatd.store.moments import stamp
from neatd.store.short import new_id

STOPS = "is being stopped"
TRIED_AGAIN = frozenset({"failed", "killed", "interrupted", "lost"})
_OF_ONE_TRY = {
    "id", "status", "reason", "devices", "retries", "retry_of", "pid", "exit_code", "peak_bytes", "created_at", "updated_at",
    "started_at", "ended_at",
}  # fmt: skip
_NAMED = {"project_id", "name", "command", "cwd", "run_folder"}


def settle(scene: Scene, job: Job, state: JobState) -> None:
    """Write how it ended; queue its next try with it."""
    status, reason = state.status, state.reason
    if is_being_stopped(job):
        status, reason = "killed", f"stopped by {_stopper(job)}: {state.reason}"
    if job.kind in results.KINDS and status == "finished":  # before the row: a crash in between finds it kept
        reason = "; ".join(filter(None, (reason, measured.keep(scene, job))))
    fields: dict[str, Any] = {
        "status": status, "reason": reason, "exit_code": state.exit_code, "peak_bytes": state.peak_bytes, "pid": state.pid,
        "ended_at": moment(state.ended) or stamp(scene.today()),
    }  # fmt: skip
    if state.started is not None:
        fields["started_at"] = moment(state.started)
    _end(scene, job, fields)
    jobruns.note_end(scene, job)
    if job.worktree and worktrees.look_into(scene.records, scene.home, Path(job.worktree)):
        refresh_projects(scene)


def settle_lost(scene: Scene, job: Job) -> None:
    """Its folder is gone: nobody will know how it ended, or whether it has."""
    reason = f"process {job.pid} left no trace: the job's folder was removed"
    jobs.set_job(scene.records, job.id, status="lost", reason=reason, ended_at=stamp(scene.today()))
    jobruns.note_end(scene, job)


def is_being_stopped(job: Job) -> bool:
    """Whether somebody asked for its end and it was told so."""
    return job.reason.startswith(STOPS)


def moment(unix_s: float | None) -> str | None:
    """Unix seconds as a time of the store."""
    return None if unix_s is None else stamp(datetime.fromtimestamp(unix_s, UTC))


def _stopper(job: Job) -> str:
    return job.reason.removeprefix(STOPS).removeprefix(" by ").strip() or "a person"


def _end(scene: Scene, job: Job, fields: dict[str, Any]) -> None:
    again = None
    if job.retries > 0 and fields["status"] in TRIED_AGAIN and not (is_being_stopped(job) or _was_ended(scene, job)):
        again = new_id("job")
        _copy_frozen(scene, job, again)
    with transaction(scene.records):
        if jobs.get_job(scene.records, job.id).status != "running":
            return  # somebody has settled it: a second next try would be one too many
        jobs.set_in(scene.records, job.id, **fields)
        if again:
            same = {name: value for name, value in dict(job).items() if name not in _OF_ONE_TRY | _NAMED}
            jobs.put(
                scene.records, job.project_id, job.name, list(job.command), job.cwd, job.run_folder,
                **same, id=again, retries=job.retries - 1, retry_of=job.id,
            )  # fmt: skip


def _was_ended(scene: Scene, job: Job) -> bool:
    """Whether a rule ended the job's run: that is no failure to be made good."""
    found = scene.records.execute("SELECT id FROM run WHERE job_id = ?", (job.id,)).fetchall()
    return any(requests.stopped_by(scene.records, row[0]) for row in found)


def _copy_frozen(scene: Scene, job: Job, again: str) -> None:
    """What was queued is what runs, the second time too; a try that a crash keeps from its row leaves a folder and no more."""
    source, target = job_folder(scene.home, job.id), job_folder(scene.home, again)
    try:
        for name in (FROZEN, DIFF):
            if (source / name).is_file():
                target.mkdir(parents=True, exist_ok=True, mode=0o700)  # before the file has the mode of its source
                shutil.copy2(source / name, target / name)
    except OSError:  # a full disk: the end is looked at again, and each look would leave a folder
        shutil.rmtree(target, ignore_errors=True)
        raise
