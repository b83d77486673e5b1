"""The files that neat.yaml names, each with the check whether neat can read or keep it, as the daemon would. Writes nothing."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import inside, read_small

Check = tuple[
    str, Callable[[], object]
]  # the field of neat.yaml, and what raises NeatError where it cannot be kept, FileNotFoundError where it may come yet


def kept_files(root: Path, config: ProjectConfig) -> Iterator[Check]:
    """A check for each file that `documents`, `table_csv`, `plan` and `notes` name."""
    taken: set[Path] = set()
    for template, name in config.documents.items():
        yield f"documents.{template}", partial(_document, root, template, name, taken)
    if config.table_csv:
        yield "table_csv", partial(_table, root, config.table_csv)
    if config.plan:
        yield "plan", partial(_plan, root, config.plan)
    for name in config.notes:
        yield "notes", partial(_notes, root, name)


def _document(root: Path, template: str, name: str, taken: set[Path]) -> None:
    from neatd.assist.marker import written
    from neatd.pipeline.documents import document_bytes, document_path
    from neatd.pipeline.gathering import template_folders

    names = {path.name.removesuffix(".md.j2") for one in template_folders(root) for path in one.glob("*.md.j2")}
    names -= {"parts", "claude_block"}  # what other templates take in
    if template not in names:
        close = get_close_matches(template, names, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise NeatError(f"there is no template {template!r}", f"{meant}there are {', '.join(sorted(names))}")
    path = document_path(root, name, taken)
    if written(document_bytes(path)) is None:
        raise NeatError(
            f"{path} was not written by neat, and is left as it is",
            "name another path in neat.yaml; or take it in with `neat import` and move it away",
        )


def _table(root: Path, name: str) -> None:
    from neatd.pipeline.tablefile import table_bytes

    table_bytes(inside(root, name))


def _plan(root: Path, name: str) -> None:
    from neatd.pipeline.planning import LARGEST_PLAN

    path = inside(root, name)
    try:
        read_small(path, LARGEST_PLAN).decode("utf-8")
    except OSError as error:
        mend = "make it, or name another one as `plan` in neat.yaml"
        raise NeatError(f"the plan {path} cannot be read: {error.strerror}", mend) from error
    except UnicodeDecodeError as error:
        raise NeatError(f"the plan {path} is not UTF-8", "save it as UTF-8") from error


def _notes(root: Path, name: str) -> None:
    from neatd.pipeline.importing import watched_notes

    fixed = name.partition("*")[0].rpartition("/")[0] if "*" in name else name
    if fixed:
        inside(root, fixed)  # where a pattern begins; what it meets is checked by itself
    try:
        found = watched_notes(root, (name,))
    except ValueError as error:
        raise NeatError(
            f"{name!r} is no pattern of files: {error}", "name a file or a glob such as docs/*.md"
        ) from error
    if not found:
        raise FileNotFoundError(errno.ENOENT, "no such file", name)
