"""Launching a job: its spec is written, and a detached shim is started that no longer needs us.

Must not wait for the job, hold a pipe to it or keep it as a child: the caller may be killed the moment this returns.
Invariant: launching the same job directory twice runs its command once (the shim sees to it).
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from neatd.errors import NeatError
from neatd.jobs import shim
from neatd.models import Job

# The shim needs 30 ms here; a machine that swaps under two trainings has been given 300 times that.
START_WAIT_S = 10.0
_POLL_S = 0.01


def launch(job: Job, job_dir: Path, log: Path, env: Mapping[str, str]) -> None:
    """Start `job` under a shim in `job_dir` (made if missing); return once start.json or exit.json is there.

    `log` gets stdout and stderr, appended. `env` is added to this process's environment, with NEAT_JOB_ID and, unless
    `env` says otherwise, PYTHONUNBUFFERED=1 so that the log is current. A command that cannot be started is no error
    here: it is in exit.json. Raises NeatError when no job can be written down or no shim comes up.
    """
    job_dir = job_dir.absolute()
    if _has_started(job_dir):
        return
    try:
        job_dir.mkdir(parents=True, exist_ok=True)
        shim.write_json(job_dir / shim.SPEC, _spec(job, log, env))
        _spawn(job_dir)
    except (OSError, subprocess.SubprocessError) as error:
        raise NeatError(
            f"job {job.id} cannot be launched from {job_dir}: {error}",
            "check that the folder is yours and the disk has room",
        ) from error
    _await_start(job.id, job_dir)


def _spec(job: Job, log: Path, env: Mapping[str, str]) -> dict[str, object]:
    return {
        "job_id": job.id,
        "command": list(job.command),
        "cwd": str(Path(job.cwd).absolute()),
        "env": {"PYTHONUNBUFFERED": "1", **env, "NEAT_JOB_ID": job.id},
        "log": str(log.absolute()),
    }


def _spawn(job_dir: Path) -> None:
    """Start the shim with nothing of ours: no descriptor, no terminal, no session, no working folder, no parent."""
    command = [sys.executable, "-I", "-S", str(Path(shim.__file__).absolute()), "--detach", str(job_dir)]
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        child = subprocess.Popen(
            command, cwd=job_dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            creationflags=flags,
        )  # fmt: skip
        child.returncode = 0  # not ours to wait for: Windows leaves no zombies, and Popen would warn
        return
    subprocess.run(
        command, cwd=job_dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, timeout=START_WAIT_S, check=True,
    )  # fmt: skip


def _await_start(job_id: str, job_dir: Path) -> None:
    deadline = time.monotonic() + START_WAIT_S
    while not _has_started(job_dir):
        if time.monotonic() > deadline:
            raise NeatError(
                f"job {job_id}: no start within {START_WAIT_S:g} s in {job_dir}",
                "check that the disk there has room and launch it again: a job never starts twice",
            )
        time.sleep(_POLL_S)


def _has_started(job_dir: Path) -> bool:
    return any((job_dir / name).exists() for name in (shim.START, shim.EXIT))
