"""Two versions of a record become one, the same in every clone. Pure: values in, values out.

A `Line` is what is known of a record: what it says (`fields`, as of `updated_at`), when it was deleted and restored, its
edits, what was lost in merges, its links. `join` is commutative, associative and idempotent, so clones that exchange
lines in any order, any number of times, end with the same line; nothing that a version said is gone afterwards: it is
in `fields`, in an edit or in `lost`. Values are JSON text throughout, so that equal means equal in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SYNC = "sync"  # who, in the history of what was lost: "sync:" and who had said it


class Edit(NamedTuple):
    """One line of a record's history; `old` and `new` are JSON text."""

    at: str
    who: str
    field: str
    old: str
    new: str


class Line(NamedTuple):
    """What is known of one record. Times are the store's fixed-width UTC text, "" for never."""

    id: str
    kind: str
    created_at: str
    updated_at: str = ""  # when it said what `fields` say; "" when nothing is known but that it is deleted
    fields: Mapping[str, str] = {}  # name -> JSON text; what has its default value is left out
    deleted_at: str = ""
    restored_at: str = ""
    edits: frozenset[Edit] = frozenset()
    lost: Mapping[tuple[str, str], str] = {}  # (field, JSON text) of a version that lost -> the latest time it said so
    links: Mapping[tuple[str, str], tuple[str, str]] = {}  # (relation, other id) -> (created_at, removed_at)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at > self.restored_at


def join(one: Line, other: Line) -> Line:
    """What is known when both are known. What was said later stands; equal times are decided by the text itself."""
    winner = max(one, other, key=_standing)
    lost = dict(one.lost)
    for more in (other.lost, _said(one), _said(other)):
        for key, at in more.items():
            lost[key] = max(at, lost.get(key, ""))
    return settled(
        Line(
            id=one.id,
            kind=one.kind,
            created_at=min(one.created_at, other.created_at),
            updated_at=winner.updated_at,
            fields=winner.fields,
            deleted_at=max(one.deleted_at, other.deleted_at),
            restored_at=max(one.restored_at, other.restored_at),
            edits=one.edits | other.edits,
            lost=lost,
            links=_joined_links(one.links, other.links),
        )
    )


def settled(line: Line) -> Line:
    """`line` without losses that are none: what still stands, and what an edit is known to have replaced.

    A loss is never later than what stands: only so may one that stands be forgotten until that version loses in turn.
    """
    if not line.lost:
        return line
    replaced = {(edit.field, edit.old) for edit in line.edits}
    lost = {
        key: min(at, line.updated_at)
        for key, at in line.lost.items()
        if line.updated_at and line.fields.get(key[0]) != key[1] and key not in replaced
    }
    return line._replace(lost=lost)


def history(line: Line) -> list[Edit]:
    """The edits and the losses, oldest first, as they are stored: a loss tells what stands in its place."""
    losses = [
        Edit(at, f"{SYNC}:{_author(line, field, value)}", field, value, line.fields.get(field, "null"))
        for (field, value), at in line.lost.items()
    ]
    return sorted([*line.edits, *losses])


def parted(entries: Iterable[Edit]) -> tuple[frozenset[Edit], dict[tuple[str, str], str]]:
    """(edits, lost) of a stored history: the inverse of `history`."""
    edits: list[Edit] = []
    lost: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.who.partition(":")[0] == SYNC:
            lost[entry.field, entry.old] = max(entry.at, lost.get((entry.field, entry.old), ""))
        else:
            edits.append(entry)
    return frozenset(edits), lost


def _standing(line: Line) -> tuple[str, list[tuple[str, str]]]:
    return line.updated_at, sorted(line.fields.items())


def _said(line: Line) -> dict[tuple[str, str], str]:
    return dict.fromkeys(line.fields.items(), line.updated_at)


def _joined_links(
    one: Mapping[tuple[str, str], tuple[str, str]], other: Mapping[tuple[str, str], tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    links = dict(one)
    for key, (created_at, removed_at) in other.items():
        mine = links.get(key, ("", ""))
        links[key] = max(created_at, mine[0]), max(removed_at, mine[1])
    return links


def _author(line: Line, field: str, value: str) -> str:
    """Who had said what was lost: who last made it so, else who made the record."""
    makers = [(edit.at, edit.who) for edit in line.edits if (edit.field, edit.new) == (field, value)]
    return max(makers)[1] if makers else str(json.loads(line.fields.get("source", '""')))
