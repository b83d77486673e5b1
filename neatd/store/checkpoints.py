"""Checkpoints by their persistent ordinal, the pins on them, and the journal of what went to the trash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from neatd.models import Checkpoint, Deletion
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import to_models
from neatd.store.short import new_id


def catalogue(connection: sqlite3.Connection, run_id: str) -> list[Checkpoint]:
    """Every checkpoint ever seen of a run, by ordinal."""
    sql = "SELECT * FROM checkpoint WHERE run_id = ? ORDER BY ordinal"
    return to_models(Checkpoint, connection.execute(sql, (run_id,)))


def add_save(
    connection: sqlite3.Connection, run_id: str, path: str, step: int | None, measured: tuple[int, int, int],
    is_folder: bool, now: datetime,
) -> None:  # fmt: skip
    """Keep a completed save under the next ordinal. The same path saved anew is a new save: its old content is gone."""
    size, mtime_ns, inode = measured
    with transaction(connection):
        ordinal = _next_ordinal(connection, run_id, path, step)
        connection.execute(
            "INSERT INTO checkpoint (id, run_id, path, step, ordinal, size_bytes, mtime_ns, inode, is_folder, completed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, path) DO UPDATE SET step = excluded.step,"
            " ordinal = excluded.ordinal, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns,"
            " inode = excluded.inode, status = 'present', completed_at = excluded.completed_at",
            (new_id("checkpoint"), run_id, path, step, ordinal, size, mtime_ns, inode, int(is_folder), stamp(now)),
        )


def _next_ordinal(connection: sqlite3.Connection, run_id: str, path: str, step: int | None) -> int:
    """Counts saves from 0. What has no step in its name (best.pt) is no save of the row: it is numbered below 0, once,
    so that rewriting it at each evaluation moves no other checkpoint through the tiers."""
    if step is not None:
        sql = "SELECT COALESCE(max(ordinal), -1) + 1 FROM checkpoint WHERE run_id = ? AND ordinal >= 0"
        return int(connection.execute(sql, (run_id,)).fetchone()[0])
    known = connection.execute(
        "SELECT ordinal FROM checkpoint WHERE run_id = ? AND path = ?", (run_id, path)
    ).fetchone()
    if known:
        return int(known[0])
    sql = "SELECT COALESCE(min(ordinal), 0) - 1 FROM checkpoint WHERE run_id = ? AND ordinal < 0"
    return int(connection.execute(sql, (run_id,)).fetchone()[0])


def set_status(connection: sqlite3.Connection, checkpoint_ids: Iterable[str], status: str) -> None:
    """Mark checkpoints present, trashed or gone."""
    with transaction(connection):
        connection.executemany(
            "UPDATE checkpoint SET status = ? WHERE id = ?", [(status, one) for one in checkpoint_ids]
        )


def pins(connection: sqlite3.Connection, run_id: str) -> dict[str, tuple[str, ...]]:
    """Checkpoint id -> why it may not go: it is the source of a snapshot, or about to be."""
    taken: dict[str, list[str]] = {}
    rows = connection.execute("SELECT id, checkpoint_id, best_checkpoint_id FROM snapshot WHERE run_id = ?", (run_id,))
    for snapshot_id, *sources in rows:
        for source in filter(None, sources):
            taken.setdefault(source, []).append(snapshot_id)
    found: dict[str, tuple[str, ...]] = {}
    for source, ids in taken.items():
        found[source] = (f"source of snapshot {ids[0]}" + (f" and {len(ids) - 1} more" if len(ids) > 1 else ""),)
    sql = "SELECT DISTINCT checkpoint_id FROM deletion WHERE run_id = ? AND status = 'restored'"
    for (restored,) in connection.execute(sql, (run_id,)):  # not thrown away again a minute later
        found[restored] = (*found.get(restored, ()), "brought back from the trash")
    return found


def plan_deletions(connection: sqlite3.Connection, deletions: Sequence[Deletion]) -> None:
    """Write the journal's lines before anything moves."""
    with transaction(connection):
        connection.executemany(
            "INSERT INTO deletion (id, batch, run_id, checkpoint_id, from_path, trash_path, size_bytes, reason, status,"
            " note, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (d.id, d.batch, d.run_id, d.checkpoint_id, d.from_path, d.trash_path, d.size_bytes, d.reason, d.status,
                 d.note, stamp(d.created_at), stamp(d.updated_at))
                for d in deletions
            ],
        )  # fmt: skip


def settle_deletion(connection: sqlite3.Connection, deletion: Deletion) -> None:
    """Write what became of a planned move, and the checkpoint's status with it, in one transaction."""
    with transaction(connection):
        connection.execute(
            "UPDATE deletion SET status = ?, note = ?, updated_at = ? WHERE id = ?",
            (deletion.status, deletion.note, utc_now(), deletion.id),
        )
        status = {"moved": "trashed", "restored": "present"}.get(deletion.status)
        if status:
            connection.execute("UPDATE checkpoint SET status = ? WHERE id = ?", (status, deletion.checkpoint_id))


def unsettled(connection: sqlite3.Connection) -> list[Deletion]:
    """Moves that were planned and not confirmed: what a crash leaves."""
    return to_models(Deletion, connection.execute("SELECT * FROM deletion WHERE status = 'planned' ORDER BY rowid"))


def trashed(connection: sqlite3.Connection, batch: str | None = None) -> list[Deletion]:
    """What lies in the trash: one batch, or all, newest first."""
    where, values = ("AND batch = ?", [batch]) if batch else ("", [])
    sql = f"SELECT * FROM deletion WHERE status = 'moved' {where} ORDER BY created_at DESC, rowid DESC"
    return to_models(Deletion, connection.execute(sql, values))
