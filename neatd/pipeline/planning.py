"""The plan file and the tasks are one list: a box ticked in the file ends its task, a task ended here ticks its box.

A box has two states, so when both sides moved since they were last alike, both moved to the same one: there is no
conflict to settle. Only marks are written into the file; its words are the person's.
"""

from __future__ import annotations

import difflib
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import inside, read_small, write_atomic
from neatd.kinds import CLOSED
from neatd.place import Place
from neatd.read.plan import Box, boxes, ticked
from neatd.store import imports, projects
from neatd.store.imports import Item

LARGEST_PLAN = 4 << 20
ALIKE = 0.6  # of the words: below it an edited box is a new task


def sync_plan(store: sqlite3.Connection, place: Place, name: str, may_write: bool = True) -> bool:
    """Bring the plan file `name` and the project's tasks to the same state. True when either changed.

    Without `may_write` the file is only read: another worktree's plan may be of another branch. Raises NeatError when
    the file is missing, leads out of the project or is no text.
    """
    path = inside(place.root, name)
    text = _read(path)
    found = boxes(text)
    moved = _moved(store, place, name)
    to_tick = {box.line: moved[box.key] for box in found if box.key in moved and moved[box.key] != box.is_done}
    if to_tick and may_write:
        text = ticked(text, to_tick)
        if _read(path) == ticked(text, {line: not mark for line, mark in to_tick.items()}):  # nobody wrote meanwhile
            write_atomic(path.resolve(), text.encode())
        found = boxes(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not moved and imports.last_digest(store, place, _file(name)) == digest:
        return False
    outcomes = imports.apply(store, place, _file(name), digest, _items(name, found), _match, gone="dropped")
    return bool(to_tick) or any(one.action not in ("unchanged", "kept") for one in outcomes)


def settle_plan(store: sqlite3.Connection, place: Place, name: str, is_changing: bool = False) -> str:
    """`sync_plan` for one command or call; returns what was wrong with the file, "" when nothing was.

    What only reads writes no box where the project stands in several folders: whose tick is it?
    """
    try:
        sync_plan(store, place, name, is_changing or projects.count_roots(store, place.project_id) == 1)
    except NeatError as error:
        return error.message
    return ""


def _file(name: str) -> str:
    return f"plan:{name}"


def _read(path: Path) -> str:
    try:
        return read_small(path, LARGEST_PLAN).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NeatError(
            f"the plan {path} cannot be read: {error}", "name a markdown file in neat.yaml: `plan: PLAN.md`"
        ) from error


def _items(name: str, found: Sequence[Box]) -> list[Item]:
    items = []
    for box in found:
        fields = {
            "title": box.title, "status": "done" if box.is_done else "open", "phase": box.section.rpartition(" / ")[2],
            "plan": f"{name}#{box.key}",
        }  # fmt: skip
        parent = found[box.parent].key if box.parent is not None else ""
        items.append(Item(box.key, "task", fields, f"{name}:{box.line}", parent))
    return items


def _moved(store: sqlite3.Connection, place: Place, name: str) -> dict[str, bool]:
    """Whether the task is over now, by its box's key: of those tasks that ended or began anew since file and tasks were
    last looked at, while their box stayed what it was."""
    sql = (
        "SELECT i.key, t.status, i.seen FROM imported i JOIN task t ON t.id = i.record_id"
        " WHERE i.project_id = ? AND i.root = ? AND i.file = ? AND t.deleted_at <= t.restored_at"
    )
    rows = store.execute(sql, (place.project_id, str(place.root), _file(name)))
    return {key: _is_over(status) for key, status, seen in rows if _is_over(status) != _is_over(seen)}


def _is_over(status: str) -> bool:
    return status.lower() in CLOSED


def _match(old: Sequence[tuple[str, str, str]], new: Sequence[Item]) -> Mapping[str, str]:
    """Boxes whose words were edited: the most alike in the same section."""
    pairs: dict[str, str] = {}
    for item in new:
        title = str(item.fields["title"])
        near = [
            (difflib.SequenceMatcher(None, title, was).ratio(), key)
            for key, _, was in old
            if key not in pairs.values() and key.partition("#")[0] == item.key.partition("#")[0]
        ]
        if near and max(near)[0] >= ALIKE:
            pairs[item.key] = max(near)[1]
    return pairs
