"""Whether neatd can do its work: its store opens, there is room, the folders are there, and nothing waits for ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import is_inside
from neatd.lifesign import is_running
from neatd.pipeline.settingsfile import in_force
from neatd.pipeline.upkeep.disk import is_short
from neatd.pipeline.upkeep.scheduled import load_schedule
from neatd.pipeline.upkeep.work import Outcome, Steps, Work
from neatd.store.backup import newest_age_h
from neatd.store.moments import stamp
from neatd.store.opening import connect

_OLD_BACKUPS = 3  # times the usual age
_WAITS = timedelta(hours=1)


def check_service(work: Work) -> Steps:
    """A check a step; each thing that is wrong says how to mend it."""
    wrong: list[str] = []
    for name, check in _CHECKS.items():
        yield name
        wrong += check(work)
    told = f"{len(work.watched)} folders watched, {_consents(work)} consents" + (
        "" if is_running(work.home) else ", neatd is not running"
    )
    details = {"watched": [str(one.root) for one in work.watched], "wrong": wrong}
    return Outcome("; ".join(wrong) if wrong else f"all is well: {told}", details, is_bad=bool(wrong))


def _consents(work: Work) -> int:
    return int(work.records.execute("SELECT count(*) FROM consent").fetchone()[0])


def _store(work: Work) -> Iterator[str]:
    """Opened anew: a connection that is open already does not notice that its file was taken away."""
    for name in ("neat", "points"):
        if not (work.home / f"{name}.db").exists():
            yield f"{name}.db is gone from {work.home} while neatd has it open: `neatd stop`, then `neat restore`"
            continue
        try:
            with closing(connect(work.home, name)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except (NeatError, sqlite3.DatabaseError) as error:
            yield f"{name}.db: {getattr(error, 'message', error)}: {getattr(error, 'hint', '`neat restore`')}"


def _room(work: Work) -> Iterator[str]:
    for folder in (work.home, *(one.root for one in work.watched if one.root.is_dir())):
        if is_short(folder, work.job.free_gib):
            yield f"less than {work.job.free_gib:g} GiB free at {folder}: make room, `neat maintain trash` empties the trash"


def _folders(work: Work) -> Iterator[str]:
    """A disk that is not mounted is told, not taken for a project that was let go."""
    for one in work.watched:
        if not one.root.is_dir():
            yield f"the folder of {one.name} is not there: {one.root}; mount it, or put it back"
            continue
        trash = one.root / ".neat" / "trash"
        if not is_inside(trash, one.root):
            yield f"{trash} leads out of the project: make .neat a folder and not a link"


def _consents_gone(work: Work) -> Iterator[str]:
    known = {str(one.root) for one in work.watched}
    for (root,) in work.records.execute("SELECT DISTINCT root FROM consent"):
        if root not in known and not Path(root).is_dir():
            yield f"{root} is allowed something and is not there: mount it, or take it back there with `neat allow --revoke`"


def _waiting(work: Work) -> Iterator[str]:
    limit = stamp(work.now - _WAITS)
    row = work.records.execute(
        "SELECT count(*), min(kind) FROM request WHERE status IN ('pending', 'running') AND created_at < ?", (limit,)
    ).fetchone()
    if row[0]:
        yield f"{row[0]} request(s) wait for more than an hour, the first a {row[1]}: `neatd restart`, `neatd logs` tells why"


def _backups(work: Work) -> Iterator[str]:
    age_h = newest_age_h(work.home, work.now)
    if age_h is not None and age_h > _OLD_BACKUPS * work.settings.backup_every_h:
        yield f"the newest backup is {age_h / 24:.0f} days old: `neat backup`, and `neat schedule` shows why"


def _files(work: Work) -> Iterator[str]:
    mistake = load_schedule(work.home).mistake
    if mistake:
        yield f"{mistake.message}; {mistake.hint}"
    settings = in_force(work.home)
    if settings.mistake:
        yield f"{settings.told}; {settings.mistake.hint}"


_CHECKS: dict[str, Callable[[Work], Iterator[str]]] = {
    "store": _store, "room": _room, "folders": _folders, "consents": _consents_gone, "requests": _waiting,
    "backups": _backups, "settings": _files,
}  # fmt: skip
