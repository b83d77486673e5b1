"""A project as it stood before a test command and after it: the files that were tested, the results that were written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from neatd.errors import ConfigError, NeatError
from neatd.files import read_small
from neatd.pipeline.testing import Outcome, choose, marks_of, own_paths
from neatd.place import PROJECT_FILE
from neatd.read.junit import read_junit
from neatd.read.resultfiles import ResultFile, changed, result_files
from neatd.read.testcounts import Counts
from neatd.read.treestate import Tree, read_tree, tested_state

_NAMES_PATHS = re.compile(rb"^[ \t]*[\"']?(?:documents|table_csv)[\"']?[ \t]*:|^[ \t]*[{?]", re.MULTILINE)


class Look(NamedTuple):
    """What there is at one moment."""

    tree: Tree
    files: list[ResultFile]
    named: tuple[int, int] | None  # time and size of the JUnit file that the command names


def look(root: Path, named: Path | None) -> Look:
    """Look now. Costs two runs of git and some stats."""
    return Look(read_tree(root), result_files(root), _stamp(named))


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        about = os.stat(path) if path else None  # noqa: PTH116 - None is no path
    except OSError:
        return None
    return (about.st_mtime_ns, about.st_size) if about else None


def outcome_between(
    root: Path, before: Look, named: Path | None, command: str, told: Counts | None
) -> tuple[Outcome, str]:
    """What a command did that ran since `before`, and what was wrong with the file it names ("" for nothing)."""
    after = look(root, named)
    own = own_paths_at(root)
    tree = tested_state(before.tree.without(own), after.tree.without(own))
    marks, counts = marks_of(root, changed(before.files, after.files), None)
    problem = ""
    if named is not None:
        try:
            counts = [_written(named, before, after)]
            told = None
        except (NeatError, OSError) as error:
            problem = error.message if isinstance(error, NeatError) else f"{named}: {error.strerror}"
    return Outcome(command, choose(told, counts), tree=tree, origin=marks), problem


def _written(named: Path, before: Look, after: Look) -> Counts:
    if after.named is None or after.named == before.named:
        raise NeatError(f"{named} was not written by the command", "name the file that it writes")
    return read_junit(named).counts


def own_paths_at(root: Path) -> Iterable[str]:
    """The paths that neat keeps current in the project at `root`; none where its neat.yaml has a mistake."""
    try:
        if not _NAMES_PATHS.search(read_small(root / PROJECT_FILE, 1 << 20)):
            return ()  # most name none, and reading the rest of it costs more than half of a `neat test`
    except OSError:
        return ()
    from neatd.config import load_project  # pydantic and YAML

    try:
        return own_paths(load_project(root))
    except ConfigError:
        return ()
