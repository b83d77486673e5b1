"""Checkpoints that were being written and never became one: `step_100.pt.tmp`, `tmp-checkpoint-500`. By name and rest only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from neatd.files import IGNORED_FOLDERS, is_text, measure_checkpoint
from neatd.read.checkpoint import Candidate, is_checkpoint_name, step_of

_ENDINGS = (".tmp", ".partial", ".incomplete", ".part", ".temp")
_BEGINNINGS = ("tmp-", "tmp_")
_DEPTH = 3  # as deep as checkpoints are looked for


def is_unfinished_save(name: str, is_folder: bool) -> bool:
    """Whether a name is that of a checkpoint, but for what says that it is not finished."""
    bare = name.removeprefix(".") if not is_folder else name
    lowered = bare.lower()
    ending = next((one for one in _ENDINGS if lowered.endswith(one)), "")
    beginning = next((one for one in _BEGINNINGS if lowered.startswith(one)), "")
    if not ending and not beginning:
        return False
    core = bare[len(beginning) : len(bare) - len(ending)]
    return is_checkpoint_name(core, is_folder) or (not is_folder and bool(ending) and step_of(f"{core}.pt") is not None)


def find_unfinished(run_folder: Path, is_run: Callable[[Path], bool] = lambda _: False) -> Iterator[Candidate]:
    """Everything in a run's folder that looks like one; folders of other runs and links are left out."""
    yield from _walk(run_folder, run_folder, is_run, _DEPTH)


def _walk(folder: Path, top: Path, is_run: Callable[[Path], bool], depth: int) -> Iterator[Candidate]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path, is_folder = Path(entry.path), entry.is_dir(follow_symlinks=False)
        if entry.is_symlink() or not is_text(entry.name):
            continue
        if is_unfinished_save(entry.name, is_folder) and (is_folder or entry.is_file(follow_symlinks=False)):
            measured = measure_checkpoint(path)
            if measured:
                yield Candidate(path.relative_to(top).as_posix(), None, is_folder, measured)
        elif is_folder and depth > 1 and entry.name not in IGNORED_FOLDERS and not is_run(path):
            yield from _walk(path, top, is_run, depth - 1)
