"""What a run is doing, and why neat says so. Pure: facts and the time in, status and reason out.

Nothing is called finished, failed or killed without evidence: an exit code, or the planned last step. "Lost" says that
the process is gone and nobody saw how it ended. Reasons hold times and not durations, so they stay true unread.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from neatd.models import RunStatus


class RunFacts(NamedTuple):
    """What is known of a run when its status is asked for. Times are aware UTC."""

    has_points: bool
    last_step: int | None
    planned_steps: int | None
    last_line_at: datetime
    usual_gap_s: float
    pid: int | None = None
    is_alive: bool = False  # of that pid
    job_status: str | None = None  # of a job that neat launched
    job_reason: str = ""
    is_gone: bool = False  # its folder vanished, and the project's is there


class Patience(NamedTuple):
    """Seconds of silence: called a stall, called lost when no process was ever seen."""

    stall_s: float
    lost_s: float


def run_status(facts: RunFacts, patience: Patience, now: datetime) -> tuple[RunStatus, str]:
    """(status, reason)."""
    where = f"at step {facts.last_step}" if facts.last_step is not None else "before its first line"
    if facts.job_status in ("finished", "failed", "killed", "interrupted", "lost"):
        return facts.job_status, f"{facts.job_reason} {where}".lstrip()  # type: ignore[return-value]
    if facts.is_gone and facts.has_points and not facts.is_alive:
        return "lost", f"its folder vanished; it had come {where.removeprefix('at ').replace('step', 'to step')}"
    is_live = facts.is_alive or facts.job_status in ("queued", "running")
    if facts.pid is not None and not is_live:
        return _after_process(facts, where)
    if is_live:
        return _with_process(facts, patience, now)
    return _without_process(facts, patience, now, where)


def _after_process(facts: RunFacts, where: str) -> tuple[RunStatus, str]:
    if _reached(facts):
        return "finished", f"reached step {facts.last_step} of {facts.planned_steps}; process {facts.pid} has ended"
    planned = f" of {facts.planned_steps}" if facts.planned_steps else ""
    return "lost", f"process {facts.pid} has ended {where}{planned}; its exit code was not visible"


def _with_process(facts: RunFacts, patience: Patience, now: datetime) -> tuple[RunStatus, str]:
    who = f"process {facts.pid}" if facts.pid is not None else "its job"
    if not facts.has_points:
        return "starting", f"{who} runs; no line yet"
    if _silence_s(facts, now) > _threshold_s(facts, patience):
        return "stalled", f"no new line since {_clock(facts.last_line_at)} while {who} runs"
    return "running", f"{who} runs"


def _without_process(facts: RunFacts, patience: Patience, now: datetime, where: str) -> tuple[RunStatus, str]:
    silence = _silence_s(facts, now)
    if silence <= _threshold_s(facts, patience):
        return ("running", "lines arrive") if facts.has_points else ("starting", "no line yet")
    if _reached(facts):
        return "finished", f"reached step {facts.last_step} of {facts.planned_steps}"
    since = f"no new line since {_clock(facts.last_line_at)} and no process is seen"
    return ("lost", f"{since}; it ended {where}") if silence > patience.lost_s else ("stalled", since)


def _reached(facts: RunFacts) -> bool:
    """A trainer that counts from 0 ends one below the number it plans."""
    return (
        facts.planned_steps is not None and facts.last_step is not None and facts.last_step >= facts.planned_steps - 1
    )


def _silence_s(facts: RunFacts, now: datetime) -> float:
    return (now - facts.last_line_at).total_seconds()


def _threshold_s(facts: RunFacts, patience: Patience) -> float:
    """Evaluations and checkpoints pause a trainer: 20 of its usual gaps, and never less than the setting."""
    return max(patience.stall_s, 20 * facts.usual_gap_s)


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
