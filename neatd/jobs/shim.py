"""The shim: the parent of one job, so that the job and its exit code outlive whoever launched it.

Run as `python -I -S shim.py JOB_DIR`, or with `--detach` first to become nobody's child. It reads JOB_DIR/spec.json,
holds JOB_DIR/lock for life, and leaves start.json and exit.json behind, each written whole or not at all.
It must not import anything but the standard library (`-I -S` hides the rest) and must not judge what it sees.
Invariant: a job directory starts its command at most once, because start.json exists before the command's first
instruction and a shim that finds it leaves at once.
Every job waits for these imports: what pathlib, typing and threading would add is half of them again.
"""

# ruff: noqa: PTH103, PTH105, PTH110, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from _thread import get_ident
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any, TypeAlias

    Place: TypeAlias = str | PathLike[str]
if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SPEC, START, EXIT, LOCK = "spec.json", "start.json", "exit.json", "lock"
CANNOT_START = 127  # what a POSIX shell answers when there is no such command
RETRY_S = 0.5  # a full disk is the usual reason why exit.json cannot be written; people make room in minutes
_STARTED = time.time()  # close to this process's start time; the ticks are exact where there are any


def run(job_dir: Place) -> None:
    """Start the job of `job_dir` and stay until it has ended; return at once if it was started before."""
    ignore_signals()
    lock = take_lock(_in(job_dir, LOCK))
    if lock is None or os.path.exists(_in(job_dir, START)) or os.path.exists(_in(job_dir, EXIT)):
        return
    spec: dict[str, Any] = {}
    try:
        spec = json.loads(_read(_in(job_dir, SPEC)))
        job = start(job_dir, spec)
    except (OSError, ValueError, LookupError, TypeError) as error:
        ending = {"code": CANNOT_START, "error": str(error) or type(error).__name__}
    else:
        ring(spec)
        ending = wait(job)
    write_ending(_in(job_dir, EXIT), {**ending, "ended": time.time()})
    ring(spec)


def ring(spec: dict[str, Any]) -> None:
    """Wake the daemon, if one watches, by an empty file of the job's name; it looks by itself where this fails."""
    with suppress(OSError, ValueError, LookupError, TypeError), open(spec["bell"], "ab"):
        pass


def _in(folder: Place, name: str) -> str:
    return os.path.join(folder, name)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def ignore_signals() -> None:
    """Outlive what a terminal or a service manager sends to everyone: only the job's own end ends the shim."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def take_lock(path: Place) -> int | None:
    """A descriptor that holds the lock until this process ends; None if another shim holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def start(job_dir: Place, spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own, output appended to the log, with start.json written before it runs.

    Raises OSError when there is no such command or folder, and ValueError, LookupError or TypeError for a wrong spec.
    """
    shim = {
        "shim_pid": os.getpid(),
        "shim_started": _STARTED,
        "shim_ticks": start_ticks(os.getpid()),
        "boot_id": boot_id(),
    }
    command, cwd = spec["command"], spec["cwd"]
    environment = spec["env"] if spec.get("is_whole") else {**os.environ, **spec["env"]}
    os.makedirs(os.path.dirname(spec["log"]), exist_ok=True)
    with open(spec["log"], "ab") as output:
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            job = subprocess.Popen(
                command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                creationflags=flags,
            )  # fmt: skip
            record_start(job_dir, job.pid, shim)  # a shim killed before this line leaves a job nobody knows of
            return job

        def before_command() -> None:
            # In the child, so that no crash of the shim can fall between the start and its record; safe, as there is
            # one thread only. The signals come first: whoever reads the pid may send one at once.
            restore_signals()
            record_start(job_dir, os.getpid(), shim)

        try:
            return subprocess.Popen(
                command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=before_command,
            )  # fmt: skip
        except subprocess.SubprocessError as error:  # it does not carry what went wrong in before_command
            raise OSError(f"{_in(job_dir, START)} could not be written") from error


def restore_signals() -> None:
    """Default dispositions and an empty mask: ignored and blocked signals would be inherited through exec."""
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def record_start(job_dir: Place, pid: int, shim: dict[str, Any]) -> None:
    """Write start.json: who runs, since when (unix seconds, and Linux's start ticks), under which shim and boot."""
    write_json(_in(job_dir, START), {"pid": pid, "started": time.time(), "ticks": start_ticks(pid), **shim})


def wait(job: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for the job: code (negative: the signal that ended it), signal, and peak memory in bytes where known."""
    if sys.platform == "win32":
        return {"code": job.wait(), "signal": None, "maxrss_bytes": None}
    _, status, usage = os.wait4(job.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    job.returncode = code  # it is reaped: Popen must not look for it again
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2) counts bytes on macOS, KiB elsewhere
    return {"code": code, "signal": -code if code < 0 else None, "maxrss_bytes": usage.ru_maxrss * unit}


def write_ending(path: Place, ending: dict[str, Any]) -> None:
    """Write exit.json however long it takes: after days of training the exit code must not fall to a full disk."""
    while True:
        try:
            write_json(path, ending)
            return
        except FileNotFoundError:
            return  # the job's directory was removed: nobody is left to tell
        except OSError:
            time.sleep(RETRY_S)


def write_json(path: Place, value: dict[str, Any]) -> None:
    """Replace `path` such that a crash leaves the old file or the new one, whole; readable by its owner only."""
    parent, name = os.path.split(path)
    temporary = os.path.join(parent, f".{name}.{os.getpid()}-{get_ident()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # an environment may hold secrets
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    if sys.platform != "win32":  # Windows cannot open folders
        folder = os.open(parent or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def proc_stat(pid: int) -> tuple[str, int] | None:
    """(state letter, start time in clock ticks since boot) from Linux's /proc; None if there is none."""
    try:
        text = _read(f"/proc/{pid}/stat")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return fields[0], int(fields[19])


def start_ticks(pid: int) -> int | None:
    """Linux's start time of `pid` in clock ticks since boot: with the boot id it names a process exactly."""
    stat = proc_stat(pid)
    return stat[1] if stat else None


def boot_id() -> str:
    """Linux's id of this boot; empty where the system has none."""
    try:
        return _read("/proc/sys/kernel/random/boot_id").strip()
    except OSError:
        return ""


def main(arguments: list[str]) -> None:
    """`[--detach] JOB_DIR`. Detached, the first process forks and leaves, so that no caller has to reap the shim."""
    if arguments[0] == "--detach" and sys.platform != "win32" and os.fork():
        os._exit(0)
    run(arguments[-1])


if __name__ == "__main__":
    main(sys.argv[1:])
