"""A job of maintenance that somebody asks for: `neat maintain JOB`, and "Run now" on the page."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from neatd.pipeline.upkeep.scheduled import find_job
from neatd.store import requests

KIND = "maintain"


def ask(records: sqlite3.Connection, home: Path, name: str) -> str:
    """Put down the request for a job of the schedule; returns its id. Raises NeatError where there is no such job."""
    job = find_job(home, name)
    return requests.ask(records, KIND, None, {"job": job.name})
