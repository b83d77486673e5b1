"""Where a project's data lies: its data folders, a path as records name it, and whether it may be looked at.

A path that leads out of the project is looked at only if a person registered it on this machine: a record may come with
a clone.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NamedTuple

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import inside, is_inside, is_text
from neatd.pipeline.hashcache import HashCache

DEFAULT_FOLDERS = ("data/raw", "data/processed", "data", "datasets")
LEADS_OUT = "it leads out of the project; `neat data add` it on this machine"


class Spot(NamedTuple):
    """Where a registered path lies on this machine, and what its links may lead into."""

    base: Path
    within: Path


def data_folders(config: ProjectConfig, root: Path) -> list[tuple[str, str]]:
    """(path, stage) of the project's data folders that exist: neat.yaml's, else the usual ones. The longest first."""
    named = [(one, "raw") for one in config.data.raw] + [(one, "processed") for one in config.data.processed]
    if not named:
        named = [(one, one.partition("/")[2]) for one in DEFAULT_FOLDERS if is_inside(root / one, root)]
    found = {inside(root, path).relative_to(root).as_posix(): stage for path, stage in named}
    return sorted(((p, s) for p, s in found.items() if (root / p).exists()), key=lambda one: (-len(one[0]), one[0]))


def stage_of(path: str, folders: list[tuple[str, str]]) -> str:
    """raw or processed by the data folder a path lies in, else by the names it is made of; "" when nothing tells."""
    for folder, stage in folders:
        if path == folder or path.startswith(f"{folder}/"):
            return stage or _named_stage(path)
    return _named_stage(path)


def _named_stage(path: str) -> str:
    return next((part for part in reversed(path.split("/")) if part in ("raw", "processed")), "")


def path_in(root: Path, typed: str) -> str:
    """A path as a person typed it, as records name it: relative to the project, else absolute. Links stay links."""
    absolute = Path(os.path.abspath(typed))  # noqa: PTH100 - resolve() would follow the links
    if is_circle(absolute):
        raise NeatError(f"{typed!r} is a link that leads in a circle", "name a file or a folder that is there")
    if not is_text(str(absolute)):
        raise NeatError(f"{typed!r} is not UTF-8", "rename it, or register the folder it is in")
    if absolute == root or absolute in root.parents:
        raise NeatError(f"{typed!r} is the project itself, or around it", "name the folder with the data")
    if root not in absolute.parents:
        return absolute.as_posix()
    relative = absolute.relative_to(root)
    if relative.parts[0] in (".git", ".neat"):
        raise NeatError(f"{typed!r} is no data of the project", "name a file or folder with data")
    return relative.as_posix()


def is_circle(path: Path) -> bool:
    """Whether a path is a link that leads back to itself, or lies behind one."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def spot_of(root: Path, path: str, cache: HashCache) -> Spot | None:
    """Where to look for a registered path; None for one that leads out of the project, unless it was registered here."""
    base = root / path
    if is_inside(base, root):
        return Spot(base, root)
    real = Path(os.path.realpath(base))
    return Spot(base, real if real.is_dir() else real.parent) if cache.target(path) == str(real) else None
