"""What lies in the trash by the batch, as the page shows it; `neat retention undo --list` lists the same."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

from neatd.models import Deletion
from neatd.pipeline.undoing import Wanted, listed


def batch_shapes(
    records: sqlite3.Connection, project_id: str | None, most: int = 20, wanted: Wanted | None = None
) -> dict[str, Any]:
    """{batches, more, checkpoints, bytes}: the newest `most` batches, how many are older, and all of the trash in numbers."""
    found = listed(records, project_id, wanted or Wanted())
    batches: dict[str, list[Deletion]] = {}
    for one in found:
        batches.setdefault(one.batch, []).append(one)
    newest = list(batches.items())[:most]
    names = _names(records, {one.run_id for _, ones in newest for one in ones})
    return {
        "batches": [_shape(batch, ones, names) for batch, ones in newest], "more": len(batches) - len(newest),
        "checkpoints": len(found), "bytes": sum(one.size_bytes for one in found),
    }  # fmt: skip


def _shape(batch: str, ones: Sequence[Deletion], names: dict[str, str]) -> dict[str, Any]:
    return {
        "batch": batch, "since": min(one.created_at for one in ones), "checkpoints": len(ones),
        "bytes": sum(one.size_bytes for one in ones),
        "runs": [{"id": run_id, "name": names.get(run_id, run_id)} for run_id in dict.fromkeys(one.run_id for one in ones)],
        "reasons": [{"reason": why, "checkpoints": count} for why, count in Counter(o.reason for o in ones).most_common()],
        "first": ones[-1].from_path, "last": ones[0].from_path,
    }  # fmt: skip


def _names(records: sqlite3.Connection, run_ids: set[str]) -> dict[str, str]:
    sql = "SELECT run.id, run.name FROM json_each(?) j JOIN run ON run.id = j.value"
    return dict(records.execute(sql, (json.dumps(sorted(run_ids)),)).fetchall())
