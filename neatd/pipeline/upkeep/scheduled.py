"""The schedule as its files say it: the shipped one, and over it the user's own, which lies under NEAT_HOME and nowhere else.

A repository can schedule nothing: its files are not asked. A mistake in the user's file is told with file, line, field and
value, and the last text without one stays in force, also after a restart: a job that was switched off stays so.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from neatd.config import LARGEST_FILE, load_yaml
from neatd.errors import ConfigError, NeatError
from neatd.files import data_path, read_small, write_atomic
from neatd.rules.maintenance import Schedule, ScheduledJob, ScheduleFile, merged

FILE = "maintenance.yaml"


class Loaded(NamedTuple):
    """The schedule in force, and what is wrong with the user's file; "" when nothing is."""

    schedule: Schedule
    mistake: ConfigError | None = None


def schedule_path(home: Path) -> Path:
    """The user's file."""
    return home / FILE


def load_schedule(home: Path) -> Loaded:
    """What is in force. Writes nothing."""
    shipped = load_yaml(data_path("rules") / FILE, ScheduleFile)
    path = schedule_path(home)
    if not path.exists():
        return Loaded(merged(shipped))
    try:
        return Loaded(merged(shipped, load_yaml(path, ScheduleFile)))
    except ConfigError as error:
        return Loaded(merged(shipped, _last_good(home)), error)


def find_job(home: Path, name: str) -> ScheduledJob:
    """The job of that name; raises NeatError with the names that there are."""
    loaded = load_schedule(home)
    found = loaded.schedule.get(name)
    if found is None and loaded.mistake:
        raise loaded.mistake
    if found is None:
        names = ", ".join(one.name for one in loaded.schedule.jobs)
        raise NeatError(f"there is no job {name!r}", f"one of: {names}; `neat schedule` shows them")
    return found


def keep_good(home: Path) -> None:
    """Keep the user's file as it is now, for the time when it has a mistake."""
    path, kept = schedule_path(home), _kept_path(home)
    if not path.exists():
        kept.unlink(missing_ok=True)
        return
    text = read_small(path, LARGEST_FILE)
    if not kept.exists() or kept.read_bytes() != text:
        write_atomic(kept, text)


def _last_good(home: Path) -> ScheduleFile:
    kept = _kept_path(home)
    if not kept.exists():
        return ScheduleFile()
    try:
        return load_yaml(kept, ScheduleFile)
    except ConfigError:  # of a version that took other fields
        return ScheduleFile()


def _kept_path(home: Path) -> Path:
    return home / "good_rules" / FILE


def local_zone() -> tzinfo:
    """The time zone of this machine as it is now: a laptop travels. Of one that has no name, as `TZ=CET-1CEST` says it, the
    offset of this moment."""
    import tzlocal

    try:
        return tzlocal.reload_localzone()
    except ZoneInfoNotFoundError:
        found = datetime.now().astimezone().tzinfo
        return found if found is not None else UTC
