"""How systems tell of changes, by watchdog: on Linux all folders on one descriptor, elsewhere a thread for each.

An overflow of the kernel's queue is told and not passed over.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import reduce
from operator import or_
from pathlib import Path

from watchdog.events import FileClosedNoWriteEvent, FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from neatd.watch.hints import Hints

if sys.platform == "linux":
    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyConstants,
        InotifyEvent,
        InotifyFD,
        Mask,
        WatchDescriptor,
    )

log = logging.getLogger(__name__)

# Reading and opening a file is no change of it.
_CHANGES = (
    InotifyConstants.IN_MODIFY, InotifyConstants.IN_CLOSE_WRITE, InotifyConstants.IN_CREATE, InotifyConstants.IN_DELETE,
    InotifyConstants.IN_MOVED_FROM, InotifyConstants.IN_MOVED_TO, InotifyConstants.IN_DELETE_SELF,
    InotifyConstants.IN_MOVE_SELF,
)  # fmt: skip
_MASK = Mask(reduce(or_, _CHANGES))
_ID = CallbackId(1)


class _Folder:
    """The callback of one watched folder."""

    def __init__(self, path: Path, hints: Hints) -> None:
        self.path = path
        self.descriptor: WatchDescriptor | None = None
        self._hints = hints

    def on_event(self, event: InotifyEvent) -> None:
        self._hints.paths.put(self.path / os.fsdecode(event.name) if event.name else self.path)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        self.descriptor = None
        self._hints.paths.put(self.path)

    def on_queue_overflow(self) -> None:
        self._hints.lose()


class Inotify:
    """One descriptor, one thread, a watch for each folder."""

    most = 100_000  # the kernel's own limit is smaller as a rule, and says so

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._descriptor = InotifyFD()
        self._has_started = False

    def start(self) -> None:
        """Begin to deliver hints."""
        self._descriptor.start()
        self._has_started = True

    def stop(self) -> None:
        """End all watches; returns when the thread has ended."""
        self._descriptor.stop()
        if self._has_started:
            self._descriptor.join(timeout=5)

    def add(self, folder: Path) -> object:
        """Watch a folder; raises OSError when it cannot be."""
        watch = _Folder(folder, self._hints)
        watch.descriptor = self._descriptor.add_callback(os.fsencode(folder), _MASK, watch, _ID)
        return watch

    def drop(self, watch: object) -> None:
        """End one watch, which may have ended by itself."""
        assert isinstance(watch, _Folder)
        if watch.descriptor is not None:
            self._descriptor.remove_callbacks([(watch.descriptor, _ID)])


class _Handler(FileSystemEventHandler):
    """Puts the path of every change into the queue; reading a file is not a change."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent):
            return
        for name in (event.src_path, event.dest_path):
            if name:
                self._hints.paths.put(Path(os.fsdecode(name)))


class Threads:
    """Watchdog's own observer."""

    most = 128  # each is a thread

    def __init__(self, hints: Hints) -> None:
        self._handler = _Handler(hints)
        self._observer = Observer()

    def start(self) -> None:
        """Begin to deliver hints."""
        self._observer.start()

    def stop(self) -> None:
        """End all watches; returns when the threads have ended."""
        self._observer.stop()
        self._observer.join(timeout=5)

    def add(self, folder: Path) -> object:
        """Watch a folder; raises OSError when it cannot be."""
        return self._observer.schedule(self._handler, str(folder), recursive=False)

    def drop(self, watch: object) -> None:
        """End one watch, which may have ended by itself."""
        assert isinstance(watch, ObservedWatch)
        try:
            self._observer.unschedule(watch)
        except (KeyError, OSError) as error:
            log.debug("watch on %s was gone already: %s", watch.path, error)
