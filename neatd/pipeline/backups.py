"""The backups of the records as files, the newest first. Reads names and sizes only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_NAME = re.compile(r"neat-(\d{8}T\d{6})\d*-(.+)\.db")  # as `store/backup.py` writes it


def backup_shapes(home: Path, now: datetime) -> list[dict[str, Any]]:
    """Each {file, label (daily, manual …), at, age_s, size_bytes}. A file that goes away meanwhile is left out."""
    found = [_shape(path, now) for path in sorted((home / "backups").glob("neat-*.db"), reverse=True)]
    return [one for one in found if one]


def _shape(path: Path, now: datetime) -> dict[str, Any]:
    told = _NAME.fullmatch(path.name)
    try:
        status = path.lstat()
    except OSError:
        return {}
    at = datetime.fromtimestamp(status.st_mtime, UTC)
    if told:
        at = datetime.strptime(told[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return {
        "file": str(path), "label": told[2] if told else "", "at": at,
        "age_s": round(max(0.0, (now - at).total_seconds()), 1), "size_bytes": status.st_size,
    }  # fmt: skip
