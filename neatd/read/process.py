"""The process behind a run: found by an open file, its command or its working folder; the same one only while its
start time is. Other users' processes are not looked into. Cheap calls only (never memory_full_info: 10 ms each)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil

from neatd.models import ProcessFact


def find_processes(run_folders: Iterable[Path]) -> dict[Path, ProcessFact]:
    """Run folder -> the process that writes into it or was started for it, for those that are visible. One pass."""
    wanted = {os.path.realpath(folder): folder for folder in run_folders}
    found: dict[Path, ProcessFact] = {}
    own = os.getpid()
    for process in psutil.process_iter() if wanted else ():
        if process.pid == own or not _is_ours(process):
            continue
        try:
            for real in _folders_of(process, wanted):
                command = " ".join(process.cmdline())[:500]
                found[wanted[real]] = ProcessFact(pid=process.pid, started=process.create_time(), command=command)
        except (psutil.Error, OSError):
            continue
    return found


def _is_ours(process: psutil.Process) -> bool:
    if os.name == "nt":
        return True
    try:
        return process.uids().real == os.getuid()
    except psutil.Error:
        return False


def _folders_of(process: psutil.Process, wanted: dict[str, Path]) -> set[str]:
    """The wanted folders this process is behind: by a file it writes, by its arguments, by its working folder."""
    found = {folder for path in _written_files(process) for folder in _parents_in(path, wanted)}
    if "python" in process.name().lower():  # an editor or a pager names the folder too
        cwd = process.cwd()
        found |= {cwd} & set(wanted)
        for argument in process.cmdline()[1:]:
            value = argument.rpartition("=")[2].rstrip("/\\")
            if value and len(value) < 4096 and "\n" not in value:
                found |= {os.path.realpath(os.path.join(cwd, value))} & set(wanted)  # noqa: PTH118 - many plain strings
    return found


def _written_files(process: psutil.Process) -> list[str]:
    """A reader (tail -f) has files open too: only writing counts. Linux tells the mode, other systems do not."""
    return [file.path for file in process.open_files() if set("wa+") & set(getattr(file, "mode", "w"))]


def _parents_in(path: str, wanted: dict[str, Path]) -> list[str]:
    return [folder for folder in wanted if path.startswith(folder + os.sep)]


def is_alive(fact: ProcessFact) -> bool:
    """Whether that very process still runs: the PID may have been given to another since."""
    try:
        process = psutil.Process(fact.pid)
        return abs(process.create_time() - fact.started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
