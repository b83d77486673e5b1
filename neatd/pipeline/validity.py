"""Which records may no longer hold, or not hold here: gathers only what the records name, then asks the pure rules."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import file_hash, inside
from neatd.knowledge import Record, TestRun
from neatd.models import Run
from neatd.place import git_head
from neatd.read.ancestry import not_ancestors
from neatd.read.branches import branches, landed
from neatd.read.treestate import tree_state
from neatd.rules.validity import (
    Condition,
    Source,
    ValidityFacts,
    lost_numbers,
    parse_condition,
    source_of,
    why_stale,
)
from neatd.store import runs, window

LARGEST_FILE = 64 << 20  # a condition is about code and configuration; data has `neat data`
MOST_BYTES = 256 << 20  # hashed in one call: half a second here; what is beyond it is looked at by the next call
MOST_FILES = 1000
_hashes: dict[tuple[str, int, int, int], str] = {}  # (path, size, mtime in ns, inode) -> hash


def stale_records(
    store: sqlite3.Connection, root: Path, found: Sequence[Record], now: datetime, own_paths: Iterable[str] = (),
    points: sqlite3.Connection | None = None, over: Sequence[Record] = (),
) -> dict[str, str]:  # fmt: skip
    """Record id -> why it may no longer hold; those that hold are left out. `own_paths`: as for `tree_state`. With
    `points` the numbers of their evidence are compared with what is in the store now; of the records in `over`, as of a
    hypothesis with a verdict, only these."""
    facts = gather_facts(store, root, found, own_paths)
    if points is not None:
        facts = facts._replace(numbers=_numbers(store, points, (*found, *over)))
    local = now.astimezone()
    reasons = [(one.id, why_stale(one, facts, local)) for one in found]
    reasons += [(one.id, "; ".join(lost_numbers(one, facts))) for one in over]
    return {record_id: why for record_id, why in reasons if why}


def _numbers(
    store: sqlite3.Connection, points: sqlite3.Connection, found: Iterable[Record]
) -> dict[Source, float | None]:
    """What the store has now of the numbers in these records' evidence; what it never read is left out."""
    sources = {source for one in found for number in one.evidence if (source := source_of(number))}
    of_runs = [source for source in sources if source.metric]
    steps: dict[tuple[str, str], set[int]] = {}
    for one in of_runs:
        steps.setdefault((one.run, one.metric), set()).add(one.step)
    read = {key: window.values_at(points, *key, some) for key, some in steps.items()}
    numbers = {one: held.get(one.step) for one in of_runs if (held := read[one.run, one.metric]) is not None}
    ids = [one.run for one in sources if not one.metric]
    sql = "SELECT id, value FROM experiment WHERE deleted_at <= restored_at AND id IN (SELECT value FROM json_each(?))"
    rows = store.execute(sql, (json.dumps(ids),)) if ids else ()
    return numbers | {Source(row[0]): row[1] for row in rows}


def gather_facts(
    store: sqlite3.Connection, root: Path, found: Sequence[Record], own_paths: Iterable[str] = ()
) -> ValidityFacts:
    """What the conditions, branches and trees of a project's records are compared with, as seen from `root`."""
    conditions = _conditions(found)
    branch, commit = git_head(root)
    others = [one for one in found if one.commit and not (one.branch and one.branch == branch)]
    named = {one.branch for one in others if one.branch}
    refs = branches(root) if named and commit else None
    tips = {name: refs.tips[name] for name in named if name in refs.tips} if refs else {}
    commits = {one.commit for one in others} | {one.name for one in conditions if one.kind == "ancestor"}
    commits |= set(tips.values())
    ancestry = not_ancestors(root, commits) if commits else None
    has_trees = any(isinstance(one, TestRun) and one.tree for one in found)
    return ValidityFacts(
        is_repo=bool(commit) and (ancestry is None or ancestry.is_answered),
        branch=branch,
        commit=commit,
        unmerged=ancestry.unmerged if ancestry else frozenset(),
        unknown=ancestry.unknown if ancestry else frozenset(),
        forks=ancestry.forks if ancestry else frozenset(),
        tips=tips if refs else None,
        trunks=refs.trunks if refs else frozenset(),
        landed=landed(root, ancestry.unmerged & set(tips.values())) if ancestry else frozenset(),
        hashes=_hashes_of(root, [one.name for one in conditions if one.kind == "file"]),
        runs=_runs_of(
            store, found[0].project_id if found else None, {one.name for one in conditions if one.kind == "run"}
        ),
        tree=tree_state(root, own_paths) if has_trees else "",
    )


def _conditions(found: Sequence[Record]) -> list[Condition]:
    texts = dict.fromkeys(text for one in found for text in one.valid_while)
    return [condition for text in texts if (condition := parse_condition(text))]


def _runs_of(store: sqlite3.Connection, project_id: str | None, words: set[str]) -> dict[str, tuple[str, str]]:
    if not words:
        return {}
    known = runs.all_runs(store, project_id)
    return {word: _named(known, word) for word in words}


def _named(known: list[Run], word: str) -> tuple[str, str]:
    run = runs.named(known, word)
    return (run.name, run.status) if run else ("", "")


def _hashes_of(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Path -> hash, "" when the file is gone. What may not or cannot be read now is left out."""
    found: dict[str, str] = {}
    budget = MOST_BYTES
    for name in list(dict.fromkeys(paths))[:MOST_FILES]:
        try:
            path = inside(root, name)
            stat = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            found[name] = ""
            continue
        except (NeatError, OSError, ValueError):
            continue
        key = (str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if key not in _hashes:
            if stat.st_size > budget or stat.st_size > LARGEST_FILE:
                continue
            budget -= stat.st_size
            digest = _hash(path)
            if digest is None:
                continue
            _keep(key, digest)
        found[name] = _hashes[key]
    return found


def _keep(key: tuple[str, int, int, int], digest: str) -> None:
    if len(_hashes) >= 4 * MOST_FILES:
        _hashes.clear()
    _hashes[key] = digest


def _hash(path: Path) -> str | None:
    try:
        return f"sha256:{file_hash(path)}" if path.is_file() else None
    except OSError:
        return None


def hash_for_condition(root: Path, name: str) -> str:
    """The hash that a `file` condition keeps. Raises NeatError for what is no file of the project, or a large one."""
    path = inside(root, name)
    if not path.is_file():
        raise NeatError(f"no file {name!r} in {root}", "name a file, relative to the project's folder")
    if path.stat().st_size > LARGEST_FILE:
        raise NeatError(f"{name} is larger than {LARGEST_FILE >> 20} MiB", "`neat data add` keeps versions of data")
    return f"sha256:{file_hash(path)}"
