"""What takes the room: now, at the last report, and what maintenance freed in between. Reads only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from neatd.assist.render import size
from neatd.pipeline.upkeep.work import Outcome, Steps, Watched, Work
from neatd.store import maintenance
from neatd.store.sizes import database_bytes, folder_bytes

GIB = 1 << 30
SHORT_SHARE = 0.05  # of a disk: a small one is not short all the time


def report_disk(work: Work) -> Steps:
    """A folder a step."""
    parts: dict[str, int] = {
        "neat.db": database_bytes(work.home, "neat"),
        "points.db": database_bytes(work.home, "points"),
    }
    for name in ("backups", "logs", "jobs", "knowledge"):
        yield name
        parts[name] = folder_bytes(work.home / name)
    projects: dict[str, dict[str, int]] = {}
    for watched in work.watched:
        if watched.root.is_dir():
            yield str(watched.root)
            projects[str(watched.root)] = _project_bytes(work, watched)
    after = sum(parts.values()) + sum(sum(one.values()) for one in projects.values())
    last = next((one for one in maintenance.history(work.records, work.job.name) if "after_bytes" in one.details), None)
    before = int(last.details["after_bytes"]) if last else after
    freed = maintenance.freed_since(work.records, last.started_at) if last else 0
    disks = list(_disks(work))
    details = {
        "before_bytes": before, "after_bytes": after, "freed_bytes": 0, "freed_since_bytes": freed,
        "since": last.started_at.isoformat() if last else None, "home": parts, "projects": projects, "disks": disks,
    }  # fmt: skip
    return Outcome(_said(before, after, freed, disks, last is None), details)


def _said(before: int, after: int, freed: int, disks: list[dict[str, object]], is_first: bool) -> str:
    then = "" if is_first else f"; at the last report {size(before)}, freed since {size(freed)}"
    free = ", ".join(
        f"{size(float(str(one['free_bytes'])))} free of {size(float(str(one['total_bytes'])))}" for one in disks
    )
    return f"{size(after)} in checkpoints, snapshots, trash and the store{then}; {free}"


def _project_bytes(work: Work, watched: Watched) -> dict[str, int]:
    """By the catalogue and the journal; a walk over all the weights of a project would take minutes on a network disk."""
    root = str(watched.root)
    return {name: int(work.records.execute(sql, (root,)).fetchone()[0]) for name, sql in _SQL.items()}


_SQL = {
    "checkpoints": "SELECT COALESCE(sum(c.size_bytes), 0) FROM checkpoint c JOIN run r ON r.id = c.run_id"
    " WHERE r.root = ? AND c.status = 'present'",
    "snapshots": "SELECT COALESCE(sum(s.size_bytes), 0) FROM snapshot s JOIN run r ON r.id = s.run_id"
    " WHERE r.root = ? AND s.status = 'done'",
    "trash": "SELECT COALESCE(sum(d.size_bytes), 0) FROM deletion d JOIN run r ON r.id = d.run_id"
    " WHERE r.root = ? AND d.status = 'moved'",
}


def _disks(work: Work) -> Iterator[dict[str, object]]:
    """Each file system once."""
    seen = set()
    for path in (work.home, *(one.root for one in work.watched)):
        try:
            device, usage = path.stat().st_dev, shutil.disk_usage(path)
        except OSError:
            continue
        if device not in seen:
            seen.add(device)
            yield {"path": str(path), "total_bytes": usage.total, "used_bytes": usage.used, "free_bytes": usage.free}


def is_short(folder: Path, free_gib: float) -> bool:
    """Whether less room is left around `folder` than is wanted: so many GiB, or a twentieth of a small disk."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return False
    return usage.free < min(free_gib * GIB, SHORT_SHARE * usage.total)
