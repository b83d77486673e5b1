"""What a run is doing, and why neat says so. Pure: facts and the time in, status and reason out.

Nothing is called finished, failed or killed without evidence: an exit code, the planned last step, what the tracker wrote,
a traceback or a word of its end at the end of the log, or the kernel's count of what it killed for memory. "Lost" says that
the process is gone, or that the run ended before neat watched, and nobody saw how. Silence alone is a stall. Reasons hold
times and not durations since, so they stay true unread.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from neatd.models import RunStatus

_TOLD_ENDS = ("finished", "failed", "killed", "interrupted")
_LEAST_REST_S, _REST_GAPS = 5.0, 3  # without lines, after which a run at its planned step is not waited for any more


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
    longest_pause_s: float = 0.0  # that came back: an evaluation, a checkpoint
    told_status: str | None = None  # what the tracker wrote: finished, failed, killed; anything else says nothing
    told_exit_code: int | None = None  # the tracker's record of the end
    oom_kills: int = 0  # by the kernel in the process's control group, since it was last seen alive
    oom_log: str = ""  # what the kernel's log says of one of its processes that was killed for memory
    memory_end: str = ""  # what else its end has to do with memory: an error's words, a kill while little was left
    has_traceback: bool = False  # the log ends with one
    traceback: str = ""  # its last line: "IndexError: list index out of range"
    traceback_log: str = ""  # the log's name
    stopped: str = ""  # how neat ended it, where a rule asked for that
    ended_well: str = ""  # what in its files says that it came to its end, as a reason reads it
    has_told_end: bool = False  # the tracker wrote when it ended, and no line came since
    was_seen: bool = True  # lines came, or a process was there, while neat watched
    silence_limit_s: float = 0.0  # that is still usual for it, where it was learnt (rules/timing.py)


class Patience(NamedTuple):
    """Seconds of silence: called a stall, called lost when no process was ever seen."""

    stall_s: float
    lost_s: float


def run_status(facts: RunFacts, patience: Patience, now: datetime) -> tuple[RunStatus, str]:
    """(status, reason)."""
    where = f"at step {facts.last_step}" if facts.last_step is not None else "before its first line"
    if facts.job_status in ("finished", "failed", "killed", "interrupted", "lost"):
        return facts.job_status, f"{facts.job_reason} {where}".lstrip() + _killed_for_memory(facts)  # type: ignore[return-value]
    is_live = facts.is_alive or facts.job_status in ("queued", "running")
    if facts.told_exit_code is not None:
        return _by_exit_record(facts, facts.told_exit_code, where)
    if facts.has_told_end and facts.told_status in _TOLD_ENDS:
        return facts.told_status, f"its tracker says {facts.told_status} {where}"  # type: ignore[return-value]
    if facts.is_gone and facts.has_points and not facts.is_alive:
        return "lost", f"its folder vanished; it had come {where.removeprefix('at ').replace('step', 'to step')}"
    if facts.stopped and not is_live:
        return "interrupted", f"{facts.stopped} {where}"
    if facts.pid is not None and not is_live:
        return _after_process(facts, where)
    if is_live:
        return _with_process(facts, patience, now)
    return _without_process(facts, patience, now, where)


def _by_exit_record(facts: RunFacts, code: int, where: str) -> tuple[RunStatus, str]:
    """A tracker that wrote the exit code saw the end, also where the process lives on, as a notebook's does."""
    ending: RunStatus = "finished" if code == 0 else "interrupted" if code in (130, -2) else "failed"
    if code in (137, 143, -9, -15):
        ending = "killed"
    memory = _killed_for_memory(facts) if ending in ("killed", "failed") else ""
    return ending, f"its tracker wrote exit code {code} {where}{memory}"


def _after_process(facts: RunFacts, where: str) -> tuple[RunStatus, str]:
    ended = f"process {facts.pid} has ended"
    planned = f" of {facts.planned_steps}" if facts.planned_steps else ""
    seen = _evidence(facts, where)
    if seen is not None:
        at = "" if seen[1].endswith(where) else f" {where}{planned}"
        return seen[0], f"{seen[1]}; {ended}{at}{_killed_for_memory(facts) if seen[0] == 'failed' else ''}"
    if _reached(facts):
        return "finished", f"reached step {facts.last_step} of {facts.planned_steps}; {ended}"
    return "lost", f"{ended} {where}{planned}; its exit code was not visible{_killed_for_memory(facts)}"


def _evidence(facts: RunFacts, where: str) -> tuple[RunStatus, str] | None:
    """How a run without a process ended, as far as anything tells. A traceback says more than a tracker that calls every
    end finished, and than a kill, which may have struck one worker."""
    if facts.has_traceback or facts.traceback:
        return _by_traceback(facts, where)
    if facts.told_status in ("failed", "killed", "interrupted"):
        return facts.told_status, f"its tracker says {facts.told_status}"  # type: ignore[return-value]
    if facts.ended_well:
        return "finished", facts.ended_well
    if facts.oom_log and not _reached(facts):
        return "killed", facts.oom_log
    if facts.oom_kills and not _reached(facts):
        return "killed", f"the kernel's out-of-memory killer struck in its control group ({facts.oom_kills} killed)"
    if facts.told_status == "finished":
        return "finished", "its tracker says finished"
    return None


def _by_traceback(facts: RunFacts, where: str) -> tuple[RunStatus, str]:
    """Who pressed Ctrl-C sees a traceback too."""
    if not facts.traceback:
        return "failed", "its log ends with a Python traceback"
    log = f" in {facts.traceback_log}" if facts.traceback_log else ""
    is_interrupt = facts.traceback.startswith("KeyboardInterrupt")
    return "interrupted" if is_interrupt else "failed", f"ended with {facts.traceback}{log} {where}"


def _killed_for_memory(facts: RunFacts) -> str:
    """What to add where the end itself is known."""
    if facts.job_status in ("finished", "interrupted"):
        return ""
    count = f"the kernel killed {facts.oom_kills} for memory in its control group" if facts.oom_kills else ""
    error = "" if facts.traceback and facts.traceback in facts.memory_end and not facts.job_status else facts.memory_end
    said = facts.oom_log or count or error
    return f"; {said}" if said else ""


def _with_process(facts: RunFacts, patience: Patience, now: datetime) -> tuple[RunStatus, str]:
    who = f"process {facts.pid}" if facts.pid is not None else "its job"
    if not facts.has_points:
        return "starting", f"{who} runs; no line yet"
    if _silence_s(facts, now) > _threshold_s(facts, patience):
        alive = f"{who} alive" if facts.pid is not None else f"{who} runs"
        trouble = "; its log ends with a Python traceback" if facts.has_traceback else ""
        trouble += f": {facts.traceback}" if trouble and facts.traceback else ""
        return "stalled", f"silent since {_clock(facts.last_line_at)}; {_usual(facts)}{alive}{trouble}"
    return "running", f"{who} runs"


def _without_process(facts: RunFacts, patience: Patience, now: datetime, where: str) -> tuple[RunStatus, str]:
    silence, threshold = _silence_s(facts, now), _threshold_s(facts, patience)
    if _reached(facts) and silence > min(threshold, _rest_s(facts)) and not facts.has_traceback:
        return "finished", f"reached step {facts.last_step} of {facts.planned_steps}"
    if silence <= threshold:
        return ("running", "lines arrive") if facts.has_points else ("starting", "no line yet")
    since = f"silent since {_clock(facts.last_line_at)}; {_usual(facts)}no process is seen"
    seen = _evidence(facts, where)
    if seen is not None:
        at = "" if seen[1].endswith(where) else f"; it ended {where}"
        return seen[0], f"{seen[1]}; {since}{at}"
    if silence <= patience.lost_s:
        return "stalled", since
    if not facts.was_seen:
        before = f"silent since {_clock(facts.last_line_at)}, {where}"
        return "lost", f"it ended before neat watched; how is not known; {before}"
    return "lost", f"{since}; it ended {where}"


def _rest_s(facts: RunFacts) -> float:
    """A trainer that counts from 1 has one more step to go at the last but one, and an evaluation may follow the last."""
    return max(_LEAST_REST_S, _REST_GAPS * facts.usual_gap_s, 1.5 * facts.longest_pause_s)


def _usual(facts: RunFacts) -> str:
    """What silence is measured against."""
    if facts.usual_gap_s <= 0:
        return ""
    longest = f", longest {_seconds(facts.longest_pause_s)}" if facts.longest_pause_s > facts.usual_gap_s else ""
    return f"usual gap {_seconds(facts.usual_gap_s)}{longest}; "


def _seconds(length_s: float) -> str:
    """0.25 s, 12 s, 20 min, 3 h: as exact as anybody asks."""
    if length_s >= 600:
        return f"{length_s / 60:.0f} min" if length_s < 7200 else f"{length_s / 3600:.0f} h"
    return f"{length_s:.0f} s" if length_s >= 9.95 else f"{length_s:.2g} s"


def _reached(facts: RunFacts) -> bool:
    """A trainer that counts from 0 ends one below the number it plans."""
    return (
        facts.planned_steps is not None and facts.last_step is not None and facts.last_step >= facts.planned_steps - 1
    )


def _silence_s(facts: RunFacts, now: datetime) -> float:
    return (now - facts.last_line_at).total_seconds()


def _threshold_s(facts: RunFacts, patience: Patience) -> float:
    """Evaluations and checkpoints pause a trainer: 20 of its usual gaps, three of its longest pause, what was learnt of it,
    and never less than the setting."""
    return max(patience.stall_s, 20 * facts.usual_gap_s, 3 * facts.longest_pause_s, facts.silence_limit_s)


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
