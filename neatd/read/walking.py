"""The folders of a project, each listed once: breadth first, to the capped depth.

Links are followed when they lead out of the project (`runs -> /scratch/runs`), but not into another worktree of it, each
folder once, by whichever way is met first. What cannot be entered, and a cap that was reached, is kept and not passed over
in silence.
"""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import IGNORED_FOLDERS, REMOTE, is_text
from neatd.place import PROJECT_FILE, find_root, project_identity
from neatd.read.listing import Listing, listed
from neatd.read.naming import Parts, is_barren
from neatd.read.placing import may_hold_part

QUICK_FOLDERS = 64  # of one run that a quick look goes into
REMOTE_DEPTH = 4  # a machine, and the up to three parts of a run's name


class Walk:
    """The folders of a project, listed once each."""

    def __init__(self, root: Path, ignore: tuple[str, ...], include: tuple[str, ...]) -> None:
        self.root, self.ignore, self.include = root, ignore, include
        self.listings: list[Listing] = []
        self.unreadable: list[Path] = []
        self._seen = {_identity(str(root))}

    def through(self, depth: int, most: int) -> bool:
        """List everything. Whether a cap was reached."""
        return self._below([(str(self.root), ())], depth, most)

    def through_remote(self, most: int) -> None:
        """List what other machines sent, in neat's own folder: no link leads there."""
        folders = [self.root.joinpath(*REMOTE[: n + 1]) for n in range(len(REMOTE))]
        if all(one.is_dir() and not one.is_symlink() for one in folders):
            self._below([(str(folders[-1]), REMOTE)], REMOTE_DEPTH, most)

    def _below(self, level: list[tuple[str, Parts]], depth: int, most: int) -> bool:
        is_capped = False
        for remaining in range(depth, -1, -1):
            below: list[tuple[str, Parts]] = []
            for path, parts in level:
                if len(self.listings) >= most:
                    return True
                found = self._list(path, parts)
                if found is not None:
                    below += self._folders(found, is_last=remaining == 0)
            is_capped = is_capped or (remaining == 0 and bool(below))
            level = below
        return is_capped

    def down_from(self, folder: Path) -> None:
        """List a run's folder and, below it, those that may hold parts of the run."""
        waiting: list[tuple[str, Parts]] = [(str(folder), folder.relative_to(self.root).parts)]
        while waiting and len(self.listings) < QUICK_FOLDERS:
            path, parts = waiting.pop(0)
            found = self._list(path, parts)
            if found is not None:
                held = found.held(frozenset(), 0)
                waiting += [one for one in self._folders(found, False) if may_hold_part(one[1], held)]

    def _list(self, path: str, parts: Parts) -> Listing | None:
        try:
            found = listed(path, parts)
        except (FileNotFoundError, NotADirectoryError):
            return None  # it went while we walked
        except OSError:
            self.unreadable.append(Path(path))
            return None
        if found is not None:
            self.listings.append(found)
        return found

    def _folders(self, around: Listing, is_last: bool) -> list[tuple[str, Parts]]:
        found = []
        for entry in around.folders:
            parts = (*around.parts, entry.name)
            if not self._is_entered(entry, parts) or (is_last and _holds_other(entry.path)):
                continue
            if is_text(entry.name):
                found.append((entry.path, parts))
            else:
                self.unreadable.append(Path(entry.path).with_name(_shown(entry.name)))
        return found

    def _is_entered(self, entry: os.DirEntry[str], parts: Parts) -> bool:
        if (entry.name in IGNORED_FOLDERS and entry.name not in self.include) or is_barren(parts):
            return False
        if self.ignore:
            texts = (entry.name, "/".join(parts))
            if any(fnmatch.fnmatch(text, one.rstrip("/")) for one in self.ignore for text in texts):
                return False
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            top = os.path.realpath(self.root)
            if real == top or real.startswith(top + os.sep) or top.startswith(real.rstrip(os.sep) + os.sep):
                return False
            if _is_of_same_project(Path(real), self.root):
                return False
        identity = _identity(entry.path)
        is_new = identity not in self._seen
        self._seen.add(identity)
        return is_new


def _is_of_same_project(folder: Path, root: Path) -> bool:
    """Whether a folder lies in another worktree or clone of the project: its runs are found there."""
    other = find_root(folder)
    try:
        return other is not None and project_identity(other)[0] == project_identity(root)[0]
    except NeatError:
        return False


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


def _holds_other(path: str) -> bool:
    """Whether a folder would not be entered for what it holds: asked of those beyond the depth, which are not listed."""
    return any(os.path.exists(os.path.join(path, name)) for name in ("pyvenv.cfg", PROJECT_FILE))  # noqa: PTH110, PTH118
