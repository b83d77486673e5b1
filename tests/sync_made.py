"""Clones of a project on paper: each with a store and a file of its own, exchanged as git would."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from neatd.kinds import KINDS
from neatd.knowledge import RECORD_KINDS
from neatd.store import records
from neatd.store.connection import transaction
from neatd.store.linefile import Found
from neatd.store.moments import utc_now
from neatd.store.opening import connect
from neatd.store.short import ensure_project, insert_record, record_row
from neatd.store.sync import KNOWLEDGE, Outcome, merge_files, sync
from tests.store_rows import PROJECT, place

TRAVELLING = [name for name, kind in KINDS.items() if kind.travels]


@cache
def _blank() -> sqlite3.Connection:
    with TemporaryDirectory() as folder:
        on_disk = connect(Path(folder))
        blank = sqlite3.connect(":memory:")
        on_disk.backup(blank)
        on_disk.close()
    return blank


def memory_store() -> sqlite3.Connection:
    """A store in memory, made by the migrations: a file each would cost a property test minutes."""
    store = sqlite3.connect(":memory:", isolation_level=None)
    _blank().backup(store)
    store.row_factory = sqlite3.Row
    return store


class Clone:
    """One clone: a folder and a store."""

    def __init__(self, root: Path, store: sqlite3.Connection | None = None) -> None:
        self.root, self.path = root, root / KNOWLEDGE
        root.mkdir(parents=True, exist_ok=True)
        self.store = store or memory_store()
        with transaction(self.store):
            ensure_project(self.store, place(root))

    def add(self, kind: str, title: str, who: str = "person", **fields: Any) -> str:
        row = record_row(kind, place(self.root), {"title": title, **fields}, who)
        with transaction(self.store):
            insert_record(self.store, kind, row)
        return str(row["id"])

    def edit(self, record_id: str, who: str = "person", **fields: Any) -> None:
        records.change(self.store, kind_of(record_id), record_id, fields, who)

    def delete(self, record_id: str) -> None:
        records.delete(self.store, kind_of(record_id), record_id)

    def restore(self, record_id: str) -> None:
        records.restore(self.store, kind_of(record_id), record_id)

    def link(self, a: str, relation: str, b: str, column: str = "created_at") -> None:
        """Make a link, or with `removed_at` take it away."""
        times = {"created_at": utc_now(), "removed_at": ""} | {column: utc_now()}
        self.store.execute(
            "INSERT INTO link (a, relation, b, created_at, removed_at) VALUES (?, ?, ?, ?, ?)"
            f" ON CONFLICT DO UPDATE SET {column} = excluded.{column}",
            (a, relation, b, times["created_at"], times["removed_at"]),
        )

    def sync(self, **options: Any) -> Outcome:
        return sync(self.store, self.root, PROJECT, datetime.now(UTC), **options)

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    def pull(self, other: Clone) -> Found:
        """What git makes of the two files with the merge driver, both made from nothing."""
        base, theirs = self.root / "base", self.root / "theirs"
        base.write_text("")
        theirs.write_text(other.text(), encoding="utf-8")
        self.path.parent.mkdir(exist_ok=True)
        self.path.touch()
        return merge_files(base, self.path, theirs, datetime.now(UTC))

    def pull_with_markers(self, other: Clone) -> None:
        """What git leaves of the two files without the merge driver."""
        text = f"<<<<<<< HEAD\n{self.text()}=======\n{other.text()}>>>>>>> theirs\n"
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(text, encoding="utf-8")

    def title(self, record_id: str) -> str:
        return records.get(self.store, kind_of(record_id), record_id).title

    def ids(self, is_deleted: bool = False) -> set[str]:
        return {one.id for kind in TRAVELLING for one in records.list_records(self.store, kind, PROJECT, is_deleted)}

    def listed(self) -> dict[str, Any]:
        """Every record that is not deleted, as it is listed, but for the folder it was made in; with its history."""
        found = [one for kind in TRAVELLING for one in records.list_records(self.store, kind, PROJECT)]
        return {
            one.id: (one.model_dump(exclude={"worktree"}), self.history(one.id), self.links(one.id)) for one in found
        }

    def history(self, record_id: str) -> list[tuple[Any, ...]]:
        """The changes of a record in their order, without the one that tells of its making."""
        entries = records.history(self.store, record_id)
        return [(one.at, one.who, one.field, one.old, one.new) for one in entries if one.field != "created"]

    def links(self, record_id: str) -> list[tuple[Any, ...]]:
        sql = "SELECT relation, b, created_at, removed_at FROM link WHERE a = ? ORDER BY 1, 2"
        return [tuple(row) for row in self.store.execute(sql, (record_id,))]


def kind_of(record_id: str) -> str:
    letters = record_id.partition("-")[0]
    return next(name for name, kind in KINDS.items() if kind.letters == letters and name in RECORD_KINDS)


def exchange(*clones: Clone) -> None:
    """Everybody with everybody: what a team has after a day of commits and pulls.

    Three rounds: that a record was restored has to be known before its words leave the clones that kept them.
    """
    for _ in range(3):
        for one in clones:
            one.sync()
            for other in clones:
                if other is not one:
                    one.pull(other)
            one.sync()


def stores_agree(*clones: Clone) -> bool:
    """The same records with the same histories, the same deleted ones, the same file to the byte."""
    first, *others = clones
    return all(
        one.text() == first.text() and one.listed() == first.listed() and one.ids(True) == first.ids(True)
        for one in others
    )
