"""What a backend of the watcher tells, and what it is asked."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Protocol


class Backend(Protocol):
    """How a system tells of changes in folders."""

    most: int  # folders that may be watched at once

    def start(self) -> None:
        """Begin to deliver hints."""

    def stop(self) -> None:
        """End all watches; returns when the threads have ended."""

    def add(self, folder: Path) -> object:
        """Watch a folder; raises OSError when it cannot be."""

    def drop(self, watch: object) -> None:
        """End one watch, which may have ended by itself."""


class Hints:
    """What the threads of a backend tell: paths to look at, and whether some were lost."""

    def __init__(self) -> None:
        self.paths: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self.are_lost = False

    def lose(self) -> None:
        """Events were dropped: everything has to be looked at. The path wakes who waits and leads nowhere."""
        self.are_lost = True
        self.paths.put(Path())
