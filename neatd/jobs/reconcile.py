"""What became of a job, told from evidence alone: the files its shim left, and the processes that live.

Must not remember anything between calls, be the job's parent, or touch a process; `jobs/ending.py` does that.
Invariant: a process is the job's only if its pid and its start time match start.json, so a reused pid is never taken
for the job; and no file, however torn, makes `observe` raise.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from neatd.jobs import shim

JobStatus = Literal["queued", "running", "finished", "failed", "killed", "interrupted", "lost"]

# Where there are no start ticks the shim notes its clock just after the start; 5 s covers a machine that swaps.
START_TOLERANCE_S = 5.0
_SHELL_CODES = {130: 2, 137: 9, 143: 15}  # how a shell or a tidy program reports SIGINT, SIGKILL, SIGTERM


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as the evidence shows it. Times in unix seconds; None where nothing tells."""

    status: JobStatus
    reason: str
    pid: int | None = None
    exit_code: int | None = None  # negative: the signal that ended it
    started: float | None = None
    ended: float | None = None
    peak_bytes: int | None = None  # of its largest process


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its number and its start."""

    pid: int
    started: float
    ticks: int | None


@dataclass(frozen=True, slots=True)
class Start:
    """What start.json says."""

    job: Process
    shim: Process
    boot_id: str


def observe(job_dir: Path) -> JobState:
    """The job's state now. Reads two small files and asks for two processes at most; changes nothing, never raises."""
    start = read_start(job_dir)
    ended = _read_exit(job_dir, start)
    if ended:
        return ended
    if start is None:
        return JobState("queued", "not started yet")
    state = JobState("running", f"process {start.job.pid}", start.job.pid, None, start.job.started)
    if _was_before_boot(start):
        return replace(state, status="interrupted", reason="the machine restarted")
    has_shim = is_alive(start.shim)
    if is_alive(start.job):
        note = "" if has_shim else "; its shim is gone, so its exit code will stay unknown"
        return replace(state, reason=state.reason + note)
    if has_shim:  # the job ended a moment ago: a verdict now would be wrong for ever
        return replace(state, reason="the process has ended, its exit code is being written")
    # The shim may have written the code and left since the first look.
    lost = replace(state, status="lost", reason="the process is gone and left no exit code")
    return _read_exit(job_dir, start) or lost


def _read_exit(job_dir: Path, start: Start | None) -> JobState | None:
    data = _read(job_dir / shim.EXIT)
    code, ended = data.get("code"), _number(data.get("ended"))
    if not isinstance(code, int):
        return None
    status, reason = _judge(code, data.get("error"))
    pid, started = (start.job.pid, start.job.started) if start else (None, None)
    peak = data.get("maxrss_bytes")
    return JobState(status, reason, pid, code, started, ended, peak if isinstance(peak, int) else None)


def _judge(code: int, error: object) -> tuple[JobStatus, str]:
    if error:
        return "failed", f"could not be started: {error}"
    if code < 0:
        return "killed", f"killed by {_signal_name(-code)}"
    if code in _SHELL_CODES:
        return "killed", f"exit code {code} ({_signal_name(_SHELL_CODES[code])})"
    return ("finished" if code == 0 else "failed"), f"exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def read_start(job_dir: Path) -> Start | None:
    """Who was started as the job, and by whom; None where nobody was, or nothing whole tells."""
    data = _read(job_dir / shim.START)
    job, own = _process(data, ""), _process(data, "shim_")
    return Start(job, own, str(data.get("boot_id", ""))) if job and own else None


def _process(data: dict[str, Any], prefix: str) -> Process | None:
    pid, ticks = data.get(f"{prefix}pid"), data.get(f"{prefix}ticks")
    started = _number(data.get(f"{prefix}started"))
    if not isinstance(pid, int) or pid <= 0 or started is None:
        return None
    return Process(pid, started, ticks if isinstance(ticks, int) else None)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _read(path: Path) -> dict[str, Any]:
    """The file's object; empty when it is missing, torn or not one."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _was_before_boot(start: Start) -> bool:
    now = shim.boot_id()
    if now and start.boot_id:
        return now != start.boot_id
    return start.job.started < psutil.boot_time() - START_TOLERANCE_S


def is_alive(process: Process) -> bool:
    """Whether this very process runs. A zombie has ended; another process under its pid is not it."""
    if process.ticks is not None:
        stat = shim.proc_stat(process.pid)
        return stat is not None and stat[1] == process.ticks and stat[0] not in "ZX"
    try:
        found = psutil.Process(process.pid)
        gap_s = abs(found.create_time() - process.started)
        return gap_s <= START_TOLERANCE_S and found.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
