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
from neatd.store import imports
from neatd.store.imports import Item

LARGEST_PLAN = 4 << 20
ALIKE = 0.6  # of the words: below it an edited box is a new task


def sync_plan(store: sqlite3.Connection, place: Place, name: str) -> bool:
    """Bring the plan file `name` and the project's tasks to the same state. True when either changed.

    Raises NeatError when the file is missing, leads out of the project or is no text.
    """
    path = inside(place.root, name)
    text = _read(path)
    found = boxes(text)
    here = _marks(store, place, name, found)
    file_said = {box.key: _last(store, place, name, box.key) for box in found}
    to_tick = {
        box.line: here[box.key]
        for box in found
        if box.key in here and here[box.key] != box.is_done and file_said[box.key] == box.is_done
    }
    if to_tick:
        text = ticked(text, to_tick)
        if _read(path) == ticked(text, {line: not mark for line, mark in to_tick.items()}):  # nobody wrote meanwhile
            write_atomic(path.resolve(), text.encode())
        found = boxes(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not to_tick and imports.last_digest(store, place.project_id, _file(name)) == digest:
        return False
    outcomes = imports.apply(store, place, _file(name), digest, _items(name, found), _match, gone="dropped")
    return bool(to_tick) or any(one.action != "unchanged" for one in outcomes)


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


def _marks(store: sqlite3.Connection, place: Place, name: str, found: Sequence[Box]) -> dict[str, bool]:
    """Whether the task of each known box is over, by the box's key."""
    sql = (
        "SELECT i.key, t.status FROM imported i JOIN task t ON t.id = i.record_id"
        " WHERE i.project_id = ? AND i.file = ? AND t.deleted_at <= t.restored_at"
    )
    rows = store.execute(sql, (place.project_id, _file(name)))
    keys = {box.key for box in found}
    return {key: status.lower() in CLOSED for key, status in rows if key in keys}


def _last(store: sqlite3.Connection, place: Place, name: str, key: str) -> bool:
    """What the box said when file and tasks were last alike."""
    sql = "SELECT json_extract(fields, '$.status') FROM imported WHERE project_id = ? AND file = ? AND key = ?"
    row = store.execute(sql, (place.project_id, _file(name), key)).fetchone()
    return row is not None and row[0] == "done"


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
