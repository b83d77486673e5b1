"""Where a command runs: NEAT_HOME, the project around the working folder, its branch and commit.

Stdlib only and a few file reads, because `neat note` must cost next to nothing; the full git state is `read/git.py`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from neatd.errors import ConfigError, NeatError
from neatd.files import read_small

PROJECT_FILE = "neat.yaml"
_LARGEST = 64 << 10  # bytes of neat.yaml, HEAD or a branch: whoever made a repository may have put anything there
_LARGEST_PACKED = 32 << 20  # of packed-refs, which has a line for each tag
_ID_LINE = re.compile(r"^id:\s*[\"']?([0-9a-fA-F-]{32,36})[\"']?\s*(?:#.*)?$", re.MULTILINE)
_NAME_LINE = re.compile(r"^name:\s*[\"']?([^\"'#\n]+?)[\"']?\s*(?:#.*)?$", re.MULTILINE)


class Place(NamedTuple):
    """A project's folder on this machine, and where its git stands."""

    root: Path
    project_id: str
    name: str
    branch: str
    commit: str


def cpu_slots() -> int:
    """Jobs that run at once on this machine where nobody says otherwise: one for two cores, and two at the least."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, cores // 2)


def neat_home() -> Path:
    """NEAT_HOME, else the platform's data folder. Not created here."""
    chosen = os.environ.get("NEAT_HOME")
    if chosen:
        return Path(chosen).expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("neat", appauthor=False)


def find_root(start: Path) -> Path | None:
    """The nearest folder at or above `start` that holds a neat.yaml."""
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return None


def here(start: Path | None = None) -> Place:
    """The project around `start` (default: the working folder). Raises NeatError with a hint outside of any."""
    try:
        start = (start or Path.cwd()).resolve()
    except FileNotFoundError as error:
        raise NeatError("the working folder was removed", "`cd` to one that is there") from error
    root = find_root(start)
    if root is None:
        raise NeatError(f"no {PROJECT_FILE} in {start} or above it", "run `neat init` in your project's folder")
    project_id, name = project_identity(root)
    branch, commit = git_head(root)
    return Place(root, project_id, name, branch, commit)


def project_identity(root: Path) -> tuple[str, str]:
    """(id, name) from neat.yaml, by the two lines that hold them."""
    path = root / PROJECT_FILE
    try:
        text = read_small(path, _LARGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "mend the file, or run `neat init` anew") from error
    found = _ID_LINE.search(text)
    if not found:
        raise ConfigError(f"{path}: no line `id: <uuid>`", "run `neat init` to write one, or restore the file from git")
    name = _NAME_LINE.search(text)
    return found.group(1).lower(), name.group(1) if name else root.name


def git_head(folder: Path) -> tuple[str, str]:
    """(branch, commit) at `folder`, read from the files of git; ("", "") outside of a repository.

    Branch is "" when HEAD is detached, commit is "" before the first one.
    """
    git_dir = git_folder(folder)
    head = _read(git_dir / "HEAD") if git_dir else ""
    if not git_dir or not head:
        return "", ""
    if not head.startswith("ref: "):
        return "", head
    ref = head[5:]
    common = common_folder(git_dir)
    commit = _read(git_dir / ref) or _read(common / ref) or _packed(common, ref)
    branch = ref.removeprefix("refs/heads/")
    if len(branch) > 16:  # a shorter one holds no key, and the short commands have no time to spare
        from neatd.redact import redact

        branch = redact(branch)
    return branch, commit


def git_folder(folder: Path) -> Path | None:
    """git's own folder for the worktree around `folder`; None outside of any."""
    for base in (folder, *folder.parents):
        dot = base / ".git"
        if dot.is_dir():
            return dot
        if dot.is_file():  # a worktree or a submodule: "gitdir: PATH"
            target = _read(dot).removeprefix("gitdir: ")
            return (base / target).resolve()
    return None


def common_folder(git_dir: Path) -> Path:
    """The folder of git that all worktrees of a repository share."""
    target = _read(git_dir / "commondir")
    return (git_dir / target).resolve() if target else git_dir


def _packed(common: Path, ref: str) -> str:
    for line in _read(common / "packed-refs", _LARGEST_PACKED).splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return commit
    return ""


def _read(path: Path, most: int = _LARGEST) -> str:
    try:
        return read_small(path, most).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def short_path(path: Path) -> str:
    """A path as a person types it: `~` for the home folder."""
    home = str(Path.home())
    text = str(path)
    return "~" + text[len(home) :] if sys.platform != "win32" and text.startswith(home + "/") else text
