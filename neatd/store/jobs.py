"""Jobs: the programs that wait in the queue, run, or have ended.

A job's command and folder stay as they are, since they are run: whoever shows them shows `shown_command`. Everything
else that is said of a job is kept without secrets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.models import Job
from neatd.redact import redact, redact_value
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import dump, to_model, to_models
from neatd.store.short import new_id

_ORDER = "priority DESC, place, created_at, rowid"
_SAID = ("reason", "why")


def add(
    connection: sqlite3.Connection, project_id: str, name: str, command: list[str], cwd: str, folder: str, **more: Any
) -> Job:
    """Queue a program; `more` are further fields of Job."""
    with transaction(connection):
        return put(connection, project_id, name, command, cwd, folder, **more)


def put(
    connection: sqlite3.Connection, project_id: str, name: str, command: list[str], cwd: str, folder: str, **more: Any
) -> Job:
    """The same in a transaction that the caller holds."""
    now = datetime.now(UTC)
    known = {"id": new_id("job"), "created_at": now, "updated_at": now, "project_id": project_id, "name": name}
    job = Job.model_validate({**known, "command": tuple(command), "cwd": cwd, "run_folder": folder, **_clean(more)})
    row = job.model_dump(mode="json")
    row |= {"created_at": stamp(now), "updated_at": stamp(now)}
    values = [dump(value) if isinstance(value, list | dict) else value for value in row.values()]
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO job ({columns}) VALUES ({marks})", values)
    return job


def get_job(connection: sqlite3.Connection, job_id: str) -> Job:
    """One job by its whole id; raises NeatError when there is none."""
    row = connection.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise NeatError(f"no job {job_id}", "`neat queue --all` shows what was queued")
    return to_model(Job, row)


def is_of_project(connection: sqlite3.Connection, job_id: str, project_id: str, began: datetime) -> bool:
    """Whether there is such a job of the project that ran at that moment: what it leaves behind hands its name on for ever."""
    sql = "SELECT 1 FROM job WHERE id = ? AND project_id = ? AND (status = 'running' OR ended_at >= ?)"
    return connection.execute(sql, (job_id, project_id, stamp(began))).fetchone() is not None


def jobs(connection: sqlite3.Connection, project_id: str | None = None, active_only: bool = False) -> list[Job]:
    """Jobs, newest first."""
    wanted = [("project_id = ?", [project_id])] if project_id else []
    if active_only:
        wanted.append(("status IN ('queued', 'running')", []))
    where = " AND ".join(text for text, _ in wanted) or "1"
    values = [value for _, some in wanted for value in some]
    rows = connection.execute(f"SELECT * FROM job WHERE {where} ORDER BY created_at DESC, rowid DESC", values)
    return to_models(Job, rows)


def running(connection: sqlite3.Connection) -> list[Job]:
    """What runs, as far as was written down: the jobs that hold something."""
    return to_models(Job, connection.execute("SELECT * FROM job WHERE status = 'running' ORDER BY started_at, rowid"))


def waiting(connection: sqlite3.Connection) -> Iterator[Job]:
    """What is queued, in its order, one by one: the first ones are asked for more often than the last."""
    for row in connection.execute(f"SELECT * FROM job WHERE status = 'queued' ORDER BY {_ORDER}"):
        yield to_model(Job, row)


def ended_before(connection: sqlite3.Connection, moment: datetime) -> list[str]:
    """The ids of jobs that ended before a moment."""
    sql = "SELECT id FROM job WHERE ended_at < ? AND status NOT IN ('queued', 'running')"
    return [row[0] for row in connection.execute(sql, (stamp(moment),))]


def ended(connection: sqlite3.Connection, ids: tuple[str, ...]) -> dict[str, str]:
    """Of these jobs and studies the ones that there are: id -> status."""
    marks = ", ".join("?" * len(ids))
    sql = (
        f"SELECT id, status FROM job WHERE id IN ({marks}) UNION ALL SELECT id, status FROM study WHERE id IN ({marks})"
    )
    return dict(connection.execute(sql, (*ids, *ids)).fetchall())


def set_job(connection: sqlite3.Connection, job_id: str, **fields: Any) -> None:
    """Set columns of a job."""
    with transaction(connection):
        set_in(connection, job_id, **fields)


def set_in(connection: sqlite3.Connection, job_id: str, **fields: Any) -> None:
    """The same in a transaction that the caller holds."""
    fields = _clean(fields)
    values = [dump(value) if isinstance(value, list | tuple | dict) else value for value in fields.values()]
    assignments = ", ".join(f"{name} = ?" for name in fields)
    connection.execute(f"UPDATE job SET {assignments}, updated_at = ? WHERE id = ?", [*values, utc_now(), job_id])


def shown_command(job: Job) -> list[str]:
    """A job's command for people and documents: without the secrets among its words."""
    words: list[str] = redact_value(list(job.command))
    whole = " ".join(job.command)
    return words if redact(whole) == " ".join(words) else redact(whole).split(" ")


class Group(NamedTuple):
    """Jobs that run side by side. `parallel` None: as many as the machine has room for."""

    name: str
    parallel: int | None = None
    paused_at: str | None = None
    paused_why: str = ""


def groups(connection: sqlite3.Connection) -> dict[str, Group]:
    """The groups that were ever set up, by name; a job may be of another, which has no limit of its own."""
    rows = connection.execute("SELECT name, parallel, paused_at, paused_why FROM job_group ORDER BY name")
    return {row[0]: Group(*row) for row in rows}


def set_group(connection: sqlite3.Connection, name: str, **fields: Any) -> None:
    """Set `parallel`, `paused_at` or `paused_why` of a group, made if there is none."""
    fields = {key: redact(value) if key == "paused_why" else value for key, value in fields.items()}
    assignments = ", ".join(f"{key} = ?" for key in fields)
    with transaction(connection):
        connection.execute(
            "INSERT INTO job_group (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, utc_now())
        )
        connection.execute(f"UPDATE job_group SET {assignments} WHERE name = ?", [*fields.values(), name])


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: redact(str(value)) if key in _SAID else value for key, value in fields.items()}
