"""Finds runs: folders that hold metrics, at any depth up to the cap. Looks at names only; opens nothing.

Links are followed when they lead out of the project (`runs -> /scratch/runs`), each folder once, by whichever way is
met first. What cannot be entered, and a cap that was reached, is reported and not passed over in silence.
"""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import NamedTuple

from neatd.files import IGNORED_FOLDERS, is_text
from neatd.place import PROJECT_FILE

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
    seen = {_identity(str(root))}
    level, is_capped = [root], False
    for remaining in range(depth, -1, -1):
        below: list[Path] = []
        for folder in level:
            if len(entered) >= most:
                return Survey(tuple(runs), tuple(entered), tuple(unreadable), True)
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
                is_run = any(entry.name in SOURCES and _is_file(entry) for entry in entries)
            except FileNotFoundError:
                continue  # it went while we walked
            except OSError:
                unreadable.append(folder)
                continue
            entered.append(folder)
            if is_run:
                runs.append(folder)
            found = [Path(e.path) for e in entries if _is_entered(e, root, ignore, include, seen)]
            below += [path for path in found if is_text(path.name)]
            unreadable += [path.with_name(_shown(path.name)) for path in found if not is_text(path.name)]
        is_capped = is_capped or (remaining == 0 and bool(below))
        level = below
    return Survey(tuple(runs), tuple(entered), tuple(unreadable), is_capped)


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Raises PermissionError in a folder that may be listed and not searched: its files can only be named."""
    try:
        return entry.is_file() and os.stat(entry.path) is not None  # noqa: PTH116 - is_file alone goes by the listing
    except PermissionError:
        raise
    except OSError:
        return False


def _is_entered(
    entry: os.DirEntry[str],
    root: Path,
    ignore: tuple[str, ...],
    include: tuple[str, ...],
    seen: set[tuple[int, int]],
) -> bool:
    try:
        if not entry.is_dir():
            return False
    except OSError:
        return False
    if (entry.name in IGNORED_FOLDERS and entry.name not in include) or _holds(entry.path, "pyvenv.cfg"):
        return False  # a virtual environment has that file under any name
    if _holds(entry.path, PROJECT_FILE):
        return False  # a project of its own: its runs are its own, and so is the consent to thin them
    relative = Path(entry.path).relative_to(root).as_posix()
    if any(fnmatch.fnmatch(text, one.rstrip("/")) for one in ignore for text in (entry.name, relative)):
        return False
    if entry.is_symlink():
        real = os.path.realpath(entry.path)
        top = os.path.realpath(root)
        if real == top or real.startswith(top + os.sep) or top.startswith(real.rstrip(os.sep) + os.sep):
            return False
    identity = _identity(entry.path)
    is_new = identity not in seen
    seen.add(identity)
    return is_new


def _identity(path: str) -> tuple[int, int]:
    """Device and inode: the same folder by another way, such as a link to a folder around one that was entered."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - for every folder of a walk
    except OSError:
        return -1, hash(path)  # it went while we walked
    return (stat.st_dev, stat.st_ino) if stat.st_ino else (-1, hash(path))  # some network disks number nothing


def _shown(name: str) -> str:
    """A name that is not UTF-8, as text that can be kept."""
    return name.encode("utf-8", "replace").decode()


def _holds(path: str, name: str) -> bool:
    return os.path.exists(os.path.join(path, name))  # noqa: PTH110, PTH118 - for every folder of a walk


def is_source(path: Path) -> bool:
    """Whether a path is named like something that is read line by line."""
    return path.name in SOURCES
