"""Where the files of a job lie. Standard library only."""

from __future__ import annotations

from pathlib import Path

FROZEN = "frozen.json"  # command, folder and environment as they were when it was queued
DIFF = "state.diff"  # what was not committed then, packed and without secrets
LOG = "output.log"


def job_folder(home: Path, job_id: str) -> Path:
    """Where a job's spec, start, exit and output lie."""
    return home / "jobs" / job_id
