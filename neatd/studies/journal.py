"""The file of Optuna's own journal: mended before anybody opens it. Standard library only.

A torn last line, as a power cut leaves one, loads once; what is appended then is glued to it, and every later open fails.
Invariant: whoever opens a journal holds the lock of the studies and has called `mend`; no line in the middle is ever taken
away, since Optuna counts trials from their lines. The store is the truth: a journal that is past mending is set aside and
made again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

BACKUP, BROKEN = ".bak", ".broken"
_PIECE = 1 << 16


def mend(path: Path) -> None:
    """Cut a torn last line off, the whole file kept beside it as `.bak`; a file with a line that is none goes to `.broken`."""
    if not path.exists():
        return
    whole = _whole_size(path)
    if whole < path.stat().st_size:
        _copy(path, path.with_name(path.name + BACKUP))
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    if not _is_readable(path):
        set_aside(path)


def set_aside(path: Path) -> None:
    """Out of the way, so that it is made again from the store."""
    path.replace(path.with_name(path.name + BROKEN))


def _whole_size(path: Path) -> int:
    """Up to where whole lines go."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _PIECE)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return all(isinstance(json.loads(line), dict) for line in file)
    except (ValueError, RecursionError):
        return False


def _copy(path: Path, to: Path) -> None:
    import shutil

    shutil.copyfile(path, to)
