"""Records as the page shows them: besides what `neat list` and `neat show` print, which of their statements nothing vouches
for, the runs that they name, and by title the records that they are tied to. Reads only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from neatd.assist.claims import claim, is_proven, stated
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.kinds import KINDS
from neatd.knowledge import RECORD_KINDS, Record
from neatd.models import Project
from neatd.pipeline.recordlist import Asked, listed
from neatd.pipeline.showing import Shown, find, record_shape
from neatd.pipeline.testing import own_paths
from neatd.pipeline.validity import stale_records
from neatd.private import without_private
from neatd.store import projects, records

# What states something: plans, wishes and commands do not (`assist/claims.py` says why).
_STATING = frozenset(
    {"note", "decision", "bug", "insight", "lesson", "assessment", "challenge", "change", "experiment"}
)
_STATEMENTS = ("title", "body", "why", "cause", "fix", "follow_up", "before", "after")
_REFERENCES = ("supersedes", "after", "parent", "previous", "records", "tests", "experiment", "superseded_by")
_PRIVATE = frozenset(name for name, kind in KINDS.items() if any(field.is_private for field in kind.fields))


def record_list(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, asked: Asked,
    now: datetime, most: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """A project's records of a kind or of all, at most so many of each kind: as `neat list --json` has them, and with
    `kind`, `unverified` (fields), `run_id`, `run_names`."""
    listing = listed(store, series, project, config, asked, now)
    count: dict[str, int] = {}
    found = []
    for kind, one in listing.found:
        count[kind] = count.get(kind, 0) + 1
        if count[kind] <= most:
            found.append((kind, _without_addresses(store, project, kind, one)))
    shapes = [_shape(kind, one, listing.stale.get(one.id, "")) for kind, one in found]
    _name_runs(store, project.id, shapes)
    return shapes


def project_of(store: sqlite3.Connection, word: str) -> str | None:
    """The project of the record that an id, or its beginning, names. Raises NeatError for what is no record."""
    kind, full = records.resolve(store, word)
    if kind not in RECORD_KINDS:
        raise NeatError(f"{word} is a {kind} and no record", "`neat show` shows it")
    return records.get(store, kind, full).project_id


def record_page(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, word: str,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """One record by its id or its beginning: as `neat show --json` has it, and with what `record_list` adds and `superseded_by`
    and `linked`, by id the kind, title and status of what it is tied to."""
    shown = find(store, project.id, word)
    is_hidden = shown.kind in _PRIVATE and not _shows_addresses(store, project)
    if is_hidden:
        private = {field.name for field in KINDS[shown.kind].fields if field.is_private}
        kept = [change for change in shown.history if change.field not in private]
        shown = Shown(shown.kind, without_private(shown.kind, shown.found), shown.links, kept)
    one: Record = shown.found
    standing, over = ((), (one,)) if one.is_closed or one.is_deleted else ((one,), ())
    stale = stale_records(store, Path(project.root), standing, now, own_paths(config), series, over)
    shape = {**_shape(shown.kind, one, stale.get(one.id, "")), **record_shape(shown)}
    _name_runs(store, project.id, [shape])
    shape |= {
        "is_deleted": one.is_deleted,
        "superseded_by": _superseding(store, one.id) if shown.kind == "decision" else [],
    }
    return {**shape, "linked": _linked(store, shape)}


def _without_addresses(store: sqlite3.Connection, project: Project, kind: str, one: Record) -> Record:
    """Without hosts, ports and keys, unless `neat allow addresses` says that they may be shown."""
    return one if kind not in _PRIVATE or _shows_addresses(store, project) else without_private(kind, one)


def _shows_addresses(store: sqlite3.Connection, project: Project) -> bool:
    return "addresses" in projects.consents(store, Path(project.root))


def _shape(kind: str, one: Record, stale: str) -> dict[str, Any]:
    return {
        "kind": kind,
        **one.model_dump(),
        "stale": stale,
        "is_closed": one.is_closed,
        "unverified": unverified(kind, one),
    }


def unverified(kind: str, one: Record) -> list[str]:
    """The fields of a record that state numbers which its evidence does not have."""
    if kind == "hypothesis":  # its thresholds are nobody's measurement: evidence of any kind will do
        return [name for name in ("title", "body") if stated(getattr(one, name), one.evidence) != getattr(one, name)]
    if kind not in _STATING:
        return []
    texts = ((name, getattr(one, name, "")) for name in _STATEMENTS)
    found = [name for name, text in texts if text and claim(text, one.evidence) != text]
    value = getattr(one, "value", None)
    return [*found, "value"] if value is not None and not is_proven(value, one.evidence) else found


# ---- what a record names ----


def _name_runs(store: sqlite3.Connection, project_id: str, shapes: Sequence[dict[str, Any]]) -> None:
    """Put in `run_id` where a record names a run that is there, and in `run_names` the runs of its evidence."""
    words = {str(one["run"]) for one in shapes if one.get("run")}
    ids = _ids_of(store, project_id, words)
    proving = {str(piece["run"]) for one in shapes for piece in one["evidence"] if piece.get("run")}
    names = _names(store, proving)
    for one in shapes:
        one["run_id"] = ids.get(str(one.get("run") or ""))
        named = {str(piece.get("run")) for piece in one["evidence"]}
        one["run_names"] = {run_id: names[run_id] for run_id in sorted(named & names.keys())}


def _ids_of(store: sqlite3.Connection, project_id: str, words: Iterable[str]) -> dict[str, str]:
    """Word -> id of the run that a record's `run` means, as `runs.named` has it: a name, an id or its beginning, the last
    part of a name; the newest of several."""
    sql = (
        "SELECT id FROM run WHERE project_id = ?1 AND (name = ?2 OR id = ?2 OR substr(name, -length(?2) - 1) = '/' || ?2"
        " OR (length(?2) > 2 AND substr(id, 1, length(?2)) = ?2))"
        " ORDER BY name = ?2 OR id = ?2 DESC, created_at DESC LIMIT 1"
    )
    found = {word: store.execute(sql, (project_id, word.rstrip("/"))).fetchone() for word in words}
    return {word: row[0] for word, row in found.items() if row}


def _names(store: sqlite3.Connection, ids: Iterable[str]) -> dict[str, str]:
    sql = "SELECT run.id, run.name FROM json_each(?) j JOIN run ON run.id = j.value"
    return dict(store.execute(sql, (json.dumps(sorted(ids)),)).fetchall())


def _superseding(store: sqlite3.Connection, record_id: str) -> list[str]:
    sql = "SELECT id FROM decision WHERE supersedes = ? AND deleted_at <= restored_at ORDER BY created_at"
    return [row[0] for row in store.execute(sql, (record_id,))]


def _linked(store: sqlite3.Connection, shape: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What is at the other end of a record's links and references, as far as it is there."""
    words = [word for link in shape["links"] for word in (link["a"], link["b"])]
    for name in _REFERENCES:
        value = shape.get(name) or ()
        words += [value] if isinstance(value, str) else list(value)
    found = {}
    for word in dict.fromkeys(words):
        if word != shape["id"] and (told := _told(store, word)):
            found[word] = told
    return found


_TITLES = {"run": "name, status", "event": "message, severity"} | dict.fromkeys(RECORD_KINDS, "title, status")


def _told(store: sqlite3.Connection, word: str) -> dict[str, str] | None:
    try:
        kind, full = records.resolve(store, word)
    except NeatError:
        return None
    if kind not in _TITLES:
        return None
    row = store.execute(f"SELECT {_TITLES[kind]} FROM {kind} WHERE id = ?", (full,)).fetchone()
    return {"id": full, "kind": kind, "title": row[0], "status": row[1]} if row else None
