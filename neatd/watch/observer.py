"""watchdog's events as hints: "look at this path". An event decides nothing; a lost one is made up by the sweeps.

Folders are watched one by one and not as trees, so that environments, caches and data sets cost no watches. Each
watch has a thread of watchdog's, hence the cap.
"""

from __future__ import annotations

import logging
import os
import queue
from collections.abc import Iterable
from pathlib import Path

from watchdog.events import FileClosedNoWriteEvent, FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

log = logging.getLogger(__name__)
MOST_WATCHES = 128


class _Hints(FileSystemEventHandler):
    """Puts the path of every change into the queue; reading a file is not a change."""

    def __init__(self, hints: queue.SimpleQueue[Path]) -> None:
        self._hints = hints

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent):
            return
        for name in (event.src_path, event.dest_path):
            if name:
                self._hints.put(Path(os.fsdecode(name)))


class Watcher:
    """Keeps the set of watched folders; the hints arrive in `hints`."""

    def __init__(self) -> None:
        self.hints: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._handler = _Hints(self.hints)
        self._observer = Observer()
        self._watches: dict[Path, ObservedWatch] = {}

    def start(self) -> None:
        """Begin to deliver hints."""
        self._observer.start()

    def stop(self) -> None:
        """End all watches; returns when the threads have ended."""
        self._observer.stop()
        self._observer.join(timeout=5)

    @property
    def folders(self) -> frozenset[Path]:
        """What is watched now."""
        return frozenset(self._watches)

    def watch_only(self, folders: Iterable[Path]) -> None:
        """Watch exactly these folders, the first ones up to the cap. One that cannot be watched is left to the sweeps."""
        wanted = list(dict.fromkeys(folders))[:MOST_WATCHES]
        for gone in set(self._watches) - set(wanted):
            self._drop(gone)
        for folder in wanted:
            if folder not in self._watches:
                self._add(folder)

    def _add(self, folder: Path) -> None:
        try:
            self._watches[folder] = self._observer.schedule(self._handler, str(folder), recursive=False)
        except OSError as error:  # vanished, not ours, or the kernel's limit of watches is reached
            log.info("no events for %s (%s): it is swept instead", folder, error)

    def _drop(self, folder: Path) -> None:
        watch = self._watches.pop(folder)
        try:
            self._observer.unschedule(watch)
        except (KeyError, OSError) as error:
            log.debug("watch on %s was gone already: %s", folder, error)

    def lost(self, folder: Path) -> None:
        """Forget the watch on a folder that vanished, so that a new folder of that name is watched anew."""
        if folder in self._watches:
            self._drop(folder)
