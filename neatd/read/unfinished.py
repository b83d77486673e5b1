"""Checkpoints that were being written and never became one: `step_100.pt.tmp`, `tmp-checkpoint-500`. By name and rest only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from neatd.files import IGNORED_FOLDERS
from neatd.read.checkpoint import UNFINISHED, Candidate, candidates_below, is_checkpoint_name, step_of
from neatd.read.units import Unit

_BEGINNINGS = ("tmp-", "tmp_")


def is_unfinished_save(name: str, is_folder: bool) -> bool:
    """Whether a name is that of a checkpoint, but for what says that it is not finished."""
    bare = name.removeprefix(".") if not is_folder else name
    lowered = bare.lower()
    ending = next((one for one in UNFINISHED if lowered.endswith(one)), "")
    beginning = next((one for one in _BEGINNINGS if lowered.startswith(one)), "")
    if not ending and not beginning:
        return False
    core = bare[len(beginning) : len(bare) - len(ending)]
    return is_checkpoint_name(core, is_folder) or (not is_folder and bool(ending) and step_of(f"{core}.pt") is not None)


def find_unfinished(run_folder: Path, is_run: Callable[[Path], bool] = lambda _: False) -> Iterator[Candidate]:
    """Everything in a run's folder that looks like one; folders of other runs and links are left out."""
    yield from candidates_below(run_folder, is_run, _unfinished, lambda name: name not in IGNORED_FOLDERS)


def _unfinished(entries: list[os.DirEntry[str]]) -> dict[str, Unit]:
    return {
        one.name: Unit(one.name, (), False)
        for one in entries
        if (one.is_dir(follow_symlinks=False) or one.is_file(follow_symlinks=False))
        and is_unfinished_save(one.name, one.is_dir(follow_symlinks=False))
    }
