"""Which assistants are on this machine or in a project, by the places that they keep. Writes nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def is_found(root: Path, program: str, variable: str, folder: str, marks: tuple[str, ...]) -> bool:
    """Whether its program can be called, its folder is in the user's home (or where `variable` says), or one of its
    `marks` is in the project."""
    if shutil.which(program):
        return True
    chosen = os.environ.get(variable, "") if variable else ""
    homes = [Path(chosen).expanduser()] if chosen else []
    homes.append(Path.home() / folder)
    return any(_is_folder(one) for one in homes) or any(os.path.lexists(root / mark) for mark in marks)


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - False where it may not look


def is_on_path(program: str) -> bool:
    """Whether a hook can call it by its name."""
    return shutil.which(program) is not None
