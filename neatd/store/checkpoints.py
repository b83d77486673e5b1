"""Checkpoints by their persistent ordinal, the pins on them, and the journal of what went to the trash.

In the journal a move is planned, then moved or refused; what was moved is restored, or emptying and then deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from neatd.models import Checkpoint, Deletion
from neatd.redact import redact
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.rows import dump, to_models
from neatd.store.short import new_id

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
# How a deletion leaves its checkpoint: (only where it stood so, how it stands then).
_STANDS = {"moved": ("", "trashed"), "restored": ("", "present"), "deleted": ("trashed", "deleted")}


def catalogue(connection: sqlite3.Connection, run_id: str) -> list[Checkpoint]:
    """Every checkpoint ever seen of a run, by ordinal."""
    sql = "SELECT * FROM checkpoint WHERE run_id = ? ORDER BY ordinal"
    return to_models(Checkpoint, connection.execute(sql, (run_id,)))


def count(connection: sqlite3.Connection, run_id: str) -> tuple[int, int, int]:
    """(newest ordinal, how many are present, how many were ever seen) of a run."""
    sql = "SELECT COALESCE(max(ordinal), -1), COALESCE(sum(status = 'present'), 0), count(*) FROM checkpoint WHERE run_id = ?"
    newest, present, seen = connection.execute(sql, (run_id,)).fetchone()
    return int(newest), int(present), int(seen)


def marks(connection: sqlite3.Connection, run_id: str) -> tuple[object, ...] | None:
    """What changes with each save, removal or rewriting of a run's checkpoints; None where none is present."""
    newest, present, seen = count(connection, run_id)
    sql = "SELECT max(mtime_ns) FROM checkpoint WHERE run_id = ? AND status = 'present'"
    return (newest, present, seen, connection.execute(sql, (run_id,)).fetchone()[0]) if present else None


def add_save(
    connection: sqlite3.Connection, run_id: str, path: str, step: int | None, measured: tuple[int, int, int],
    is_folder: bool, now: datetime, parts: Sequence[str] = (),
) -> None:  # fmt: skip
    """Keep a completed save under the next ordinal. The same path saved anew is a new save: its old content is gone.

    `parts` are the names beside it of what belongs to the save; `measured` is of all of it.
    """
    size, mtime_ns, inode = measured
    with transaction(connection):
        ordinal = _next_ordinal(connection, run_id, path, step)
        connection.execute(
            "INSERT INTO checkpoint (id, run_id, path, step, ordinal, size_bytes, mtime_ns, inode, is_folder, parts,"
            " completed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, path) DO UPDATE SET"
            " step = excluded.step, ordinal = excluded.ordinal, size_bytes = excluded.size_bytes,"
            " mtime_ns = excluded.mtime_ns, inode = excluded.inode, is_folder = excluded.is_folder,"
            " parts = excluded.parts, status = 'present', completed_at = excluded.completed_at",
            (new_id("checkpoint"), run_id, path, step, ordinal, size, mtime_ns, inode, int(is_folder),
             dump(list(parts)), stamp(now)),
        )  # fmt: skip


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
    sql = "SELECT id, checkpoint_id, best_checkpoint_id FROM snapshot WHERE run_id = ? AND status != 'expired'"
    rows = connection.execute(sql, (run_id,))
    for snapshot_id, *sources in rows:
        for source in filter(None, sources):
            taken.setdefault(source, []).append(snapshot_id)
    found: dict[str, tuple[str, ...]] = {}
    for source, ids in taken.items():
        found[source] = (f"source of snapshot {ids[0]}" + (f" and {len(ids) - 1} more" if len(ids) > 1 else ""),)
    sql = "SELECT DISTINCT checkpoint_id FROM deletion WHERE run_id = ? AND status = 'restored'"
    for (restored,) in connection.execute(sql, (run_id,)):  # not thrown away again a minute later
        found[restored] = (*found.get(restored, ()), "brought back from the trash")
    sql = "SELECT p.checkpoint_id, p.why FROM pin p JOIN checkpoint c ON c.id = p.checkpoint_id WHERE c.run_id = ?"
    for checkpoint_id, why in connection.execute(sql, (run_id,)):
        found[checkpoint_id] = (*found.get(checkpoint_id, ()), f"by hand: {why}" if why else "by hand")
    return found


def pin(connection: sqlite3.Connection, checkpoint_id: str, why: str, who: str) -> None:
    """Somebody says that a checkpoint stays; said again, the newer reason counts."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO pin (checkpoint_id, why, who, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (checkpoint_id) DO UPDATE SET why = excluded.why, who = excluded.who",
            (checkpoint_id, redact(why), who, utc_now()),
        )


def unpin(connection: sqlite3.Connection, checkpoint_id: str) -> bool:
    """Take a pin by hand back; False when there was none."""
    with transaction(connection):
        return connection.execute("DELETE FROM pin WHERE checkpoint_id = ?", (checkpoint_id,)).rowcount > 0


def approve_policy(connection: sqlite3.Connection, root: str, policy: str) -> None:
    """The user saw what this policy makes of everything in a folder and agreed: nothing there waits any more."""
    with transaction(connection):
        connection.execute(
            "INSERT INTO thinning (root, policy, since) VALUES (?, ?, ?) ON CONFLICT (root) DO UPDATE SET"
            " policy = excluded.policy, since = excluded.since",
            (root, policy, stamp(_ALWAYS)),
        )


def set_policy(connection: sqlite3.Connection, root: str, policy: str, since: datetime, now: datetime) -> datetime:
    """Since when this policy is in force in a folder: `since` for the first that is seen there, now for a changed one."""
    row = connection.execute("SELECT policy, since FROM thinning WHERE root = ?", (root,)).fetchone()
    if row and row[0] == policy:
        began = datetime.fromisoformat(row[1])
        return began if began == _ALWAYS else max(since, began)
    began = since if row is None else now
    with transaction(connection):
        connection.execute(
            "INSERT INTO thinning (root, policy, since) VALUES (?, ?, ?) ON CONFLICT (root) DO UPDATE SET"
            " policy = excluded.policy, since = excluded.since",
            (root, policy, stamp(began)),
        )
    return began


def plan_deletions(connection: sqlite3.Connection, deletions: Sequence[Deletion]) -> None:
    """Write the journal's lines before anything moves."""
    with transaction(connection):
        connection.executemany(
            "INSERT INTO deletion (id, batch, run_id, checkpoint_id, from_path, trash_path, parts, size_bytes, reason,"
            " status, note, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (d.id, d.batch, d.run_id, d.checkpoint_id, d.from_path, d.trash_path, dump(list(d.parts)), d.size_bytes,
                 d.reason, d.status, d.note, stamp(d.created_at), stamp(d.updated_at))
                for d in deletions
            ],
        )  # fmt: skip


def settle_deletion(connection: sqlite3.Connection, deletion: Deletion) -> None:
    """Write what became of a planned move, and the checkpoint's status with it, in one transaction."""
    with transaction(connection):
        row = connection.execute("SELECT status FROM deletion WHERE id = ?", (deletion.id,)).fetchone()
        stood = row[0] if row else ""
        connection.execute(
            "UPDATE deletion SET status = ?, note = ?, updated_at = ? WHERE id = ?",
            (deletion.status, deletion.note, utc_now(), deletion.id),
        )
        # What was saved anew under its name since is another save: the trash of the old one says nothing of it.
        before, after = _STANDS.get(deletion.status, ("", ""))
        if after and not (deletion.status == "moved" and stood == "emptying"):
            sql = "UPDATE checkpoint SET status = ? WHERE id = ? AND (? = '' OR status = ?)"
            connection.execute(sql, (after, deletion.checkpoint_id, before, before))
        if deletion.status in ("moved", "restored"):  # a snapshot goes the same way, under its own id
            stands = "expired" if deletion.status == "moved" else "done"
            connection.execute("UPDATE snapshot SET status = ? WHERE id = ?", (stands, deletion.checkpoint_id))


def unsettled(connection: sqlite3.Connection) -> list[Deletion]:
    """Moves that were planned and not confirmed, and emptyings that were begun: what a crash leaves."""
    sql = "SELECT * FROM deletion WHERE status IN ('planned', 'emptying') ORDER BY rowid"
    return to_models(Deletion, connection.execute(sql))


def trashed(connection: sqlite3.Connection, batch: str | None = None) -> list[Deletion]:
    """What lies in the trash: one batch, or all, newest first."""
    where, values = ("AND batch = ?", [batch]) if batch else ("", [])
    sql = f"SELECT * FROM deletion WHERE status = 'moved' {where} ORDER BY created_at DESC, rowid DESC"
    return to_models(Deletion, connection.execute(sql, values))


def root_of(connection: sqlite3.Connection, deletion: Deletion) -> str:
    """The project's folder that a deletion was made in."""
    row = connection.execute("SELECT root FROM run WHERE id = ?", (deletion.run_id,)).fetchone()
    return str(row[0]) if row else ""
