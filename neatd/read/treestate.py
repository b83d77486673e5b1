"""The state of the files that a test run tested, as one short text; another one later makes the result stale.

In a git repository: every file that git does not ignore, by the hash of its content, as git itself would store it. So
a commit of exactly what was tested, a checkout of the same content or a touched file changes nothing. Untracked files
count when programs are made of such; what neat, a run or a test runner writes does not. Outside of git: sizes and times.
Writes nothing and takes no lock of git's.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neatd.files import IGNORED_FOLDERS, read_small
from neatd.place import PROJECT_FILE, git_folder
from neatd.read.gitrun import git_output
from neatd.read.naming import SOURCES

if TYPE_CHECKING:
    from neatd.knowledge import TestRun

MOST_FILES = 5000  # outside of git
_LARGEST = 4 << 20  # bytes of a changed file whose content is hashed; a larger one is known by size and time
_BUDGET = 64 << 20  # bytes hashed for one state
_SUFFIXES = frozenset(
    {
        ".py", ".pyi", ".pyx", ".pxd", ".ipynb", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".cu", ".cuh", ".rs", ".go",
        ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".vue", ".java", ".kt", ".rb", ".sh", ".bash", ".sql", ".toml",
        ".cfg", ".ini", ".yaml", ".yml", ".json", ".j2", ".jinja", ".proto", ".cmake", ".mk", ".txt", ".lock",
    }
)  # fmt: skip
_NAMES = frozenset({"Makefile", "Dockerfile", "justfile", "CMakeLists.txt", "conftest.py"})
_ARTEFACTS = frozenset({".coverage", ".pytest_cache", "coverage.xml", "junit.xml", "htmlcov", "test-results"})


class Tree(NamedTuple):
    """The files of a project that matter to its tests."""

    kind: str  # git, files, or "" when it could not be told
    files: dict[str, str]  # path relative to the project -> what is known of its content
    changed_at: float = 0.0  # unix seconds of the last write to a changed file, to git's HEAD or index

    @property
    def state(self) -> str:
        """The one text that stands for all of it; "" when it could not be told."""
        return f"{self.kind}:{_digest(self.files)}" if self.kind else ""

    def without(self, own_paths: Iterable[str]) -> Tree:
        """The tree without files that neat keeps current, and without what lies below such a path."""
        own = {path.strip("/") for path in own_paths}
        return self._replace(files={path: one for path, one in self.files.items() if not _is_own(path, own)})


def tree_state(root: Path, own_paths: Iterable[str] = ()) -> str:
    """The state now. `own_paths` are files relative to `root` that neat keeps current: they never count."""
    return read_tree(root).without(own_paths).state


def is_stale(test: TestRun, now_state: str) -> bool:
    """Whether the files are others than those that were tested. What is not known is not taken for fresh."""
    return not test.tree or test.tree != now_state


def tested_state(before: Tree, after: Tree) -> str:
    """The state that a run tested: that after it, unless a file of the one before was changed meanwhile.

    What a run leaves behind (a report nobody ignores) is there at every later look too; what was edited while the
    tests ran was not tested as it is now.
    """
    is_same = all(after.files.get(path) == content for path, content in before.files.items())
    return after.state if is_same else before.state


def read_tree(root: Path) -> Tree:
    """The files as they are. Costs two runs of git, or one bounded walk outside of a repository."""
    root = root.resolve()
    folder = git_folder(root)
    if folder is None:
        return _walked(root)
    return _tracked(root, folder) or Tree("", {})


# ---- in a repository ----


def _tracked(root: Path, folder: Path) -> Tree | None:
    """What git tells, with the changed files as they are on the disk; None when git is not there or refuses."""
    listing = _git(root, "ls-files", "--stage", "-z")
    status = _git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames",
                  "--ignore-submodules=dirty", "--", ".")  # fmt: skip
    if listing is None or status is None:
        return None
    entries = (entry.partition("\t") for entry in listing.split("\0")[:-1])
    files = {path: about.split(" ")[1] for about, _, path in entries}
    hashing = _Hashing("sha256" if any(len(content) == 64 for content in files.values()) else "sha1")
    newest = max(_mtime(folder / name) for name in ("HEAD", "index", "logs/HEAD"))
    for path in _changed(root, status):
        content = hashing.content(root / path)
        newest = max(newest, _mtime(root / path))
        files |= {path: content}
    kept = {path: content for path, content in files.items() if content and not _is_left_out(path)}
    return Tree("git", kept, newest)


def _changed(root: Path, status: str) -> Iterator[str]:
    """The files, relative to the project, that are not as git's index has them. What is only staged is in the index."""
    top = next(base for base in (root, *root.parents) if (base / ".git").exists())
    prefix = "" if top == root else root.relative_to(top).as_posix() + "/"
    runs: dict[str, bool] = {}
    for entry in status.split("\0")[:-1]:
        code, path = entry[:2], entry[3:].removeprefix(prefix)
        if code[1] == " " or _is_left_out(path) or (code == "??" and not _is_source(root, path, runs)):
            continue
        yield path


def changed_files(root: Path, since: float) -> list[tuple[str, float]]:
    """(path, unix seconds) of the files that differ from HEAD and were written after `since`; untracked ones where programs
    are made of such. [] outside of a repository."""
    root = root.resolve()
    if git_folder(root) is None:
        return []
    status = _git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", ".") or ""
    top = next(base for base in (root, *root.parents) if (base / ".git").exists())
    prefix = "" if top == root else root.relative_to(top).as_posix() + "/"
    runs: dict[str, bool] = {}
    found = []
    for entry in status.split("\0")[:-1]:
        code, path = entry[:2], entry[3:].removeprefix(prefix)
        if not _is_left_out(path) and (code != "??" or _is_source(root, path, runs)):
            found.append((path, _mtime(root / path)))
    return [one for one in found if one[1] >= since]


def _git(root: Path, *words: str) -> str | None:
    """What a git command prints, file names of any bytes among it; None when it fails."""
    printed = git_output(root, list(words))
    return None if printed is None else os.fsdecode(printed)


class _Hashing:
    """Hashes contents as git would, within a budget of bytes."""

    def __init__(self, algorithm: str) -> None:
        self._algorithm = algorithm
        self._left = _BUDGET

    def content(self, path: Path) -> str:
        """What is known of a file's content; "" when it is not there."""
        try:
            about = path.lstat()
            if stat.S_ISLNK(about.st_mode):
                return self._hash(os.fsencode(os.readlink(path)))  # noqa: PTH115 - the bytes as they are
            if not stat.S_ISREG(about.st_mode):
                return "special"
            if about.st_size > min(_LARGEST, self._left):
                return f"{about.st_size}-{about.st_mtime_ns}"
            self._left -= about.st_size
            return self._hash(read_small(path, _LARGEST))
        except FileNotFoundError:
            return ""
        except OSError:
            return "unreadable"

    def _hash(self, data: bytes) -> str:
        return hashlib.new(self._algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _is_left_out(path: str) -> bool:
    """Whether neat, a training or a test runner writes this file; `path` is relative to the project."""
    parts = path.split("/")
    return path == PROJECT_FILE or ".neat" in parts or parts[-1] in SOURCES or not _ARTEFACTS.isdisjoint(parts)


def _is_own(path: str, own: set[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:n]) in own for n in range(1, len(parts) + 1))


def _is_source(root: Path, path: str, runs: dict[str, bool]) -> bool:
    """Whether an untracked file is one that programs are made of, and not what a training run writes beside its metrics."""
    name = path.rpartition("/")[2]
    if name not in _NAMES and os.path.splitext(name)[1] not in _SUFFIXES:  # noqa: PTH122 - for every untracked file
        return False
    parts = path.split("/")[:-1]
    return not any(_is_run(root, "/".join(parts[: n + 1]), runs) for n in range(len(parts)))


def _is_run(root: Path, folder: str, runs: dict[str, bool]) -> bool:
    if folder not in runs:
        runs[folder] = any((root / folder / name).exists() for name in SOURCES)
    return runs[folder]


def _mtime(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _digest(files: dict[str, str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{files[path]}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


# ---- outside of any ----


def _walked(root: Path) -> Tree:
    """Sizes and times of the first files in order; a tree with more is told by those."""
    files, newest = {}, 0.0
    for path in _sources(root):
        try:
            about = os.stat(root / path, follow_symlinks=False)  # noqa: PTH116 - for every file of a walk
        except OSError:
            continue
        files[path] = f"{about.st_size}-{about.st_mtime_ns}"
        newest = max(newest, about.st_mtime)
        if len(files) >= MOST_FILES:
            break
    return Tree("files", files, newest)


def _sources(root: Path) -> Iterator[str]:
    runs: dict[str, bool] = {}
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name not in IGNORED_FOLDERS)
        base = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in sorted(names):
            path = name if base == "." else f"{base}/{name}"
            if not _is_left_out(path) and _is_source(root, path, runs):
                yield path
