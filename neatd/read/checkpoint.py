"""Checkpoints recognised by name, and whether they are whole. Never unpickles: only names, sizes and directories.

A checkpoint is a file, a folder, or the files of a folder that are one save (`units`).

A file is complete when its size and time have been at rest for a while and, where the format tells, its directory is
whole: a zip's (what torch.save writes) and a safetensors header's.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.files import IGNORED_FOLDERS, is_text, measure_checkpoint, read_small
from neatd.read.units import SUFFIXES, Unit, group

# A number is a step only where it ends there: not a size (model-7b), a score (ckpt-0.95) or a shard (model-00001-of-00005).
_STEP = re.compile(
    r"(?:^|[-_. =])(?:global[-_]?step|step|iter|iteration|ckpt|checkpoint|model)s?[-_=]?(\d+)"
    r"(?!\d|[A-Za-z]|\.\d|[-_]of[-_]?\d)", re.I
)  # fmt: skip
# checkpoints_2 is no checkpoint: it holds some.
_FOLDER = re.compile(r"^(?:checkpoint|ckpt|(?:global[-_]?step|step|iter)s?)[-_=]?(\d+)$", re.I)
_STATE = (*SUFFIXES, ".bin", ".distcp", ".index")
UNFINISHED = (".tmp", ".partial", ".incomplete", ".part", ".temp")
_POINTERS = ("latest", "latest_universal", "latest_checkpointed_iteration.txt", "last_checkpoint", "latest_checkpoint")
_LONGEST_HEADER = 100 << 20  # bytes: what the safetensors library itself refuses beyond
_DEPTH = 3  # below the run's folder: runs/x/version_0/checkpoints/step_1.ckpt


class Candidate(NamedTuple):
    """A file or folder that looks like a checkpoint. `path` is relative to the run's folder, with forward slashes."""

    path: str
    step: int | None
    is_folder: bool
    measured: tuple[int, int, int]  # bytes, newest mtime in ns, inode; of all its files
    parts: tuple[str, ...] = ()  # names beside it of what belongs to the same save
    is_short: bool = False  # a shard is missing


def step_of(name: str, is_folder: bool = False) -> int | None:
    """The training step in a checkpoint's name; None when it tells none (best.pt, epoch=3.ckpt)."""
    found = _FOLDER.match(name) if is_folder else _STEP.search(name.rsplit(".", 1)[0])
    step = int(found.group(1)) if found else None
    return step if step is not None and step < 2**63 else None


def is_checkpoint_name(name: str, is_folder: bool) -> bool:
    """Whether a name is one that trainers give to checkpoints, and not to one being written."""
    if _is_unfinished(name):
        return False
    return bool(_FOLDER.match(name)) if is_folder else name.lower().endswith(SUFFIXES)


def _is_unfinished(name: str) -> bool:
    """Hidden or temporary, as a file or folder is while it is written (transformers: tmp-checkpoint-500)."""
    return name.startswith((".", "tmp-", "tmp_")) or name.lower().endswith(UNFINISHED)


def find_checkpoints(run_folder: Path, is_run: Callable[[Path], bool] = lambda _: False) -> Iterator[Candidate]:
    """Everything in a run's folder that looks like a checkpoint; folders of other runs and links are left out.

    So are names that are not UTF-8: the store cannot hold them, and what is not catalogued is never deleted.
    """
    yield from candidates_below(run_folder, is_run, _saves, _is_entered)


def candidates_below(
    folder: Path,
    is_run: Callable[[Path], bool],
    saves_among: Callable[[list[os.DirEntry[str]]], dict[str, Unit]],
    is_entered: Callable[[str], bool],
    depth: int = _DEPTH,
    top: Path | None = None,
) -> Iterator[Candidate]:
    """What `saves_among` finds among the entries of each folder, in order of their names, by the name that stands for each.

    No link is followed, no other run's folder entered, nor one that is a save itself.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    plain = [entry for entry in entries if is_text(entry.name) and not entry.is_symlink()]
    top, saves = top or folder, saves_among(plain)
    for entry in plain:
        path, is_folder = Path(entry.path), entry.is_dir(follow_symlinks=False)
        if unit := saves.get(entry.name):
            measured = measure_checkpoint(path, unit.parts)
            if measured:
                yield _candidate(path.relative_to(top).as_posix(), unit, is_folder, measured)
        elif is_folder and depth > 1 and is_entered(entry.name) and not is_run(path):
            yield from candidates_below(path, is_run, saves_among, is_entered, depth - 1, top)


def _saves(entries: list[os.DirEntry[str]]) -> dict[str, Unit]:
    """Folders that hold a model's state, and the units of plain files."""
    folders = [one for one in entries if one.is_dir(follow_symlinks=False) and is_checkpoint_name(one.name, True)]
    return {one.name: Unit(one.name, (), False) for one in folders if _holds_state(Path(one.path))} | _units(entries)


def _units(entries: list[os.DirEntry[str]]) -> dict[str, Unit]:
    """The saves among the plain files of a folder, by the name that stands for each."""
    names = [entry.name for entry in entries if not _is_unfinished(entry.name) and entry.is_file(follow_symlinks=False)]
    return {unit.main: unit for unit in group(names)}


def _candidate(path: str, unit: Unit, is_folder: bool, measured: tuple[int, int, int]) -> Candidate:
    steps = (step_of(name, is_folder) for name in (unit.main, *unit.parts))
    step = next((one for one in steps if one is not None), None)
    return Candidate(path, step, is_folder, measured, unit.parts, unit.is_short)


def _is_entered(name: str) -> bool:
    return name not in IGNORED_FOLDERS and not _is_unfinished(name)


def _holds_state(folder: Path) -> bool:
    """Whether a folder named like a checkpoint holds a model's state (and is not just where checkpoints lie)."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.lower().endswith(_STATE) or entry.name == "trainer_state.json" for entry in entries)
    except OSError:
        return False


def is_complete(path: Path, one: Candidate) -> bool:
    """Whether each file of a save is whole and no shard is missing."""
    own = [path, *(path.with_name(name) for name in one.parts if name.lower().endswith(SUFFIXES))]
    return not one.is_short and all(is_whole(file) for file in own)


def is_whole(path: Path) -> bool:
    """Whether a file's own directory is intact; for formats that keep none, whether it holds anything at all.

    A folder is whole when the files of state in it are; others may well be empty.
    """
    if path.is_dir():
        return all(is_whole(file) for file in path.rglob("*") if file.name.lower().endswith(_STATE) and file.is_file())
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if start and b"PK".startswith(start[:2]):
            with zipfile.ZipFile(path) as archive:
                return len(archive.namelist()) > 0
        if path.suffix == ".safetensors":
            return _safetensors_whole(path, start)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, TypeError, LookupError, RecursionError):
        return False  # whatever a broken header makes the parsers say
    return len(start) > 0


def _safetensors_whole(path: Path, start: bytes) -> bool:
    """The header names the end of the last tensor: the file must reach it."""
    length = int.from_bytes(start, "little")
    size = path.stat().st_size
    if len(start) < 8 or length + 8 > size or length > _LONGEST_HEADER:
        return False
    with path.open("rb") as file:
        file.seek(8)
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        return False
    ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
    return 8 + length + max(ends, default=0) <= size


def named_by_pointers(folder: Path) -> Iterator[tuple[str, str]]:
    """(name or number that it holds, the file's own name) of the small files in which trainers say what is the latest.

    DeepSpeed writes `latest` with the folder's name, Megatron a number, detectron2 a file's name.
    """
    for name in _POINTERS:
        try:
            text = read_small(folder / name, 4096).decode().strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text and "\n" not in text:
            yield text, name


class RestWatch:
    """Remembers what each file measured and since when. Monotonic seconds come from the caller."""

    def __init__(self, rest_s: float) -> None:
        self.rest_s = rest_s
        self._seen: dict[Path, tuple[tuple[int, int, int], float]] = {}

    def is_at_rest(self, path: Path, measured: tuple[int, int, int], now: float) -> bool:
        """Whether `path` has measured the same for `rest_s` seconds of being watched."""
        before = self._seen.get(path)
        if before is None or before[0] != measured:
            self._seen[path] = (measured, now)
            return False
        return now - before[1] >= self.rest_s

    def forget(self, path: Path) -> None:
        """Stop watching a file that is complete or gone."""
        self._seen.pop(path, None)
