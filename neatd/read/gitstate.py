"""The state of git by GitPython: branch, HEAD, changed and untracked files, how far the upstream is away. No repository,
no commit, a detached HEAD are fine.

Takes no lock of git's (GIT_OPTIONAL_LOCKS=0), so that a user's own commit never fails because neat was looking.
neat's own files do not count as changes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from neatd.models import FileMark, GitState
from neatd.place import git_folder
from neatd.read.gitrun import OURS
from neatd.redact import redact_value

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a machine without git is one without repositories, not an error

import git

_MOST = 200  # paths kept of each kind: a tree with more is told by its first ones
_FIELDS = {"1": 8, "2": 9, "u": 10, "?": 1, "!": 1}  # fields before the path in a line of porcelain v2
_LETTERS: dict[str, FileMark] = {"D": "deleted", "R": "renamed", "C": "new", "A": "new"}
_REFUSED = (
    git.InvalidGitRepositoryError, git.NoSuchPathError, git.GitError, git.GitCommandNotFound, OSError, ValueError,
)  # fmt: skip


def git_state(folder: Path, ours: Iterable[str] = ()) -> GitState:
    """The repository around `folder`. Everything empty outside of one, or when git itself refuses it.

    `ours` are paths relative to `folder` that neat writes besides `.neat/`: they do not count as changes.
    """
    try:
        with git.Repo(folder, search_parent_directories=True) as repo:
            state = _state(repo, _relative(repo, folder, ours))
    except _REFUSED:
        return GitState()
    return GitState.model_validate(redact_value(state.model_dump()))  # a subject or a file's name may hold a key


def changed_since(folder: Path, commit: str, ours: Iterable[str] = ()) -> tuple[tuple[str, FileMark], ...]:
    """The files that differ between HEAD and where it left `commit`, each with what became of it; () when git cannot
    say, as for a commit that a rebase took away."""
    if not re.fullmatch(r"[0-9a-f]{4,64}", commit):
        return ()
    try:
        with git.Repo(folder, search_parent_directories=True) as repo:
            own = _relative(repo, folder, ours)
            text = _ask(repo, "diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", f"{commit}...HEAD", "--")
    except _REFUSED:
        return ()
    parts = iter(text.split("\0"))
    found = [(_shown(path), _LETTERS.get(letter[:1], "modified")) for letter, path in zip(parts, parts, strict=False)]
    return tuple(one for one in found if one[0] not in own and not OURS.search(one[0]))[:_MOST]


def _relative(repo: git.Repo, folder: Path, ours: Iterable[str]) -> frozenset[str]:
    """`ours`, given relative to `folder`, as git names them: relative to the worktree."""
    if repo.bare:
        return frozenset()
    top, base = Path(str(repo.working_tree_dir)).resolve(), folder.resolve()
    paths = ((base / one).resolve() for one in ours if one)
    return frozenset(path.relative_to(top).as_posix() for path in paths if path.is_relative_to(top))


def _ask(repo: git.Repo, command: str, *words: str) -> str:
    with repo.git.custom_environment(GIT_OPTIONAL_LOCKS="0"):
        call = repo.git(c=["core.fsmonitor=false", "core.hooksPath=" + os.devnull])
        return str(getattr(call, command)(*words, strip_newline_in_stdout=False))


def _state(repo: git.Repo, ours: frozenset[str]) -> GitState:
    is_detached = repo.head.is_detached
    branch = "" if is_detached else repo.active_branch.name
    has_commit = repo.head.is_valid()
    commit = repo.head.commit.hexsha if has_commit else ""
    subject = str(repo.head.commit.summary) if has_commit else ""
    base = GitState(branch=branch, commit=commit, subject=subject, is_repo=True, is_detached=is_detached)
    return base if repo.bare else _with_changes(base, repo, ours)


def _with_changes(state: GitState, repo: git.Repo, ours: frozenset[str]) -> GitState:
    """`state` with what one `git status` says. Version 2 tells kinds of change and the upstream in the same call."""
    text = _ask(repo, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal")
    entries = [one for one in text.split("\0") if one]
    top = Path(str(repo.working_tree_dir))
    changes = [one for one in _changes(entries) if not _is_ours(one[0], ours, top)]
    dirty = [(path, mark) for path, mark in changes if mark]
    untracked = [path for path, mark in changes if not mark]
    kept = dict(dirty[:_MOST])
    return state.model_copy(
        update={
            "dirty": tuple(kept),
            "marks": kept,
            "untracked": tuple(untracked[:_MOST]),
            "unlisted": max(0, len(dirty) - _MOST) + max(0, len(untracked) - _MOST),
            **_upstream(entries),
        }
    )


def _changes(entries: list[str]) -> Iterator[tuple[str, FileMark | None]]:
    """(path, what became of it), None for an untracked one."""
    listed = iter(entries)
    for entry in listed:
        kind = entry[0]
        if kind not in _FIELDS:
            continue
        if kind == "2":
            next(listed, None)  # the name it had before
        path = entry.split(" ", _FIELDS[kind])[-1]
        yield _shown(path), None if kind == "?" else _mark(kind, entry[2:4])


def _mark(kind: str, code: str) -> FileMark:
    if kind == "u":
        return "conflicted"
    return next((mark for letter, mark in _LETTERS.items() if letter in code), "modified")


def _shown(path: str) -> str:
    """A name may be any bytes, the store holds UTF-8."""
    return path.encode("utf-8", "replace").decode()


def _is_ours(path: str, ours: frozenset[str], top: Path) -> bool:
    """Whether neat wrote `path`. Git tells a new folder as one: it is ours when nothing in it is anybody else's."""
    if OURS.search(path) or path in ours:
        return True
    if not path.endswith("/") or not any(one.startswith(path) for one in ours):
        return False
    files = (Path(folder, name) for folder, _, names in os.walk(top / path) for name in names)
    return all(file.relative_to(top).as_posix() in ours for file in files)


def _upstream(entries: list[str]) -> dict[str, str | int]:
    """The branch that is followed, and the commits on either side; nothing when it follows none."""
    found: dict[str, str | int] = {}
    for entry in entries:
        if entry.startswith("# branch.upstream "):
            found["upstream"] = _shown(entry.removeprefix("# branch.upstream "))
        if entry.startswith("# branch.ab "):
            ahead, behind = entry.split()[2:4]
            found |= {"ahead": int(ahead), "behind": -int(behind)}
    return found


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
