"""Full-text search over the records: ranked, words as prefixes, phrases in double quotes. Stdlib only, for speed."""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

_TERM = re.compile(r'"([^"]+)"|(\S+)')


class Hit(NamedTuple):
    """One found record; `excerpt` marks the words with [ ]."""

    id: str
    kind: str
    title: str
    status: str
    created_at: str
    excerpt: str


def match_text(query: str) -> str:
    """A person's words as an FTS5 query: every word must occur, the last letters may be missing, quotes are phrases."""
    terms = []
    # A NUL would end the query for SQLite, in the midst of a quoted word; a lone surrogate it refuses.
    for phrase, word in _TERM.findall(query.replace("\0", " ").encode("utf-8", "replace").decode()):
        quoted = (phrase or word).replace('"', '""')
        terms.append(f'"{quoted}"' if phrase else f'"{quoted}"*')
    return " ".join(terms)


def search(
    connection: sqlite3.Connection, query: str, project_id: str | None, kind: str | None = None, limit: int = 20
) -> list[Hit]:
    """The best hits first. An empty query finds nothing."""
    match = match_text(query)
    if not match:
        return []
    wanted = [(n, v) for n, v in (("project_id", project_id), ("kind", kind)) if v]
    where = "".join(f" AND {name} = ?" for name, _ in wanted)
    rows = connection.execute(
        "SELECT id, kind, title, snippet(search, -1, '[', ']', '…', 12) FROM search"
        f" WHERE search MATCH ?{where} ORDER BY rank LIMIT ?",
        [match, *(value for _, value in wanted), limit],
    ).fetchall()
    hits = []
    for record_id, found_kind, title, excerpt in rows:
        sql = f"SELECT status, created_at FROM {found_kind} WHERE id = ?"
        status, created = connection.execute(sql, (record_id,)).fetchone()
        hits.append(Hit(record_id, found_kind, title, status, created, excerpt))
    return hits
