"""The process behind a run: found by an open file, its command or its working folder; the same one only while its
start time is. Other users' processes are not looked into. Cheap calls only (never memory_full_info: 10 ms each)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from neatd.files import is_inside
from neatd.models import ProcessFact
from neatd.read.processfacts import identity
from neatd.read.proctable import ProcessRow, read_table


def find_processes(run_folders: Iterable[Path]) -> dict[Path, ProcessFact]:
    """Run folder -> the process that writes into it or was started for it, for those that are visible. One pass.

    A writer comes before one that only names the folder, and of several the one that started first: data loaders and
    other workers inherit their trainer's files and end before it does.
    """
    wanted = {os.path.realpath(folder): folder for folder in run_folders}
    found: dict[Path, tuple[bool, float, ProcessFact]] = {}
    own = os.getpid()
    for process in psutil.process_iter() if wanted else ():
        if process.pid == own or not _is_ours(process):
            continue
        try:
            for real, is_writer in _folders_of(process, wanted).items():
                command = " ".join(process.cmdline())[:500].encode("utf-8", "replace").decode()
                started = process.create_time()
                fact = ProcessFact(pid=process.pid, started=started, command=command)
                one = (not is_writer, started, fact)
                found[wanted[real]] = min(found.get(wanted[real], one), one, key=lambda rank: rank[:2])
        except (psutil.Error, OSError):
            continue
    return {folder: fact.model_copy(update=identity(fact.pid)) for folder, (_, _, fact) in found.items()}


def programs_below(root: Path, above: tuple[str, ...]) -> list[tuple[ProcessFact, str]]:
    """(process, its script's name) of the Python programs that work in `root` or below and have an ancestor whose name
    begins with one of `above`; of several that started each other the first. Nothing is asked where there is no ancestor."""
    table = read_table()
    heads = {row.pid for row in table.values() if row.name.lower().startswith(above)}
    found: list[tuple[ProcessFact, str]] = []
    for row in table.values() if heads else ():
        line = _line_above(row.pid, table)
        if not heads & set(line) or ("python" not in row.name.lower() and not row.name.startswith("pt_main")):
            continue
        try:
            process = psutil.Process(row.pid)
            command = process.cmdline()
            if _is_neat(command) or not _is_ours(process) or not _works_in(Path(process.cwd()), root):
                continue
            started = process.create_time()
        except (psutil.Error, OSError):
            continue
        script = next((Path(word).name for word in command[1:] if word.endswith(".py")), "python")
        text = " ".join(command)[:500].encode("utf-8", "replace").decode()
        fact = ProcessFact(pid=row.pid, started=started, command=text)
        found.append((fact.model_copy(update=identity(row.pid)), script))
    pids = {fact.pid for fact, _ in found}
    return [one for one in found if not pids & set(_line_above(one[0].pid, table)[1:])]


def _works_in(cwd: Path, root: Path) -> bool:
    return cwd == root.resolve() or is_inside(cwd, root)


def _line_above(pid: int, table: Mapping[int, ProcessRow]) -> list[int]:
    """The process and its ancestors, the nearest first."""
    found: list[int] = []
    while pid in table and pid not in found:
        found.append(pid)
        pid = table[pid].parent
    return found


def _is_ours(process: psutil.Process) -> bool:
    if os.name == "nt":
        return True
    try:
        return process.uids().real == os.getuid()
    except psutil.Error:
        return False


def _folders_of(process: psutil.Process, wanted: dict[str, Path]) -> dict[str, bool]:
    """The wanted folders this process is behind, and whether it writes there; else they are its arguments or where it works."""
    named: set[str] = set()
    command = process.cmdline()
    if _is_neat(command):  # `neat run show runs/a` names the folder and trains nothing
        return {}
    if _is_python(process, command):  # an editor or a pager names the folder too
        cwd = process.cwd()
        named = {cwd} & set(wanted)
        for argument in command[1:]:
            value = argument.rpartition("=")[2].rstrip("/\\")
            if value and len(value) < 4096 and "\n" not in value:
                named |= {os.path.realpath(os.path.join(cwd, value))} & set(wanted)  # noqa: PTH118 - many plain strings
    written = {folder for path in _written_files(process) for folder in _nearest_in(path, wanted)}
    return dict.fromkeys(named, False) | dict.fromkeys(written, True)


def _is_neat(command: list[str]) -> bool:
    """Whether it is a command of our own: the script, or its module run by Python."""
    names = [os.path.splitext(os.path.basename(word))[0] for word in command[:2]]  # noqa: PTH119, PTH122
    return any(name in ("neat", "neatd") for name in names) or any("neatd.cli" in word for word in command[1:3])


def _is_python(process: psutil.Process, command: list[str]) -> bool:
    """By name or command: torch renames the main thread of its processes to pt_main_thread."""
    return any("python" in text.lower() for text in (process.name(), os.path.basename(command[0] if command else "")))  # noqa: PTH119


def _written_files(process: psutil.Process) -> list[str]:
    """A reader (tail -f) has files open too: only writing counts. Linux tells the mode, other systems do not."""
    return [file.path for file in process.open_files() if set("wa+") & set(getattr(file, "mode", "w"))]


def _nearest_in(path: str, wanted: dict[str, Path]) -> list[str]:
    """The innermost wanted folder around `path`: a run may lie in the folder of another, or of the whole project."""
    around = [folder for folder in wanted if path.startswith(folder + os.sep)]
    return [max(around, key=len)] if around else []


def is_alive(fact: ProcessFact) -> bool:
    """Whether that very process still runs: the PID may have been given to another since.

    By ticks since the machine's start where they are known. A start in unix seconds moves when the clock is set, and the
    process would then seem to be another.
    """
    try:
        process = psutil.Process(fact.pid)
        return _is_same(fact, process) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_same(fact: ProcessFact, process: psutil.Process) -> bool:
    if fact.start_ticks is None or not fact.boot_id:
        return abs(process.create_time() - fact.started) < 1.0
    return identity(fact.pid) == {"start_ticks": fact.start_ticks, "boot_id": fact.boot_id}
