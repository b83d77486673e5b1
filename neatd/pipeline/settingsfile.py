"""settings.yaml under NEAT_HOME as it is in force: with a mistake the last text without one, also after a restart.

A typo never keeps the daemon from its work, and never passes in silence: an event, `neatd status` and `neat doctor` name file,
line and field. The file is read again when it was saved. Invariant: what is kept as the last good text was in force.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from neatd.config import LARGEST_FILE, Settings, load_settings, load_yaml, settings_path
from neatd.errors import ConfigError
from neatd.files import read_small, write_atomic
from neatd.redact import redact
from neatd.store import events

log = logging.getLogger(__name__)
LOOK_S = 5.0  # between two looks at the file
AT_REST_S = 1.0  # a file with a mistake that was written since may be half of what it is to be


class InForce(NamedTuple):
    """The settings that hold, and what is wrong with the file; None when nothing is. `is_kept`: the last good text."""

    settings: Settings
    mistake: ConfigError | None = None
    is_kept: bool = False

    @property
    def told(self) -> str:
        """What is wrong, with file and line, and what holds meanwhile; "" when nothing is."""
        if self.mistake is None:
            return ""
        holds = "the last good settings hold" if self.is_kept else "the defaults hold"
        return redact(f"{self.mistake.message}; {holds}")


def in_force(home: Path) -> InForce:
    """What a start takes now. Writes nothing, and raises nothing for what the file holds."""
    try:
        return InForce(load_settings(home))
    except ConfigError as error:
        kept = _last_good(home)
        return InForce(kept or Settings(), error, kept is not None)


def _last_good(home: Path) -> Settings | None:
    try:
        return load_yaml(_kept_path(home), Settings)
    except ConfigError:  # there is none, or it is of a version that took other fields
        return None


def _keep_good(home: Path) -> None:
    """Keep the file as it is now, for the time when it has a mistake. Who cannot write it goes on without."""
    path, kept = settings_path(home), _kept_path(home)
    try:
        if not path.exists():
            kept.unlink(missing_ok=True)
            return
        text = read_small(path, LARGEST_FILE)
        if not kept.exists() or kept.read_bytes() != text:
            write_atomic(kept, text)
    except OSError as error:  # a full disk: the daemon's own work says so too
        log.error("the settings cannot be kept: %s", error)


def _kept_path(home: Path) -> Path:
    return home / "good_rules" / settings_path(home).name


class SettingsFile:
    """The daemon's settings over its life."""

    def __init__(self, home: Path) -> None:
        self._home, self._stamp, self._next_look = home, _stamp(settings_path(home)), 0.0
        self._told_stamp: object = None
        self.found = in_force(home)
        if self.found.mistake is None:
            _keep_good(home)

    @property
    def current(self) -> Settings:
        """Those in force."""
        return self.found.settings

    def look(self, now: float, records: sqlite3.Connection) -> bool:
        """Look at the file when its time (monotonic seconds) has come; tell of a mistake. True: other settings hold now."""
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_S
        stamp, before = _stamp(settings_path(self._home)), self.current
        if stamp != self._stamp:
            self._read(stamp)
        if self.found.mistake and stamp != self._told_stamp and not 0 <= time.time() - stamp[0] / 1e9 < AT_REST_S:
            self._tell(records, stamp)
        return self.current != before

    def _read(self, stamp: tuple[int, int, int]) -> None:
        """Read it anew: a mistake leaves in force what was."""
        found = in_force(self._home)
        if found.mistake is None:
            self.found = found
            _keep_good(self._home)
            log.info("settings: taken from %s", settings_path(self._home))
        else:
            is_kept = self.found.is_kept or self.found.mistake is None
            self.found = InForce(self.current, found.mistake, is_kept)
        self._stamp = stamp

    def _tell(self, records: sqlite3.Connection, stamp: tuple[int, int, int]) -> None:
        mistake = self.found.mistake
        message = f"{self.found.told}; {mistake.hint if mistake else ''}"
        log.warning("settings: %s", message)
        key = f"settings-mistake|{settings_path(self._home)}|{stamp}"  # once for each state of the file
        events.add_mishap(records, "settings-mistake", message, key)
        self._told_stamp = stamp  # only now: what could not be kept is told again


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino
