"""A job in a thread of its own, with connections of its own: the loop goes on, and only asks whether it is over."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from neatd.errors import NeatError
from neatd.pipeline.upkeep.work import Outcome, Steps
from neatd.store.connection import database_path, open_connection
from neatd.store.damage import damaged_path, is_damage, unreadable

FAILURES = (NeatError, OSError, sqlite3.Error)
BROKE_OFF = Outcome("it broke off; `neatd logs` tells where", is_bad=True)


def failed(error: BaseException) -> Outcome:
    """What went wrong, in words."""
    if isinstance(error, NeatError):
        return Outcome(f"{error.message}; {error.hint}" if error.hint else error.message, is_bad=True)
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return Outcome(f"{error.strerror or error}{where}", is_bad=True)
    return Outcome(f"the store answers: {error}", is_bad=True)


class Beside(threading.Thread):
    """One run of one job. What it says while it runs is in `said`, how it ended in `outcome`."""

    def __init__(
        self, home: Path, name: str, steps_of: Callable[[sqlite3.Connection, sqlite3.Connection], Steps]
    ) -> None:
        super().__init__(name=f"maintenance: {name}", daemon=True)
        self._home, self._steps_of = home, steps_of
        self._is_told_to_end = threading.Event()
        self.said = ""
        self.outcome: Outcome | None = None  # None after its end: it broke off, or was ended
        self.error: Exception | None = None

    def run(self) -> None:
        """Called by the thread."""
        try:
            with closing(self._opened("neat")) as records, closing(self._opened("points")) as points:
                self.outcome = self._drained(self._steps_of(records, points))
        except FAILURES as error:
            self.error = self._named(error)
            self.outcome = failed(self.error)

    def _opened(self, name: str) -> sqlite3.Connection:
        """The daemon has made both: one that is gone is not made anew here, behind its back."""
        return open_connection(database_path(self._home, name), name)

    def _named(self, error: Exception) -> Exception:
        """A broken file by its name, with what to do about it."""
        if not isinstance(error, sqlite3.Error) or not is_damage(error):
            return error
        return unreadable(self._home, damaged_path(self._home), str(error))

    def _drained(self, steps: Steps) -> Outcome | None:
        with closing(steps):
            while not self._is_told_to_end.is_set():
                try:
                    self.said = next(steps)
                except StopIteration as end:
                    outcome: Outcome = end.value
                    return outcome
        return None

    def should_end(self) -> bool:
        """Asked within long steps."""
        return self._is_told_to_end.is_set()

    def end(self, wait_s: float) -> None:
        """Tell it to end, and wait for it so long."""
        self._is_told_to_end.set()
        self.join(wait_s)
