"""A test run that somebody saw becomes a record, once, however many ways tell of it: `neat test`, an assistant's hook.

Who saw the run tells more than the files it left (`testfiles.py`): when those were met first, the record of the run
takes the place of theirs. Stdlib only, for the hook.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from neatd.errors import NeatError
from neatd.place import Place
from neatd.read.resultfiles import PYTEST_CACHE, Result, ResultFile, read_result
from neatd.read.testcounts import Counts, agree, merge, name_key, title
from neatd.store import testruns
from neatd.store.connection import database_path, transaction
from neatd.store.moments import stamp
from neatd.store.opening import connect
from neatd.store.short import ensure_project, is_out_of_reach, leave_in_inbox, record_row

if TYPE_CHECKING:
    from neatd.config import ProjectConfig

SAME_CALL_S = 10.0  # a hook that is set up twice tells of one call twice, this near; some calls have no id
HOOK_LOOKS_BACK_S = 600.0  # how long before the hook's call its command may have written its result file
FOUND_BY = "daemon"


class Outcome(NamedTuple):
    """How a test command ended, as whoever ran it saw it."""

    command: str
    counts: Counts | None
    exit_code: int | None = None
    seconds: float | None = None
    tree: str = ""
    is_interrupted: bool = False
    origin: tuple[str, ...] = ()
    began: float | None = None  # unix seconds, where it was seen to begin


def own_paths(config: ProjectConfig) -> tuple[str, ...]:
    """The files of a project that neat keeps current: they never make a test result stale."""
    return tuple(path for path in (*config.documents.values(), config.table_csv) if path)


def fields_of(outcome: Outcome) -> dict[str, Any]:
    """The fields of the record of a run."""
    counts = outcome.counts or Counts()
    words = title(outcome.counts, outcome.seconds, outcome.exit_code, outcome.is_interrupted)
    fields = {
        "title": f"{words}: {_one_line(outcome.command)}" if outcome.command else words,
        "status": _status(outcome),
        "command": outcome.command,
        "exit_code": outcome.exit_code,
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "failing": counts.failing,
        "seconds": None if outcome.seconds is None else round(outcome.seconds, 3),
        "tree": outcome.tree,
        "origin": outcome.origin,
    }
    return {name: value for name, value in fields.items() if value not in (None, "", ())}


def _status(outcome: Outcome) -> str:
    if outcome.is_interrupted:
        return "interrupted"
    failed = outcome.counts.failed if outcome.counts else None
    return "failed" if failed or outcome.exit_code else "passed"


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 120 else words[:119] + "…"


class Kept(NamedTuple):
    """Where the record of a run is."""

    id: str
    inbox: Path | None = None  # set when the store was out of reach
    is_new: bool = True  # False: the run was recorded before


def keep_run(home: Path, place: Place, outcome: Outcome, source: str, wait_s: float | None = None) -> Kept:
    """Record a run, once. Without a store in reach the record is left in the project's inbox, and so it is when the
    store stays busy: nobody runs the tests again for that.

    With `wait_s` it is not waited longer, and a store that is missing is not made: a hook keeps nobody waiting.
    Raises StoreError for an unreadable store.
    """
    row = record_row("test", place, fields_of(outcome), source)
    try:
        return _keep(home, place, row, outcome, wait_s)
    except (NeatError, OSError, sqlite3.OperationalError) as error:
        if not is_out_of_reach(error) and not _is_late(error):
            raise
        return Kept(str(row["id"]), leave_in_inbox(place.root, "test", row))


def _is_late(error: Exception) -> bool:
    return isinstance(error, FileNotFoundError) or (
        isinstance(error, sqlite3.OperationalError) and "lock" in str(error)
    )


def _keep(home: Path, place: Place, row: dict[str, Any], outcome: Outcome, wait_s: float | None) -> Kept:
    if wait_s is not None and not database_path(home, "neat").exists():
        raise FileNotFoundError(home)
    connection = connect(home) if wait_s is None else connect(home, wait_s=wait_s)
    try:
        with transaction(connection):
            ensure_project(connection, place)
            near = _near(connection, place, outcome, datetime.fromisoformat(row["created_at"]))
            known = next((str(old["id"]) for old in near if _is_same_run(old, outcome)), None)
            if known:
                return Kept(known, None, False)
            told = [old["id"] for old in near if old["source"] == FOUND_BY and _marks(old) & set(outcome.origin)]
            testruns.put(connection, row, told)
    finally:
        connection.close()
    return Kept(str(row["id"]))


def _near(connection: sqlite3.Connection, place: Place, outcome: Outcome, now: datetime) -> list[sqlite3.Row]:
    """What was recorded of this worktree while the command ran, or might have run, and a moment before."""
    back_s = HOOK_LOOKS_BACK_S if outcome.began is None else now.timestamp() - outcome.began + 1
    return testruns.since(connection, place.project_id, str(place.root), stamp(now - timedelta(seconds=back_s)))


def _is_same_run(old: sqlite3.Row, outcome: Outcome) -> bool:
    """Whether `old` is of the run that `outcome` tells of: by the same call of an assistant, whose hook may be set up
    twice, or by a `neat test` inside of this one. Two calls are two runs, even with the same numbers."""
    calls, old_calls = ({one for one in marks if "#call:" in one} for marks in (set(outcome.origin), _marks(old)))
    if calls or old_calls:
        return bool(calls & old_calls)
    if old["source"] == FOUND_BY or outcome.counts is None or old["failed"] is None or old["tree"] != outcome.tree:
        return False
    began = datetime.now(UTC).timestamp() - SAME_CALL_S if outcome.began is None else outcome.began
    return datetime.fromisoformat(old["created_at"]).timestamp() >= began and agree(counts_in(old), outcome.counts)


def _marks(row: sqlite3.Row) -> set[str]:
    return set(json.loads(row["origin"]))


def counts_in(row: sqlite3.Row) -> Counts:
    return Counts(row["passed"], row["failed"], row["skipped"], tuple(json.loads(row["failing"])))


def choose(told: Counts | None, files: Iterable[Counts]) -> Counts | None:
    """What a command's result files say; what its closing lines say, when they tell of more tests.

    Names are taken as the runner wrote them, when both name the same tests.
    """
    found = merge(files)
    if found is None or (told is not None and told.total > found.total):
        return told
    if told is not None and set(map(name_key, told.failing)) == set(map(name_key, found.failing)):
        return found._replace(failing=told.failing)
    return found


def marks_of(root: Path, files: Iterable[ResultFile], counts: Counts | None) -> tuple[tuple[str, ...], list[Counts]]:
    """The marks of the result files that a run wrote, and the counts of those that tell passes too. With `counts`,
    only files that agree with them are believed to be of the run."""
    marks, told = [], []
    for file in files:
        try:
            result = read_result(root, file)
        except (NeatError, OSError):
            continue  # no result of a test run: a report.xml may be anything
        if counts is not None and not believed(result, counts):
            continue
        marks.append(result.mark)
        if file.name != PYTEST_CACHE:
            told.append(result.counts)
    return tuple(marks), told


def believed(result: Result, counts: Counts) -> bool:
    """Whether a result file may be of the run that counted `counts`."""
    if result.file.name != PYTEST_CACHE:
        return agree(result.counts, counts)
    # The cache is pytest's only, and also names what failed in earlier sessions and was not run in this one.
    is_pytest = not counts.runners or not {"pytest", "junit"}.isdisjoint(counts.runners)
    names = {name_key(name) for name in result.counts.failing}
    return is_pytest and {name_key(name) for name in counts.failing} <= names
