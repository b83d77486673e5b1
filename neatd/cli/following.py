"""`neat events --follow`: each new event once, in order, one line each, for as long as somebody listens.

An assistant makes a notification of each line, so a line is whole, flushed at once, and holds nothing that tells a
terminal what to do. It ends with whoever reads it or started it, and costs next to nothing while nothing happens.
"""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from neatd.actions.channels import load_alerts
from neatd.assist.render import flat, when
from neatd.cli.common import Open
from neatd.errors import NeatError
from neatd.lineage import on_starter_death
from neatd.models import Event, Run
from neatd.pipeline.showing import event_shape, json_text
from neatd.redact_own import redactor
from neatd.store import alerts, events, runs
from neatd.store.connection import database_path
from neatd.store.damage import is_damage, unreadable
from neatd.store.eventlog import EventLog, Mark, Wanted, newest

LOOK_S = 0.5
SAID_AFTER_S = 5.0  # out of reach for so long, the store is spoken of
PATIENCE_S = 300.0  # a store may be locked, or moved away to be put back
_LONGEST = 600  # characters of a message; `neat show` has all of it

Line = Callable[[sqlite3.Connection, Event], str]


def follow(opened: Open, wanted: Wanted, since: Mark | None, as_json: bool) -> None:
    """Print events until nobody listens any more. Raises NeatError where the store cannot be read."""
    if sys.stdout is None:  # closed from the beginning
        return
    on_starter_death(_leave)
    signal.signal(signal.SIGTERM, _end)
    listener, line, bell = Listener(sys.stdout.fileno()), _line(opened, as_json), _bell(opened)
    mark = since or newest(opened.records)
    opened.records.close()  # of the two only this module's own connection stays open, and it only reads
    opened.points.close()
    patience = Patience(opened)
    with closing(EventLog(database_path(opened.home, "neat"), wanted, mark)) as log:
        while True:
            try:
                for connection, event in log.new():
                    listener.tell(line(connection, event))
                    bell(connection, event)
                patience.renew()
            except sqlite3.Error as error:
                log.close()
                patience.wear(error)
            if listener.is_gone_within(LOOK_S):
                return


class Patience:
    """How long a store that cannot be read is waited for."""

    def __init__(self, opened: Open) -> None:
        self._home, self._since, self._is_said = opened.home, 0.0, False

    def renew(self) -> None:
        self._since, self._is_said = 0.0, False

    def wear(self, error: sqlite3.Error) -> None:
        """Raises NeatError for damage at once, for anything else after a while."""
        path = database_path(self._home, "neat")
        if is_damage(error):
            raise unreadable(self._home, path, str(error)) from error
        self._since = self._since or time.monotonic()
        waited_s = time.monotonic() - self._since
        if waited_s > PATIENCE_S:
            hint = "`neat doctor` checks the store; follow again when it is back"
            raise NeatError(f"the store could not be read for {waited_s:.0f} s: {path}: {error}", hint) from error
        if waited_s > SAID_AFTER_S and not self._is_said:
            self._is_said = True
            click.echo(f"note: the store is out of reach and waited for: {path}: {error}", err=True)


class Listener:
    """Whoever reads our stdout."""

    def __init__(self, handle: int) -> None:
        self._handle, self._encoding = handle, sys.stdout.encoding or "utf-8"
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll:
            self._poll.register(handle, 0)  # a hang-up is told unasked

    def tell(self, line: str) -> None:
        """Write one line, past Python's buffer: nothing is left in it to wait for a slow reader when this process ends."""
        data = f"{line}\n".encode(self._encoding, "replace")
        while data:
            data = data[os.write(self._handle, data) :]

    def is_gone_within(self, seconds: float) -> bool:
        """Wait; True as soon as nobody can read any more, where the system tells."""
        if self._poll is None:
            time.sleep(seconds)
            return False
        for _, told in self._poll.poll(seconds * 1000):
            if told & (select.POLLHUP | select.POLLERR):
                return True
            self._poll = None  # the system cannot watch such a file
        return False


def _line(opened: Open, as_json: bool) -> Line:
    """How an event is said: redacted, and flat in every text."""
    hide = redactor(opened.root)

    def text(connection: sqlite3.Connection, event: Event) -> str:
        run = _run(connection, event)
        message = flat(hide(event.message))
        if len(message) > _LONGEST:
            message = message[: _LONGEST - 1] + "…"
        what = flat(hide(f"{event.severity} {event.rule}{f' in {run.name}' if run else ''}"))
        return f"{when(event.started_at)} {what}: {message} ({event.id[:9]})"

    def shape(connection: sqlite3.Connection, event: Event) -> str:
        taken = events.snapshots(connection, run_id=event.run_id) if event.run_id else []
        snapshot = next((one for one in taken if one.event_id == event.id), None)
        run = _run(connection, event)
        made = event_shape(event, snapshot, run.folder if run else "")
        return json_text({name: _clean(hide, value) for name, value in made.items()})

    return shape if as_json else text


def _bell(opened: Open) -> Callable[[sqlite3.Connection, Event], None]:
    """Rings for an event that alerts, where alerts.yaml wants it: on stderr, and only in a terminal. Lines are as ever."""
    is_wanted = sys.stderr is not None and sys.stderr.isatty() and load_alerts(opened.home).bell

    def ring(connection: sqlite3.Connection, event: Event) -> None:
        if is_wanted and alerts.has_alert(connection, event.id):
            sys.stderr.write("\a")
            sys.stderr.flush()

    return ring


def _clean(hide: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _clean(hide, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_clean(hide, one) for one in value]
    return flat(hide(value)) if isinstance(value, str) else value


def _run(connection: sqlite3.Connection, event: Event) -> Run | None:
    try:
        return runs.get_run(connection, event.run_id) if event.run_id else None
    except NeatError:
        return None  # the event is told without it


def _leave() -> None:
    os._exit(0)  # the main thread may hang in a pipe that nobody reads


def _end(number: int, frame: object) -> None:
    raise SystemExit(0)
