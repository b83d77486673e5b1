"""The checkpoint that a person means: by a file, a folder, something in it, or the beginning of its id."""

from __future__ import annotations

from pathlib import Path

from neatd.cli.common import Open
from neatd.errors import NeatError
from neatd.models import Checkpoint, Run
from neatd.store import checkpoints, runs

HINT = "`neat checkpoints` lists them; --json has their ids"


def find_checkpoint(opened: Open, word: str) -> tuple[Run, Checkpoint]:
    """The checkpoint of the project that `word` names. Raises NeatError where there is none, or more than one."""
    ours = runs.all_runs(opened.records, opened.project.id)
    path = Path(word).absolute()
    found = [
        (run, one) for run in ours for one in checkpoints.catalogue(opened.records, run.id) if _is(run, one, word, path)
    ]
    if not found:
        raise NeatError(f"no checkpoint {word!r} in this project", HINT)
    exact = [pair for pair in found if pair[1].id == word] or found
    if len(exact) > 1:
        names = ", ".join(f"{one.path} of {run.name}" for run, one in exact[:4])
        raise NeatError(f"{word!r} may be {names}", HINT)
    return exact[0]


def _is(run: Run, one: Checkpoint, word: str, path: Path) -> bool:
    if word.startswith("c-") and len(word) > 3:
        return one.id.startswith(word)
    main = Path(run.root) / run.folder / one.path
    files = {main, *(main.with_name(name) for name in one.parts)}
    return not files.isdisjoint((path, *path.parents))
