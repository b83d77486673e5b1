"""Typed relations between records. A removed link keeps its row, so that clones agree on what was removed."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from neatd.store.connection import transaction
from neatd.store.short import add_history, set_field, utc_now


class Link(NamedTuple):
    """`a` stands in `relation` to `b`: "d-7k2q supersedes d-1x9z"."""

    a: str
    relation: str
    b: str


def add_link(connection: sqlite3.Connection, kind_a: str, link: Link, kind_b: str, who: str) -> bool:
    """Keep a relation; False when it was there. One that supersedes ends what it names."""
    with transaction(connection):
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
        if link.relation == "supersedes":
            set_field(connection, kind_b, link.b, "status", "superseded", who)
    return True


def remove_link(connection: sqlite3.Connection, kind_a: str, link: Link, who: str) -> bool:
    """Take a relation back; False when there is none."""
    with transaction(connection):
        sql = "UPDATE link SET removed_at = ? WHERE a = ? AND relation = ? AND b = ? AND created_at > removed_at"
        if connection.execute(sql, (utc_now(), *link)).rowcount == 0:
            return False
        add_history(connection, kind_a, link.a, who, "link", f"{link.relation} {link.b}", None)
    return True


def links_of(connection: sqlite3.Connection, record_id: str) -> list[Link]:
    """Every relation from or to a record, oldest first."""
    sql = "SELECT a, relation, b FROM link WHERE (a = ? OR b = ?) AND created_at > removed_at ORDER BY created_at, a, b"
    return [Link(*row) for row in connection.execute(sql, (record_id, record_id))]
