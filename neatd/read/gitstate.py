"""The state of git by GitPython: branch, HEAD, dirty and untracked files. No repository, no commit, a detached HEAD are fine.

Takes no lock of git's (GIT_OPTIONAL_LOCKS=0), so that a user's own commit never fails because neat was looking.
neat's own files do not count as changes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from neatd.models import GitState
from neatd.place import git_folder

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a machine without git is one without repositories, not an error

import git

_OURS = re.compile(r"(^|/)(\.neat(/|$)|snapshots/anomaly_|snapshots/?$|\.partial_)")
_MOST = 200  # paths kept of each kind: a tree with more is told by its first ones


def git_state(folder: Path) -> GitState:
    """The repository around `folder`. Everything empty outside of one, or when git itself refuses it."""
    try:
        with git.Repo(folder, search_parent_directories=True) as repo:
            return _state(repo)
    except (
        git.InvalidGitRepositoryError,
        git.NoSuchPathError,
        git.GitError,
        git.GitCommandNotFound,
        OSError,
        ValueError,
    ):
        return GitState()


def _state(repo: git.Repo) -> GitState:
    is_detached = repo.head.is_detached
    branch = "" if is_detached else repo.active_branch.name
    has_commit = repo.head.is_valid()
    commit = repo.head.commit.hexsha if has_commit else ""
    subject = str(repo.head.commit.summary) if has_commit else ""
    dirty, untracked = ((), ()) if repo.bare else _changes(repo)
    return GitState(
        branch=branch, commit=commit, subject=subject, is_repo=True, is_detached=is_detached, dirty=dirty,
        untracked=untracked,
    )  # fmt: skip


def _changes(repo: git.Repo) -> tuple[tuple[str, ...], tuple[str, ...]]:
    with repo.git.custom_environment(GIT_OPTIONAL_LOCKS="0"):
        text = repo.git(c=["core.fsmonitor=false", "core.hooksPath=" + os.devnull]).status(
            "--porcelain=v1", "-z", "--untracked-files=normal"
        )
    dirty: list[str] = []
    untracked: list[str] = []
    entries = iter(text.split("\0"))
    for entry in entries:
        code, path = entry[:2], entry[3:]
        if set(code) & set("RC"):
            next(entries, None)  # the name it had before
        if path and not _OURS.search(path):
            shown = path.encode("utf-8", "replace").decode()  # a name may be any bytes, the store holds UTF-8
            (untracked if code == "??" else dirty).append(shown)
    return tuple(dirty[:_MOST]), tuple(untracked[:_MOST])


def git_marks(root: Path) -> tuple[int, ...]:
    """Times of the files that change when HEAD, the index or a branch does: cheap to compare, nothing is run.

    Those of a worktree lie in its own folder, and `root` may be a folder inside the repository.
    """
    folder = git_folder(root) or root / ".git"
    marks = []
    for name in ("HEAD", "index", "logs/HEAD"):
        try:
            marks.append((folder / name).stat().st_mtime_ns)
        except OSError:
            marks.append(0)
    return tuple(marks)
