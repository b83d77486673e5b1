"""The commits that were made while a run ran, in the worktree that it ran in, and the one that it started from. Reads only.

From git's own log of HEAD, and what sessions of assistants were seen to commit there. A commit that was amended or picked
anew is told under its newest name.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.models import ENDED, Run
from neatd.read.gitrun import git_output
from neatd.read.headlog import made_since, repository_top
from neatd.redact import redact
from neatd.store.moments import stamp

MOST = 1000  # commits in one question to git


class Commit(NamedTuple):
    """A commit, when it was made (unix seconds), its subject; `is_start` for the one that the run began from."""

    commit: str
    at: float
    subject: str
    is_start: bool = False


def commits_of(records: sqlite3.Connection, run: Run, now: datetime | None = None) -> list[Commit]:
    """In the order in which they were made. The start has the run's own beginning as its time."""
    begun = run.started_at.timestamp()
    ended = (run.ended_at or run.updated_at if run.status in ENDED else now or datetime.now(UTC)).timestamp()
    found = {one.commit: one for one in _made(Path(run.root), begun, ended)}
    found |= {one.commit: one for one in _of_sessions(records, run.root, begun, ended) if one.commit not in found}
    found.pop(run.git.commit, None)
    start = [Commit(run.git.commit, begun, _start_text(run), True)] if run.git.commit else []
    return [*start, *sorted(found.values(), key=lambda one: one.at)]


def _start_text(run: Run) -> str:
    changed = len(run.git.dirty)
    dirty = f" with {changed} changed file{'s' if changed != 1 else ''}" if changed else ""
    return redact(f"start{dirty}: {run.git.subject}" if run.git.subject else f"start{dirty}")


def _made(root: Path, begun: float, ended: float) -> list[Commit]:
    """By git's log of HEAD."""
    made, _ = made_since(root, 0)
    replaced = {one.replaces for one in made}
    here = [one for one in made if begun <= one.at <= ended and one.commit not in replaced]
    own = _touching(root, [one.commit for one in here[-MOST:]])
    return [Commit(one.commit, one.at, redact(one.subject)) for one in here if own is None or one.commit in own]


def _touching(root: Path, commits: list[str]) -> frozenset[str] | None:
    """Which of these changed something of the project, where it is a part of its repository; None for all of them."""
    if not commits or repository_top(root) in (root, None):
        return None
    words = ["log", "--no-walk=unsorted", "--first-parent", "--ignore-missing", "--format=%H"]
    told = git_output(root, [*words, *commits, "--", "."])
    return None if told is None else frozenset(told.decode("ascii", "replace").split())


def _of_sessions(records: sqlite3.Connection, root: str, begun: float, ended: float) -> list[Commit]:
    sql = (
        "SELECT ref, at, title FROM deed WHERE kind = 'commit' AND root = ? AND at >= ? AND at <= ? ORDER BY at LIMIT ?"
    )
    limits = [stamp(datetime.fromtimestamp(one, UTC)) for one in (begun, ended)]
    rows = records.execute(sql, (root, *limits, MOST))
    return [Commit(row[0], datetime.fromisoformat(row[1]).timestamp(), redact(row[2])) for row in rows]
