"""What is done in an assistant's session is seen: commits, runs, tests, records; nobody is asked for it.

Called by the hooks and by the daemon, and right with either alone. Where several assistants work in one worktree each
gets what its own tool calls, environment and processes vouch for, and what nothing vouches for belongs to none; where one
is alone, what happens while it is there is its own. Stdlib only, for the hooks. The caller holds the transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from neatd.lineage import ancestors_of, environment_of, is_alive
from neatd.pipeline import commits
from neatd.store import attendance, deeds, presence
from neatd.store.belonging import in_project, session_above
from neatd.store.presence import Attendance, Worktree
from neatd.who import CODEX, session_in

BY_PROCESS = "process"
REST_S = 15.0  # an assistant whose process ended may have been started again by now
LONE_S = 12 * 3600.0  # of silence end a session whose process is not known
# Variables by which an assistant tells what it starts its own name for the session.
_KEYS = (("CODEX_THREAD_ID", CODEX),)


def take(connection: sqlite3.Connection, known: Attendance, looked: Mapping[str, commits.Looked] | None = None) -> bool:
    """Take in what was done since the last look, in each of the session's worktrees; True when the record changed. The
    files are another look (`pipeline/edits.py`): git is asked for them. `looked` is what `commits.look` found before the
    transaction; without it git may be asked here."""
    if looked is None:
        looked = commits.look(connection, known)
    for tree in presence.worktrees(connection, known.session_id):
        if not known.ended_at or known.event == attendance.GONE:  # at an end that was told all commits were taken in
            commits.take(connection, known, tree, looked.get(tree.root))
        _take_runs(connection, known, tree)
    return deeds.write_down(connection, known.session_id)


# ---- runs ----


def _take_runs(connection: sqlite3.Connection, known: Attendance, tree: Worktree) -> None:
    rows = connection.execute(
        "SELECT id, name, created_at, process FROM run WHERE root = ? AND created_at >= ? AND project_id = ?"
        " AND id NOT IN (SELECT ref FROM deed WHERE kind = 'run')",
        (tree.root, tree.started_at, known.project_id),
    ).fetchall()
    for run_id, name, created_at, process in rows:
        vouched = _session_of_process(connection, process, known.project_id)
        is_alone = not any(presence.beside(connection, tree.root, created_at, known.session_id))
        if vouched:
            deeds.add(connection, vouched, "run", run_id, tree.root, created_at, name, BY_PROCESS)
            if vouched != known.session_id:
                deeds.write_down(connection, vouched)
        elif is_alone and commits.is_within(datetime.fromisoformat(created_at).timestamp(), tree, known):
            deeds.add(connection, known.session_id, "run", run_id, tree.root, created_at, name, commits.WHILE_THERE)


def _session_of_process(connection: sqlite3.Connection, process: str | None, project_id: str) -> str:
    """The session that a run's process was started in, by its environment or by the assistant above it; "" when neither
    tells."""
    try:
        pid = int(json.loads(process or "{}").get("pid") or 0)
    except (ValueError, TypeError, AttributeError):
        return ""
    if not pid:
        return ""
    environment = environment_of(pid)
    told = session_in(environment)
    if told:
        told = in_project(connection, told, project_id)
    told = told or _session_of_key(connection, environment, project_id)
    return told or session_above(connection, ancestors_of(pid), project_id)


def _session_of_key(connection: sqlite3.Connection, environment: bytes, project_id: str) -> str:
    """The session that an assistant's own variable names: it stays with a process whose parent has ended."""
    given = dict(one.partition(b"=")[::2] for one in environment.split(b"\0"))
    for variable, assistant in _KEYS:
        key = given.get(variable.encode(), b"").decode("utf-8", "replace")
        found = presence.find(connection, assistant, key, project_id) if key else None
        if found:
            return found.session_id
    return ""


# ---- ends ----


def end_deserted(
    connection: sqlite3.Connection, known: Attendance, now: datetime, rest_s: float, lone_s: float
) -> bool:
    """End a session whose assistant is gone: its process has ended, and nothing was heard of it for `rest_s`; or nothing
    tells of its process, and nothing was heard for `lone_s`. It ended with the last that is known of it. False while it
    may go on."""
    silent_s = (now - datetime.fromisoformat(known.seen_at)).total_seconds()
    is_gone = silent_s >= rest_s and not is_alive(known.pid, known.born) if known.pid else silent_s >= lone_s
    if not is_gone:
        return False
    last = max(known.seen_at, deeds.last_at(connection, known.session_id))
    return attendance.end(connection, known, last, attendance.GONE)
