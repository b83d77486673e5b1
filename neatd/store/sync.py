"""`.neat/knowledge.jsonl`, by which the records travel in git: out of the store and in again, and the copy at home.

The file is a projection: a row is replaced only by what was said later, a deleted record stays deleted, and what a merge
decided against stays in the record's history. Nothing here runs git.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import inside, read_small, write_atomic
from neatd.store.connection import transaction
from neatd.store.linefile import Found, Odd, file_bytes, read_file
from neatd.store.linerows import Held, insert_lines, is_elsewhere, read_rows, reading, update_line
from neatd.store.lines import line_text, without_addresses
from neatd.store.merge import Line, join
from neatd.store.moments import stamp

KNOWLEDGE = ".neat/knowledge.jsonl"
_MOST = 64 << 20  # bytes: 100,000 records of this size travel badly in git, and a clone may bring anything
_AHEAD = timedelta(days=1)  # how far another machine's clock may be ahead and be believed
_TRIES = 5


class Outcome(NamedTuple):
    """What a sync did. Ids of records: new here, changed here, deleted here, and those that both sides had changed."""

    path: Path
    records: int = 0  # in the file, the deleted among them
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    sent: int = 0  # lines that the file had not, or otherwise
    is_written: bool = False
    had_markers: bool = False
    refused: tuple[Odd, ...] = ()


class _Merged(NamedTuple):
    """The store and a file together: what is to be written into each. `new` and `changed` are lines for the store."""

    texts: dict[str, str]
    new: list[Line]
    changed: list[Line]
    held: Held
    found: Found


def sync(store: sqlite3.Connection, root: Path, project_id: str, now: datetime, is_dry: bool = False) -> Outcome:
    """Take the file's records into the store and write the store's into the file; with `is_dry` only say what would be.

    Raises NeatError when the file leads out of the project, is too large or cannot be read; then nothing was changed.
    """
    path = knowledge_path(root)
    for _ in range(_TRIES):
        before = _read(path)
        merged = _exchange(store, project_id, before, now, is_dry)
        content = file_bytes(merged.texts, merged.found.odd)
        outcome = _outcome(path, before, content, merged)
        if len(content) > _MOST:
            raise NeatError(
                f"{path} would be larger than {_MOST >> 20} MB", "delete or shorten records that are too long"
            )
        if is_dry or content == before:
            return outcome._replace(is_written=False)
        if _read(path) == before:  # git may have put another file there meanwhile, whose lines must not be lost
            write_atomic(path, content)
            return outcome
    raise NeatError(f"{path} changes while it is read", "run `neat sync` again when nothing else writes it")


def take_in(store: sqlite3.Connection, root: Path, project_id: str, now: datetime) -> Outcome:
    """Take the file's records into the store, as in a fresh clone; the file stays as it is."""
    path = knowledge_path(root)
    before = _read(path)
    if not before:
        return Outcome(path)
    return _outcome(path, before, before, _exchange(store, project_id, before, now, False))


def copy_knowledge(store: sqlite3.Connection, home: Path, project_id: str) -> Path | None:
    """Write all of a project's records as plain text under NEAT_HOME, private fields too, since it stays on this
    machine; None when the copy stood so already."""
    with reading(store):
        held = read_rows(store, project_id, is_all=True)
    content = file_bytes({one.id: line_text(one) for one in held.lines.values()}, ())
    path = home / "knowledge" / f"{project_id}.jsonl"
    try:
        is_same = read_small(path, len(content)) == content
    except OSError:
        is_same = not content
    if is_same:
        return None
    write_atomic(path, content)
    return path


def merge_files(base: Path, ours: Path, theirs: Path, now: datetime) -> Found:
    """The two sides of a git merge in one, written into `ours`. A line that is not read stays unless a side removed it.

    Raises NeatError when a file cannot be read; then `ours` is as it was.
    """
    old, mine, other = (read_file(_read(path), "", _latest(now)) for path in (base, ours, theirs))
    lines = dict(mine.lines)
    for line in (*other.lines.values(), *old.lines.values()):
        lines[line.id] = join(lines[line.id], line) if line.id in lines else line
    gone = {one.text for one in old.odd} - ({one.text for one in mine.odd} & {one.text for one in other.odd})
    odd = tuple(one for one in (*mine.odd, *other.odd) if one.text not in gone)
    write_atomic(ours, file_bytes({one.id: line_text(one) for one in lines.values()}, odd))
    return Found(lines, odd)


def knowledge_path(root: Path) -> Path:
    """The file of a project, links followed; raises NeatError when they lead out of it."""
    return inside(root, KNOWLEDGE).resolve()


def _read(path: Path) -> bytes:
    try:
        return read_small(path, _MOST)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise NeatError(
            f"{path} cannot be read: {error.strerror or error}", "look at the file, or restore it: `git checkout`"
        ) from error


def _latest(now: datetime) -> str:
    return stamp(now + _AHEAD)


def _exchange(store: sqlite3.Connection, project_id: str, before: bytes, now: datetime, is_dry: bool) -> _Merged:
    """Read both sides without a lock, then write in one transaction what is new, looking again if the store moved on."""
    with reading(store):
        version = _version(store)
        held = _public(read_rows(store, project_id))
    texts = {key: line_text(line) for key, line in held.lines.items()}
    known = {text: held.lines[key] for key, text in texts.items()}
    found = read_file(before, project_id, _latest(now), known)
    merged = _merge(store, project_id, held, texts, found)
    if is_dry or not (merged.new or merged.changed):
        return merged
    with transaction(store):
        if _version(store) != version:
            held = _public(read_rows(store, project_id))
            texts = {key: line_text(line) for key, line in held.lines.items()}
            merged = _merge(store, project_id, held, texts, found)
        insert_lines(store, project_id, merged.new)
        for line in merged.changed:
            update_line(store, line)
    return merged


def _public(held: Held) -> Held:
    """The store's records as they may travel."""
    return held._replace(lines={key: without_addresses(line) for key, line in held.lines.items()})


def _version(store: sqlite3.Connection) -> int:
    """A number that changes when another connection has written."""
    return int(store.execute("PRAGMA data_version").fetchone()[0])


def _merge(store: sqlite3.Connection, project_id: str, held: Held, texts: dict[str, str], found: Found) -> _Merged:
    """Decide; writes nothing. `texts` are those of `held`."""
    new, refused = [], []
    changed = {key: held.lines[key] for key in held.stale}
    texts = dict(texts)
    for line in found.lines.values():
        mine = held.lines.get(line.id)
        if mine is line:
            continue  # its text is the store's own
        if mine is not None:
            line = join(mine, line)
            if line == mine:
                continue
            changed[line.id] = line
        elif is_elsewhere(store, line, project_id):
            why = f"{line.id} is a record of another project here"
            refused.append(Odd(found.numbers[line.id], line_text(line), why, line.id))
            continue
        elif line.updated_at or line.is_deleted:  # of any other nothing is known yet: it only stays in the file
            new.append(line)
        texts[line.id] = line_text(line)
    return _Merged(texts, new, list(changed.values()), held, found._replace(odd=(*found.odd, *refused)))


def _outcome(path: Path, before: bytes, content: bytes, merged: _Merged) -> Outcome:
    olds = merged.held.lines
    moved = [line for line in merged.changed if line != olds[line.id]]
    gone = {line.id for line in moved if line.is_deleted and not olds[line.id].is_deleted}
    return Outcome(
        path,
        records=len(merged.texts),
        added=tuple(line.id for line in merged.new if not line.is_deleted),
        changed=tuple(line.id for line in moved if not line.is_deleted and line.id not in gone),
        deleted=tuple(sorted(gone)),
        merged=tuple(line.id for line in moved if set(line.lost) - set(olds[line.id].lost)),
        sent=len(set(content.splitlines()) - set(before.splitlines())),
        is_written=content != before,
        had_markers=merged.found.has_markers,
        refused=merged.found.odd,
    )
