"""What `neat doctor` says of maintenance: the newest backup, jobs that failed last, mistakes in the schedule's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from neatd.assist.render import age, one_line
from neatd.config import load_settings
from neatd.errors import NeatError
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.upkeep.scheduled import load_schedule
from neatd.store import maintenance
from neatd.store.backup import newest_age_h
from neatd.store.connection import database_path
from neatd.store.damage import newest_backup
from neatd.store.opening import connect

_OLD = 3  # times the usual age
_USUAL_H = 24.0


def upkept(home: Path) -> Iterator[Finding]:
    """A line for backups, one for what failed, one for the schedule."""
    yield _backups(home)
    yield from _jobs(home)
    yield from _schedule(home)


def _backups(home: Path) -> Finding:
    newest, age_h = newest_backup(home), newest_age_h(home, datetime.now(UTC))
    if newest is None or age_h is None:
        return Finding("backups", "note", "none yet", "`neat backup`, or let neatd run: it makes one a day")
    text = f"newest: {newest}, {age_h:.0f} h old"
    if age_h > _OLD * _usual_h(home):
        return Finding("backups", "note", text, "`neat backup`; `neat schedule` shows why none was made")
    return Finding("backups", "ok", text)


def _usual_h(home: Path) -> float:
    try:
        return load_settings(home).backup_every_h
    except NeatError:  # said in a line of its own
        return _USUAL_H


def _jobs(home: Path) -> Iterator[Finding]:
    if not database_path(home, "neat").exists():
        return
    try:
        with closing(connect(home)) as records:
            found = maintenance.newest(records).values()
    except (NeatError, sqlite3.Error):
        return  # that the store cannot be read is said above
    jobs = {job.name for job in load_schedule(home).schedule.jobs}
    wrong = [one for one in found if one.status in ("failed", "interrupted") and one.job in jobs]
    for one in wrong:
        text = f"{one.job} {one.status} {age(one.started_at, datetime.now(UTC))}: {one_line(one.summary, 200)}"
        yield Finding("maintenance", "note", text, f"mend that, then `neat maintain {one.job}`")
    if not wrong:
        yield Finding("maintenance", "ok", f"{len(found)} jobs ran, none failed last" if found else "nothing ran yet")


def _schedule(home: Path) -> Iterator[Finding]:
    loaded = load_schedule(home)
    if loaded.mistake:
        yield Finding(
            "schedule", "bad", loaded.mistake.message, f"{loaded.mistake.hint}; what was in force before stays"
        )
        return
    on = sum(job.enabled for job in loaded.schedule.jobs)
    own = sum(bool(job.command) for job in loaded.schedule.jobs)
    yield Finding("schedule", "ok", f"{on} of {len(loaded.schedule.jobs)} jobs on, {own} of your own")
