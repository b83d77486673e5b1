"""Maintenance in the daemon: what is due is put in a row, one job runs at a time, and how it ended is written down.

Ticks only wake it; what is due is decided by `rules/maintenance.py` from what the store holds, so nothing is lost by a crash or
a Ctrl-C. It never holds the loop up: a job that moves files has a few hundredths of a second at a time, others have a
thread. Invariant: a job that runs has its row; a row that still runs at the start is interrupted.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import sqlite3
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from neatd.errors import StoreError
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep.beside import BROKE_OFF, FAILURES, Beside, failed
from neatd.pipeline.upkeep.disk import is_short
from neatd.pipeline.upkeep.scheduled import keep_good, load_schedule, schedule_path
from neatd.pipeline.upkeep.table import CALLS, is_beside, steps_of
from neatd.pipeline.upkeep.work import Outcome, Steps, Watched, Work
from neatd.rules.maintenance import Schedule, ScheduledJob, due, next_run, next_wake
from neatd.store import checkpoints, events, maintenance, requests
from neatd.store.short import new_id

log = logging.getLogger(__name__)
BUDGET_S = 0.03  # of the loop's time for steps in one turn
PAUSE_S = 0.03  # between two turns with steps
FILE_LOOK_S = 5.0  # between two looks at the user's file
LOOK_S = 0.25  # whether what runs beside is over
TELL_S = 1.0  # how far it has come is written down no more often
END_S = 10.0  # that what runs beside has to end
LATE = timedelta(minutes=15)  # what comes later than that was missed
RELIEF = timedelta(hours=1)  # between two emptyings for want of room


class Wanted(NamedTuple):
    """A run of a job that was put in the row."""

    id: str
    job: str
    cause: str
    is_asked: bool = False  # the id is a request's


class Running:
    """The job that runs."""

    def __init__(self, wanted: Wanted, steps: Steps | None, beside: Beside | None) -> None:
        self.wanted, self.steps, self.beside = wanted, steps, beside
        self.said, self.next_tell = "", 0.0


class Upkeep:
    """The daemon's maintenance."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.schedule = Schedule()
        self.waiting: deque[Wanted] = deque()
        self.running: Running | None = None
        self._file_stamp: object = None
        self._next_look = 0.0

    # ---- what is due ----

    def prepare(self) -> None:
        """What a start needs: jobs that the last life did not end are said to be interrupted."""
        maintenance.settle_interrupted(self.scene.records)

    def wake(self, now: datetime) -> datetime | None:
        """Put in the row what is due at `now`, an aware local time; returns when to wake it next."""
        self._reload()
        last = self._last_runs()
        for name in due(self.schedule, last, now):
            self.want(name, self._cause(name, last[name], now))
        self._relieve(last, now)
        return next_wake(self.schedule, last, now)

    def want(self, name: str, cause: str) -> None:
        """Put a job in the row, unless it waits or runs already."""
        is_running = self.running is not None and self.running.wanted.job == name
        if not is_running and all(one.job != name for one in self.waiting):
            self.waiting.append(Wanted(new_id("request"), name, cause))

    def _cause(self, name: str, last: datetime, now: datetime) -> str:
        job = self.schedule.get(name)
        assert job is not None
        came = next_run(job.cron, last.astimezone(now.tzinfo))
        return "missed" if came is None or now.astimezone(UTC) - came.astimezone(UTC) > LATE else "schedule"

    def _last_runs(self) -> dict[str, datetime]:
        records = self.scene.records
        last = maintenance.last_runs(records, CALLS)
        unseen = [one.name for one in self.schedule.jobs if one.name not in last]
        if unseen:
            maintenance.note_seen(records, unseen)
            last = maintenance.last_runs(records, CALLS)
        return last

    def _relieve(self, last: dict[str, datetime], now: datetime) -> None:
        """A disk that runs full does not wait for the hour in which the trash is emptied."""
        job = self.schedule.get("trash")
        if job is None or not job.enabled or now.astimezone(UTC) - last["trash"].astimezone(UTC) < RELIEF:
            return
        roots = {one.root for one in self.scene.projects.values() if is_short(one.root, job.free_gib)}
        in_trash = [Path(one.from_path) for one in checkpoints.trashed(self.scene.records)] if roots else []
        if any(root in path.parents for path in in_trash for root in roots):
            self.want("trash", "disk")

    def has_new_file(self) -> bool:
        """Whether the user's file is another one than when it was read; looked at every few seconds."""
        now = self.scene.clock()
        if now < self._next_look:
            return False
        self._next_look = now + FILE_LOOK_S
        return self._stamp() != self._file_stamp

    def _stamp(self) -> object:
        try:
            status = schedule_path(self.scene.home).stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _reload(self) -> None:
        """The schedule as its files say it now; a mistake is an event, once for each state of the file."""
        path, stamp = schedule_path(self.scene.home), self._stamp()
        if stamp == self._file_stamp:
            return
        loaded = load_schedule(self.scene.home)
        self.schedule = loaded.schedule
        if loaded.mistake is None:
            keep_good(self.scene.home)
        else:
            message = f"{loaded.mistake.message}; {loaded.mistake.hint}; what was in force before stays"
            events.add_mishap(self.scene.records, "maintenance-mistake", message, f"maintenance-mistake|{path}|{stamp}")
        self._file_stamp = stamp  # only now: what could not be kept is tried again

    # ---- carrying out ----

    def step(self) -> float:
        """A turn. Returns in how many seconds the next one is wanted; infinity when nothing is to do."""
        if self.scene.clock() < self.scene.paused_until:
            return LOOK_S
        if self.running is None and not self._begin_next():
            return math.inf
        assert self.running is not None
        return self._look(self.running) if self.running.beside else self._go_on(self.running)

    def _begin_next(self) -> bool:
        asked = next(iter(self.scene.asked.items()), None)
        if asked or self.waiting:
            self._reload()
        if asked:
            wanted = Wanted(asked[0], asked[1], "asked", is_asked=True)
        elif self.waiting:
            wanted = self.waiting.popleft()
        else:
            return False
        job = self.schedule.get(wanted.job)
        if job is None:  # it was taken out of the file meanwhile
            self._settle_request(wanted, "failed", Outcome(f"there is no job {wanted.job}", is_bad=True))
            return self._begin_next()
        if job.command and wanted.is_asked and maintenance.get(self.scene.records, wanted.id):
            text = "it was interrupted; whether it may run twice nobody here knows"
            self._settle_request(wanted, "interrupted", Outcome(text))
            return self._begin_next()
        maintenance.begin(self.scene.records, wanted.id, wanted.job, wanted.cause)
        log.info("maintenance: %s begins (%s)", wanted.job, wanted.cause)
        self.running = self._begun(wanted, job)
        return True

    def _begun(self, wanted: Wanted, job: ScheduledJob) -> Running:
        work = self.work(job, self.scene.records, self.scene.points)
        if not is_beside(job.name):
            return Running(wanted, steps_of(work), None)

        def make(records: sqlite3.Connection, points: sqlite3.Connection) -> Steps:
            return steps_of(dataclasses.replace(work, records=records, points=points, should_end=beside.should_end))

        beside = Beside(self.scene.home, job.name, make)
        beside.start()
        return Running(wanted, None, beside)

    def work(self, job: ScheduledJob, records: sqlite3.Connection, points: sqlite3.Connection) -> Work:
        """What a job is given."""
        scene = self.scene
        watched = tuple(
            Watched(one.project.id, one.config.name or one.project.name, one.root, one.config)
            for one in scene.projects.values()
        )
        return Work(scene.home, scene.settings, records, points, job, watched, datetime.now(UTC), lambda: False)

    def _look(self, running: Running) -> float:
        beside = running.beside
        assert beside is not None
        if beside.is_alive():
            self._tell(running, beside.said)
            return LOOK_S
        self._end(running, beside.outcome or BROKE_OFF)
        if isinstance(beside.error, StoreError):
            raise beside.error  # a broken store ends the program
        return 0.0

    def _go_on(self, running: Running) -> float:
        assert running.steps is not None
        until = self.scene.clock() + BUDGET_S
        outcome: Outcome | None = BROKE_OFF
        try:
            said = next(running.steps)
            while self.scene.clock() < until:
                said = next(running.steps)
            outcome = None
            self._tell(running, said)
        except StopIteration as end:
            outcome = end.value
        except FAILURES as error:
            outcome = failed(error)
            if isinstance(error, sqlite3.Error | StoreError):
                raise  # the guard knows what to do; the row is written first, where it can be
        finally:
            if outcome is not None:
                self._end(running, outcome)
        return PAUSE_S

    def _tell(self, running: Running, said: str) -> None:
        now = self.scene.clock()
        if said != running.said and now >= running.next_tell:
            running.said, running.next_tell = said, now + TELL_S
            maintenance.tell(self.scene.records, running.wanted.id, said)

    def _end(self, running: Running, outcome: Outcome, status: str = "") -> None:
        self.running, wanted = None, running.wanted
        status = status or ("failed" if outcome.is_bad else "done")
        if status == "done":
            log.info("maintenance: %s: %s", wanted.job, outcome.summary)
        else:
            log.error("maintenance: %s %s: %s", wanted.job, status, outcome.summary)
        job = self.schedule.get(wanted.job)
        is_frequent = job is not None and job.is_frequent
        maintenance.end(
            self.scene.records, wanted.id, wanted.job, status, outcome.summary, outcome.details, is_frequent
        )
        self._settle_request(wanted, status, outcome)

    def _settle_request(self, wanted: Wanted, status: str, outcome: Outcome) -> None:
        if wanted.is_asked:
            result = {"job": wanted.job, "status": status, "summary": outcome.summary}
            requests.set_request(self.scene.records, wanted.id, "done", result)
            self.scene.asked.pop(wanted.id, None)

    def stop(self) -> None:
        """The daemon ends: what runs is interrupted, and a request for it waits for the next start."""
        running = self.running
        if running is None:
            return
        if running.beside:
            running.beside.end(END_S)
            if running.beside.outcome is not None:
                self._end(running, running.beside.outcome)
                return
        if running.steps:
            running.steps.close()
        self.running = None
        text = f"neatd ended{f', at: {running.said}' if running.said else ''}"
        maintenance.end(self.scene.records, running.wanted.id, running.wanted.job, "interrupted", text, {})
