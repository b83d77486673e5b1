"""Whose commits they are: what git's own log of HEAD tells, given to the sessions that were there when they were made.

A commit has one doer. Who was alone in the worktree made it; where several were, the tool call that printed it, or that
named what it is. What nothing vouches for belongs to none. Stdlib only, for the hooks; the caller holds the transaction.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.read.headlog import Made, log_size, made_since, repository_top
from neatd.store import attendance, deeds, presence
from neatd.store.moments import stamp
from neatd.store.presence import Attendance, Worktree

BY_CALL, WHILE_THERE = "call", "while"
CLOCK_S = 1  # git counts in seconds
_MOST_ASKED = 1000  # commits in one question to git


def is_within(at: float, tree: Worktree, known: Attendance) -> bool:
    """Whether a moment lies in the session's stay in a worktree."""
    begun = datetime.fromisoformat(tree.started_at).timestamp()
    ended = datetime.fromisoformat(known.ended_at).timestamp() if known.ended_at else float("inf")
    return begun - CLOCK_S < at <= ended


class Looked(NamedTuple):
    """The log of a worktree in which the project is a part of the repository: read up to `end`, and which of the commits
    touch the project's folder."""

    made: list[Made]
    end: int
    touching: frozenset[str]


def look(connection: sqlite3.Connection, known: Attendance) -> dict[str, Looked]:
    """What was committed in the session's worktrees, where several projects share a repository and its log: one git process
    for each that has something new. To be called outside of a transaction."""
    found = {}
    for tree in presence.worktrees(connection, known.session_id):
        root = Path(tree.root)
        if tree.head_log < 0 or not _is_part(root):
            continue
        made, end = made_since(root, tree.head_log)
        touching = _touching(root, made)
        if end != tree.head_log and touching is not None:
            found[tree.root] = Looked(made, end, touching)
    return found


def _is_part(root: Path) -> bool:
    """Whether a project is only a folder of its repository."""
    return repository_top(root) not in (root, None)


def _touching(root: Path, made: list[Made]) -> frozenset[str] | None:
    """Which of these commits changed something below `root`; None when git does not tell."""
    if not made:
        return frozenset()
    from neatd.read.gitrun import git_output

    words = ["log", "--no-walk=unsorted", "--first-parent", "--ignore-missing", "--format=%H"]
    told = git_output(root, [*words, *(one.commit for one in made[-_MOST_ASKED:]), "--", "."])
    return None if told is None else frozenset(told.decode("ascii", "replace").split())


def take(connection: sqlite3.Connection, known: Attendance, tree: Worktree, looked: Looked | None) -> None:
    """Take in what was committed in a worktree since the last look. Of a project that is a part of its repository, what was
    `looked` at: without that nothing is, until the next time."""
    root = Path(tree.root)
    if tree.head_log < 0:  # what was committed before the session came is not its own
        attendance.read_up_to(connection, known.session_id, tree.root, log_size(root))
        return
    is_part = _is_part(root)
    if is_part and looked is None:
        return
    made, end = (looked.made, looked.end) if is_part and looked else made_since(root, tree.head_log)
    if end == tree.head_log:
        return
    names = frozenset(one.commit for one in made)
    for one in made:
        is_own = not is_part or (looked is not None and one.commit in looked.touching)
        if not _follow(connection, tree.root, one, names) and is_own and _is_alone(connection, known, tree, one):
            claim(connection, known, tree.root, one, WHILE_THERE)
    attendance.read_up_to(connection, known.session_id, tree.root, end)


def _is_alone(connection: sqlite3.Connection, known: Attendance, tree: Worktree, one: Made) -> bool:
    beside = presence.beside(connection, tree.root, _at(one), known.session_id, _at(one, later_s=1))
    return is_within(one.at, tree, known) and not any(beside)


def _follow(connection: sqlite3.Connection, root: str, one: Made, names: frozenset[str]) -> bool:
    """Let a commit that was amended or rebased stay whose it was; False when it is no such commit."""
    old = one.replaces or (deeds.titled(connection, "commit", root, one.subject, names) if one.is_picked else "")
    owner = deeds.replace(connection, "commit", old, one.commit, one.subject) if old else ""
    if owner:
        deeds.write_down(connection, owner)
    return bool(owner) or one.is_picked


def claim(connection: sqlite3.Connection, known: Attendance, root: str, one: Made, how: str) -> None:
    """Give a commit to a session, in place of the one that it replaces."""
    before = deeds.doer(connection, "commit", one.replaces) if one.replaces else ""
    if before:
        deeds.take_away(connection, "commit", one.replaces)
        if before != known.session_id:
            deeds.write_down(connection, before)
    deeds.add(connection, known.session_id, "commit", one.commit, root, _at(one), one.subject, how)


def _at(one: Made, later_s: int = 0) -> str:
    """When it was made, or rather began to be: git counts whole seconds."""
    return stamp(datetime.fromtimestamp(one.at + later_s, UTC))
