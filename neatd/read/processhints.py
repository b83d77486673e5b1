"""Which process a run is of where none holds its files open: what its files' names tell, and where Python programs work.

A trainer that opens, appends and closes is seen with an open file almost never. A told number is taken when the process of
that number began before the file did. Of working folders one is concluded only when nothing else is possible: between two
programs, or two runs, nothing is guessed. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

CLOCK_S = 2.0  # by which a start and the time in a name may differ
# Seconds since 1970, the host, the process, and how many files it has made: of torch's and TensorFlow's writers.
_EVENTS = re.compile(r"tfevents\.(\d{9,11})\.(.+)\.(\d{1,10})\.\d{1,10}(?:\.[A-Za-z_][\w.]*)?$")
# Programs of Python that stand in a project's folder and train nothing.
_OTHERS = re.compile(
    r"^(?:tensorboard|jupyter\S*|pylsp|pyright\S*|basedpyright\S*|jedi\S*|debugpy|black|ruff|mypy|pip3?|uv|pytest|optuna-dashboard"
    r"|wandb\S*|trackio|http\.server|flask|uvicorn|gunicorn|streamlit|pre-commit|watchmedo|dvc|resource_tracker|\S*mcp\S*|\S*[-_]server|\S*lsp\S*)$"
)


class Told(NamedTuple):
    """A process number that a file tells."""

    pid: int
    before: float  # unix seconds: the process began before this


class Hint(NamedTuple):
    """What is known of a run before its process is."""

    told: tuple[Told, ...] = ()
    folders: frozenset[str] = frozenset()  # real paths where its program may work; none: its place tells nothing
    began: float = 0.0  # unix seconds of what is known of it first
    others: frozenset[str] = frozenset()  # real paths of the project's runs
    taken: frozenset[int] = frozenset()  # processes that other runs have


class Program(NamedTuple):
    """A Python program of this user."""

    pid: int
    parent: int
    started: float
    cwd: str
    touched: frozenset[str]  # real paths it names or writes to, with the folders around them


_WORKERS = ("resource_tracker", "exec(eval(sys.stdin")


def told_by_name(name: str, host: str) -> Told | None:
    """The process in the name of an event file, if it was made on this host."""
    match = _EVENTS.search(name)
    if match is None or not host or match[2] not in (host, host.split(".")[0]):
        return None
    return Told(int(match[3]), float(match[1]) + CLOCK_S)


def is_other(command: list[str]) -> bool:
    """Whether a command of Python is a known tool, by its script or its module."""
    words = command[1:]
    if "-m" in words[:4]:
        words = words[words.index("-m") + 1 :]
    script = next((word for word in words if not word.startswith("-")), "")
    name = re.split(r"[/\\]", script)[-1].removesuffix(".py")
    text = " ".join(words[:3])  # python -c …: workers of multiprocessing, and of a test run (execnet's)
    return any(map(_OTHERS.match, (name, name.split(".")[0]))) or any(mark in text for mark in _WORKERS)


def concluded(programs: Iterable[Program], hints: Mapping[str, Hint]) -> dict[str, Program]:
    """Run -> the only program that can be its. `hints` are of the runs that grow and have no process."""
    programs = list(programs)
    possible = {run: _possible(run, hint, programs) for run, hint in hints.items()}
    claims = [one.pid for found in possible.values() for one in found]
    return {run: found[0] for run, found in possible.items() if len(found) == 1 and claims.count(found[0].pid) == 1}


def _possible(run: str, hint: Hint, programs: Collection[Program]) -> list[Program]:
    found = [one for one in programs if one.cwd in hint.folders and one.started <= hint.began + CLOCK_S]
    found = [
        one
        for one in found
        if one.pid not in hint.taken and all(_is_around(run, other) for other in one.touched & hint.others)
    ]
    pids = {one.pid for one in found}
    return [one for one in found if one.parent not in pids]  # its data loaders are no second program


def _is_around(run: str, folder: str) -> bool:
    """Whether a folder is the run's, or one that it lies in."""
    return run == folder or (run.startswith(folder) and run[len(folder.rstrip("/\\"))] in "/\\")
