"""Alerts on their way: who is told of an event, one message for many of a kind, tries that come later and later.

The loop is never held up: a message is sent by a child process that is looked after in passing. What cannot be sent in
the end is an event, which alerts nobody.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from neatd.actions.alertlog import write_log
from neatd.actions.alertplan import Batch, Kind, Waiting, again_at, due
from neatd.actions.channels import AlertSettings, Channel
from neatd.actions.sending import SEND_S, Message, Sending
from neatd.assist.alerttext import body_of, log_line, title_of
from neatd.models import Alert, Event, Run
from neatd.pipeline.alertsettings import AlertFile
from neatd.pipeline.scene import Scene
from neatd.redact_own import compile_patterns, redact_with
from neatd.store import alerts, events
from neatd.store.alerts import Pending
from neatd.store.connection import transaction

log = logging.getLogger(__name__)
OLDEST = timedelta(days=1)  # what could not be sent for a day is no news
BEFORE = timedelta(minutes=5)  # an event that is so much older than its run is known was not watched
MOST_AT_ONCE = 4  # messages on their way
_GRAVITY = ("info", "warning", "critical")


def _why_no_channel(settings: AlertSettings) -> str:
    """Why an alert goes nowhere but into the log, or nowhere at all."""
    if settings.log:
        return "no channel wants it besides the log" if settings.channels else "no other channel is set up"
    return (
        "no channel wants it, and the log is off" if settings.channels else "no channel is set up, and the log is off"
    )


@dataclass(frozen=True)
class _OnItsWay:
    batch: Batch
    sending: Sending


class Alerting:
    """The daemon's part of alerts. All that counts is in the store: this object may be lost at any moment."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.file = AlertFile(scene.home, scene.records)
        self.send_s, self.most = SEND_S, MOST_AT_ONCE
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._way: dict[Kind, _OnItsWay] = {}
        self._mark: tuple[int, int] | None = None  # of the store, when there was nothing to do
        self._next: datetime | None = None
        self._is_settled = False

    def turn(self, is_sweep: bool) -> None:
        """Do what is due. Each sweep looks at the settings: a mistake in them is told before there is an alert."""
        if not self._is_settled:
            alerts.settle_interrupted(self.scene.records)
            self._is_settled = True
        for kind in list(self._way):
            if self._settle(self._way[kind]):
                del self._way[kind]
        mark = self._store_mark()
        is_due = mark != self._mark or (self._next is not None and self.now() >= self._next)
        if (is_sweep or (is_due and self.file.current)) and self.file.read():
            is_due = True
        if is_due and self.file.current is not None:
            self._ask_who(self.file.current)
            self._send()
            self._mark = mark  # what this wrote itself is looked at again in the next turn

    def finish(self, wait_s: float) -> None:
        """Give what is on its way a moment to arrive, when the daemon ends. The rest is sent once more later."""
        until = time.monotonic() + wait_s
        for one in self._way.values():
            one.sending.finish(max(0.0, until - time.monotonic()))
            if not self._settle(one):
                one.sending.end()

    # ---- who ----

    def _ask_who(self, settings: AlertSettings) -> None:
        found = alerts.asked(self.scene.records)
        if not found:
            return
        lines: list[str] = []
        with transaction(self.scene.records):
            for alert in found:
                lines += self._pass_on(settings, alert)
            if settings.log:  # before the commit: a crash in between writes a line twice, and loses none
                write_log(self.scene.home, lines)
        if lines and settings.bell and sys.stderr.isatty():  # `neatd start --foreground`
            sys.stderr.write("\a")
            sys.stderr.flush()

    def _pass_on(self, settings: AlertSettings, alert: Alert) -> list[str]:
        """The line that tells of it; none for what nobody is told of."""
        event = alerts.event_of(self.scene.records, alert.event_id)
        run = alerts.run_of(self.scene.records, event)
        if reason := self._why_not(event, run):
            alerts.pass_on(self.scene.records, alert, [], reason)
            return []
        name = self._project(event)
        known = tuple(filter(None, (name, event.project_id, run.root if run else "")))
        names = [one.name for one in settings.channels if one.wants(event, known)]
        note = "" if names else _why_no_channel(settings)
        alerts.pass_on(self.scene.records, alert, names, note, is_logged=settings.log)
        return [self._clean(event, log_line(event, run.name if run else "", name))]

    def _why_not(self, event: Event, run: Run | None) -> str:
        if self.now() - event.created_at > OLDEST:
            return "it was not sent within a day"
        if run is not None and max(event.started_at, run.started_at) < run.created_at - BEFORE:
            return "it happened before neat watched the run"
        return ""

    def _project(self, event: Event) -> str:
        live = next((one for one in self.scene.projects.values() if one.project.id == event.project_id), None)
        if live is not None:
            return live.config.name or live.project.name
        return alerts.project_name(self.scene.records, event.project_id)

    # ---- what and when ----

    def _send(self) -> None:
        found = self._fresh(alerts.pending(self.scene.records))
        waiting = [
            Waiting(one.id, kind, _GRAVITY.index(one.severity), one.tries, one.next_at)
            for one in found
            if (kind := (one.channel, one.rule, one.run_id)) not in self._way
        ]
        held = alerts.quiet(self.scene.records, self.now()) if waiting else []
        batches, self._next = due(waiting, held, self.now())
        for batch in batches:
            channel = self.file.channel(batch.kind[0])
            if channel is None:
                alerts.set_alerts(self.scene.records, batch.ids, status="skipped", note="the channel is gone")
            elif len(self._way) >= self.most:
                self._next = self.now()
            else:
                ids = set(batch.ids)
                self._begin(batch, channel, [one for one in found if one.id in ids])

    def _fresh(self, found: list[Pending]) -> list[Pending]:
        """Without what is too old: the daemon was off for days, or a store was put back."""
        old = {one.id for one in found if self.now() - one.created_at > 2 * OLDEST}
        if old:
            alerts.set_alerts(self.scene.records, list(old), status="skipped", note="it was not sent within two days")
        return [one for one in found if one.id not in old]

    def _begin(self, batch: Batch, channel: Channel, some: Sequence[Pending]) -> None:
        event_ids = {one.id: one.event_id for one in some}
        others = [one for one in batch.ids if one != batch.told]
        event = alerts.event_of(self.scene.records, event_ids[batch.told])
        last = alerts.event_of(self.scene.records, event_ids[others[-1]]) if others else event
        run, project = alerts.run_of(self.scene.records, event), self._project(event)
        name = run.name if run else ""
        is_again = any(one.note == alerts.AGAIN for one in some)
        message = Message(
            self._clean(event, title_of(event, name, project)),
            self._clean(event, body_of(event, len(others), last, name, project, is_again)),
            event.severity,
        )
        alerts.set_alerts(self.scene.records, batch.ids, status="sending", tries=batch.tries)
        try:
            self._way[batch.kind] = _OnItsWay(batch, Sending(channel.url, message, self.scene.home, self.send_s))
        except OSError as error:
            self._failed(batch, f"no process could be started: {error.strerror}")

    def _settle(self, one: _OnItsWay) -> bool:
        """Write down how it went; False while it is on its way."""
        why = one.sending.answer()
        if why is None:
            return False
        batch = one.batch
        if why:
            self._failed(batch, why)
            return True
        channel = self.file.channel(batch.kind[0])
        until = self.now() + timedelta(seconds=channel.quiet_s if channel else 0.0)
        alerts.set_sent(self.scene.records, batch.told, [one for one in batch.ids if one != batch.told], until)
        return True

    def _failed(self, batch: Batch, why: str) -> None:
        """Tried again later, or given up."""
        moment = again_at(batch.tries, self.now())
        if moment is not None:
            alerts.set_alerts(self.scene.records, batch.ids, status="pending", next_at=moment, note=why)
        else:
            alerts.set_alerts(self.scene.records, batch.ids, status="failed", note=why)
            self._tell_failed(batch, why)

    def _tell_failed(self, batch: Batch, why: str) -> None:
        channel, rule, run_id = batch.kind
        what = f"the alert of {rule}" + (f" and {len(batch.ids) - 1} more" if len(batch.ids) > 1 else "")
        message = f"{what} could not be sent by channel {channel}, tried {batch.tries} times: {why}"
        log.warning("%s", message)
        run = next((live.run for _, live in self.scene.live_runs() if live.run.id == run_id), None)
        project_id = run.project_id if run else None
        key = f"alert-failed|{batch.told}"
        events.add_mishap(
            self.scene.records, "alert-failed", message, key, "warning", project_id, run.id if run else None
        )

    def _clean(self, event: Event, text: str) -> str:
        """Without secrets, those of the project's own patterns too."""
        live = next((one for one in self.scene.projects.values() if one.project.id == event.project_id), None)
        return redact_with(compile_patterns(live.config.secrets) if live else (), text)

    def _store_mark(self) -> tuple[int, int]:
        """Changes with every commit to neat.db, whoever made it. A few microseconds."""
        records = self.scene.records
        return records.total_changes, int(records.execute("PRAGMA data_version").fetchone()[0])
