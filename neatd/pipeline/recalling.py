"""What a session that begins is told, gathered in plain rows: the brief as it was written last, and all that is newer.

Reads only. Stdlib only, for the hook.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from neatd.assist.context import context, context_without_store
from neatd.errors import NeatError
from neatd.files import is_inside, read_small
from neatd.lifesign import not_watching
from neatd.now import Now
from neatd.place import Place
from neatd.store import live
from neatd.store.connection import database_path
from neatd.store.moments import stamp
from neatd.store.opening import connect

POINTS_S = 0.3  # that the numbers are waited for; without them the runs are still told
RECENT_S = 86400.0  # runs that ended within are still told
_LARGEST_BRIEF = 1 << 20
_GATHERED_S = 2.0  # a brief tells what was there when it was gathered, a little before it was written


def recall(home: Path, place: Place, records: sqlite3.Connection) -> str:
    """The context for a session that begins in `place` now."""
    at = time.time()
    brief, written_at = _brief(place.root)
    now = _now(home, place, records, brief, written_at)
    return context(now, brief, at, written_at, _clock(at))


def recall_files(home: Path, place: Place, why: str) -> str:
    """The context where the store gives no answer, `why` in few words: git, and the brief as it was written last."""
    at = time.time()
    brief, written_at = _brief(place.root)
    now = Now(place.name, branch=place.branch, commit=place.commit, watching=not_watching(home))
    return context_without_store(now, why, brief, at, written_at, _clock(at))


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M %Z}".strip()


def _now(home: Path, place: Place, records: sqlite3.Connection, brief: str, written_at: float | None) -> Now:
    since = "" if written_at is None else stamp(datetime.fromtimestamp(written_at - _GATHERED_S, UTC))
    said, more = live.changed_since(records, place.project_id, since)
    said = tuple(one for one in said if not one.is_new or _first_words(one.title) not in brief)
    points = _points(home)
    try:
        runs = live.runs_now(records, points, place.project_id, str(place.root), live.ago(RECENT_S))
    finally:
        if points:
            points.close()
    happened = live.anomalies_since(records, place.project_id, since or live.ago(RECENT_S))
    said = tuple(one for one in said if one.kind != "task" or written_at is not None)  # they stand under Next
    tasks = live.next_tasks(records, place.project_id)
    watching = not_watching(home)
    return Now(place.name, runs, happened, tasks, said, more, place.branch, place.commit, watching)


def _first_words(title: str) -> str:
    return title.partition("\n")[0][:60]


def _points(home: Path) -> sqlite3.Connection | None:
    if not database_path(home, "points").exists():
        return None
    try:
        return connect(home, "points", POINTS_S)
    except (NeatError, sqlite3.Error, OSError):
        return None  # the runs are told without numbers


def _brief(root: Path) -> tuple[str, float | None]:
    """(the brief as it was written last, when); ("", None) where there is none."""
    path = root / ".neat" / "brief.md"
    if not is_inside(path, root):
        return "", None  # a repository may hold a link to somebody's file
    try:
        return read_small(path, _LARGEST_BRIEF).decode("utf-8", "replace"), path.stat().st_mtime
    except OSError:
        return "", None
