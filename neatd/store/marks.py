"""neat.db by topics: a value for each part of the store that changes when the part does. For who follows it from outside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from neatd.models import ENDED

MARKS = {
    "queue": "SELECT count(*), max(updated_at) FROM job",
    "studies": "SELECT max(updated_at), (SELECT count(*) || status || max(coalesce(ended_at, started_at, created_at))"
    " FROM trial) FROM study",
    "checkpoints": "SELECT count(*), sum(status = 'present'), (SELECT max(updated_at) FROM snapshot),"
    " (SELECT max(updated_at) FROM deletion) FROM checkpoint",
    "maintenance": "SELECT count(*), max(coalesce(ended_at, started_at)), (SELECT max(updated_at) FROM request)"
    " FROM maintenance",
    "records": "SELECT max(id) FROM history",
}


def mark_of(records: sqlite3.Connection, topic: str) -> tuple[Any, ...]:
    """The value of a topic's part."""
    return tuple(records.execute(MARKS[topic]).fetchone())


def lately_changed(records: sqlite3.Connection, since: str, besides: Iterable[str], most: int) -> list[str]:
    """The ids of the runs that go on, of those changed since a moment, and of those named; the newest first."""
    sql = (
        f"SELECT id FROM run WHERE status NOT IN ({', '.join('?' * len(ENDED))}) OR updated_at > ?"
        " OR id IN (SELECT value FROM json_each(?)) ORDER BY created_at DESC LIMIT ?"
    )
    values = (*sorted(ENDED), since, json.dumps(list(besides)), most)
    return [row[0] for row in records.execute(sql, values)]
