"""The folders into which jobs may be dropped: NEAT_HOME/inbox/PROJECT, and those that the user allowed on this machine.

A job is never taken from a repository: what a clone or a pull can bring is not run. Invariant: a folder is vetted when it
is allowed, and again each time before something is taken from it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import is_inside
from neatd.models import Project
from neatd.place import git_folder
from neatd.store import projects

CONSENT = "jobs:"  # then the folder, of the project whose jobs come by it


class Inbox(NamedTuple):
    """A folder into which jobs of the project at `root` are dropped."""

    path: Path
    root: Path


def home_inbox(home: Path) -> Path:
    """Where each project has an inbox without being asked."""
    return home / "inbox"


def allow(records: sqlite3.Connection, home: Path, root: Path, folder: Path) -> Path:
    """Keep that jobs for the project may be dropped into a folder. Raises NeatError with the reason where they may not."""
    folder = _absolute(folder)
    roots = [Path(one.root) for one in projects.projects(records)]
    if reason := why_not(folder, home, [root, *roots]):
        raise NeatError(
            f"no jobs from {folder}: {reason}", f"name another folder; {home_inbox(home)} has one a project"
        )
    projects.allow(records, root, consent_of(folder))
    return folder


def consent_of(folder: Path) -> str:
    """What is kept of a folder that was allowed."""
    return CONSENT + str(_absolute(folder))


def _absolute(folder: Path) -> Path:
    return Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100 - a link stays one, and is refused


def why_not(folder: Path, home: Path, roots: Iterable[Path]) -> str:
    """Why jobs are not taken from a folder; "" where they may be."""
    try:
        seen = folder.lstat()
    except OSError as error:
        return f"it cannot be looked at: {error.strerror}"
    if not stat.S_ISDIR(seen.st_mode):
        return "it is a link" if stat.S_ISLNK(seen.st_mode) else "it is no folder"
    if hasattr(os, "getuid") and seen.st_uid != os.getuid():
        return "it belongs to another user"
    if os.name != "nt" and seen.st_mode & 0o002:
        return "everybody on this machine may write into it"
    real = folder.resolve()
    for root in roots:
        if real == root.resolve() or is_inside(real, root):
            return f"it is in the project at {root}, and what a repository brings is not run"
    if is_inside(real, home) or real == home.resolve():
        return "NEAT_HOME is neat's own"
    if git_folder(real) is not None:
        return "it is in a git repository, and what a repository brings is not run"
    return ""


def allowed(records: sqlite3.Connection) -> Iterator[Inbox]:
    """The folders that the user allowed, of all projects."""
    sql = "SELECT root, what FROM consent WHERE substr(what, 1, ?) = ? ORDER BY created_at, rowid"
    for root, what in records.execute(sql, (len(CONSENT), CONSENT)):
        yield Inbox(Path(what.removeprefix(CONSENT)), Path(root))


def of_home(home: Path, known: Iterable[Project]) -> tuple[list[Inbox], list[Path]]:
    """(the inboxes in NEAT_HOME, folders there that name no project, or more than one). A project that stands in several
    folders gets its jobs in the one that was registered first."""
    found, unknown = [], []
    by_word: dict[str, dict[str, Path]] = {}
    for one in known:
        for word in (one.id, one.name):
            by_word.setdefault(word, {}).setdefault(one.id, Path(one.root))
    for folder in _folders_in(home_inbox(home)):
        roots = by_word.get(folder.name, {})
        if len(roots) == 1:
            found.append(Inbox(folder, next(iter(roots.values()))))
        else:
            unknown.append(folder)
    return found, unknown


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(one.path) for one in entries if one.is_dir(follow_symlinks=False))
    except OSError:
        return []
