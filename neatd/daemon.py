"""neatd itself: takes the lock, opens the store, watches, and steps the loop until it is told to end.

Nothing is kept here that a SIGKILL could lose: all truth is in the databases and on the disk.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import queue
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from neatd import __version__
from neatd.config import Settings
from neatd.control import log_path
from neatd.doors.page import PageDoor
from neatd.doors.status import StatusDoor
from neatd.errors import NeatError, StoreError
from neatd.files import write_atomic
from neatd.heap import give_back
from neatd.lifesign import lock_path, read_state, state_path
from neatd.locks import FileLock
from neatd.notify import Notifier
from neatd.pipeline.loop import Loop
from neatd.pipeline.memory import shown_memory, thresholds
from neatd.pipeline.scene import Scene
from neatd.pipeline.settingsfile import SettingsFile
from neatd.pipeline.upkeep.keeper import Upkeep
from neatd.pipeline.upkeep.scheduled import local_zone
from neatd.place import neat_home
from neatd.read.checkpoint import RestWatch
from neatd.redact import redact
from neatd.starts import Life, crash_path
from neatd.store.backup import newest_age_h
from neatd.store.connection import database_path
from neatd.store.damage import unreadable
from neatd.store.events import add_mishap
from neatd.store.opening import connect
from neatd.store.thinning import Position, compact
from neatd.watch.observer import Watcher
from neatd.watch.ticks import Ticks
from neatd.who import VARIABLES

log = logging.getLogger(__name__)
HEARTBEAT_S = 20.0
MUCH_S = 0.5  # of the processor between two heartbeats: what such work leaves free is given back. At rest it is 0.05
ALERTS_S = 2.0  # that messages on their way are waited for at the end
COMPACT_EVERY_H, COMPACT_S = 1.0, 0.05
UPKEEP_EVERY_H = 0.2  # maintenance is also woken so often: clocks are put, machines sleep
COMPACT_SHARE = 20  # after t seconds of compacting the next turn of it waits 20 t: five percent of a core
MOST_HINTS = 2000  # a burst is told by its first ones; the sweeps find the rest


def open_scene(home: Path, settings: Settings) -> Scene:
    """The databases open and whole. Raises StoreError when one cannot be read."""
    records = connect(home, "neat")
    try:
        answer = records.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise unreadable(home, database_path(home, "neat"), str(error)) from error
    if answer != "ok":
        raise unreadable(home, database_path(home, "neat"), answer)
    return Scene(home, settings, records, connect(home, "points"), RestWatch(settings.checkpoint_rest_s))


class Daemon:
    """One life of neatd."""

    def __init__(self, home: Path, notifier: Notifier | None = None) -> None:
        self.home = home
        self.notifier = notifier or Notifier()
        self.settings_file = SettingsFile(home)
        self.settings = self.settings_file.current
        self.scene = open_scene(home, self.settings)
        self.watcher = Watcher()
        self.ticks = Ticks()
        self.loop = Loop(self.scene, self.watcher)
        self.door = StatusDoor(self.status)
        self.page = PageDoor(
            home, self.settings.page_address, self.settings.page_port, self.settings.page_hosts,
            is_ready=self.settings.page_ready,
        )  # fmt: skip
        self.is_ending = False
        self.compacted, self.points_gone = Position(), 0
        self.next_compact = float("inf")
        self.upkeep = Upkeep(self.scene)
        self.loop.should_end = lambda: self.is_ending
        self.loop.beat = self.notifier.beat
        self._public: dict[str, Any] = {"projects": [], "roots": [], "runs": 0, "trouble": ""}

    def status(self) -> dict[str, Any]:
        """What the page shows. Called by the page's threads: only hands out what the loop left here."""
        return {"pid": os.getpid(), "version": __version__, "memory": shown_memory(self.scene), **self._public}

    @property
    def _addresses(self) -> dict[str, Any]:
        return {"url": self.page.url, "door": self.door.url}

    def run(self) -> None:
        """Watch until told to end."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._end)
        self.watcher.start()
        self.loop.prepare()
        self.loop._guard("settings", self._take_settings)
        self.loop._guard("maintenance", self.upkeep.prepare)
        self.ticks.every(self.settings.backup_every_h, "backup")
        self.ticks.every(COMPACT_EVERY_H, "compact")
        self.ticks.every(UPKEEP_EVERY_H, "maintenance")
        self.ticks.start()
        self._wake_upkeep()
        self.loop._guard("maintenance", self._back_up_if_old)
        self._publish()
        self.door.open()
        self.page.open()
        self._write_state(self._addresses)
        if self.page.mistake:
            add_mishap(self.scene.records, "page", self.page.mistake, f"page|{self.page.mistake}")
        log.info("watching %d folders at %s", len(self.scene.projects), self.page.url)
        self.notifier.ready(f"watching {len(self.scene.projects)} folders at {self.page.url}")
        self._turn()
        self._close()

    def _turn(self) -> None:
        wait_s, beat, used_s = 0.0, time.monotonic(), 0.0
        while not self.is_ending:
            self.notifier.beat()
            hints = self._hints(wait_s)
            wait_s = self.loop.step(hints)
            self.loop._guard("settings", self._take_settings)
            self._publish()
            while not self.ticks.due.empty():
                due = self.ticks.due.get()
                if due == "backup":
                    self.loop._guard("maintenance", self._back_up_if_old)
                elif due == "maintenance":
                    self._wake_upkeep()
                elif due == "compact":
                    self.next_compact = 0.0
            if time.monotonic() >= self.next_compact:
                self.loop._guard("old points", self._compact)
            if self.upkeep.has_new_file():
                self._wake_upkeep()
            wait_s = min(wait_s, self.loop._guard("maintenance", self.upkeep.step) or 0.0)
            if time.monotonic() - beat > HEARTBEAT_S:
                beat = time.monotonic()
                self._beat()
                before_s, used_s = used_s, time.process_time()
                if used_s - before_s > MUCH_S:
                    give_back()

    def _hints(self, wait_s: float) -> set[Path]:
        """The paths to look at, waited for up to `wait_s` seconds."""
        hints: set[Path] = set()
        try:
            if wait_s > 0:
                hints.add(self.watcher.hints.get(timeout=wait_s))
            while len(hints) < MOST_HINTS:
                hints.add(self.watcher.hints.get_nowait())
        except queue.Empty:
            pass
        return hints

    def _publish(self) -> None:
        projects = self.scene.projects.values()
        self._public = {
            "projects": [
                {"id": p.project.id, "name": p.config.name or p.project.name, "root": str(p.root)} for p in projects
            ],
            "roots": [str(p.root) for p in projects],
            "runs": sum(len(p.runs) for p in projects),
            "trouble": self.scene.trouble,
            "paused": list(self.scene.paused),
            "settings_mistake": self.settings_file.found.told,
        }

    def _end(self, signum: int, frame: object) -> None:
        self.is_ending = True
        self.watcher.hints.put(self.home)  # wakes the loop

    def _close(self) -> None:
        log.info("ending")
        self.notifier.stopping()
        self.page.close()
        self.door.close()
        self.ticks.stop()
        self.watcher.stop()
        self.loop._guard("alerts", self.loop.alerts.finish, ALERTS_S)
        self.loop._guard("maintenance", self.upkeep.stop)
        try:
            self._write_state({"stopped_at": datetime.now(UTC).isoformat()})
        except OSError as error:
            log.error("the state file cannot be written: %s", error)
        self.scene.records.close()
        self.scene.points.close()

    def _beat(self) -> None:
        """Say that the daemon lives, by the state file's time; a file that someone removed is written again."""
        try:
            if read_state(self.home).get("pid") == os.getpid():
                os.utime(state_path(self.home))
            else:
                self._write_state(self._addresses)
        except OSError as error:
            log.error("the state file cannot be written: %s", error)

    def _write_state(self, more: dict[str, Any]) -> None:
        born = psutil.Process().create_time()  # tells this process from a later one with its pid
        state = {"pid": os.getpid(), "born": born, "version": __version__, "home": str(self.home), **more}
        write_atomic(state_path(self.home), json.dumps(state).encode(), mode=0o600)  # it names the door's key

    def _take_settings(self) -> None:
        """Settings that were saved hold from now on, without a restart."""
        before = self.settings
        if not self.settings_file.look(self.scene.clock(), self.scene.records):
            return
        self.settings = self.scene.settings = self.settings_file.current
        self.scene.rest.rest_s = self.settings.checkpoint_rest_s
        if self.scene.memory.watch:
            self.scene.memory.watch.set_thresholds(thresholds(self.settings))
        if self.settings.backup_every_h != before.backup_every_h:
            self.ticks.every(self.settings.backup_every_h, "backup")

    def _back_up_if_old(self) -> None:
        age = newest_age_h(self.home, datetime.now(UTC))
        if age is None or age > self.settings.backup_every_h:
            self.upkeep.want("backup", "missed")

    def _wake_upkeep(self) -> None:
        """What is due is put in the row; the next tick comes when the next job is due."""
        moment = self.loop._guard("maintenance", self.upkeep.wake, datetime.now(local_zone()))
        if moment is not None:
            self.ticks.at(moment, "maintenance")

    def _compact(self) -> None:
        """Thin what is old for a moment, and go on with it in a while as long as there is more."""
        begun, self.next_compact = time.monotonic(), float("inf")  # what fails is tried again in an hour
        scene, days = self.scene, self.settings.compact_after_days
        self.points_gone += compact(scene.points, scene.records, datetime.now(UTC), days, COMPACT_S, self.compacted)
        if self.compacted.has_more:
            self.next_compact = time.monotonic() + COMPACT_SHARE * (time.monotonic() - begun)
        elif self.points_gone:
            log.info("%d points of runs that ended more than %g days ago are no longer kept", self.points_gone, days)
            self.points_gone = 0


def run(home: Path, is_foreground: bool = False, is_service: bool = False) -> None:
    """Run a daemon here and now. Raises NeatError when one is running, StoreError when the store is unreadable."""
    notifier = Notifier.taken_from(os.environ, os.getpid())
    for name in VARIABLES:  # whoever started it, what it does from now on is its own
        os.environ.pop(name, None)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _set_up_log(home, is_foreground)
    lock = FileLock(lock_path(home))
    deadline = time.monotonic() + 2.0
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            raise NeatError(
                f"neatd is already running (pid {read_state(home).get('pid')})", "`neatd status` tells more"
            )
        time.sleep(0.05)
    try:
        with Life(home, __version__, os.getpid(), is_service), _last_words(home):
            Daemon(home, notifier).run()
    finally:
        lock.release()


@contextmanager
def _last_words(home: Path) -> Iterator[None]:
    """A signal that kills, the watchdog's among them, leaves where each thread was; a later start tells it from there."""
    try:
        file = crash_path(home).open("wb")
    except OSError as error:
        log.error("a crash would leave no trace: %s", error)
        yield
        return
    with file:
        faulthandler.enable(file)
        try:
            yield
        finally:
            faulthandler.disable()


class _Formatter(logging.Formatter):
    """Lines of the log without secrets, tracebacks among them."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, where: TracebackType | None = None, *_: object
) -> None:
    """What would end in stderr, which is the log too, goes there by the log's own way."""
    if kind is not SystemExit:
        log.critical("neatd fails", exc_info=(kind, error or kind(), where))


def _set_up_log(home: Path, is_foreground: bool) -> None:
    log_path(home).parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [RotatingFileHandler(log_path(home), maxBytes=5 << 20, backupCount=3, delay=True)]
    if is_foreground:
        handlers.append(logging.StreamHandler())
    logging.raiseExceptions = False  # a full disk must not end a daemon by way of its own log
    for handler in handlers:
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda one: _log_uncaught(*one)
    for name in ("apscheduler", "watchdog", "git"):
        logging.getLogger(name).setLevel(logging.WARNING)


def main() -> None:
    """`python -m neatd.daemon`: the background process that `neatd start` makes."""
    try:
        run(neat_home())
    except (NeatError, StoreError) as error:
        log.error("%s", error)  # its stderr is the log too
        sys.exit(1)


if __name__ == "__main__":
    main()
