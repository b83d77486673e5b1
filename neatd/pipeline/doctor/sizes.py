"""What `neat doctor` says of sizes: the two databases and what is in them, logs, backups, the project's trash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from neatd.assist.render import size
from neatd.errors import NeatError
from neatd.pipeline.doctor.finding import Finding
from neatd.store.connection import database_path
from neatd.store.opening import connect
from neatd.store.sizes import PointsSize, RunSize, database_bytes, folder_bytes, points_size


def sizes(home: Path, root: Path | None) -> Iterator[Finding]:
    """A line for all of it, one for points.db, one for the runs that take the most."""
    parts = {"neat.db": database_bytes(home, "neat"), "points.db": database_bytes(home, "points")}
    parts |= {name: folder_bytes(home / name) for name in ("logs", "backups")}
    if root is not None:
        parts["trash"] = folder_bytes(root / ".neat" / "trash")
    text = ", ".join(f"{name} {size(count)}" for name, count in parts.items())
    mend = "`rm -r .neat/trash` once nothing in it is wanted back" if parts.get("trash") else ""
    yield Finding("sizes", "ok", text, mend, {f"{_key(name)}_bytes": count for name, count in parts.items()})
    yield from _points(home)


def _key(name: str) -> str:
    return name.replace(".", "_")


def _points(home: Path) -> Iterator[Finding]:
    if not database_path(home, "points").exists():
        return
    try:
        with closing(connect(home, "points")) as points:
            found = points_size(points)
        names = _names(home, found)
    except (NeatError, sqlite3.Error):
        return  # that a database cannot be read is said above
    yield Finding("points", "ok", _text(found), "", _details(found, names))
    if found.largest:
        largest = "; ".join(f"{names.get(one.run_id, one.run_id)} {_run_text(one)}" for one in found.largest)
        yield Finding("largest runs", "ok", largest)


def _text(found: PointsSize) -> str:
    each = f" ({found.bytes_a_point:.1f} bytes each)" if found.bytes_a_point is not None else ""
    parts = [f"{found.sealed:,} sealed{each}", f"{found.narrow:,} narrow", f"{found.predictions:,} predictions"]
    parts += [f"{found.dropped:,} thinned out of old runs"] if found.dropped else []
    parts += [f"{size(found.free_bytes)} free for new ones"] if found.free_bytes else []
    return ", ".join(parts)


def _run_text(one: RunSize) -> str:
    return f"{size(one.size_bytes)} ({one.points:,} points)"


def _names(home: Path, found: PointsSize) -> dict[str, str]:
    if not database_path(home, "neat").exists():
        return {}
    marks = ", ".join("?" * len(found.largest))
    with closing(connect(home, "neat")) as records:
        sql = f"SELECT id, name FROM run WHERE id IN ({marks})"
        return {row[0]: row[1] for row in records.execute(sql, [one.run_id for one in found.largest])}


def _details(found: PointsSize, names: dict[str, str]) -> dict[str, Any]:
    largest = [{"id": one.run_id, "name": names.get(one.run_id), **one._asdict()} for one in found.largest]
    for one in largest:
        del one["run_id"]
    return {**found._asdict(), "bytes_a_point": found.bytes_a_point, "largest": largest}
