"""Events of watchdog as hints: "look at this path". An event decides nothing; a lost one is made up by the sweeps.

Folders are watched one by one and not as trees, so that environments, caches and data sets cost no watches. On Linux all
of them are one descriptor and one thread; elsewhere watchdog has a thread for each, hence the cap there.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from neatd.watch.backends import Inotify, Threads
from neatd.watch.hints import Backend, Hints

log = logging.getLogger(__name__)


class Watcher:
    """Keeps the set of watched folders; the hints arrive in `hints`."""

    def __init__(self) -> None:
        self._told = Hints()
        self.hints = self._told.paths
        self._backend = _backend(self._told)
        self._watches: dict[Path, object] = {}
        self.refused: frozenset[Path] = frozenset()  # wanted, and not watched: the sweeps look at them

    def start(self) -> None:
        """Begin to deliver hints."""
        self._backend.start()

    def stop(self) -> None:
        """End all watches; returns when the threads have ended."""
        self._backend.stop()

    @property
    def folders(self) -> frozenset[Path]:
        """What is watched now."""
        return frozenset(self._watches)

    def has_lost(self) -> bool:
        """Whether events were lost since this was asked last."""
        are_lost, self._told.are_lost = self._told.are_lost, False
        return are_lost

    def watch_only(self, folders: Iterable[Path]) -> None:
        """Watch exactly these folders, the first ones up to the cap. One that cannot be watched is left to the sweeps."""
        every = dict.fromkeys(folders)
        wanted = list(every)[: self._backend.most]
        for gone in set(self._watches) - set(wanted):
            self._drop(gone)
        for folder in wanted:
            if folder not in self._watches:
                self._add(folder)
        self.refused = frozenset(every) - self.folders

    def _add(self, folder: Path) -> None:
        try:
            self._watches[folder] = self._backend.add(folder)
        except OSError as error:  # vanished, not ours, or the kernel's limit of watches is reached
            log.info("no events for %s (%s): it is swept instead", folder, error)

    def _drop(self, folder: Path) -> None:
        self._backend.drop(self._watches.pop(folder))

    def lost(self, folder: Path) -> None:
        """Forget the watch on a folder that vanished, so that a new folder of that name is watched anew."""
        if folder in self._watches:
            self._drop(folder)


def _backend(hints: Hints) -> Backend:
    return Inotify(hints) if sys.platform == "linux" else Threads(hints)
