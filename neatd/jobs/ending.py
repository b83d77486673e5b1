"""The end of a job that runs: signals to its process group and, at the last, to everything below it.

Must not touch a process that is not the job's: each is known by its number and its start, looked at again right before.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from neatd.jobs.reconcile import JobState, Process, is_alive, observe, read_start

KILL_WAIT_S = 5.0  # SIGKILL works within milliseconds, or not at all (a process stuck in the kernel)
_POLL_S = 0.02


def signal_job(job_dir: Path, name: str) -> bool:
    """Send INT, TERM or KILL to the job's whole process group; KILL to what is below it in sessions of its own, too.

    Where its first process has ended, to what is left of the group. False when nothing of it runs. Nothing is waited for.
    Windows has no signals between consoles: there all of it ends at once.
    """
    start = read_start(job_dir)
    if start is None:
        return False
    members = _members(start.job) if observe(job_dir).status == "running" else left_of(job_dir)
    is_kill = name == "KILL" or sys.platform == "win32"
    for member in members:
        if is_kill:
            _kill(member)
        elif _group(member.pid) == start.job.pid:
            _send(member, getattr(signal, f"SIG{name}"))
    return bool(members)


def left_of(job_dir: Path) -> list[psutil.Process]:
    """What lives on in the process group of a job whose first process has ended. The group's number alone proves nothing then:
    each has the job's id in its environment, too."""
    start = read_start(job_dir)
    if start is None:
        return []
    members = [one for one in psutil.process_iter() if _group(one.pid) == start.job.pid and _is_live(one)]
    return [one for one in members if _job_of(one) == job_dir.name]


def stop(job_dir: Path, wait_s: float) -> JobState:
    """End a running job: SIGTERM to its process group, up to `wait_s` seconds, then SIGKILL to whatever is left of it.

    What is left includes children that moved to sessions of their own. Returns the state afterwards; its reason names
    the processes that even SIGKILL did not end within KILL_WAIT_S. Does nothing to a job that is not running.
    Windows has no SIGTERM for another console: there the whole tree ends at once.
    """
    start = read_start(job_dir)
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


def _members(job: Process) -> list[psutil.Process]:
    """The job, its descendants and its process group, as identities proof against reused pids; empty once it ended."""
    try:
        leader = psutil.Process(job.pid)
        tree = [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []
    members = tree + [p for p in psutil.process_iter() if _group(p.pid) == job.pid and p not in tree]
    return members if is_alive(job) else []  # asked last: were the pid another's by now, so might be the list


def _job_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("NEAT_JOB_ID", "")
    except (psutil.Error, OSError):  # another user's, or it has ended
        return ""


def _group(pid: int) -> int:
    if sys.platform == "win32":
        return 0  # has no process groups to ask for
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def _terminate(job: Process, members: list[psutil.Process]) -> None:
    if sys.platform == "win32":
        for member in members:
            _kill(member)
    elif is_alive(job):  # asked right before: the pid may have passed on since it was read
        # It may have ended just now, or have taken another user's rights: the caller looks and says so.
        with contextlib.suppress(OSError):
            os.killpg(job.pid, signal.SIGTERM)


def _send(member: psutil.Process, number: int) -> None:
    """To this very process, and never to another that was given its number since."""
    with contextlib.suppress(psutil.Error, OSError):  # gone, or not ours to end: the caller looks and says so
        if not hasattr(os, "pidfd_open"):
            member.send_signal(number)  # psutil compares the start time right before
            return
        descriptor = os.pidfd_open(member.pid)
        try:
            if member.is_running():  # what has the number now is what the descriptor is of
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


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
