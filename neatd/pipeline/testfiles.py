"""Test runs that only their result files tell of: a person's in a terminal, an editor's, an assistant's without a hook.

Looked for at each survey of a project. A run that was recorded by who saw it is not recorded again, and each change of
a file once, over restarts too: the record's origin holds the file's mark.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.pipeline.testing import FOUND_BY, HOOK_LOOKS_BACK_S, Outcome, believed, counts_in, fields_of
from neatd.place import Place, here
from neatd.read.resultfiles import PYTEST_CACHE, Result, Stamp, read_result, result_files
from neatd.read.testcounts import name_key
from neatd.read.treestate import read_tree
from neatd.store import testruns
from neatd.store.connection import transaction
from neatd.store.moments import stamp
from neatd.store.short import ensure_project, record_row

REST_S = 2.0  # a result file at rest for so long is whole
SESSION_S = 1.0  # pytest writes both files of its cache within less, at the end of a session


def look_for_results(
    store: sqlite3.Connection, root: Path, seen: dict[str, Stamp], now: datetime, own: Iterable[str] = ()
) -> bool:
    """Record the test runs whose result files changed since the last look; True when there was one.

    `seen` is the caller's memory of the last look, and may begin empty: what was recorded is known by its mark in the
    store. Costs about twenty stats while nothing changes.
    """
    moment = now.timestamp()
    due = [file for file in result_files(root) if seen.get(file.name) != file.stamp]
    due = [file for file in due if abs(moment - file.written_at) >= REST_S]
    if not due:
        return False
    place = here(root)
    results = []
    for file in due:
        try:
            results.append(read_result(root, file))
        except (NeatError, OSError):
            continue  # looked at again when it changes
    taken = [_take(store, place, session, now, own) for session in _sessions(results)]
    seen |= {file.name: file.stamp for file in due}  # only now: what a busy store stopped is tried again
    return any(taken)


def _sessions(results: list[Result]) -> list[list[Result]]:
    """Results by the run they are of: one run of pytest writes both its cache and a JUnit file."""
    sessions: list[list[Result]] = []
    for result in results:  # the cache comes last
        near = [one for one in sessions if abs(one[0].file.written_at - result.file.written_at) < 30]
        mine = next((one for one in near if believed(result, one[0].counts)), None)
        if mine is not None:
            mine.append(result)
        else:
            sessions.append([result])
    return sessions


def _take(store: sqlite3.Connection, place: Place, session: list[Result], now: datetime, own: Iterable[str]) -> bool:
    if _is_known(store, place, session):
        return False
    written_at = _told_at(session[0])
    tree = read_tree(place.root)
    # Files that changed since the run are not those it tested.
    state = tree.without(own).state if tree.changed_at <= written_at + 1 else ""
    row = _found_row(place, session, state, min(now, datetime.fromtimestamp(written_at, UTC)))
    with transaction(store):
        if _is_known(store, place, session) or _says_nothing_new(store, place, session[0], state):
            return False
        ensure_project(store, place)
        testruns.put(store, row)
    return True


def _told_at(result: Result) -> float:
    """When a result came to be. Failures in pytest's cache are of the session that wrote them down: later ones may have
    run other tests only, and passed."""
    is_kept = result.file.name == PYTEST_CACHE and result.counts.failing
    return result.file.begun_at if is_kept else result.file.written_at


def _found_row(place: Place, session: list[Result], state: str, moment: datetime) -> dict[str, Any]:
    """The row of a run that is dated by its files. With another tree since, its branch and commit are not known."""
    main = session[0]
    origin = tuple(one.mark for one in session)
    fields = fields_of(Outcome("", main.counts, None, main.seconds, state, False, origin))
    fields["title"] = f"{fields['title']}: {main.file.name}"
    if main.file.name == PYTEST_CACHE:
        known = "" if main.known is None else f" {main.known} tests are known to it."
        fields["body"] = f"From pytest's cache: what failed when it last ran. Of passes it says nothing.{known}"
    row = record_row("test", place, fields, FOUND_BY)
    row["created_at"] = row["updated_at"] = stamp(moment)
    return row if state else row | {"branch": "", "commit": ""}


def _is_known(store: sqlite3.Connection, place: Place, session: list[Result]) -> bool:
    """Whether the run was recorded: one of its files is an origin, or was written while a recorded command ran."""
    if any(testruns.has_origin(store, place.project_id, result.mark) for result in session):
        return True
    written = datetime.fromtimestamp(_told_at(session[0]), UTC)
    rows = testruns.since(store, place.project_id, str(place.root), stamp(written - timedelta(seconds=1)))
    return any(_was_during(row, written) and believed(session[0], counts_in(row)) for row in rows)


def _was_during(row: sqlite3.Row, moment: datetime) -> bool:
    if row["source"] == FOUND_BY or row["failed"] is None:
        return False
    ended = datetime.fromisoformat(row["created_at"])
    back_s = HOOK_LOOKS_BACK_S if row["seconds"] is None else row["seconds"] + 2
    return ended - timedelta(seconds=back_s) <= moment <= ended + timedelta(seconds=5)


def _says_nothing_new(store: sqlite3.Connection, place: Place, result: Result, state: str) -> bool:
    """Whether pytest's cache, which every session touches, says what it said before: that nothing failed, of the same
    files; or the failures that it keeps until their tests are run again."""
    if result.file.name != PYTEST_CACHE:
        return False
    rows = testruns.since(store, place.project_id, str(place.root), "")
    failing = set(map(name_key, result.counts.failing))
    if failing and result.file.begun_at < result.file.written_at - SESSION_S and any(failing <= _keys(r) for r in rows):
        return True
    old = next((row for row in rows if PYTEST_CACHE in row["origin"]), None)
    if old is None or (not failing and state and old["tree"] != state):
        return False
    return _keys(old) == failing


def _keys(row: sqlite3.Row) -> set[str]:
    return set(map(name_key, json.loads(row["failing"])))
