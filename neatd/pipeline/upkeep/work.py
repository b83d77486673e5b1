"""What a job of maintenance is given, and what it gives: steps in between, an outcome in the end.

A job is a generator: between two steps others have their turn, and it can be ended. What moves files of a user goes in
steps of the loop itself, whose journal has one writer; what only reads, or takes long in one piece, goes beside it with
connections of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from neatd.config import ProjectConfig, Settings
from neatd.rules.maintenance import ScheduledJob


class Watched(NamedTuple):
    """A watched folder as a job sees it."""

    project_id: str
    name: str
    root: Path
    config: ProjectConfig


class Outcome(NamedTuple):
    """How a job ended. `details` hold before_bytes, after_bytes and freed_bytes where it is about room."""

    summary: str
    details: Mapping[str, Any] = {}
    is_bad: bool = False


@dataclass(frozen=True)
class Work:
    """All that a job may use."""

    home: Path
    settings: Settings
    records: sqlite3.Connection
    points: sqlite3.Connection
    job: ScheduledJob
    watched: Sequence[Watched]
    now: datetime
    should_end: Callable[[], bool]  # for what waits inside a step


Steps = Generator[str, None, Outcome]  # each step says how far it has come


class Room(NamedTuple):
    """Bytes before and after."""

    before: int
    freed: int

    @property
    def details(self) -> dict[str, int]:
        return {"before_bytes": self.before, "after_bytes": self.before - self.freed, "freed_bytes": self.freed}
