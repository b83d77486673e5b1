"""Notes that people have already become records: by `neat import`, and as they are written for the files that
neat.yaml lists under `notes:`. What neat wrote itself is not read back.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from neatd.assist.block import BEGIN, END
from neatd.assist.notes.encoding import repair
from neatd.assist.notes.parse import Parsed, match_edited, parse
from neatd.errors import NeatError
from neatd.files import is_inside, read_small
from neatd.place import Place
from neatd.store import imports
from neatd.store.imports import Item, Outcome
from neatd.store.links import Link, add_link

LARGEST_NOTES = 8 << 20
OURS = "<!-- written by neat"  # the beginning of the line below every document that neat keeps


class Imported(NamedTuple):
    """What became of one file: its non-blank lines, those no record holds, and the records with what was done."""

    file: str
    lines: int
    unplaced: tuple[tuple[int, str], ...]
    records: tuple[tuple[Parsed, Outcome], ...]
    removed: tuple[Outcome, ...] = ()

    @property
    def placed(self) -> int:
        return self.lines - len(self.unplaced)


def import_file(
    store: sqlite3.Connection, place: Place, path: Path, is_dry_run: bool = False, is_pruning: bool = False
) -> Imported:
    """Bring the records of one file of notes to what it says. Raises NeatError when it cannot be read."""
    data = _bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    file = _known_as(store, place, path, digest)
    text = _without_ours(repair(data))
    notes = parse(text, file)
    items = [
        Item(one.key, one.kind, _fields(one), f"{file}:{_ranges(one.cites)}", one.parent, one.said_at)
        for one in notes.records
    ]
    by_key = {one.key: one for one in notes.records}

    def match(old: Sequence[tuple[str, str, str]], new: Sequence[Item]) -> Mapping[str, str]:
        return match_edited(old, [by_key[one.key] for one in new])

    outcomes = imports.apply(store, place, file, digest, items, match, is_dry_run=is_dry_run, is_pruning=is_pruning)
    taken = [(by_key[one.key], one) for one in outcomes[: len(items)]]
    if not is_dry_run:
        _end_superseded(store, place.project_id, taken)
    return Imported(file, notes.lines, notes.unplaced, tuple(taken), tuple(outcomes[len(items) :]))


def _item(one: Parsed, file: str) -> Item:
    return Item(one.key, one.kind, _fields(one), f"{file}:{_ranges(one.cites)}", one.parent, one.said_at)


def _end_superseded(store: sqlite3.Connection, project_id: str, taken: Sequence[tuple[Parsed, Outcome]]) -> None:
    """A decision log names the decision it replaces by its number ("ADR-0005") or words: that one ends, and both are linked."""
    for parsed, outcome in taken:
        named = str(parsed.fields.get("supersedes") or "")
        if outcome.action in ("added", "updated") and named:
            other = imports.decision_named(store, project_id, named, outcome.record_id)
            if other:
                add_link(store, "decision", Link(outcome.record_id, "supersedes", other), "decision", "import")


def _bytes(path: Path) -> bytes:
    try:
        return read_small(path, LARGEST_NOTES)
    except OSError as error:
        raise NeatError(
            f"{path} cannot be read: {error.strerror or error}", "name a text file of at most 8 MiB"
        ) from error


def _known_as(store: sqlite3.Connection, place: Place, path: Path, digest: str) -> str:
    """The name a file's records are kept under: relative to the project where it lies in it; the earlier one of a copy."""
    real = Path(os.path.realpath(path))  # which, unlike resolve(), takes a circle of links
    name = real.relative_to(place.root.resolve()).as_posix() if is_inside(path, place.root) else real.as_posix()
    if imports.last_digest(store, place, name):
        return name
    return imports.known_digest(store, place, digest) or name


def _without_ours(text: str) -> str:
    """The text with neat's own block blanked, and what neat wrote above its line; line numbers stay what they are."""
    pattern = re.escape(BEGIN.decode()) + r".*?" + re.escape(END.decode())
    text = re.sub(pattern, lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    at = text.rfind(OURS)
    end = text.find("\n", at) if at >= 0 else -1
    written = text[: end if end >= 0 else len(text)] if at >= 0 else ""
    return "\n" * written.count("\n") + text[len(written) :]


def _fields(one: Parsed) -> dict[str, Any]:
    return {name: value for name, value in one.fields.items() if value not in (None, "", (), [], {})}


def _ranges(lines: Sequence[int]) -> str:
    """1-based line numbers as a person cites them: "3-5, 9"."""
    parts: list[list[int]] = []
    for line in sorted(lines):
        if parts and line == parts[-1][1] + 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def watched_notes(root: Path, patterns: Sequence[str]) -> list[Path]:
    """The files that neat.yaml's `notes:` names, links out of the project left out."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            continue
        try:
            matching = sorted(root.glob(pattern))
        except (ValueError, NotImplementedError) as error:
            raise NeatError(f"notes: {pattern!r} is no pattern of files: {error}", "as in docs/**/*.md") from error
        for path in matching:
            if path.is_file() and is_inside(path, root) and ".git" not in path.parts:
                found[path] = None
    return list(found)
