"""Studies and their trials: the truth that Optuna's journal is made again from.

Invariant: a point is tried once and retried once at the most (two unique indices); a trial's job is put down in the
transaction that gives the trial its number or its status, so a crash in between leaves neither.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.models import Study, Trial
from neatd.redact import redact
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.rows import dump, to_model, to_models
from neatd.store.short import new_id

_OPEN = "status IN ('planned', 'queued', 'running')"  # as the partial index says it
_SAID = ("reason", "why")


class Tried(NamedTuple):
    """A trial with the name of its study."""

    study: str
    trial: Trial


def add_study(
    connection: sqlite3.Connection, project_id: str, root: str, name: str, spec: Mapping[str, Any], **more: Any
) -> Study:
    """A new study, in a transaction that the caller holds. Raises NeatError when the project has one of the name."""
    if find_named(connection, project_id, name) is not None:
        hint = f"`neat study status {name}` shows it; give the new one another `name`"
        raise NeatError(f"there is a study {name} already", hint)
    now = utc_now()
    row = {
        "id": new_id("study"),
        "project_id": project_id,
        "root": root,
        "name": name,
        "spec": dump(dict(spec)),
        **more,
    }
    _insert(connection, "study", row | {"created_at": now, "updated_at": now})
    return get_study(connection, str(row["id"]))


def get_study(connection: sqlite3.Connection, study_id: str) -> Study:
    """One study by its whole id; raises NeatError when there is none."""
    row = connection.execute("SELECT * FROM study WHERE id = ?", (study_id,)).fetchone()
    if row is None:
        raise NeatError(f"no study {study_id}", "`neat study list` shows the studies")
    return to_model(Study, row)


def find_named(connection: sqlite3.Connection, project_id: str, name: str) -> Study | None:
    """A project's study of that name."""
    sql = "SELECT * FROM study WHERE project_id = ? AND name = ?"
    row = connection.execute(sql, (project_id, name)).fetchone()
    return to_model(Study, row) if row else None


def find_study(connection: sqlite3.Connection, project_id: str, word: str | None) -> Study:
    """A study by name or id prefix; without a word the newest one. Raises NeatError when none or several fit."""
    known = studies(connection, project_id)
    if not known:
        raise NeatError("there is no study in this project", "`neat study create FILE.yaml` begins one")
    if word is None:
        return known[0]
    found = [one for one in known if one.name == word] or [one for one in known if one.id.startswith(word)]
    if len(found) == 1:
        return found[0]
    raise NeatError(
        f"{'several studies are' if found else 'no study is'} called {word!r}", "`neat study list` shows them"
    )


def studies(connection: sqlite3.Connection, project_id: str) -> list[Study]:
    """A project's studies, newest first."""
    sql = "SELECT * FROM study WHERE project_id = ? ORDER BY created_at DESC, rowid DESC"
    return to_models(Study, connection.execute(sql, (project_id,)))


def active(connection: sqlite3.Connection) -> list[str]:
    """The studies that the daemon has to do with: those that go on, and those with trials that have not ended. Asked with
    every turn of the loop: some microseconds."""
    sql = f"SELECT id FROM study WHERE status = 'running' UNION SELECT study_id FROM trial WHERE {_OPEN}"
    return [row[0] for row in connection.execute(sql)]


def trials(connection: sqlite3.Connection, study_id: str) -> list[Trial]:
    """All trials of a study, by number."""
    sql = "SELECT * FROM trial WHERE study_id = ? ORDER BY number"
    return to_models(Trial, connection.execute(sql, (study_id,)))


def open_trials(connection: sqlite3.Connection, study_id: str) -> list[Trial]:
    """Those that have not ended, by number."""
    sql = f"SELECT * FROM trial WHERE study_id = ? AND {_OPEN} ORDER BY number"
    return to_models(Trial, connection.execute(sql, (study_id,)))


def is_wanted(connection: sqlite3.Connection, study_id: str, number: int) -> bool:
    """Whether a trial is still to begin. Asked within the transaction that gives it its job."""
    sql = (
        "SELECT 1 FROM trial t JOIN study s ON s.id = t.study_id"
        " WHERE t.study_id = ? AND t.number = ? AND t.status = 'planned' AND s.status = 'running'"
    )
    return connection.execute(sql, (study_id, number)).fetchone() is not None


def counts(connection: sqlite3.Connection, study_id: str) -> dict[tuple[str, str], int]:
    """(chosen_by, status) -> how many trials."""
    sql = "SELECT chosen_by, status, count(*) FROM trial WHERE study_id = ? GROUP BY chosen_by, status"
    return {(row[0], row[1]): row[2] for row in connection.execute(sql, (study_id,))}


def statuses_from(connection: sqlite3.Connection, study_id: str, number: int) -> list[str]:
    """The statuses of the trials from a number on, by number."""
    sql = "SELECT status FROM trial WHERE study_id = ? AND number >= ? ORDER BY number"
    return [row[0] for row in connection.execute(sql, (study_id, number))]


def first_without(connection: sqlite3.Connection, study_id: str, number: int, reason: str) -> tuple[int, str] | None:
    """(number, run) of the first trial from a number on that failed for this reason, while none of the study's ever had a
    value. Asked with every turn of a study that goes on."""
    sql = (
        "SELECT number, run_id FROM trial WHERE study_id = ? AND number >= ? AND status = 'failed' AND reason = ?"
        " AND run_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM trial t WHERE t.study_id = trial.study_id AND (t.value IS NOT NULL OR t.diverged))"
        " ORDER BY number LIMIT 1"
    )
    row = connection.execute(sql, (study_id, number, redact(reason))).fetchone()
    return (int(row[0]), str(row[1])) if row else None


def trial_with(connection: sqlite3.Connection, study_id: str, fingerprint: str) -> Trial | None:
    """The trial that a point was first tried with."""
    sql = "SELECT * FROM trial WHERE study_id = ? AND fingerprint = ? AND retry_of IS NULL"
    row = connection.execute(sql, (study_id, fingerprint)).fetchone()
    return to_model(Trial, row) if row else None


def tried_by(connection: sqlite3.Connection, job_id: str) -> Tried | None:
    """The trial that a job is of; None for another job."""
    sql = "SELECT s.name AS study, t.* FROM trial t JOIN study s ON s.id = t.study_id WHERE t.job_id = ?"
    return _tried(connection.execute(sql, (job_id,)).fetchone())


def tried_in(connection: sqlite3.Connection, project_id: str, root: str, name: str, number: int) -> Tried | None:
    """A trial by the name of its study, of those whose runs lie below `root`."""
    sql = (
        "SELECT s.name AS study, t.* FROM study s JOIN trial t ON t.study_id = s.id"
        " WHERE s.project_id = ? AND s.name = ? AND s.root = ? AND t.number = ?"
    )
    return _tried(connection.execute(sql, (project_id, name, root, number)).fetchone())


def _tried(row: sqlite3.Row | None) -> Tried | None:
    return Tried(row["study"], to_model(Trial, row)) if row else None


def next_number(connection: sqlite3.Connection, study_id: str) -> int:
    """The number of the next trial, from 1. Asked within the transaction that adds it."""
    sql = "SELECT ifnull(max(number), 0) + 1 FROM trial WHERE study_id = ?"
    return int(connection.execute(sql, (study_id,)).fetchone()[0])


def put_trial(
    connection: sqlite3.Connection, study_id: str, number: int, params: Mapping[str, Any], fingerprint: str, **more: Any
) -> None:
    """Add a trial, in a transaction that the caller holds. `more` are further fields of Trial."""
    row: dict[str, Any] = {"study_id": study_id, "number": number, "status": "planned", "params": dict(params)}
    row |= {"fingerprint": fingerprint, "created_at": utc_now(), **_clean(more)}
    _insert(connection, "trial", row)


def set_trial(connection: sqlite3.Connection, study_id: str, number: int, **fields: Any) -> None:
    """Set columns of a trial, in a transaction that the caller holds."""
    fields = _clean(fields)
    assignments = ", ".join(f"{name} = ?" for name in fields)
    values = [_column(value) for value in fields.values()]
    connection.execute(f"UPDATE trial SET {assignments} WHERE study_id = ? AND number = ?", [*values, study_id, number])


def set_study(connection: sqlite3.Connection, study_id: str, **fields: Any) -> None:
    """Set columns of a study."""
    with transaction(connection):
        put_study(connection, study_id, **fields)


def put_study(connection: sqlite3.Connection, study_id: str, **fields: Any) -> None:
    """The same in a transaction that the caller holds."""
    fields = _clean(fields)
    assignments = ", ".join(f"{name} = ?" for name in fields)
    values = [_column(value) for value in fields.values()]
    connection.execute(f"UPDATE study SET {assignments}, updated_at = ? WHERE id = ?", [*values, utc_now(), study_id])


def cancel_jobs(connection: sqlite3.Connection, study_id: str, reason: str) -> int:
    """Cancel the jobs of a study that wait, in a transaction that the caller holds; how many there were."""
    now = utc_now()
    sql = "UPDATE job SET status = 'cancelled', reason = ?, ended_at = ?, updated_at = ?"
    where = "WHERE study_id = ? AND status = 'queued'"
    return connection.execute(f"{sql} {where}", (redact(reason), now, now, study_id)).rowcount


def running_jobs(connection: sqlite3.Connection, study_id: str) -> list[str]:
    """The jobs of a study that run."""
    sql = "SELECT id FROM job WHERE study_id = ? AND status = 'running' ORDER BY trial"
    return [row[0] for row in connection.execute(sql, (study_id,))]


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [_column(one) for one in row.values()])


def _column(value: Any) -> Any:
    return dump(value) if isinstance(value, list | tuple | dict) else value


def _clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: redact(str(value)) if key in _SAID else value for key, value in fields.items()}
