"""Which job a person means: the beginning of its id, its name (of several the newest), or a run's, where neat started it."""

from __future__ import annotations

import sqlite3

from neatd.errors import NeatError
from neatd.store.short import resolve_in

_LEAST_BARE = 4  # letters of an id without its `j-`: fewer may be a word
_PATTERN = "name = ? OR substr(name, -length(?) - 1) = '/' || ?"


def find_id(store: sqlite3.Connection, word: str, project_id: str = "") -> str:
    """The job's whole id. Raises NeatError when there is none, or several ids begin so."""
    if word.startswith("j-"):
        try:
            return resolve_in(store, "job", word)
        except NeatError as error:
            if "several" in error.message:
                raise
    found = _named(store, word, project_id)
    if found is None:
        what = f"no job with the id {word!r}" if word.startswith("j-") else f"no job {word!r}"
        raise NeatError(what, "`neat queue --all` shows the jobs")
    return found


def find_bare(store: sqlite3.Connection, word: str) -> str | None:
    """The job whose id begins so where nothing else is called so: `7k2q` for `j-7k2q`; None where it is not one only."""
    if word.startswith("j-") or len(word) < _LEAST_BARE:
        return None
    try:
        return resolve_in(store, "job", f"j-{word}")
    except NeatError:
        return None


def find_after(store: sqlite3.Connection, word: str, project_id: str) -> str:
    """The whole id of a job or a study that another comes after."""
    if word.startswith("st-"):
        return resolve_in(store, "study", word)
    row = store.execute("SELECT id FROM study WHERE project_id = ? AND name = ?", (project_id, word)).fetchone()
    if row is not None and _named(store, word, project_id) is None:
        return str(row[0])
    return find_id(store, word, project_id)


def ids_beginning(store: sqlite3.Connection, start: str, most: int = 50) -> list[tuple[str, str, str]]:
    """(id, name, status) of the newest jobs whose id or name begins so, for a shell that completes."""
    pattern = start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    sql = (
        "SELECT id, name, status FROM job WHERE id LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\'"
        " ORDER BY status IN ('queued', 'running') DESC, created_at DESC LIMIT ?"
    )
    return [tuple(row) for row in store.execute(sql, (pattern, pattern, most))]


def _named(store: sqlite3.Connection, word: str, project_id: str) -> str | None:
    where, values = (" AND project_id = ?", (project_id,)) if project_id else ("", ())
    sql = f"SELECT id FROM job WHERE ({_PATTERN}){where} ORDER BY created_at DESC, rowid DESC LIMIT 1"
    row = store.execute(sql, (word, word, word, *values)).fetchone()
    return str(row[0]) if row else None
