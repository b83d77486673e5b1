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
from neatd.read.processhints import Hint, Program, concluded, is_other
from neatd.read.proctable import ProcessRow

LONGEST_COMMAND = 1 << 16  # characters of a fact, which is not kept as it is: whoever does cuts it behind its secrets
_WRITES, _TOLD, _NAMES = range(3)  # how a process is tied to a run, the surest first


def find_processes(run_folders: Iterable[Path], hints: Mapping[Path, Hint] | None = None) -> dict[Path, ProcessFact]:
    """Run folder -> the process that writes into it or was started for it, for those that are visible. One pass.

    A writer comes before one that a file's name tells, that before one that only names the folder, and of several the one
    that started first: data loaders and other workers inherit their trainer's files and end before it does. Where no
    process is tied to a run that has a hint, the only program that can be its is taken (`processhints.concluded`).
    """
    wanted = {os.path.realpath(folder): folder for folder in run_folders}
    known = {os.path.realpath(folder): hint for folder, hint in (hints or {}).items()}
    found: dict[str, tuple[int, float, ProcessFact]] = {}
    programs: dict[int, tuple[Program, ProcessFact]] = {}
    told = _told_pids(known)
    own = os.getpid()
    for process in psutil.process_iter() if wanted else ():
        if process.pid == own or not _is_ours(process):
            continue
        try:
            command = process.cmdline()
            if _is_neat(command):  # `neat run show runs/a` names the folder and trains nothing
                continue
            ties = _ties_of(process, command, wanted)
            started = process.create_time()
            ties |= {
                run: _TOLD
                for run, before in told.get(process.pid, ())
                if ties.get(run) != _WRITES and started <= before
            }
            fact = _fact(process.pid, started, command)
            if known and not ties and _is_python(process, command) and not is_other(command):
                programs[process.pid] = _program(process, command, started), fact
        except (psutil.Error, OSError):
            continue
        for run, tie in ties.items():
            one = (tie, started, fact)
            found[run] = min(found.get(run, one), one, key=lambda rank: rank[:2])
    left = {run: hint for run, hint in known.items() if run not in found}
    for run, program in concluded([one for one, _ in programs.values()], left).items():
        found[run] = (_NAMES, program.started, programs[program.pid][1])
    return {
        wanted[run]: fact.model_copy(update=identity(fact.pid)) for run, (_, _, fact) in found.items() if run in wanted
    }


def _fact(pid: int, started: float, command: list[str]) -> ProcessFact:
    text = " ".join(command)[:LONGEST_COMMAND].encode("utf-8", "replace").decode()
    return ProcessFact(pid=pid, started=started, command=text)


def _told_pids(hints: Mapping[str, Hint]) -> dict[int, list[tuple[str, float]]]:
    found: dict[int, list[tuple[str, float]]] = {}
    for run, hint in hints.items():
        for told in hint.told:
            found.setdefault(told.pid, []).append((run, told.before))
    return found


def _program(process: psutil.Process, command: list[str], started: float) -> Program:
    """What is asked of a Python program that is tied to no wanted run."""
    cwd = process.cwd()
    paths = [*_named_paths(cwd, command), *_written_files(process)]
    touched = {around for path in paths for around in (path, *map(str, Path(path).parents))}
    return Program(process.pid, process.ppid() or 0, started, cwd, frozenset(touched))


def _named_paths(cwd: str, command: list[str]) -> list[str]:
    """The real paths that a command's arguments may mean, whole or after an equals sign."""
    values = (argument.rpartition("=")[2].rstrip("/\\") for argument in command[1:])
    plain = (one for one in values if one and len(one) < 4096 and "\n" not in one)
    return [os.path.realpath(os.path.join(cwd, one)) for one in plain]  # noqa: PTH118 - many plain strings


def programs_below(
    root: Path, above: tuple[str, ...], table: Mapping[int, ProcessRow]
) -> list[tuple[ProcessFact, str]]:  # fmt: skip
    """(process, its script's name) of the Python programs that work in `root` or below and have an ancestor whose name
    begins with one of `above`; of several that started each other the first. Nothing is asked where there is no ancestor."""
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
        fact = _fact(row.pid, started, command)
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


def _ties_of(process: psutil.Process, command: list[str], wanted: dict[str, Path]) -> dict[str, int]:
    """The wanted folders this process is behind, and how: it writes there, or they are its arguments or where it works."""
    named: set[str] = set()
    if _is_python(process, command):  # an editor or a pager names the folder too
        cwd = process.cwd()
        named = {cwd, *_named_paths(cwd, command)} & set(wanted)
    written = {folder for path in _written_files(process) for folder in _nearest_in(path, wanted)}
    return dict.fromkeys(named, _NAMES) | dict.fromkeys(written, _WRITES)


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
