"""Whose commits they are: what git's own log of HEAD tells, given to the sessions that were there when they were made.

A commit has one doer. Who was alone in the worktree made it; where several were, the tool call that printed it, or that
named what it is. What nothing vouches for belongs to none. Stdlib only, for the hooks; the caller holds the transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from neatd.read.headlog import Made, log_size, made_since, worktrees_beside
from neatd.store import attendance, deeds, presence
from neatd.store.moments import stamp
from neatd.store.presence import Attendance, Worktree

BY_CALL, WHILE_THERE = "call", "while"
CLOCK_S = 1  # git counts in seconds
_LONGEST_CALL_S = 600.0  # of a tool: what was committed before is of another


def is_within(at: float, tree: Worktree, known: Attendance) -> bool:
    """Whether a moment lies in the session's stay in a worktree."""
    begun = datetime.fromisoformat(tree.started_at).timestamp()
    ended = datetime.fromisoformat(known.ended_at).timestamp() if known.ended_at else float("inf")
    return begun - CLOCK_S < at <= ended


def take(connection: sqlite3.Connection, known: Attendance, tree: Worktree) -> None:
    """Take in what was committed in a worktree since the last look."""
    root = Path(tree.root)
    if tree.head_log < 0:  # what was committed before the session came is not its own
        attendance.read_up_to(connection, known.session_id, tree.root, log_size(root))
        return
    made, end = made_since(root, tree.head_log)
    if end == tree.head_log:
        return
    names = frozenset(one.commit for one in made)
    for one in made:
        if not _follow(connection, tree.root, one, names) and _is_alone(connection, known, tree, one):
            _claim(connection, known, tree.root, one, WHILE_THERE)
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


def take_told(connection: sqlite3.Connection, known: Attendance, root: str, told: Sequence[str], command: str) -> None:
    """Claim the commits that a tool call of the session printed; of a call that printed none, those made here lately which
    its command names, and which are nobody's."""
    if not told:
        begun = max(time.time() - _LONGEST_CALL_S, datetime.fromisoformat(known.started_at).timestamp() - CLOCK_S)
        for one in made_since(Path(root), 0)[0]:
            if one.at >= begun and _is_named(one, command) and not deeds.doer(connection, "commit", one.commit):
                _claim(connection, known, root, one, BY_CALL)
        return
    left = set(told)
    for folder in (Path(root), *worktrees_beside(Path(root))):
        for one in made_since(folder, 0)[0] if left else ():
            beginning = next((name for name in left if one.commit.startswith(name)), "")
            if beginning:
                left.discard(beginning)
                _claim_told(connection, known, str(folder), one)


def _is_named(one: Made, command: str) -> bool:
    """Whether a command that printed nothing made this commit: it says its subject, or the word that makes such a one."""
    if one.is_picked or one.action == "rebase":
        return False
    return (one.subject if one.action.startswith("commit") else f"{one.action} ") in command


def _claim_told(connection: sqlite3.Connection, known: Attendance, root: str, one: Made) -> None:
    """What a call printed is its session's; but what another call printed before stays with that one."""
    owner, how = deeds.how_done(connection, "commit", one.commit)
    if owner and owner != known.session_id and how == BY_CALL:
        return
    if one.at < datetime.fromisoformat(known.started_at).timestamp() - CLOCK_S:
        return  # printed again, as by reading a file of what was
    deeds.take_away(connection, "commit", one.commit)  # from who only was there
    _claim(connection, known, root, one, BY_CALL)
    if owner and owner != known.session_id:
        deeds.write_down(connection, owner)


def _claim(connection: sqlite3.Connection, known: Attendance, root: str, one: Made, how: str) -> None:
    before = deeds.doer(connection, "commit", one.replaces) if one.replaces else ""
    if before:
        deeds.take_away(connection, "commit", one.replaces)
        if before != known.session_id:
            deeds.write_down(connection, before)
    deeds.add(connection, known.session_id, "commit", one.commit, root, _at(one), one.subject, how)


def _at(one: Made, later_s: int = 0) -> str:
    """When it was made, or rather began to be: git counts whole seconds."""
    return stamp(datetime.fromtimestamp(one.at + later_s, UTC))
