"""What was kept before a pattern of secrets was known is cleaned in place: records and their history, and what is known of
runs, without a trace of the old words, since a history of a removed secret would be the secret."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from neatd.kinds import FIELDS, JSON_FIELDS, KINDS
from neatd.redact_own import Patterns, redact_value_with
from neatd.store.connection import transaction

_OF_RUNS = ("config", "facts", "process")
_MORE = ("evidence", "valid_while", "branch")


def clean_records(connection: sqlite3.Connection, project_id: str, patterns: Patterns) -> int:
    """Take secrets out of all that is kept of a project's records; returns how many values changed."""
    count = 0
    with transaction(connection):
        for kind in KINDS:
            names = (*FIELDS[kind], *_MORE)
            columns = ", ".join(f'"{name}"' for name in names)
            rows = connection.execute(f"SELECT rowno, {columns} FROM {kind} WHERE project_id = ?", (project_id,))
            for row in rows.fetchall():
                changed = {name: new for name in names if (new := _clean(name, row[name], patterns)) != row[name]}
                count += len(changed)
                for name, value in changed.items():
                    connection.execute(f'UPDATE {kind} SET "{name}" = ? WHERE rowno = ?', (value, row["rowno"]))
        count += _clean_history(connection, project_id, patterns)
        count += _clean_runs(connection, project_id, patterns)
    return count


def _clean_runs(connection: sqlite3.Connection, project_id: str, patterns: Patterns) -> int:
    """Parameters, facts and the process of each run."""
    names = ", ".join(_OF_RUNS)
    count = 0
    for run_id, *values in connection.execute(
        f"SELECT id, {names} FROM run WHERE project_id = ?", (project_id,)
    ).fetchall():
        clean = [one if one is None else _clean_json(one, patterns) for one in values]
        if clean != values:
            count += 1
            places = ", ".join(f"{name} = ?" for name in _OF_RUNS)
            connection.execute(f"UPDATE run SET {places} WHERE id = ?", (*clean, run_id))
    return count


def clean_told(points: sqlite3.Connection, run_ids: Iterable[str], patterns: Patterns) -> int:
    """Take secrets out of what the sources of these runs told; returns how many sources changed.

    What a parser keeps besides is its own: `config` in it is what was told.
    """
    count = 0
    with transaction(points):
        for run_id in run_ids:
            sql = "SELECT source, told, state FROM reading WHERE run_id = ?"
            for source, told, state in points.execute(sql, (run_id,)).fetchall():
                clean, kept = _clean_json(told, patterns), json.loads(state)
                if clean != told:
                    count += 1
                    kept |= {"config": json.loads(clean)["config"]} if "config" in kept else {}
                    points.execute(
                        "UPDATE reading SET told = ?, state = ? WHERE run_id = ? AND source = ?",
                        (clean, json.dumps(kept), run_id, source),
                    )
    return count


def _clean_history(connection: sqlite3.Connection, project_id: str, patterns: Patterns) -> int:
    ids = " UNION ALL ".join(f"SELECT id FROM {kind} WHERE project_id = ?" for kind in KINDS)
    rows = connection.execute(
        f"SELECT id, old, new FROM history WHERE record_id IN ({ids})", [project_id] * len(KINDS)
    ).fetchall()
    count = 0
    for number, *values in rows:
        old, new = (None if one is None else _clean_json(one, patterns) for one in values)
        if [old, new] != values:
            count += 1
            connection.execute("UPDATE history SET old = ?, new = ? WHERE id = ?", (old, new, number))
    return count


def _clean(name: str, value: Any, patterns: Patterns) -> Any:
    if not isinstance(value, str):
        return value
    return _clean_json(value, patterns) if name in JSON_FIELDS else redact_value_with(patterns, value)


def _clean_json(text: str, patterns: Patterns) -> str:
    value = json.loads(text)
    clean = redact_value_with(patterns, value)
    return text if clean == value else json.dumps(clean, ensure_ascii=False)
