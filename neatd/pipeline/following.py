"""What each run is doing: its process or job, its configuration, its status with the reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from neatd.jobs.reconcile import observe
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.read.process import find_processes, is_alive
from neatd.read.runconfig import NAMES, planned_steps, read_config
from neatd.rules.status import Patience, RunFacts, run_status
from neatd.store import requests, runs

PROCESS_LOOK_S = 10.0


def job_folder(home: Path, job_id: str) -> Path:
    """Where a job's spec, start, exit and output lie."""
    return home / "jobs" / job_id


def look_for_processes(scene: Scene) -> None:
    """One pass over the processes for all runs that have none yet, at most every ten seconds."""
    now = scene.clock()
    wanted = {
        live.folder: live
        for _, live in scene.live_runs()
        if not live.is_ended and live.run.process is None and live.run.job_id is None and live.next_process_look <= now
    }
    for live in wanted.values():
        live.next_process_look = now + PROCESS_LOOK_S
    for folder, fact in find_processes(wanted).items():
        _set(scene, wanted[folder], process=fact)


def refresh_config(scene: Scene, live: LiveRun) -> None:
    """Read the run's parameters when their file changed."""
    stamp = _config_stamp(live.folder)
    if stamp is None or stamp == live.config_stamp:
        return
    live.config_stamp = stamp
    config = read_config(live.folder)
    if config and config != live.run.config:
        _set(scene, live, config=config, planned_steps=planned_steps(config))


def _config_stamp(folder: Path) -> tuple[int, int] | None:
    for name in NAMES:
        try:
            stat = (folder / name).stat()
        except OSError:
            continue
        return stat.st_mtime_ns, stat.st_size
    return None


def refresh_status(scene: Scene, project: LiveProject, live: LiveRun) -> bool:
    """Bring a run's status up to date. True when it just ended."""
    if live.is_ended and not _came_back(live):
        return False
    settings, now = scene.settings, datetime.now(UTC)
    status, reason = run_status(_facts(scene, live), Patience(settings.stall_s, settings.lost_s), now)
    was = live.run
    if (status, reason) == (was.status, was.reason):
        return False
    _set(scene, live, status=status, reason=reason)
    project.is_stale = True
    if live.is_ended:
        _set(scene, live, ended_at=live.last_line_at if was.process is None and was.job_id is None else now)
    elif was.ended_at is not None:
        _set(scene, live, ended_at=None)
    return live.is_ended


def _came_back(live: LiveRun) -> bool:
    """Whether an ended run's files were written to well after its end: someone started it again by hand."""
    newest = max((source.stamp[1] for source in live.sources.values() if source.stamp), default=0)
    ended = live.run.ended_at
    return ended is not None and newest / 1e9 > ended.timestamp() + 2.0


def _facts(scene: Scene, live: LiveRun) -> RunFacts:
    run = live.run
    if run.ended_at is not None:  # it came back: what was known of its old process says nothing now
        run = run.model_copy(update={"process": None, "job_id": None})
        _set(scene, live, process=None, job_id=None)
    facts = RunFacts(
        has_points=any(source.cursor.seq for source in live.sources.values()),
        last_step=live.last_step,
        planned_steps=run.planned_steps,
        last_line_at=live.last_line_at,
        usual_gap_s=live.usual_gap_s(),
        is_gone=Path(run.root).is_dir() and not live.folder.exists(),
    )
    if run.job_id:
        return _with_job(scene, live, facts, run.job_id)
    if run.process:
        return facts._replace(pid=run.process.pid, is_alive=is_alive(run.process))
    return facts


def _with_job(scene: Scene, live: LiveRun, facts: RunFacts, job_id: str) -> RunFacts:
    state = observe(job_folder(scene.home, job_id))
    job = requests.get_job(scene.records, job_id)
    if (job.status, job.pid, job.exit_code) != (state.status, state.pid, state.exit_code):
        requests.set_job(
            scene.records, job_id, status=state.status, reason=state.reason, pid=state.pid, exit_code=state.exit_code
        )
    is_running = state.status == "running"
    return facts._replace(pid=state.pid, is_alive=is_running, job_status=state.status, job_reason=state.reason)


def _set(scene: Scene, live: LiveRun, **fields: object) -> None:
    runs.set_run(scene.records, live.run.id, **fields)
    live.run = live.run.model_copy(update=fields)
