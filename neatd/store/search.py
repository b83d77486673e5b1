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
    branch: str  # where it was made, "" when that is not known


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
    try:
        ago_h = int(ago[1]) * _HOURS[ago[2]] if ago else 0
        moment = now - timedelta(hours=ago_h) if ago else datetime.fromisoformat(value).astimezone(UTC)
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
    some = f" AND rowid % 64 IN ({', '.join(str(KINDS[one].number) for one in kinds)})" if kinds else ""
    hits: list[Hit] = []
    seen: set[int] = set()
    for newest in (RANKED, -1):  # all the others only where the newest are not enough
        rows = connection.execute(_RANKING.format(some), (query.match, newest)).fetchall()
        for (rowid,) in rows:
            hit = None if rowid in seen else _hit(connection, query, project_id, rowid)
            if hit:
                hits.append(hit)
            if len(hits) == limit:
                return hits
        if len(rows) < RANKED:
            break
        seen = {rowid for (rowid,) in rows}
    return hits


# Only row numbers are asked of the index, which tell the kind too: reading its columns for each of 20,000 matches would
# cost more than ranking them, and ranking them costs 20 ms; so it is the newest matches that are ranked.
_RANKING = (
    "SELECT rowid FROM (SELECT rowid, rank AS place FROM search WHERE search MATCH ?{} ORDER BY rowid DESC LIMIT ?)"
    " ORDER BY place"
)
RANKED = 2000
_BY_NUMBER = {kind.number: name for name, kind in KINDS.items()}


def _hit(connection: sqlite3.Connection, query: Query, project_id: str | None, rowid: int) -> Hit | None:
    """The record of a row of the index, if it passes the filters and is not deleted."""
    kind = _BY_NUMBER[rowid % 64]
    mine, values = (" AND project_id = ?", [project_id]) if project_id else ("", [])
    sql = (
        f"SELECT id, title, status, created_at, branch FROM {kind} WHERE rowno = ? AND deleted_at <= restored_at{mine}"
    )
    row = connection.execute(sql + query.where, [rowid // 64, *values, *query.values]).fetchone()
    if row is None:
        return None
    return Hit(row[0], kind, row[1], row[2], row[3], _excerpt(connection, query.match, rowid), row[4])


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
            f"SELECT id, title, status, created_at, branch FROM {kind} WHERE deleted_at <= restored_at{where}{query.where}"
            " ORDER BY created_at DESC LIMIT ?",
            [*values, *query.values, limit],
        )
        hits += [Hit(row[0], kind, row[1], row[2], row[3], "", row[4]) for row in rows]
    return sorted(hits, key=lambda hit: hit.created_at, reverse=True)[:limit]
