"""Typed relations between records. A removed link keeps its row, so that clones agree on what was removed."""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.short import add_history, set_field

SUPERSEDES = "supersedes"


class Link(NamedTuple):
    """`a` stands in `relation` to `b`: "d-7k2q supersedes d-1x9z"."""

    a: str
    relation: str
    b: str


def add_link(connection: sqlite3.Connection, kind_a: str, link: Link, kind_b: str, who: str) -> bool:
    """Keep a relation; False when it was there. One that supersedes ends what it names, and none may in a circle.

    False also for what would close a circle: `circle` tells of it.
    """
    with transaction(connection):
        if link.relation == SUPERSEDES and circle(connection, link.a, link.b):
            return False
        row = connection.execute("SELECT created_at, removed_at FROM link WHERE a = ? AND relation = ? AND b = ?", link)
        old = row.fetchone()
        if old and old["created_at"] > old["removed_at"]:
            return False
        connection.execute(
            "INSERT INTO link (a, relation, b, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (a, relation, b) DO UPDATE SET created_at = excluded.created_at",
            (*link, utc_now()),
        )
        add_history(connection, kind_a, link.a, who, "link", None, f"{link.relation} {link.b}")
        if link.relation == SUPERSEDES:
            set_field(connection, kind_b, link.b, "status", "superseded", who)
    return True


def remove_link(connection: sqlite3.Connection, kind_a: str, link: Link, kind_b: str, who: str) -> bool:
    """Take a relation back; False when there is none. What was superseded by nothing else is again what it was before."""
    with transaction(connection):
        sql = "UPDATE link SET removed_at = ? WHERE a = ? AND relation = ? AND b = ? AND created_at > removed_at"
        was_linked = connection.execute(sql, (utc_now(), *link)).rowcount > 0
        is_named = link.relation == SUPERSEDES and link.b in _superseded_by(connection, link.a)  # as a decision's field
        if is_named:
            set_field(connection, "decision", link.a, SUPERSEDES, "", who)
        if was_linked:
            add_history(connection, kind_a, link.a, who, "link", f"{link.relation} {link.b}", None)
        if (was_linked or is_named) and link.relation == SUPERSEDES and not _superseding(connection, link.b):
            _reopen(connection, kind_b, link.b, who)
    return was_linked or is_named


def circle(connection: sqlite3.Connection, a: str, b: str) -> list[str]:
    """The ids from `b` to `a`, each superseding the next: with "a supersedes b" they would close a circle. [] for none."""
    paths, seen = [[b]], {b}
    while paths:
        path = paths.pop()
        if path[-1] == a:
            return path
        following = [one for one in _superseded_by(connection, path[-1]) if one not in seen]
        seen.update(following)
        paths += [[*path, one] for one in following]
    return []


def _superseded_by(connection: sqlite3.Connection, record_id: str) -> list[str]:
    """What a record supersedes: by a link, or as the decision that names it."""
    sql = (
        "SELECT b FROM link WHERE a = :id AND relation = 'supersedes' AND created_at > removed_at"
        " UNION SELECT supersedes FROM decision WHERE id = :id AND supersedes != ''"
    )
    return [str(row[0]) for row in connection.execute(sql, {"id": record_id})]


def _superseding(connection: sqlite3.Connection, record_id: str) -> bool:
    sql = (
        "SELECT 1 FROM link WHERE b = :id AND relation = 'supersedes' AND created_at > removed_at"
        " UNION ALL SELECT 1 FROM decision WHERE supersedes = :id AND deleted_at <= restored_at LIMIT 1"
    )
    return connection.execute(sql, {"id": record_id}).fetchone() is not None


def _reopen(connection: sqlite3.Connection, kind: str, record_id: str, who: str) -> None:
    """The status that the history has from before it was superseded; a record imported as superseded stays so."""
    sql = (
        "SELECT old FROM history WHERE record_id = ? AND field = 'status' AND new = '\"superseded\"'"
        " ORDER BY id DESC LIMIT 1"
    )
    row = connection.execute(sql, (record_id,)).fetchone()
    is_superseded = connection.execute(
        f"SELECT status = 'superseded' FROM {kind} WHERE id = ?", (record_id,)
    ).fetchone()
    if row and is_superseded and is_superseded[0]:
        set_field(connection, kind, record_id, "status", json.loads(row[0]) or "open", who)


def links_of(connection: sqlite3.Connection, record_id: str) -> list[Link]:
    """Every relation from or to a record, oldest first."""
    sql = "SELECT a, relation, b FROM link WHERE (a = ? OR b = ?) AND created_at > removed_at ORDER BY created_at, a, b"
    return [Link(*row) for row in connection.execute(sql, (record_id, record_id))]
