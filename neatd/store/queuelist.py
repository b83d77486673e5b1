"""The queue's rows as they are listed: all that waits, runs, or has ended, in plain values. Standard library only.

`store/queued.py` has what admission asks of the same rows. A row's command is not told here, as a secret may stand in it.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Literal, NamedTuple

_ORDER = "priority DESC, place, created_at, rowid"
_ORDERS = {"running": "started_at, rowid", "queued": _ORDER}
# The words up to the script are enough to know the program by; ten thousand whole command lines are not read for it.
_BEGIN = (
    "CASE WHEN instr(command, '.py\"') > 0 THEN substr(command, 1, instr(command, '.py\"') + 3)"
    " WHEN instr(command, '.sh\"') > 0 THEN substr(command, 1, instr(command, '.sh\"') + 3) ELSE substr(command, 1, 400) END"
)
# What a list says of a job, made by SQLite in one piece: of ten thousand that takes half of what Python would need.
_SAID = """json_object('id', id, 'name', name, 'status', status, 'exit_code', exit_code, 'after', json(after), 'why', why,
 'group', group_name, 'priority', priority, 'kind', kind, 'gpus', gpus, 'memory_bytes', memory_bytes,
 'devices', json(devices), 'retries', retries, 'retry_of', retry_of, 'study', study_id, 'trial', trial, 'who', who,
 'peak_bytes', peak_bytes, 'pid', pid, 'created_at', created_at, 'started_at', started_at, 'ended_at', ended_at)"""
_COLUMNS = f"id, project_id, group_name, gpus, memory_bytes, after, reason, started_at, {_BEGIN}, {_SAID}"
_LOOKED_AT = 16  # runs whose own pace is asked for: each costs some milliseconds
_LEARNED = 500  # jobs that ended well, the newest: what a queue is estimated by


class Listed(NamedTuple):
    """One job as a list shows it, and what its order and its times come from. Times as the store writes them."""

    id: str
    project: str
    group: str
    gpus: int
    memory_bytes: int | None
    after: str  # JSON
    reason: str
    started_at: str | None
    begin: str  # of its command, as JSON; never shown
    said: str  # a JSON object of the rest

    @property
    def like(self) -> tuple[str, str]:
        """What makes another job like it: the program, and the group."""
        return program_of(self.begin), self.group


def listed(connection: sqlite3.Connection, status: Literal["running", "queued"], most: int = -1) -> list[Listed]:
    """The jobs that are `running`, or `queued` in the queue's order; the first `most` of them."""
    # The status stands in the text: the indexes are of one status each, and a parameter would find none of them.
    sql = f"SELECT {_COLUMNS} FROM job WHERE status = '{status}' ORDER BY {_ORDERS[status]} LIMIT ?"
    return _read(connection, sql, most)


def ended(connection: sqlite3.Connection, most: int = -1) -> list[Listed]:
    """The jobs that have ended, the newest first."""
    sql = f"SELECT {_COLUMNS} FROM job WHERE status NOT IN ('queued', 'running') ORDER BY ended_at DESC, rowid DESC LIMIT ?"
    return _read(connection, sql, most)


def _read(connection: sqlite3.Connection, sql: str, *values: object) -> list[Listed]:
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: ten thousand rows are read in half the time
    return list(map(Listed._make, cursor.execute(sql, values)))


class RunningRun(NamedTuple):
    """The run of a running job, as much of it as tells when it ends."""

    id: str
    planned_steps: int | None
    facts: dict[str, Any]


def running_runs(connection: sqlite3.Connection) -> dict[str, RunningRun]:
    """Job id -> the run that goes on in it, of the first jobs that run."""
    sql = (
        "SELECT job.id, run.id, run.planned_steps, run.facts FROM job JOIN run ON run.root = job.root"
        " AND run.folder = job.run_folder AND run.job_id = job.id AND run.status IN ('starting', 'running')"
        " WHERE job.status = 'running' AND job.run_folder != '' LIMIT ?"
    )
    return {row[0]: RunningRun(row[1], row[2], json.loads(row[3])) for row in connection.execute(sql, (_LOOKED_AT,))}


def count(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """How many run, wait, and have ended."""
    sql = "SELECT COALESCE(sum(status = 'running'), 0), COALESCE(sum(status = 'queued'), 0), count(*) FROM job"
    running, waits, every = connection.execute(sql).fetchone()
    return int(running), int(waits), int(every - running - waits)


def took(connection: sqlite3.Connection) -> list[tuple[tuple[str, str], float]]:
    """((program, group), seconds) of the jobs that ended well, the newest first."""
    sql = (
        f"SELECT {_BEGIN}, group_name, (julianday(ended_at) - julianday(started_at)) * 86400 FROM job"
        " WHERE status = 'finished' AND started_at IS NOT NULL AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT ?"
    )
    return [((program_of(row[0]), row[1]), max(0.0, row[2])) for row in connection.execute(sql, (_LEARNED,))]


def names(connection: sqlite3.Connection) -> dict[str, str]:
    """Project id -> its name."""
    return dict(connection.execute("SELECT id, name FROM project").fetchall())


def program_of(begin: str) -> str:
    """The script of a command that is written as JSON, up to its end, or its module, or its first word; only to compare."""
    if begin.endswith(('.py"', '.sh"')):
        return begin
    words = begin.strip("[]").split(", ", 6)
    where = words.index('"-m"') + 1 if '"-m"' in words else 0
    return words[min(where, len(words) - 1)]


def place_first(connection: sqlite3.Connection, job_id: str) -> bool:
    """Let a queued job be the next one of all; False when it does not wait. In the caller's transaction."""
    sql = (
        "UPDATE job SET priority = (SELECT max(priority) FROM job WHERE status = 'queued'),"
        " place = (SELECT min(place) - 1 FROM job WHERE status = 'queued') WHERE id = ? AND status = 'queued'"
    )
    return connection.execute(sql, (job_id,)).rowcount > 0


def count_by_group(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Group -> (how many run, how many wait), of the groups that have any."""
    sql = (
        "SELECT group_name, sum(status = 'running'), sum(status = 'queued') FROM job WHERE status IN ('running', 'queued')"
        " GROUP BY group_name ORDER BY group_name"
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(sql)}


def is_group(connection: sqlite3.Connection, name: str) -> bool:
    """Whether a job or a set-up ever named a group so."""
    sql = "SELECT EXISTS (SELECT 1 FROM job WHERE group_name = ?1) OR EXISTS (SELECT 1 FROM job_group WHERE name = ?1)"
    return name == "default" or bool(connection.execute(sql, (name,)).fetchone()[0])


def words(text: str) -> list[str]:
    """A JSON list of a row."""
    return list(json.loads(text)) if text != "[]" else []
