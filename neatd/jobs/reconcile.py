"""What became of a job, told from evidence alone: the files its shim left, and the processes that live.

Must not remember anything between calls and must not be the job's parent; `stop` alone touches a process.
Invariant: a process is the job's only if its pid and its start time match start.json, so a reused pid is never taken
for the job and never signalled; and no file, however torn, makes `observe` raise.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from neatd.jobs import shim

JobStatus = Literal["queued", "running", "finished", "failed", "killed", "interrupted", "lost"]

# Where there are no start ticks the shim notes its clock just after the start; 5 s covers a machine that swaps.
START_TOLERANCE_S = 5.0
KILL_WAIT_S = 5.0  # SIGKILL works within milliseconds, or not at all (a process stuck in the kernel)
_POLL_S = 0.02
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


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    started: float
    ticks: int | None


@dataclass(frozen=True, slots=True)
class _Start:
    job: _Process
    shim: _Process
    boot_id: str


def observe(job_dir: Path) -> JobState:
    """The job's state now. Reads two small files and asks for two processes at most; changes nothing, never raises."""
    start = _read_start(job_dir)
    ended = _read_exit(job_dir, start)
    if ended:
        return ended
    if start is None:
        return JobState("queued", "not started yet")
    state = JobState("running", f"process {start.job.pid}", start.job.pid, None, start.job.started)
    if _was_before_boot(start):
        return replace(state, status="interrupted", reason="the machine restarted")
    has_shim = _is_alive(start.shim)
    if _is_alive(start.job):
        note = "" if has_shim else "; its shim is gone, so its exit code will stay unknown"
        return replace(state, reason=state.reason + note)
    if has_shim:  # the job ended a moment ago: a verdict now would be wrong for ever
        return replace(state, reason="the process has ended, its exit code is being written")
    # The shim may have written the code and left since the first look.
    lost = replace(state, status="lost", reason="the process is gone and left no exit code")
    return _read_exit(job_dir, start) or lost


def stop(job_dir: Path, wait_s: float) -> JobState:
    """End a running job: SIGTERM to its process group, up to `wait_s` seconds, then SIGKILL to whatever is left of it.

    What is left includes children that moved to sessions of their own. Returns the state afterwards; its reason names
    the processes that even SIGKILL did not end within KILL_WAIT_S. Does nothing to a job that is not running.
    Windows has no SIGTERM for another console: there the whole tree ends at once.
    """
    start = _read_start(job_dir)
    if start is None or observe(job_dir).status != "running":
        return observe(job_dir)
    members = _members(start.job)
    _terminate(start.job, members)

    def is_over() -> bool:
        return observe(job_dir).status != "running" and not any(map(_is_live, members))

    if not _wait(is_over, wait_s):
        members += [m for m in _members(start.job) if m not in members]  # born since
        for member in members:
            _kill(member)
        _wait(is_over, KILL_WAIT_S)
    state = observe(job_dir)
    left = ", ".join(str(m.pid) for m in members if _is_live(m))
    return replace(state, reason=f"{state.reason}; SIGKILL did not end {left}") if left else state


def _read_exit(job_dir: Path, start: _Start | None) -> JobState | None:
    data = _read(job_dir / shim.EXIT)
    code, ended = data.get("code"), _number(data.get("ended"))
    if not isinstance(code, int):
        return None
    status, reason = _judge(code, data.get("error"))
    pid, started = (start.job.pid, start.job.started) if start else (None, None)
    return JobState(status, reason, pid, code, started, ended)


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


def _read_start(job_dir: Path) -> _Start | None:
    data = _read(job_dir / shim.START)
    job, own = _process(data, ""), _process(data, "shim_")
    return _Start(job, own, str(data.get("boot_id", ""))) if job and own else None


def _process(data: dict[str, Any], prefix: str) -> _Process | None:
    pid, ticks = data.get(f"{prefix}pid"), data.get(f"{prefix}ticks")
    started = _number(data.get(f"{prefix}started"))
    if not isinstance(pid, int) or pid <= 0 or started is None:
        return None
    return _Process(pid, started, ticks if isinstance(ticks, int) else None)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _read(path: Path) -> dict[str, Any]:
    """The file's object; empty when it is missing, torn or not one."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _was_before_boot(start: _Start) -> bool:
    now = shim.boot_id()
    if now and start.boot_id:
        return now != start.boot_id
    return start.job.started < psutil.boot_time() - START_TOLERANCE_S


def _is_alive(process: _Process) -> bool:
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


def _members(job: _Process) -> list[psutil.Process]:
    """The job, its descendants and its process group, as identities proof against reused pids; empty once it ended."""
    try:
        leader = psutil.Process(job.pid)
        tree = [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []
    members = tree + [p for p in psutil.process_iter() if _group(p.pid) == job.pid and p not in tree]
    return members if _is_alive(job) else []  # asked last: were the pid another's by now, so might be the list


def _group(pid: int) -> int:
    if sys.platform == "win32":
        return 0  # has no process groups to ask for
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def _terminate(job: _Process, members: list[psutil.Process]) -> None:
    if sys.platform == "win32":
        for member in members:
            _kill(member)
    elif _is_alive(job):  # asked right before: the pid may have passed on since it was read
        # It may have ended just now, or have taken another user's rights: the caller looks and says so.
        with contextlib.suppress(OSError):
            os.killpg(job.pid, signal.SIGTERM)


def _is_live(member: psutil.Process) -> bool:
    try:
        return member.is_running() and member.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(member: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):  # gone, or not ours to kill: the caller looks and says so
        member.kill()  # psutil compares the start time again and refuses a reused pid


def _wait(is_true: Callable[[], bool], wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
