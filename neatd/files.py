"""Files as everyone here handles them: where ours live, atomic writing, what a checkpoint on disk measures.

Stdlib only, because the short commands import it. Nothing here deletes.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from neatd.errors import NeatError

# Never entered when looking for runs: repositories' insides, environments, caches, and what neat itself writes.
IGNORED_FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", ".neat", ".venv", "venv", ".env", "env", "node_modules", "__pycache__", "site-packages",
        ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".tox", ".nox", ".ipynb_checkpoints",
        ".idea", ".vscode", "snapshots", "data", "dataset", "datasets",
    }
)  # fmt: skip

# The one folder of neat's own that is looked into: the runs that machines without a common disk sent, by machine.
REMOTE = (".neat", "remote")


def is_ignored(folders: Sequence[str]) -> bool:
    """Whether one of these folders, named from the project's down, is never entered when looking for runs."""
    inside = folders[len(REMOTE) :] if tuple(folders[: len(REMOTE)]) == REMOTE else folders
    return any(name in IGNORED_FOLDERS for name in inside)


def is_remote(folder: str) -> bool:
    """Whether a run's folder, relative to the project with forward slashes, holds lines that another machine sent."""
    return folder.startswith("/".join(REMOTE) + "/")


def data_path(name: str) -> Path:
    """The shipped folder `rules`, `templates`, `store` or `trainers`: inside the wheel, else beside the package."""
    package = Path(__file__).resolve().parent
    packed = package / "_data" / name
    return packed if packed.is_dir() else package.parent / name


def is_text(text: str) -> bool:
    """Whether SQLite can hold `text`: a file name of Linux may be any bytes, JSON can spell halves of characters."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def write_atomic(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace `path` by `data` such that a crash leaves the old file or the new one, whole. Keeps the file's mode, where
    none is told."""
    import tempfile  # 7 ms, which reading does without

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode_for(path) if mode is None else mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def _mode_for(path: Path) -> int:
    """The mode the file has, or what the umask gives a new one (mkstemp's 0600 would hide it from the group)."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raises OSError for anything else: a pipe would wait for ever, /dev/zero never end."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(handle, "rb")


def read_small(path: Path, most: int) -> bytes:
    """A regular file of at most `most` bytes, whole. Raises OSError for a larger one, and for what is no file."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"larger than {most} bytes", str(path))
    return data


def fsync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable where the system can (Windows cannot open folders)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some file systems refuse to sync a folder; the rename itself has still happened
    finally:
        os.close(handle)


def is_inside(path: Path, root: Path) -> bool:
    """Whether `path`, links resolved, lies in `root`, links resolved, and is not `root` itself. A link that leads in a
    circle lies nowhere."""
    try:
        real, base = path.resolve(), root.resolve()
    except (OSError, RuntimeError):  # Python 3.13 no longer raises RuntimeError for a circle
        return False
    return real != base and base in real.parents


def inside(root: Path, name: str) -> Path:
    """`name`, relative to `root`, as a path in it; raises NeatError when it leads out, by `..`, by a link or outright."""
    path = root / name
    if Path(name).is_absolute() or not is_inside(path, root):
        raise NeatError(f"{name!r} leads out of {root}", "name a path inside the project")
    if ".git" in path.resolve().relative_to(root.resolve()).parts:
        raise NeatError(f"{name!r} lies in git's own folder", "name another path")
    return path


def file_hash(path: Path) -> str:
    """SHA-256 of a file in hex, read in blocks."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure_checkpoint(path: Path, parts: Sequence[str] = ()) -> tuple[int, int, int] | None:
    """(size in bytes, newest mtime in ns, inode) of a checkpoint file or folder; None if it vanished meanwhile.

    A folder is one unit: the sum of its files and the newest of their times. Links inside are counted as links.
    `parts` are the names beside it of what belongs to the same save: their sizes and times count, the inode is its own.
    """
    found = [_measure(path), *(_measure(path.with_name(name)) for name in parts)]
    whole = [one for one in found if one is not None]
    if len(whole) < len(found):
        return None
    return sum(one[0] for one in whole), max(one[1] for one in whole), whole[0][2]


def _measure(path: Path) -> tuple[int, int, int] | None:
    try:
        own = path.lstat()
        if not stat.S_ISDIR(own.st_mode):
            return own.st_size, own.st_mtime_ns, own.st_ino
        sizes = [entry.stat(follow_symlinks=False) for entry in _files_below(path)]
    except OSError:
        return None
    newest = max([own.st_mtime_ns, *(s.st_mtime_ns for s in sizes)])
    return sum(s.st_size for s in sizes), newest, own.st_ino


def _files_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(Path(entry.path))
            else:
                yield entry
