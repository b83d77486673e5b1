"""What of the project's data is registered, what of it changed, and what is not registered. Hashes only what is small
or was asked for; a look at names, sizes and times tells the rest.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from neatd.config import ProjectConfig
from neatd.files import is_inside
from neatd.knowledge import Data
from neatd.models import Model
from neatd.pipeline.dataplaces import LEADS_OUT, Spot, data_folders, spot_of, stage_of
from neatd.pipeline.datasets import current, versions
from neatd.pipeline.hashcache import HashCache
from neatd.read.dataset import ChangingError, Glance, Turn, glance, measure

DataState = Literal["current", "changed", "missing", "unchecked", "hashing", "failed"]
AT_ONCE_BYTES = 16 << 20  # hashed without being asked, all paths together: a fiftieth of a second
MOST_LOOSE = 20  # loose files of one folder that are listed one by one
MOST_COUNTED = 20_000  # files counted below a folder that is not registered


class PathState(Model):
    """A registered path: its current version, and whether that is what lies on the disk."""

    path: str
    stage: str = ""
    state: DataState
    why: str = ""
    id: str = ""
    hash: str = ""
    size_bytes: int | None = None
    rows: int | None = None
    files: int | None = None
    versions: int = 0
    registered_at: datetime | None = None
    done_bytes: int | None = None  # of what is being hashed in the background
    total_bytes: int | None = None


class Loose(Model):
    """A file or folder in a data folder that is not registered. A path with `/` at its end stands for a folder's."""

    path: str
    stage: str = ""
    files: int
    size_bytes: int
    is_more: bool = False  # there are more files than were counted


class DataStatus(Model):
    """The project's data."""

    folders: tuple[str, ...] = ()
    registered: tuple[PathState, ...] = ()
    unregistered: tuple[Loose, ...] = ()


def data_status(
    store: sqlite3.Connection, project_id: str, root: Path, config: ProjectConfig, cache: HashCache, is_checking: bool
) -> Generator[Turn, None, DataStatus]:
    """The state of every registered path, and what is not registered. `is_checking` hashes what is not known."""
    folders = data_folders(config, root)
    found = versions(store, project_id)
    states: list[PathState] = []
    left = AT_ONCE_BYTES
    for path in sorted(found):
        version = current(found[path])
        if version is not None:
            turns = _state(root, version, cache, is_checking, left)
            state, spent = yield from turns
            left -= spent
            states.append(state.model_copy(update={"versions": len(found[path])}))
    waiting = [_waiting(path, stage, cache) for path, stage in cache.pending().items()]
    failed = [PathState(path=path, state="failed", why=cache.trouble(path)) for path in cache.troubles()]
    known = {one.path for one in states} | set(cache.pending())
    loose = [one for folder, _ in _outermost(folders) for one in _loose(root, folder, known, folders)]
    return DataStatus(
        folders=tuple(folder for folder, _ in folders),
        registered=(*states, *waiting, *failed),
        unregistered=tuple(loose),
    )


def _waiting(path: str, stage: str, cache: HashCache) -> PathState:
    done, total = cache.progress(path)
    return PathState(path=path, stage=stage, state="hashing", done_bytes=done, total_bytes=total or None)


def _state(
    root: Path, version: Data, cache: HashCache, is_checking: bool, left: int
) -> Generator[Turn, None, tuple[PathState, int]]:
    """(state of one version, bytes that were hashed to tell it)."""
    spot = spot_of(root, version.path, cache)
    if spot is None:
        return _told(version, "unchecked" if (root / version.path).exists() else "missing", LEADS_OUT), 0
    begun_ns = time.time_ns()
    seen = yield from glance(*spot)
    if seen is None or not seen.entries:
        return _told(version, "missing", "nothing is there"), 0
    before = cache.settled(version.path)
    if before and before.stamps == seen.stamps:
        return _compared(version, before.hash), 0
    if not is_checking and seen.size_bytes > left:
        return _guessed(version, seen, before.shape if before and before.hash == version.hash else ""), 0
    try:
        return (yield from _hashed(version, spot, seen, cache, begun_ns)), seen.size_bytes
    except (ChangingError, OSError) as error:
        return _told(version, "unchecked", str(error)), 0


def _hashed(
    version: Data, spot: Spot, seen: Glance, cache: HashCache, begun_ns: int
) -> Generator[Turn, None, PathState]:
    """The state by the bytes. A change found so is not settled: that it is one is the daemon's to see."""
    fact = yield from measure(spot.base, seen, cache)
    before = cache.settled(version.path)
    if before is None or fact.hash in (before.hash, version.hash):
        cache.settle(version.path, spot.base, seen, fact, begun_ns)
    return _compared(version, fact.hash)


def _compared(version: Data, here: str) -> PathState:
    if version.hash and here.startswith(version.hash.lower()):
        return _told(version, "current", "")
    if len(version.hash) != len(here):
        return _told(version, "unchecked", "its record has no SHA-256; `neat data add` keeps one")
    return _told(version, "changed", f"it holds {here[:12]} now; registered is {version.hash[:12]}")


def _guessed(version: Data, seen: Glance, shape: str) -> PathState:
    """What names and sizes tell of a path that was touched since it was hashed here, or never was."""
    if shape and shape != seen.shape:
        return _told(version, "changed", "files came, went, or have another size")
    if version.size_bytes not in (None, seen.size_bytes) or version.files not in (None, len(seen.entries)):
        return _told(version, "changed", f"{len(seen.entries)} file(s), {seen.size_bytes} bytes now")
    return _told(version, "unchecked", "written to since it was hashed here; `neat data status --check` hashes it")


def _told(version: Data, state: DataState, why: str) -> PathState:
    names = ("path", "stage", "id", "hash", "size_bytes", "rows", "files")
    fields = {name: getattr(version, name) for name in names}
    return PathState(**fields, state=state, why=why, registered_at=version.created_at)


# ---- what is not registered ----


def _outermost(folders: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The data folders that lie in no other one, by name."""
    names = [folder for folder, _ in folders]
    return sorted(one for one in folders if not any(one[0].startswith(f"{name}/") for name in names))


def _loose(root: Path, folder: str, known: set[str], folders: list[tuple[str, str]]) -> Iterator[Loose]:
    """What in a data folder no registered path covers. A folder with nothing registered in it is one thing, but a data
    folder is looked into."""
    if folder in known or any(str(parent) in known for parent in Path(folder).parents):
        return
    names = {one for one, _ in folders}
    if folder not in names and not any(one.startswith(f"{folder}/") for one in known | names):
        yield from _counted(root, folder, stage_of(folder, folders), f"{folder}/")
        return
    files: list[Loose] = []
    for entry in _entries(root / folder):
        path = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _loose(root, path, known, folders)
        elif path not in known:
            files += _counted(root, path, stage_of(path, folders), path)
    if len(files) <= MOST_LOOSE:
        yield from files
    else:
        total = sum(one.size_bytes for one in files)
        yield Loose(path=f"{folder}/", stage=stage_of(folder, folders), files=len(files), size_bytes=total)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda one: one.name)
    except OSError:
        return []


def _counted(root: Path, path: str, stage: str, shown: str) -> Iterator[Loose]:
    """A file, or a folder with its files counted as far as MOST_COUNTED; nothing for what could not be registered."""
    if not is_inside(root / path, root):
        return
    turns, looked = glance(root / path, root), 0
    while True:
        try:
            next(turns)
            looked += 500
        except StopIteration as end:
            seen: Glance | None = end.value
            break
        if looked >= MOST_COUNTED:
            yield Loose(path=shown, stage=stage, files=looked, size_bytes=0, is_more=True)
            return
    if seen and seen.entries:
        yield Loose(
            path=shown.encode("utf-8", "replace").decode(), stage=stage, files=len(seen.entries),
            size_bytes=seen.size_bytes,
        )  # fmt: skip
