"""What each run is doing: its process or job, its status with the reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from neatd.errors import NeatError
from neatd.models import ENDED, JOB_ENDED, Job, Run
from neatd.pipeline import jobruns, stalling
from neatd.pipeline.endings import SLACK_S, traceback_of, was_seen, with_ending
from neatd.pipeline.facts import set_run
from neatd.pipeline.oom import keep_bug
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.read.process import is_alive
from neatd.rules.status import Patience, RunFacts, run_status
from neatd.store import jobs

SHORT_S = 5.0  # between the end of a job's process and that of the job


def refresh_status(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """Bring a run's status up to date. True when it just ended."""
    if live.is_ended and not _came_back(live):
        return False
    settings, now = scene.settings, datetime.now(UTC)
    if not live.is_ended:
        jobruns.tie(scene, project, live)
    status, reason = run_status(_facts(scene, live), Patience(settings.stall_s, settings.lost_s), now)
    was = live.run
    if (status, reason) == (was.status, was.reason):
        if was.ended_at is not None and live.last_line_at > was.ended_at:  # it went on, and ended before anyone looked
            set_run(scene, live, ended_at=live.last_line_at)
        return False
    if status in ENDED and any(source.is_due for source in live.sources.values()):
        live.look_by(0.0)
        return False  # how it ended may stand in what is not read yet
    stalling.tell_stall(scene, project, live, status, reason)  # before the status, likewise
    if status in ENDED:  # before the status: what is cut off in between is done again, and the record is one
        keep_bug(scene, project, live, status)
    set_run(scene, live, status=status, reason=reason)
    project.is_stale = True
    if live.is_ended:
        set_run(scene, live, ended_at=_end_of(scene, live, now))
    elif was.ended_at is not None:
        set_run(scene, live, ended_at=None)
    return live.is_ended


def _end_of(scene: Scene, live: LiveRun, now: datetime) -> datetime:
    """When it ended: its job, where that was long over when the run was met; its last line, where no program was seen."""
    run, job = live.run, _job_of(scene, live.run)
    if run.process is None and job is not None and job.ended_at is not None:
        return min(now, max(job.ended_at, live.last_line_at))
    return live.last_line_at if run.process is None and run.job_id is None else now


def _came_back(live: LiveRun) -> bool:
    """Whether an ended run's files were written to well after its end: someone started it again by hand."""
    newest = max((source.stamp[1] for source in live.sources.values() if source.stamp), default=0)
    ended = live.run.ended_at
    return ended is not None and newest / 1e9 > ended.timestamp() + 2.0


def _facts(scene: Scene, live: LiveRun) -> RunFacts:
    run = live.run
    if run.ended_at is not None:  # it came back: what was known of its old process says nothing now
        run = run.model_copy(update={"process": None, "job_id": None})
        set_run(scene, live, process=None, job_id=None)
    silence, told = live.silence(scene.settings.stall_s), run.facts.get("told", {})
    facts = RunFacts(
        has_points=any(source.cursor.seq for source in live.sources.values()),
        last_step=live.last_step,
        planned_steps=run.planned_steps,
        last_line_at=live.last_line_at,
        usual_gap_s=silence.usual_gap_s,
        is_gone=Path(run.root).is_dir() and not live.place.exists(),
        longest_pause_s=silence.longest_pause_s,
        silence_limit_s=silence.limit_s,
        told_status=told.get("status"),
        told_exit_code=told.get("exit_code"),
        has_told_end=isinstance(end := told.get("ended_at"), int | float)
        and live.last_line_at.timestamp() <= end + SLACK_S,
        has_traceback=bool(trace := traceback_of(live)),
        traceback=trace,
        was_seen=was_seen(live, run, scene.settings.lost_s),
    )
    return with_ending(scene, live, _with_program(scene, live, run, facts))


def _with_program(scene: Scene, live: LiveRun, run: Run, facts: RunFacts) -> RunFacts:
    """The facts with the run's job, or its process."""
    job = _job_of(scene, run)
    if job is not None and (run.process is None or run.process.pid == job.pid or job.status in JOB_ENDED):
        return _with_job(facts, job)
    if run.process:
        is_there = is_alive(run.process)
        if job is not None and not is_there:  # of a job with more to do, or whose end is being written down
            is_there = (datetime.now(UTC) - live.last_line_at).total_seconds() < SHORT_S
        kills = 0 if is_there or live.memory is None else live.memory.oom_kills_at_end()
        return facts._replace(pid=run.process.pid, is_alive=is_there, oom_kills=kills)
    return facts


def _job_of(scene: Scene, run: Run) -> Job | None:
    """The job that the run is of, as the queue's turn knows it; None for one that is no longer in the store."""
    try:
        return jobs.get_job(scene.records, run.job_id) if run.job_id else None
    except NeatError:
        return None


def _with_job(facts: RunFacts, job: Job) -> RunFacts:
    is_running = job.status == "running" and job.pid is not None
    return facts._replace(pid=job.pid, is_alive=is_running, job_status=job.status, job_reason=job.reason)
