"""alerts.yaml as the daemon has it: read again when it changed. A mistake is an event, and the last good ones stay."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from neatd.actions.channels import AlertSettings, Channel, alerts_path, load_alerts
from neatd.errors import ConfigError
from neatd.store import events

log = logging.getLogger(__name__)
AT_REST_S = 1.0  # a file with a mistake that was written since may be half of what it is to be


class AlertFile:
    """The settings in force."""

    def __init__(self, home: Path, records: sqlite3.Connection) -> None:
        self.current: AlertSettings | None = None  # None: not read yet, or never without a mistake
        self._home, self._records = home, records
        self._stamp: tuple[int, int] | None = None

    def read(self) -> bool:
        """Read them if they changed. True where there are other ones now."""
        stamp = _stamp(alerts_path(self._home))
        if self.current is not None and stamp == self._stamp:
            return False
        try:
            self.current, self._stamp = load_alerts(self._home), stamp
        except ConfigError as error:
            is_written = 0 <= datetime.now(UTC).timestamp() - stamp[0] / 1e9 < AT_REST_S
            if stamp != self._stamp and not is_written:
                self._tell(error, stamp)
                self._stamp = stamp
            return False
        return True

    def channel(self, name: str) -> Channel | None:
        """A channel by its name; None for one that is not there any more."""
        return next((one for one in self.current.channels if one.name == name), None) if self.current else None

    def _tell(self, error: ConfigError, stamp: tuple[int, int]) -> None:
        message = f"{error.message}; {'the last good settings stay' if self.current else 'alerts wait for it'}"
        log.warning("alerts: %s", message)
        events.add_mishap(self._records, "alerts-mistake", message, f"alerts-mistake|{message}|{stamp}")


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
