"""Full-text search over the records: ranked, words as prefixes, phrases in double quotes, filters. Stdlib only, for speed."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.kinds import CLOSED, KINDS

_TERM = re.compile(r'(?:\b(kind|status|tag|branch|since):)?(?:"([^"]+)"|(\S+))')
_AGO = re.compile(r"(\d{1,6})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


class Hit(NamedTuple):
    """One found record; `excerpt` marks the words with [ ]."""

    id: str
    kind: str
    title: str
    status: str
    created_at: str
    excerpt: str


class Query(NamedTuple):
    """A person's words as FTS5 reads them, and the filters among them."""

    match: str
    kinds: tuple[str, ...]
    where: str
    values: tuple[str, ...]


def parse_query(text: str, now: datetime) -> Query:
    """Every word must occur, the last letters may be missing, quotes are phrases, NAME:VALUE filters. Raises NeatError."""
    terms, kinds, where, values = [], [], [], []
    # A NUL would end the query for SQLite, in the midst of a quoted word; a lone surrogate it refuses.
    for name, phrase, word in _TERM.findall(text.replace("\0", " ").encode("utf-8", "replace").decode()):
        value = phrase or word
        if name == "kind":
            kinds.append(_kind(value))
        elif name:
            condition, wanted = _filter(name, value, now)
            where.append(condition)
            values.append(wanted)
        else:
            quoted = value.replace('"', '""')
            terms.append(f'"{quoted}"' if phrase else f'"{quoted}"*')
    return Query(" ".join(terms), tuple(kinds), "".join(f" AND {one}" for one in where), tuple(values))


def _kind(value: str) -> str:
    if value not in KINDS:
        raise NeatError(f"no kind {value!r}", f"kinds: {', '.join(KINDS)}")
    return value


def _filter(name: str, value: str, now: datetime) -> tuple[str, str]:
    """(SQL condition on a record, its value) of status, tag, branch or since."""
    if name == "tag":
        return "EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", value
    if name == "since":
        return "updated_at >= ?", _since(value, now)
    if (name, value) in (("status", "open"), ("status", "closed")):  # any status that is not over, or is
        closed = ", ".join(f"'{word}'" for word in sorted(CLOSED))
        return f"lower(status) {'NOT ' if value == 'open' else ''}IN ({closed}) AND ? != ''", value
    return f"{name} = ?", value


def _since(value: str, now: datetime) -> str:
    ago = _AGO.fullmatch(value)
    if ago:
        moment = now - timedelta(hours=int(ago[1]) * _HOURS[ago[2]])
    else:
        try:
            moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise NeatError(f"not a time: since:{value}", "write a date (2026-03-01) or 24h, 7d, 2w") from error
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def search(
    connection: sqlite3.Connection, text: str, project_id: str | None, kind: str | None = None, limit: int = 20
) -> list[Hit]:
    """The best hits first, deleted records left out. Filters alone list the newest; an empty query finds nothing."""
    query = parse_query(text, datetime.now(UTC))
    kinds = tuple(dict.fromkeys((*query.kinds, *([kind] if kind else []))))
    if not query.match:
        return _filtered(connection, query, kinds or tuple(KINDS), project_id, limit) if query.where or kinds else []
    where, values = (" AND project_id = ?", [project_id]) if project_id else ("", [])
    if kinds:
        where += f" AND kind IN ({', '.join('?' * len(kinds))})"
    found = connection.execute(
        f"SELECT rowid, id, kind FROM search WHERE search MATCH ?{where} ORDER BY rank", [query.match, *values, *kinds]
    )
    hits: list[Hit] = []
    for rowid, record_id, found_kind in found:
        row = _row(connection, query, found_kind, record_id)
        if row:
            hits.append(Hit(record_id, found_kind, *row, _excerpt(connection, query.match, rowid)))
        if len(hits) == limit:
            break
    found.close()
    return hits


def _row(connection: sqlite3.Connection, query: Query, kind: str, record_id: str) -> tuple[str, str, str] | None:
    """(title, status, created_at) of a record that passes the filters and is not deleted."""
    sql = f"SELECT title, status, created_at FROM {kind} WHERE id = ? AND deleted_at <= restored_at{query.where}"
    row = connection.execute(sql, (record_id, *query.values)).fetchone()
    return (row[0], row[1], row[2]) if row else None


def _excerpt(connection: sqlite3.Connection, match: str, rowid: int) -> str:
    sql = "SELECT snippet(search, -1, '[', ']', '…', 12) FROM search WHERE search MATCH ? AND rowid = ?"
    return str(connection.execute(sql, (match, rowid)).fetchone()[0])


def _filtered(
    connection: sqlite3.Connection, query: Query, kinds: tuple[str, ...], project_id: str | None, limit: int
) -> list[Hit]:
    """The newest records that pass filters, where no word is asked for."""
    where, values = (" AND project_id = ?", [project_id]) if project_id else ("", [])
    hits = []
    for kind in kinds:
        rows = connection.execute(
            f"SELECT id, title, status, created_at FROM {kind} WHERE deleted_at <= restored_at{where}{query.where}"
            " ORDER BY created_at DESC LIMIT ?",
            [*values, *query.values, limit],
        )
        hits += [Hit(row[0], kind, row[1], row[2], row[3], "") for row in rows]
    return sorted(hits, key=lambda hit: hit.created_at, reverse=True)[:limit]
