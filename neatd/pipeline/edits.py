"""Whose files they are: what an editing tool wrote, what a session's commits hold, what was written while it was alone.

Git is asked outside of any transaction: it may take seconds, and everybody else would wait. Stdlib only, for the hooks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.files import is_text
from neatd.pipeline.commits import BY_CALL, WHILE_THERE, is_within
from neatd.store import deeds, presence
from neatd.store.moments import stamp
from neatd.store.presence import Attendance, Worktree

BY_COMMIT = "commit"
_MOST_FILES = 200  # of one look
_OWN_FOLDERS = (".neat", ".git")


class Changed(NamedTuple):
    """The files of a worktree that git tells of."""

    tree: Worktree
    committed: tuple[str, ...]
    written: tuple[tuple[str, float], ...]  # with unix seconds


def take_edited(
    connection: sqlite3.Connection, known: Attendance, root: str, paths: Iterable[str], cwd: str, at: str
) -> None:
    """Keep the files that an editing tool wrote, as far as they lie in the project. Caller holds the transaction."""
    for path in paths:
        name = _relative(root, path, cwd)
        if name:
            deeds.add(connection, known.session_id, "file", name, root, at, how=BY_CALL)


def _relative(root: str, path: str, cwd: str) -> str:
    """A path relative to the worktree; "" for one outside of it, or of neat's own."""
    try:
        full = (Path(cwd or root) / path).resolve()
        name = full.relative_to(Path(root).resolve()).as_posix()
    except (ValueError, OSError, RuntimeError):
        return ""
    return name if _is_told(name) else ""


def _is_told(name: str) -> bool:
    return is_text(name) and name != "." and name.split("/")[0] not in _OWN_FOLDERS


def look(connection: sqlite3.Connection, known: Attendance) -> list[Changed]:
    """Which files the session's commits hold, and which were written in its worktrees: two git processes for each. To be
    called outside of a transaction."""
    from neatd.read.treestate import changed_files  # with what starts processes: 10 ms, which most hooks do without

    found = []
    for tree in presence.worktrees(connection, known.session_id):
        root, begun = Path(tree.root), datetime.fromisoformat(tree.started_at).timestamp()
        commits = [one.ref for one in deeds.deeds(connection, known.session_id, "commit") if one.root == tree.root]
        written = tuple((name, at) for name, at in changed_files(root, begun) if is_within(at, tree, known))
        found.append(Changed(tree, tuple(_committed(root, commits)), written[:_MOST_FILES]))
    return found


def _committed(root: Path, commits: list[str]) -> list[str]:
    if not commits:
        return []
    from neatd.read.gitrun import git_output

    words = ["log", "--no-walk=unsorted", "--name-only", "-z", "--format=", "--relative", "--ignore-missing"]
    names = (git_output(root, [*words, *commits[-_MOST_FILES:], "--"]) or b"").decode("utf-8", "replace").split("\0")
    return [name for one in names if (name := one.strip("\n"))][:_MOST_FILES]


def keep(connection: sqlite3.Connection, known: Attendance, found: Iterable[Changed]) -> bool:
    """Keep what `look` found; True when the session's record changed. Caller holds the transaction.

    What was written while another session was in the worktree belongs to none, unless a tool call or a commit tells.
    """
    for tree, committed, written in found:
        for name in filter(_is_told, committed):
            deeds.add(connection, known.session_id, "file", name, tree.root, known.seen_at, how=BY_COMMIT)
        for name, at in written:
            moment = stamp(datetime.fromtimestamp(at, UTC))
            if _is_told(name) and not any(presence.beside(connection, tree.root, moment, known.session_id)):
                deeds.add(connection, known.session_id, "file", name, tree.root, moment, how=WHILE_THERE)
    return deeds.write_down(connection, known.session_id)
