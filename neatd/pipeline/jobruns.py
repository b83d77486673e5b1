"""Runs of jobs whose process was gone before anybody saw it: tied to their job once that has ended, or once they are found.

Invariant: a run that has a job keeps it; what is not sure is left alone, and looked at again only when another job ended.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path, PurePath

from neatd.models import Job
from neatd.pipeline.facts import set_run
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.rules.jobruns import SLACK_S, Span, Trace, job_of
from neatd.store import jobs
from neatd.store.moments import stamp

OLDEST_S = 7 * 86_400.0  # a run that was silent for longer is not asked about: imports bring thousands


def note_end(scene: Scene, job: Job) -> None:
    """A job ended: runs without one are looked at again, those that seem to have ended at once."""
    scene.queue.ends += 1
    began = job.started_at or job.created_at
    for project, live in scene.live_runs():
        if live.run.job_id is None and live.run.project_id == job.project_id and _written(live) >= began.timestamp():
            live.look_by(0.0)
            if live.is_ended:
                tie(scene, project, live)


def tie(scene: Scene, project: LiveProject, live: LiveRun) -> None:
    """Give a run that has neither job nor process the job that wrote it, where that is sure."""
    if live.run.job_id or live.ends_seen == scene.queue.ends or _has_told(live):
        return
    live.ends_seen = scene.queue.ends
    if scene.today().timestamp() - _written(live) > OLDEST_S:
        return
    trace = _trace(project, live)
    spans = [span for job in _candidates(scene.records, live, trace) if (span := _span(scene.records, live, job))]
    if found := job_of(trace, spans):
        set_run(scene, live, job_id=found)


def _has_told(live: LiveRun) -> bool:
    """Whether a process was seen, and what it told names no job: a person's own. One that was gone when asked told nothing."""
    return live.run.process is not None and bool(live.run.process.env_names)


def _trace(project: LiveProject, live: LiveRun) -> Trace:
    run, began = live.run, live.run.started_at.timestamp()
    written = _written(live)
    others = (one for one in project.runs.values() if one is not live and one.run.job_id is None and not _has_told(one))
    is_alone = not any(began - SLACK_S <= _written(one) and _began(one) <= written + SLACK_S for one in others)
    return Trace(run.folder, run.name, began, written, run.created_at.timestamp(), is_alone)


def _began(live: LiveRun) -> float:
    return live.run.started_at.timestamp()


def _written(live: LiveRun) -> float:
    """Unix seconds of its last line: as its files say, which a run that is met late tells, too."""
    stamps = [source.stamp[1] / 1e9 for source in live.sources.values() if source.stamp]
    return max(stamps) if stamps else live.last_line_at.timestamp()


def _candidates(records: sqlite3.Connection, live: LiveRun, trace: Trace) -> list[Job]:
    """The project's jobs that ran when the run was written last."""
    late, early = (stamp(datetime.fromtimestamp(trace.written + slack, UTC)) for slack in (SLACK_S, -SLACK_S))
    found = records.execute(
        "SELECT id FROM job WHERE project_id = ? AND status NOT IN ('queued', 'cancelled') AND kind IN ('command', 'train')"
        " AND COALESCE(started_at, updated_at) <= ? AND (ended_at IS NULL OR ended_at >= ?)",
        (live.run.project_id, late, early),
    ).fetchall()
    return [jobs.get_job(records, row[0]) for row in found]


def _span(records: sqlite3.Connection, live: LiveRun, job: Job) -> Span | None:
    """None for a job that works elsewhere, or that trains another run."""
    root, run = Path(live.run.root), live.run
    try:
        place = PurePath(job.cwd).relative_to(root)
    except ValueError:
        try:
            place = PurePath(job.cwd).relative_to(root.resolve())
        except ValueError:
            return None
    if job.run_folder and job.run_folder != run.folder:
        return None
    taken = records.execute("SELECT 1 FROM run WHERE job_id = ? AND id != ?", (job.id, run.id)).fetchone()
    started = job.started_at or job.updated_at
    return Span(
        job.id, job.name, job.command, place.as_posix(), started.timestamp(), _unix(job.ended_at), taken is not None
    )


def _unix(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
