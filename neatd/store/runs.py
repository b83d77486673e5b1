"""Runs: found once per folder, their status with its reason, the progress that points.db knows of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.files import REMOTE, is_remote
from neatd.models import ENDED, GitState, ProcessFact, Run
from neatd.redact import redact, redact_value
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import dump, to_model, to_models
from neatd.store.runfilter import condition
from neatd.store.runids import newest_ids
from neatd.store.short import new_id


def ensure_run(
    connection: sqlite3.Connection,
    project_id: str,
    root: str,
    folder: str,
    git: GitState,
    now: datetime,
    began: datetime | None = None,
) -> Run:
    """The run of a folder; made when it is met for the first time, with the git state that it `began` from."""
    found = by_folder(connection, root, folder)
    if found:
        return found
    at = stamp(now)
    with transaction(connection):
        connection.execute(
            "INSERT INTO run (id, project_id, root, folder, name, git, created_at, started_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (new_id("run"), project_id, root, folder, _name_of(folder), _column(git), at, stamp(began or now), at),
        )
    run = by_folder(connection, root, folder)
    assert run is not None
    return run


def by_folder(connection: sqlite3.Connection, root: str, folder: str) -> Run | None:
    """The run of a folder, None when it is not known."""
    row = connection.execute("SELECT * FROM run WHERE root = ? AND folder = ?", (root, folder)).fetchone()
    return to_model(Run, row) if row else None


def _name_of(folder: str) -> str:
    """What the run of a folder is called: as the folder; one that another machine sent, without neat's own."""
    return redact(folder.removeprefix(f"{REMOTE[0]}/") if is_remote(folder) else folder) or "."


def move_run(connection: sqlite3.Connection, run_id: str, folder: str) -> Run:
    """The run's folder was renamed: it lies in `folder` (relative to its root) now, and is called so."""
    with transaction(connection):
        connection.execute(
            "UPDATE run SET folder = ?, name = ?, updated_at = ? WHERE id = ?",
            (folder, _name_of(folder), utc_now(), run_id),
        )
    return get_run(connection, run_id)


def all_runs(connection: sqlite3.Connection, project_id: str | None = None) -> list[Run]:
    """Runs of one project or of all, newest first."""
    where, values = ("WHERE project_id = ?", [project_id]) if project_id else ("", [])
    sql = f"SELECT * FROM run {where} ORDER BY created_at DESC, rowid DESC"
    return to_models(Run, connection.execute(sql, values))


def matching_runs(connection: sqlite3.Connection, project_id: str, part: str, most: int | None = None) -> list[Run]:
    """The runs that a filter (`store/runfilter.py`) means, newest first; with `most` so many and those that go on."""
    return to_models(Run, _matching(connection, project_id, part, most))


def _matching(connection: sqlite3.Connection, project_id: str, part: str, most: int | None) -> list[Any]:
    asked = condition(part)
    matches = f"project_id = :project AND {asked.sql}"
    few = f"id IN (SELECT id FROM run WHERE {matches} ORDER BY created_at DESC, rowid DESC LIMIT :most)"
    going_on = f"status NOT IN ({', '.join(repr(one) for one in sorted(ENDED))})"
    count = f"(SELECT count(*) FROM run WHERE {matches}) AS matching"
    sql = f"SELECT *, {count} FROM run WHERE {matches} AND (:most IS NULL OR {few} OR {going_on})"
    values = {"project": project_id, "most": most, **asked.values}
    return connection.execute(sql + " ORDER BY created_at DESC, rowid DESC", values).fetchall()


def listed_runs(
    connection: sqlite3.Connection, project_id: str, part: str, most: int | None
) -> tuple[list[Run], int]:  # fmt: skip
    """(what `matching_runs` finds, how many more there are without a limit), of one moment: runs change meanwhile."""
    rows = _matching(connection, project_id, part, most)
    return to_models(Run, rows), rows[0]["matching"] - len(rows) if rows else 0


def newest_runs(connection: sqlite3.Connection, project_id: str, most: int, baseline: str) -> list[Run]:
    """The newest runs of a project, and its baseline however old, newest first."""
    return get_runs(connection, project_id, newest_ids(connection, project_id, most, baseline))


def get_runs(connection: sqlite3.Connection, project_id: str, run_ids: Iterable[str]) -> list[Run]:
    """These runs of a project, newest first; those that are not there are left out."""
    sql = (
        "SELECT r.* FROM json_each(?) j CROSS JOIN run r ON r.id = j.value WHERE r.project_id = ?"
        " ORDER BY r.created_at DESC, r.rowid DESC"
    )
    return to_models(Run, connection.execute(sql, (json.dumps(list(run_ids)), project_id)))


def count_runs(connection: sqlite3.Connection, project_id: str) -> int:
    """How many runs a project has."""
    return int(connection.execute("SELECT count(*) FROM run WHERE project_id = ?", (project_id,)).fetchone()[0])


def get_run(connection: sqlite3.Connection, run_id: str) -> Run:
    """One run by its whole id; raises NeatError when there is none."""
    row = connection.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NeatError(f"no run {run_id}", "`neat runs` shows the runs")
    return to_model(Run, row)


def find_run(connection: sqlite3.Connection, word: str, project_id: str | None = None) -> Run:
    """A run by id prefix, name, or the end of its name, from a slash on; raises NeatError when none or several fit."""
    runs = _named_runs(connection, project_id)
    for test in (_is_name, _is_prefix, _is_last_part):
        found = [run for run in runs if test(run, word)]
        if len(found) == 1:
            return get_run(connection, found[0].id)
        if found:
            names = ", ".join(f"{run.id} ({run.name})" for run in found[:5])
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            raise NeatError(f"{word!r} fits several runs: {names}{more}", "type more of the id or the whole name")
    raise NeatError(f"no run {word!r}", "`neat runs` shows the runs and their names")


class _Named(NamedTuple):
    """As much of a run as finding it takes: of ten thousand runs the models are a second."""

    id: str
    name: str


def _named_runs(connection: sqlite3.Connection, project_id: str | None) -> list[_Named]:
    where, values = ("WHERE project_id = ?", [project_id]) if project_id else ("", [])
    rows = connection.execute(f"SELECT id, name FROM run {where} ORDER BY created_at DESC, rowid DESC", values)
    return [_Named(*row) for row in rows]


def folders(connection: sqlite3.Connection, project_id: str) -> dict[str, str]:
    """Run id -> its folder relative to the project, of all runs."""
    return dict(connection.execute("SELECT id, folder FROM run WHERE project_id = ?", (project_id,)).fetchall())


def places_of(connection: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Run id -> (its folder relative to its project's, its name), of these runs."""
    sql = "SELECT r.id, r.folder, r.name FROM json_each(?) j CROSS JOIN run r ON r.id = j.value"
    rows = connection.execute(sql, (json.dumps(list(run_ids)),))
    return {row[0]: (row[1], row[2]) for row in rows}


def _is_name(run: Run | _Named, word: str) -> bool:
    return run.name == word.rstrip("/") or run.id == word


def _is_prefix(run: Run | _Named, word: str) -> bool:
    return len(word) > 2 and run.id.startswith(word)


def _is_last_part(run: Run | _Named, word: str) -> bool:
    return run.name.endswith(f"/{word.rstrip('/')}")


def named(runs: list[Run], word: str) -> Run | None:
    """The run of `runs` that a record's `--run` means, newest first; None when there is none yet."""
    for test in (_is_name, _is_prefix, _is_last_part):
        for run in runs:
            if test(run, word):
                return run
    return None


def configs_naming(connection: sqlite3.Connection, run: Run) -> list[tuple[str, dict[str, Any]]]:
    """(name, parameters) of the project's runs whose parameters mention a run's folder: they may start from it.

    By the folder's own name, since a path may be told from where the program ran.
    """
    name = run.folder.rpartition("/")[2]
    mentions = [json.dumps(name + mark, ensure_ascii=False)[1:-1] for mark in ("/", "\\")] if name else ["", ""]
    sql = "SELECT name, config FROM run WHERE project_id = ? AND (instr(config, ?) > 0 OR instr(config, ?) > 0)"
    return [(name, json.loads(config)) for name, config in connection.execute(sql, (run.project_id, *mentions))]


def commands_of_open(connection: sqlite3.Connection, project_id: str) -> list[tuple[str, str]]:
    """(name, command line) of the project's runs that go on."""
    marks = ", ".join("?" * len(ENDED))
    sql = f"SELECT name, process FROM run WHERE project_id = ? AND process IS NOT NULL AND status NOT IN ({marks})"
    rows = [(name, json.loads(text)) for name, text in connection.execute(sql, (project_id, *sorted(ENDED)))]
    return [(name, str(process.get("command", ""))) for name, process in rows if isinstance(process, dict)]


def set_run(connection: sqlite3.Connection, run_id: str, **fields: Any) -> None:
    """Set columns of a run, without the secrets in them. Values are plain or models; datetimes become UTC text.

    `updated_at` is when its status or its end was written, which may be long after the end itself: what is newer than a
    moment is asked by it.
    """
    stored = {name: _column(value) for name, value in fields.items()}
    with transaction(connection):
        if not stored.keys().isdisjoint(("status", "ended_at")):
            stored["updated_at"] = utc_now()
        assignments = ", ".join(f'"{name}" = ?' for name in stored)
        connection.execute(f"UPDATE run SET {assignments} WHERE id = ?", [*stored.values(), run_id])


def _column(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, GitState | ProcessFact):
        value = value.model_dump(mode="json")
    clean = redact_value(value)
    return dump(clean) if isinstance(clean, dict | list) else clean


def progress(points: sqlite3.Connection) -> dict[str, tuple[int | None, datetime]]:
    """Run id -> (furthest step of the current attempt, when its last line was written). No point is touched."""
    steps = dict(
        points.execute("SELECT run_id, max(last_step) FROM series WHERE points > 0 GROUP BY run_id").fetchall()
    )
    # Samples of the machine are written at no time: they say nothing of when the run's last line came.
    rows = points.execute("SELECT run_id, max(updated_at) FROM reading WHERE updated_at > 0 GROUP BY run_id")
    return {row[0]: (steps.get(row[0]), datetime.fromtimestamp(row[1], UTC)) for row in rows}


def progress_of(points: sqlite3.Connection, run_id: str) -> tuple[int | None, datetime | None]:
    """(furthest step, when the last line was written) of one run; (None, None) before its first line."""
    step = points.execute("SELECT max(last_step) FROM series WHERE run_id = ? AND points > 0", (run_id,)).fetchone()[0]
    sql = "SELECT max(updated_at) FROM reading WHERE run_id = ? AND updated_at > 0"
    at = points.execute(sql, (run_id,)).fetchone()[0]
    return step, None if at is None else datetime.fromtimestamp(at, UTC)


def keep_start(
    connection: sqlite3.Connection,
    run_id: str,
    packed: bytes,
    untracked: Sequence[str],
    is_truncated: bool,
    now: datetime,
) -> None:
    """Keep the code a run started from, as far as it was not committed: a zlib diff, the names of untracked files."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO run_start (run_id, diff, untracked, is_truncated, created_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (run_id, packed, dump(redact_value(list(untracked))), is_truncated, stamp(now)),
        )


class Start(NamedTuple):
    """The code a run started from, as far as it was not committed."""

    packed: bytes  # zlib; empty: nothing was changed
    untracked: tuple[str, ...]
    is_truncated: bool


def start_of(connection: sqlite3.Connection, run_id: str) -> Start | None:
    """What is kept of the code a run started from; None when it was found too late."""
    sql = "SELECT diff, untracked, is_truncated FROM run_start WHERE run_id = ?"
    row = connection.execute(sql, (run_id,)).fetchone()
    return Start(row[0], tuple(json.loads(row[1])), bool(row[2])) if row else None
