"""One folder as a walk sees it: the files that may be read for a run, the folders in it, what else tells of training.

Reads names and, where a name may be a source, the file's size and times; opens nothing.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from neatd.files import is_text
from neatd.place import PROJECT_FILE
from neatd.read.checkpoint import is_checkpoint_name
from neatd.read.naming import Named, Parts, named
from neatd.read.placing import Held, writer

MOST_ENTRIES = 100_000  # of one folder: 0.1 s; a folder with more holds data
MOST_DOUBTFUL = 500  # files of one folder whose names are no proof and not usual
_CONFIGS = frozenset(
    {
        "config.json", "config.yaml", "config.yml", "params.json", "params.yaml", "hparams.yaml", "hparams.json",
        "training_args.bin", "opt.yaml", "hyp.yaml", ".hydra",
    }
)  # fmt: skip
_SAVES = frozenset({"checkpoints", "checkpoint", "ckpts", "ckpt", "weights"})
_PROGRAMS = (".py", ".ipynb")
_NOTHING, _CONFIG, _CHECKPOINT, _PROGRAM = 0, 1, 2, 4  # signs of training in a folder


class File(NamedTuple):
    """A file that may be a source."""

    name: str
    path: str
    named: Named
    inode: int  # of the link, for a link

    def about(self) -> os.stat_result | None:
        """Size and times; None when it went, or is no regular file."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - for thousands of files at each walk
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None


_Named = tuple[str, os.DirEntry[str], Named]


class Listing(NamedTuple):
    """What a folder holds."""

    path: str
    parts: Parts
    files: tuple[File, ...]  # by name
    folders: tuple[os.DirEntry[str], ...]  # by name
    signs: int
    notes: tuple[str, ...]  # what was passed over

    def held(self, formats: frozenset[str], splits: int) -> Held:
        """The folder in the words of placing. `formats`: of its sources, without text and databases."""
        writers = (writer(one.name) for one in self.files if one.named.formats == ("tensorboard",))
        return Held(
            bool(formats), bool(formats - {"tensorboard"}), bool(self.signs & _CONFIG), bool(self.signs & _CHECKPOINT),
            bool(self.signs & _PROGRAM), frozenset(writers), splits,
        )  # fmt: skip


def listed(path: str, parts: Parts) -> Listing | None:
    """A folder's listing; None for one that is not entered: a virtual environment, another project.

    Raises OSError where it cannot be listed, and PermissionError where its files can only be named.
    """
    files: list[_Named] = []
    doubtful: list[_Named] = []
    folders: list[os.DirEntry[str]] = []
    signs, is_cut, is_many, has_odd = _NOTHING, False, False, False
    with os.scandir(path) as entries:
        for n, entry in enumerate(entries):
            if n >= MOST_ENTRIES:
                is_cut = True
                break
            name = entry.name
            if parts and name in ("pyvenv.cfg", PROJECT_FILE):
                return None
            if _is_folder(entry):
                folders.append(entry)
                signs |= _sign_of_folder(name)
                continue
            sign = _sign_of_file(name)
            signs |= sign
            found = named(parts, name) if sign == _NOTHING else None
            if found is None:
                continue
            if not is_text(name):
                has_odd = True
            elif found.is_usual:
                files.append((name, entry, found))
            else:
                doubtful.append((name, entry, found))
    if len(doubtful) > MOST_DOUBTFUL:
        doubtful = sorted(doubtful, key=_by_name)[:MOST_DOUBTFUL]
        is_many = True
    kept = [File(name, entry.path, found, entry.inode()) for name, entry, found in files + doubtful if _is_file(entry)]
    if kept:
        os.stat(kept[0].path)  # noqa: PTH116 - what a listing tells does not say whether the folder may be searched
    notes = _notes("/".join(parts) or "the project's own folder", has_odd, is_cut, is_many)
    return Listing(path, parts, tuple(sorted(kept)), tuple(sorted(folders, key=attrgetter("name"))), signs, notes)


@lru_cache(maxsize=8192)  # runs of one project hold the same names
def _sign_of_file(name: str) -> int:
    if name in _CONFIGS or name.startswith("args."):
        return _CONFIG
    if is_checkpoint_name(name, False):
        return _CHECKPOINT
    return _PROGRAM if name.endswith(_PROGRAMS) else _NOTHING


@lru_cache(maxsize=8192)
def _sign_of_folder(name: str) -> int:
    return (
        _CONFIG if name in _CONFIGS else _CHECKPOINT if name in _SAVES or is_checkpoint_name(name, True) else _NOTHING
    )


def _by_name(one: _Named) -> str:
    return one[0]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads in a circle


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _notes(where: str, has_odd: bool, is_cut: bool, is_many: bool) -> tuple[str, ...]:
    notes = [f"{where}: files whose names are not UTF-8 are not read"] if has_odd else []
    if is_cut:
        notes.append(f"{where} holds more than {MOST_ENTRIES:,} entries: the rest of it is not looked at")
    if is_many:
        notes.append(
            f"{where} holds more than {MOST_DOUBTFUL} files that may hold metrics: the first by name are looked at"
        )
    return tuple(notes)
