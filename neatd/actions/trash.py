"""Where the trash of a project lies, and its emptying: the only code that removes a user's bytes for good.

Invariant: nothing is removed but what a journalled move put into a trash that neat made, reached through no link.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from neatd.models import Deletion

TRASH = (".neat", "trash")


def trash_folder(root: Path, folder: Path) -> Path:
    """The trash for what lies in `folder`: the project's, or one as high as its own file system reaches, since nothing is
    copied from one to another."""
    if not (folder == root or root in folder.parents):
        return root.joinpath(*TRASH)
    top = folder
    device = _device(folder)
    while top != root and _device(top.parent) == device:
        top = top.parent
    return top.joinpath(*TRASH)


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def remove_for_good(deletion: Deletion, root: Path) -> str:
    """Remove a checkpoint from the trash; returns why it was not, "" when it is gone. Done again it finishes the rest."""
    main = Path(deletion.trash_path)
    trash = _trash_of(main, deletion.batch)
    if trash is None or root not in (trash, *trash.parents):
        return f"not in a trash of {root}"
    real = Path(os.path.realpath(root)) / main.parent.relative_to(root)
    if Path(os.path.realpath(main.parent)) != real:
        return "reached through a link"
    try:
        for one in (*(main.with_name(name) for name in deletion.parts), main):
            _remove(one)
    except OSError as error:
        return f"not removed: {error.strerror or error}"
    _remove_empty(main.parent, trash)
    return ""


def _trash_of(main: Path, batch: str) -> Path | None:
    """The folder of the batch, when the path says that it lies in a trash: …/.neat/trash/<batch>/…"""
    for place in main.parents:
        if place.name == batch and place.parent.parts[-2:] == TRASH:
            return place
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove folders that are empty now, up to that of the batch."""
    for one in (folder, *folder.parents):
        if one != top and top not in one.parents:
            return
        try:
            one.rmdir()
        except OSError:
            return
