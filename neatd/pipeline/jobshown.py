"""One job as other programs and people see it: without secrets, with its tries, its files and why it waits."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from neatd.jobs.folder import DIFF, LOG, job_folder
from neatd.models import Job
from neatd.store import jobs

_HIDDEN = {"command", "params"}


def job_shape(records: sqlite3.Connection, home: Path, job: Job) -> dict[str, Any]:
    """Every field of its row, and what belongs to it. `tries` are its earlier and later tries, the first one first."""
    folder = job_folder(home, job.id)
    decision = _decision(records, home, job)
    return {
        "kind": "job", **job.model_dump(exclude=_HIDDEN | {"kind"}), "what": job.kind,
        "command": jobs.shown_command(job), "tries": tries(records, job),
        "waits": decision[0], "until": decision[1],
        "log": str(folder / LOG), "folder": str(folder),
        "diff": str(folder / DIFF) if (folder / DIFF).is_file() else None,
        "run": _run(records, job),
    }  # fmt: skip


def tries(records: sqlite3.Connection, job: Job) -> list[dict[str, Any]]:
    """The chain of jobs of which each tries the one before it again, or goes on with it; [] for a job of one try."""
    sql = "SELECT id, retry_of, status, reason FROM job WHERE id = ? OR retry_of = ? ORDER BY rowid"
    found: dict[str, dict[str, Any]] = {}
    todo = [job.id]
    while todo:
        one = todo.pop()
        for row in records.execute(sql, (one, one)):
            if row["id"] not in found:
                found[row["id"]] = dict(row)
                todo += [name for name in (row["id"], row["retry_of"]) if name]
    order = {row[0]: row[1] for row in records.execute("SELECT id, rowid FROM job WHERE retry_of IS NOT NULL OR id IN"
                                                       " (SELECT retry_of FROM job)")}  # fmt: skip
    chain = sorted(found.values(), key=lambda one: order.get(one["id"], 0))
    return [{key: one[key] for key in ("id", "status", "reason")} for one in chain] if len(chain) > 1 else []


def _decision(records: sqlite3.Connection, home: Path, job: Job) -> tuple[str, str]:
    if job.status != "queued":
        return "", ""
    from neatd.pipeline.waiting import why_waiting

    found = why_waiting(records, home).get(job.id)
    return (found.reason, found.until) if found else ("", "")


def _run(records: sqlite3.Connection, job: Job) -> str | None:
    row = records.execute(
        "SELECT id FROM run WHERE job_id = ? OR (root = ? AND folder = ? AND folder != '')",
        (job.id, job.root, job.run_folder),
    ).fetchone()
    return str(row[0]) if row else None
