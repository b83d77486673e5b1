"""Finds runs: folders that hold metrics, at any depth up to the cap. Looks at names only; opens nothing.

Links are followed when they lead out of the project (`runs -> /scratch/runs`), each place once. What cannot be
entered, and a cap that was reached, is reported and not passed over in silence.
"""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import NamedTuple

from neatd.files import IGNORED_FOLDERS

METRICS = "metrics.jsonl"
PREDICTIONS = "predictions.jsonl"
SOURCES = (METRICS, PREDICTIONS)


class Survey(NamedTuple):
    """What one walk through a project found."""

    runs: tuple[Path, ...]  # folders that hold a source, in walking order
    folders: tuple[Path, ...]  # every folder that was entered
    unreadable: tuple[Path, ...]
    is_capped: bool  # depth or number of folders ran out


def survey(
    root: Path, ignore: tuple[str, ...] = (), include: tuple[str, ...] = (), depth: int = 8, most: int = 20_000
) -> Survey:
    """Walk `root` breadth first. `ignore` holds folder names or globs relative to root; `include` lifts built-in ones."""
    runs: list[Path] = []
    entered: list[Path] = []
    unreadable: list[Path] = []
    seen: set[str] = set()
    level, is_capped = [root], False
    for remaining in range(depth, -1, -1):
        below: list[Path] = []
        for folder in level:
            if len(entered) >= most:
                return Survey(tuple(runs), tuple(entered), tuple(unreadable), True)
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except FileNotFoundError:
                continue  # it went while we walked
            except OSError:
                unreadable.append(folder)
                continue
            entered.append(folder)
            if any(entry.name in SOURCES and _is_file(entry) for entry in entries):
                runs.append(folder)
            below += [Path(e.path) for e in entries if _is_entered(e, root, ignore, include, seen)]
        is_capped = is_capped or (remaining == 0 and bool(below))
        level = below
    return Survey(tuple(runs), tuple(entered), tuple(unreadable), is_capped)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_entered(
    entry: os.DirEntry[str], root: Path, ignore: tuple[str, ...], include: tuple[str, ...], seen: set[str]
) -> bool:
    try:
        if not entry.is_dir():
            return False
    except OSError:
        return False
    if (entry.name in IGNORED_FOLDERS and entry.name not in include) or _is_environment(entry.path):
        return False
    relative = Path(entry.path).relative_to(root).as_posix()
    if any(fnmatch.fnmatch(entry.name, one) or fnmatch.fnmatch(relative, one.rstrip("/")) for one in ignore):
        return False
    if entry.is_symlink():
        real = os.path.realpath(entry.path)
        top = os.path.realpath(root)
        if real in seen or real == top or real.startswith(top + os.sep) or top.startswith(real + os.sep):
            return False
        seen.add(real)
    return True


def _is_environment(path: str) -> bool:
    """A virtual environment under any name."""
    return os.path.exists(os.path.join(path, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - for every folder of a walk


def is_source(path: Path) -> bool:
    """Whether a path is named like something that is read line by line."""
    return path.name in SOURCES
