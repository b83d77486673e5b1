"""What a quick look at a run found, and whether it still holds: a few stats instead of a walk, every two seconds."""

from __future__ import annotations

import os
from typing import NamedTuple

from neatd.read.placed import Placed

QuickKey = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A run's folder, and what is ignored and included."""


class Quick(NamedTuple):
    """What a quick look at a run found, and what has to be as it was for it to hold still."""

    stamps: tuple[tuple[str, tuple[int, int] | None], ...]
    sources: tuple[Placed, ...]

    def holds(self) -> bool:
        """Whether no folder changed, nor any file in which nothing was found so far."""
        return all(stamp(path) == known for path, known in self.stamps)


def stamp(path: str) -> tuple[int, int] | None:
    """When a file or folder changed, and its size; None if it is gone."""
    try:
        about = os.stat(path)  # noqa: PTH116 - for every folder of each run, every two seconds
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size
