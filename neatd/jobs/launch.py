"""Launching a job: its spec is written, and a detached shim is started that no longer needs us.

Must not wait for the job, hold a pipe to it or keep it as a child: the caller may be killed the moment this returns.
Invariant: launching the same job directory twice runs its command once (the shim sees to it).
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from neatd.errors import NeatError
from neatd.jobs import shim
from neatd.models import Job

# The shim needs 30 ms here; a machine that swaps under two trainings has been given 300 times that.
START_WAIT_S = 10.0
_POLL_S = 0.01
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.EIO}


class NotNowError(NeatError):
    """The machine has no room for it now. Nothing was started: it may be tried again."""


def launch(job: Job, job_dir: Path, log: Path, env: Mapping[str, str]) -> None:
    """`begin`, and return once start.json or exit.json is there. Raises NeatError also when no shim comes up."""
    child = begin(job, job_dir, log, env)
    if child is not None:
        _await_start(job.id, job_dir.absolute())
        with suppress(OSError):
            os.waitpid(child, 0)


def begin(
    job: Job, job_dir: Path, log: Path, env: Mapping[str, str], whole: Mapping[str, str] | None = None,
    bell: Path | None = None,
) -> int | None:  # fmt: skip
    """Start `job` under a shim in `job_dir` (made if missing), and wait for nothing.

    `log` gets stdout and stderr, appended. The job's environment is `whole`, else this process's, with `env`, NEAT_JOB_ID and,
    unless they say otherwise, PYTHONUNBUFFERED=1 so that the log is current. `bell` is touched when it has begun and when it
    has ended. A command that cannot be started is no error here: it is in exit.json. Returns the child that
    `reap` is to be given in a while, None where there is none. Raises NeatError when no job can be written down,
    NotNowError when that may be otherwise later.
    """
    job_dir = job_dir.absolute()
    if has_started(job_dir):
        return None
    try:
        job_dir.mkdir(parents=True, exist_ok=True)
        shim.write_json(job_dir / shim.SPEC, _spec(job, log, env, whole, bell))
        return _spawn(job_dir)
    except (OSError, subprocess.SubprocessError) as error:
        kind = NotNowError if isinstance(error, OSError) and error.errno in _PASSING else NeatError
        raise kind(
            f"job {job.id} cannot be launched from {job_dir}: {error}",
            "check that the folder is yours and the disk has room",
        ) from error


def reap(children: Iterable[int]) -> list[int]:
    """Let go of the children that have ended; those that have not."""
    left = []
    for child in children:
        with suppress(ChildProcessError):
            if os.waitpid(child, os.WNOHANG)[0] == 0:
                left.append(child)
    return left


def has_started(job_dir: Path) -> bool:
    """Whether its command was begun, or could not be."""
    return any((job_dir / name).exists() for name in (shim.START, shim.EXIT))


def _spec(
    job: Job, log: Path, env: Mapping[str, str], whole: Mapping[str, str] | None, bell: Path | None
) -> dict[str, object]:
    return {
        "job_id": job.id,
        "command": list(job.command),
        "cwd": str(Path(job.cwd).absolute()),
        "env": {"PYTHONUNBUFFERED": "1", **(whole or {}), **env, "NEAT_JOB_ID": job.id},
        "is_whole": whole is not None,
        "log": str(log.absolute()),
        "bell": str(bell.absolute()) if bell else None,
    }


def _spawn(job_dir: Path) -> int | None:
    """Start the shim with nothing of ours: no descriptor, no terminal, no session, no working folder, no parent; the child
    that leaves as soon as it has made the shim."""
    command = [sys.executable, "-I", "-S", str(Path(shim.__file__).absolute()), "--detach", str(job_dir)]
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        child = subprocess.Popen(
            command, cwd=job_dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            creationflags=flags,
        )  # fmt: skip
        child.returncode = 0  # not ours to wait for: Windows leaves no zombies, and Popen would warn
        return None
    child = subprocess.Popen(
        command, cwd=job_dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    child.returncode = 0  # `reap` waits for it, and Popen would warn
    return child.pid


def _await_start(job_id: str, job_dir: Path) -> None:
    deadline = time.monotonic() + START_WAIT_S
    while not has_started(job_dir):
        if time.monotonic() > deadline:
            raise NeatError(
                f"job {job_id}: no start within {START_WAIT_S:g} s in {job_dir}",
                "check that the disk there has room and launch it again: a job never starts twice",
            )
        time.sleep(_POLL_S)
