"""Changes to files of a project, planned as values and then carried out: what is shown is what is written.

Every path is relative to the project, and stays in it: a link that leads out is refused. A file that changed since it was
looked at is left as it is. Each file is replaced or removed in one step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import inside, is_inside, read_small, write_atomic

MOST_BYTES = 1 << 20


class Change(NamedTuple):
    """A file as it is and as it shall be; None where there is none."""

    path: str
    old: bytes | None
    new: bytes | None


class LeftAlone(NamedTuple):
    """A file that is not changed, and why."""

    path: str
    reason: str


def content(root: Path, path: str) -> bytes | None:
    """What a file of the project holds; None where there is none. Raises NeatError where neat does not go: out of the
    project, into no file, into a large one."""
    whole = root / path
    if whole.is_symlink() and not is_inside(whole, root):
        raise NeatError(
            f"{whole} is a link to {_target(whole)}", "neat writes only inside the project: put a file there"
        )
    inside(root, path)
    try:
        return read_small(whole, MOST_BYTES)
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise NeatError(f"{whole.parent} is no folder", "move the file that stands there") from error
    except OSError as error:
        raise NeatError(
            f"{whole} cannot be read: {error.strerror}", "put a readable file of at most 1 MB there"
        ) from error


def place_of(root: Path, path: str) -> str:
    """Where a file that `content` may look at really lies: behind its links, relative to the project."""
    return (root / path).resolve().relative_to(root.resolve()).as_posix()


def _target(link: Path) -> str:
    try:
        return str(link.resolve())
    except (OSError, RuntimeError):
        return str(link.readlink())


def carry_out(root: Path, changes: Iterable[Change]) -> tuple[list[str], list[LeftAlone]]:
    """Write and remove; returns (paths that changed, those that could not be)."""
    done: list[str] = []
    left: list[LeftAlone] = []
    for change in changes:
        try:
            if content(root, change.path) != change.old:
                left.append(LeftAlone(change.path, "it was changed meanwhile: run the command again"))
                continue
            _write(root / change.path, change.new)
            done.append(change.path)
        except NeatError as error:
            left.append(LeftAlone(change.path, f"{error.message}; {error.hint}"))
        except OSError as error:
            left.append(LeftAlone(change.path, f"it cannot be written: {error.strerror}"))
    return done, left


def _write(path: Path, new: bytes | None) -> None:
    if new is None:
        path.unlink()
    else:
        write_atomic(path.resolve(), new)  # a link in the project stays a link


def missing_folders(root: Path, paths: Iterable[str]) -> list[str]:
    """The folders that have to be made for these files, the outer ones first."""
    found = {
        parent.as_posix(): None
        for path in paths
        for parent in reversed(Path(path).parents[:-1])
        if not os.path.lexists(root / parent)
    }
    return list(found)


def remove_empty_folders(root: Path, folders: Iterable[str]) -> list[str]:
    """Remove those that are there and empty, the inner ones first; returns which."""
    done = []
    for folder in sorted(folders, key=lambda one: one.count("/"), reverse=True):
        path = root / folder
        if not path.is_symlink() and is_inside(path, root):
            try:
                path.rmdir()
            except OSError:  # not there, not empty, not to be removed: it stays
                continue
            done.append(folder)
    return done


def remove_halves(root: Path, paths: Iterable[str]) -> None:
    """Remove what a killed write of these files left beside them: the name that `write_atomic` gives its first half."""
    for path in paths:
        whole = root / path
        ours = re.compile(re.escape(f".{whole.name}.") + r"[a-z0-9_]{8}\.tmp")
        if not is_inside(whole, root) or not whole.parent.is_dir():
            continue
        for name in os.listdir(whole.parent):  # noqa: PTH208 - names alone
            half = whole.parent / name
            if ours.fullmatch(name) and half.is_file() and not half.is_symlink():
                half.unlink(missing_ok=True)
