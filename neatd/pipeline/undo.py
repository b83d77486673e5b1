"""Taking a project's setting up back: exactly what `neat init` put there, and nothing of anybody's.

Without a manifest, as in a clone, only what is neat's by its own bytes goes. The manifest goes last, so that an undo that
was killed is ended by the next one. Records stay in the store.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.actions import gitmerge
from neatd.actions.changes import Change, LeftAlone, carry_out, content, place_of, remove_empty_folders, remove_halves
from neatd.actions.manifest import PATH as MANIFEST_PATH
from neatd.actions.manifest import Manifest, read_manifest
from neatd.assist.assistants import ASSISTANTS, File
from neatd.assist.marker import written
from neatd.errors import NeatError
from neatd.files import is_inside, write_atomic
from neatd.pipeline.setup import ATTRIBUTES, IGNORE, IGNORE_PATH, IGNORES_BEFORE, config_text, setup_of, sha256
from neatd.pipeline.upkeep.documents import INDEX
from neatd.place import PROJECT_FILE, project_identity
from neatd.store import folders

OWN_FOLDER = ".neat"
BRIEF_PATH = ".neat/brief.md"
_EMPTIED = (".neat/trash", ".neat/inbox")  # neat's own, as long as nothing is in them


class Undo(NamedTuple):
    """What is to be taken out."""

    changes: tuple[Change, ...]  # of assistants' files
    config: Change | None
    own: tuple[Change, ...]  # what is in .neat
    left_alone: tuple[LeftAlone, ...]
    manifest: Manifest | None
    with_git: bool

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.config or self.own or self.with_git)

    @property
    def shown(self) -> tuple[Change, ...]:
        return (*self.changes, *((self.config,) if self.config else ()), *self.own)


def plan_undo(root: Path) -> Undo:
    """What `neat init --undo` would do."""
    manifest = read_manifest(root)
    left: list[LeftAlone] = []
    changes = tuple(_assistants(root, manifest or Manifest(), left))
    config = _config(root, manifest or Manifest(), left)
    own = tuple(_own(root, manifest or Manifest(), left))
    if manifest:
        manifest = manifest.within([*_known(), *(place_of(root, change.path) for change in changes)])
    else:
        left += _emptied(root, changes)
    with_git = _has_git(root, left)
    return Undo(changes, config, own, tuple(left), manifest, with_git)


def take_out(root: Path, undo: Undo, store: sqlite3.Connection | None, who: str) -> tuple[list[str], list[LeftAlone]]:
    """Take it out, but for what is in .neat, which a daemon may still write; returns (what changed, what could not)."""
    done, left = carry_out(root, undo.changes)
    if undo.with_git:
        done += _uninstall(root, undo.manifest)
    remove_halves(root, (path for path in _known() if not path.startswith(f"{OWN_FOLDER}/")))
    done += remove_empty_folders(root, (undo.manifest.folders if undo.manifest else frozenset()) - {OWN_FOLDER})
    gone, kept = folders.let_go(store, root, who, lambda: carry_out(root, [undo.config] if undo.config else []))
    return done + gone, left + kept


def finish(root: Path, undo: Undo, is_whole: bool) -> tuple[list[str], list[str]]:
    """Take out what is in .neat, once no daemon writes there any more; returns (what was removed, what stays there).

    The manifest stays while something is still to be undone.
    """
    own = [change for change in undo.own if is_whole or change.path != MANIFEST_PATH]
    brief = _held(root, BRIEF_PATH)  # as it is now, and not as it was when this was planned
    own = [*([Change(BRIEF_PATH, brief, None)] if brief is not None else []), *(o for o in own if o.path != BRIEF_PATH)]
    index = _held(root, INDEX)
    if index is not None and (known := written(index)) is not None and not known.below.strip():
        own = [Change(INDEX, index, None), *own]
    remove_halves(root, [BRIEF_PATH, INDEX, IGNORE_PATH, MANIFEST_PATH])
    done, _ = carry_out(root, own)
    made = undo.manifest is None or OWN_FOLDER in undo.manifest.folders
    remove_empty_folders(root, [*_empty_below(root), *([OWN_FOLDER] if made else [])])
    return done, _staying(root)


def _files() -> Iterator[File]:
    setup = setup_of(("neat",))
    return (file for one in ASSISTANTS.values() for file in one.files(setup))


def _known() -> list[str]:
    """Every file that `neat init` may make."""
    return [*(file.path for file in _files()), PROJECT_FILE, ATTRIBUTES, BRIEF_PATH, IGNORE_PATH, MANIFEST_PATH]


def _assistants(root: Path, manifest: Manifest, left: list[LeftAlone]) -> Iterator[Change]:
    """The files of all assistants, whichever were chosen. Where two paths lead to one file, it is changed once."""
    seen: set[Path] = set()
    for file in _files():
        old = _held(root, file.path)
        real = (root / file.path).resolve()
        if old is None or real in seen:
            continue
        seen.add(real)
        try:
            new = file.without(old)
            is_over = file.is_empty(new) and _is_made(root, file, manifest, new != old)
        except (ValueError, RecursionError) as error:
            if b"neat" in old:
                left.append(LeftAlone(file.path, f"{error}; take out by hand what calls `neat`"))
            continue
        if is_over:  # of a link that was there, only what init made behind it goes
            yield Change(place_of(root, file.path) if (root / file.path).is_symlink() else file.path, old, None)
        elif new != old:
            yield Change(file.path, old, new)


def _is_made(root: Path, file: File, manifest: Manifest, is_changed: bool) -> bool:
    """Whether neat made a file, or what a link of the project leads to."""
    if (root / file.path).is_symlink():
        return is_changed and place_of(root, file.path) in manifest.made
    return file.path in manifest.made or (file.is_ours and is_changed)


def _emptied(root: Path, changes: Iterable[Change]) -> Iterator[LeftAlone]:
    """What says nothing any more, where no manifest tells who made it: by its bytes it may have been there before."""
    paths = [path for path, _, new in changes if new is not None and new.strip() in (b"", b"{}")]
    if (_held(root, ATTRIBUTES) or b"").strip() == gitmerge.ATTRIBUTE:
        paths.append(ATTRIBUTES)
    for path in paths:
        yield LeftAlone(path, "it is empty without neat, and may have been there before: remove it if nobody needs it")


def _held(root: Path, path: str) -> bytes | None:
    """What a file holds; None also where neat never writes, as behind a link that leads out of the project."""
    try:
        return content(root, path)
    except NeatError:
        return None


def _config(root: Path, manifest: Manifest, left: list[LeftAlone]) -> Change | None:
    old = _held(root, PROJECT_FILE)
    if old is None:
        return None
    line = manifest.id_line.encode()
    if line and old.startswith(line):
        return Change(PROJECT_FILE, old, old[len(line) :])
    if sha256(old) == manifest.hash_of(PROJECT_FILE) or _is_as_written(root, old):
        return Change(PROJECT_FILE, old, None)
    left.append(LeftAlone(PROJECT_FILE, "it says more than what neat wrote: it is kept, remove it if it shall go"))
    return None


def _is_as_written(root: Path, old: bytes) -> bool:
    """Whether a neat.yaml says but what each one begins with."""
    try:
        project_id, name = project_identity(root)
    except NeatError:
        return False
    return old == config_text(name, project_id).encode()


def _own(root: Path, manifest: Manifest, left: list[LeftAlone]) -> Iterator[Change]:
    for path in (BRIEF_PATH, IGNORE_PATH, MANIFEST_PATH):
        old = _held(root, path)
        if old is None:
            continue
        if path == IGNORE_PATH:
            if old not in (IGNORE, *IGNORES_BEFORE) and sha256(old) != manifest.hash_of(path):
                left.append(LeftAlone(path, "it says more than what neat wrote: it is kept"))
                continue
            if any(_files_below(root / folder) for folder in _EMPTIED):
                left.append(LeftAlone(path, "it keeps out of git what lies in .neat still: remove both together"))
                continue
        yield Change(path, old, None)


def _has_git(root: Path, left: list[LeftAlone]) -> bool:
    try:
        return gitmerge.is_there(root)
    except NeatError as error:
        left.append(LeftAlone(ATTRIBUTES, f"{error.message}; {error.hint}"))
        return False


def _uninstall(root: Path, manifest: Manifest | None) -> list[str]:
    was_there = _held(root, ATTRIBUTES) is not None
    done = gitmerge.uninstall(root)
    is_kept = manifest is None or ATTRIBUTES not in manifest.made
    if was_there and is_kept and _held(root, ATTRIBUTES) is None:  # it was there, with nothing in it
        write_atomic(root / ATTRIBUTES, b"")
    return done


def _files_below(folder: Path) -> bool:
    return any(names for _, _, names in os.walk(folder))


def _empty_below(root: Path) -> list[str]:
    """The trash and the inbox, with their folders: only those that are empty can be removed."""
    return [
        Path(folder).relative_to(root).as_posix()
        for one in _EMPTIED
        if is_inside(root / one, root)
        for folder, _, _ in os.walk(root / one)
    ]


def _staying(root: Path) -> list[str]:
    folder = root / OWN_FOLDER
    if not folder.is_dir() or not is_inside(folder, root):
        return []
    return sorted(f"{OWN_FOLDER}/{path.name}" + ("/" if path.is_dir() else "") for path in folder.iterdir())
