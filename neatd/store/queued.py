"""The queue as plain rows, for who decides about all of it: ten thousand are read in some tens of milliseconds.

Standard library only; `store/jobs.py` has the models.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from neatd.store.connection import transaction
from neatd.store.moments import utc_now

_ORDER = "priority DESC, place, created_at, rowid"
ANY = "any:"  # before an id in `after`
_BADLY = frozenset({"failed", "killed", "interrupted", "lost"})


class Queued(NamedTuple):
    """What is asked of a job that waits. The first fields are those of `rules/admission.py: Waiting`."""

    id: str
    project_id: str
    group: str
    gpus: int
    memory_bytes: int | None
    after: tuple[str, ...]
    reason: str


def queued(
    connection: sqlite3.Connection, besides_groups: Collection[str] = (), only_after: bool = False
) -> Iterator[Queued]:
    """What waits, in the queue's order, without the jobs of some groups. `only_after`: those that come after others."""
    marks = ", ".join("?" * len(besides_groups))
    sql = (
        "SELECT id, project_id, group_name, gpus, memory_bytes, after, reason FROM job WHERE status = 'queued'"
        f" AND group_name NOT IN ({marks}){' AND after != ?' if only_after else ''} ORDER BY {_ORDER}"
    )
    for row in connection.execute(sql, (*besides_groups, *(["[]"] if only_after else []))):
        yield Queued(row[0], row[1], row[2], row[3], row[4], _words(row[5]), row[6])


def is_any(connection: sqlite3.Connection) -> bool:
    """Whether a job waits."""
    return connection.execute("SELECT 1 FROM job WHERE status = 'queued' LIMIT 1").fetchone() is not None


def held(connection: sqlite3.Connection) -> list[tuple[str, str, tuple[tuple[str, int | None], ...]]]:
    """(id, group, shares of devices) of the jobs that hold something."""
    rows = connection.execute("SELECT id, group_name, devices FROM job WHERE status = 'running' ORDER BY rowid")
    return [(row[0], row[1], tuple((key, size) for key, size in json.loads(row[2]))) for row in rows]


def groups(connection: sqlite3.Connection) -> list[tuple[str, int | None, bool, str]]:
    """(name, parallel, whether it is paused, why) of the groups that were ever set up."""
    rows = connection.execute("SELECT name, parallel, paused_at IS NOT NULL, paused_why FROM job_group ORDER BY name")
    return [(row[0], row[1], bool(row[2]), row[3]) for row in rows]


def pauses(connection: sqlite3.Connection) -> dict[str, str]:
    """Project -> the reason of the newest pause that a rule asked for and that goes on."""
    sql = (
        "SELECT e.project_id, p.reason FROM pause p JOIN event e ON e.id = p.event_id WHERE p.ended_at IS NULL"
        " ORDER BY p.created_at, p.rowid"
    )
    return dict(connection.execute(sql).fetchall())


def waited_for(connection: sqlite3.Connection) -> dict[str, str]:
    """Status of each job and study that a queued job comes after; of a job that is tried again, that of the last try."""
    sql = "SELECT DISTINCT after FROM job WHERE status = 'queued' AND after != '[]'"
    ids = {one.removeprefix(ANY) for (text,) in connection.execute(sql) for one in _words(text)}
    found = _statuses(connection, ids)
    if any(status in _BADLY for status in found.values()):
        again = dict(
            connection.execute("SELECT retry_of, id FROM job WHERE retry_of IS NOT NULL ORDER BY rowid").fetchall()
        )
        last = {one: _last(one, again) for one in found if one in again}
        statuses = _statuses(connection, set(last.values()))
        found |= {one: statuses[other] for one, other in last.items() if other in statuses}
    return found


def _statuses(connection: sqlite3.Connection, ids: set[str]) -> dict[str, str]:
    wanted = json.dumps(sorted(ids))
    one = "SELECT id, status FROM {} WHERE id IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(f"{one.format('job')} UNION ALL {one.format('study')}", (wanted, wanted)).fetchall())


def _last(one: str, again: dict[str, str]) -> str:
    seen = {one}
    while (one := again.get(one, one)) not in seen:
        seen.add(one)
    return one


def begin(connection: sqlite3.Connection, job_id: str, devices: str, at: str) -> bool:
    """Give a job its lease, before anything of it is started; False when it does not wait any more. In the caller's
    transaction."""
    sql = (
        "UPDATE job SET status = 'running', reason = 'starts', devices = ?, pid = NULL, started_at = ?, updated_at = ?"
        " WHERE id = ? AND status = 'queued'"
    )
    return connection.execute(sql, (devices, at, at, job_id)).rowcount > 0


def put_back(connection: sqlite3.Connection, job_id: str, reason: str, at: str) -> None:
    """Let a job wait again of which nothing was started."""
    sql = (
        "UPDATE job SET status = 'queued', reason = ?, devices = '[]', started_at = NULL, updated_at = ?"
        " WHERE id = ? AND status = 'running' AND pid IS NULL"
    )
    with transaction(connection):
        connection.execute(sql, (reason, at, job_id))


def cancel(connection: sqlite3.Connection, job_id: str, reason: str) -> bool:
    """End a job that waits; False when it does not, for it has begun, or has ended."""
    now = utc_now()
    sql = "UPDATE job SET status = 'cancelled', reason = ?, ended_at = ?, updated_at = ? WHERE id = ? AND status = 'queued'"
    with transaction(connection):
        return connection.execute(sql, (reason, now, now, job_id)).rowcount > 0


def tell(connection: sqlite3.Connection, reasons: Mapping[str, str], rest: str) -> None:
    """First reasons for those that were never given one, so that who waits for an answer sees that somebody looked."""
    now, sql = utc_now(), "UPDATE job SET reason = ?, updated_at = ? WHERE status = 'queued' AND reason = ''"
    if connection.execute("SELECT 1 FROM job WHERE status = 'queued' AND reason = '' LIMIT 1").fetchone() is None:
        return
    with transaction(connection):
        connection.executemany(f"{sql} AND id = ?", [(reason, now, one) for one, reason in reasons.items()])
        connection.execute(sql, (rest, now))


@lru_cache(4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()
