"""The index of a project's documents, `.neat/documents.md`: what there is to read, by title, size and last change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.assist.marker import signed, written
from neatd.assist.render import one_line, size
from neatd.assist.titles import title_of
from neatd.errors import NeatError
from neatd.files import IGNORED_FOLDERS, is_inside, is_text, open_regular, read_small, write_atomic
from neatd.pipeline.upkeep.work import Outcome, Steps, Watched, Work
from neatd.redact import redact

INDEX = ".neat/documents.md"
ENDINGS = (".md", ".mdc", ".markdown", ".rst", ".txt")
MOST = 2000  # documents in an index; the newest stay
_DEPTH = 8
_HEAD = 8 << 10  # bytes in which a title is looked for
_LARGEST = 4 << 20
_TEMPLATE = "documents"


class Document(NamedTuple):
    """A file that people read."""

    path: str
    title: str
    size_bytes: int
    changed: datetime


def index_documents(work: Work) -> Steps:
    """Write each project's index anew where it says something else than before."""
    count, changed, mistakes = 0, 0, list[str]()
    for one in work.watched:
        if not one.root.is_dir():
            continue
        found = []
        for number, document in enumerate(_documents(one)):
            found.append(document)
            if number % 100 == 0:
                yield f"{one.name}: {number} documents"
        count += len(found)
        try:
            changed += write_index(one.root, one.name, found, work.now)
        except (NeatError, OSError) as error:
            mistakes.append(str(getattr(error, "message", error)))
    said = f"{count} documents of {len(work.watched)} project(s), {changed} index(es) written anew"
    return Outcome("; ".join([said, *mistakes]), {"documents": count, "written": changed}, is_bad=bool(mistakes))


def _documents(watched: Watched) -> Iterator[Document]:
    ignored = (IGNORED_FOLDERS | set(watched.config.watch.ignore)) - set(watched.config.watch.include)
    for where, folders, names in os.walk(watched.root):
        folder = Path(where)
        depth = len(folder.relative_to(watched.root).parts)
        folders[:] = sorted(name for name in folders if depth < _DEPTH and name not in ignored and name[:1] != ".")
        for name in sorted(names):
            if name.lower().endswith(ENDINGS) and is_text(name):
                found = _look(folder / name, watched.root)
                if found is not None:
                    yield found


def _look(path: Path, root: Path) -> Document | None:
    """One document; None for a link, and for what cannot be read."""
    try:
        stat = path.lstat()
        if path.is_symlink():
            return None
        with open_regular(path) as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    title = title_of(head.decode("utf-8", "replace"), path.suffix.lower())
    changed = datetime.fromtimestamp(stat.st_mtime, UTC)
    return Document(path.relative_to(root).as_posix(), redact(title), stat.st_size, changed)


def write_index(root: Path, name: str, found: list[Document], now: datetime) -> bool:
    """Write the index; False where it says so already. Raises NeatError for a file that neat did not write."""
    path = root / INDEX
    if not is_inside(path, root):
        raise NeatError(f"{path} leads out of the project", "make .neat a folder and not a link")
    try:
        old = read_small(path, _LARGEST)
    except FileNotFoundError:
        old = b""
    known = written(old)
    if known is None:
        raise NeatError(f"{path} was not written by neat, and is left as it is", "move it away")
    text = _text(name, found)
    if known.at and signed(text, _TEMPLATE, known.at, known.below) == old:
        return False
    write_atomic(path, signed(text, _TEMPLATE, now.replace(microsecond=0), known.below))
    return True


def _text(name: str, found: list[Document]) -> str:
    newest = sorted(found, key=lambda one: one.changed, reverse=True)[:MOST]
    left = f" The {len(found) - MOST} oldest are left out." if len(found) > MOST else ""
    lines = [
        f"| {one_line(one.title)} | `{one_line(one.path)}` | {size(one.size_bytes)} | {one.changed:%Y-%m-%d} |"
        for one in sorted(newest, key=lambda one: one.path)
    ]
    head = ["| title | file | size | changed |", "| --- | --- | --- | --- |"]
    return "\n".join([f"# Documents of {one_line(redact(name))}", "", f"{len(found)} files.{left}", "", *head, *lines])
