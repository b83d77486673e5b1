"""A checkpoint is to be scored, or a trainer's steps to be timed: of which run, by which command. Reads only; who asks queues
the job, and `pipeline/measured.py` keeps what comes of it.
"""

from __future__ import annotations

import hashlib
import shlex
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import data_path, file_hash, measure_checkpoint
from neatd.jobs.trainers import TrainerSpec, as_words, eval_command, load_trainers, profile_command
from neatd.models import Checkpoint, Project, Run
from neatd.pipeline.bestof import best_checkpoints
from neatd.pipeline.training import with_project_python
from neatd.read.checkpoint import step_of
from neatd.store import checkpoints, jobs, runs
from neatd.store.short import resolve_in

_NOT_PROFILED = ("resume", "more")  # parameters that say where training begins, and not how a step is made


class Target(NamedTuple):
    """A checkpoint, and the run that it is of."""

    run: Run
    path: Path
    step: int | None
    best_by: str = ""  # the metric, where it was chosen as the best


class Measure(NamedTuple):
    """What a job is to run, by whose trainer; `params` is what its row keeps of it."""

    spec: TrainerSpec
    command: tuple[str, ...]
    name: str
    params: dict[str, Any]


def evaluation(
    records: sqlite3.Connection, found: Target, trainer: str | None, params: Sequence[str]
) -> Measure:  # fmt: skip
    """The job that scores a checkpoint. Reads all of it, for its hash."""
    spec = _trainer_of(records, found.run, trainer)
    command = with_project_python(spec.eval.command if spec.eval else (), eval_command(spec, found.path, params))
    folder = Path(found.run.root) / found.run.folder
    path = found.path.relative_to(folder).as_posix() if found.path.is_relative_to(folder) else str(found.path)
    kept: dict[str, Any] = {"run": found.run.id, "checkpoint": path, "step": found.step, "path": str(found.path)}
    kept |= {
        "hash": checkpoint_hash(found.path),
        "stamp": list(measure_checkpoint(found.path) or ()),
        "set": list(params),
    }
    at = "" if found.step is None else f" at step {found.step}"
    return Measure(spec, command, f"{found.run.name}{at}: eval", kept)


def profiling(
    records: sqlite3.Connection, project: Project, word: str, trainer: str | None, params: Sequence[str]
) -> Measure:  # fmt: skip
    """The job that times steps: those of a run, as it is configured, or of a trainer."""
    known = load_trainers(data_path("trainers"))
    run: Run | None = None
    try:
        run = runs.find_run(records, word, project.id)
        spec = _trainer_of(records, run, trainer)
    except NeatError:
        if run is not None or word not in known:
            raise
        spec = known[word]
    words = (*_configured(spec, run), *params) if run else tuple(params)
    built = profile_command(spec, words)
    command = with_project_python(spec.profile.command if spec.profile else (), built)
    kept = {"run": run.id if run else None, "set": list(words)}
    return Measure(spec, command, f"{run.name if run else word}: profile", kept)


def target(
    records: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, word: str,
    run_word: str | None,
) -> Target:  # fmt: skip
    """The checkpoint that a word means: an id's beginning, a path, or a run, whose best one it is then. Raises NeatError where
    there is none, or its run is not known."""
    run = runs.find_run(records, run_word, project.id) if run_word else None
    if word.startswith("c-") and (one := _by_id(records, word)) is not None:
        owner = run or runs.get_run(records, one.run_id)
        home = runs.get_run(records, one.run_id)
        return _there(Target(owner, Path(home.root) / home.folder / one.path, one.step))
    path = Path(word).absolute()
    if path.exists() and runs.by_folder(records, project.root, _relative(project, path)) is None:  # no run's own folder
        around = run or _around(records, path)
        if around is None:
            raise NeatError(f"which run {word} is of is not known", "say it: `--run ID`; `neat runs` lists them")
        return Target(around, path, _step(records, around, path))
    return _best(records, series, runs.find_run(records, word, project.id), config)


def checkpoint_hash(path: Path) -> str:
    """sha256 of a file, or of the names and hashes of a folder's files."""
    if path.is_file():
        return f"sha256:{file_hash(path)}"
    digest = hashlib.sha256()
    for one in sorted(path.rglob("*")):
        if one.is_file() and not one.is_symlink():
            digest.update(f"{one.relative_to(path).as_posix()}\0{file_hash(one)}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _best(records: sqlite3.Connection, series: sqlite3.Connection, run: Run, config: ProjectConfig) -> Target:
    """By the primary metric, else by a loss, else by the first; where nothing judges them, the newest that is there."""
    found = best_checkpoints(records, series, run, config)
    wanted = config.primary.metric if config.primary else ""
    best = min(found, key=lambda one: (one["metric"] != wanted, "loss" not in one["metric"].lower()), default=None)
    if best is not None:
        return _there(Target(run, Path(run.root) / best["path"], best["step"], best["metric"]))
    kept = [one for one in checkpoints.catalogue(records, run.id) if one.status == "present"]
    if not kept:
        raise NeatError(f"{run.name} has no checkpoint", "`neat checkpoints` lists them")
    return _there(Target(run, Path(run.root) / run.folder / kept[-1].path, kept[-1].step))


def _there(found: Target) -> Target:
    if not found.path.exists():
        raise NeatError(f"no checkpoint at {found.path} any more", "`neat checkpoints` lists those that are there")
    return found


def _by_id(records: sqlite3.Connection, word: str) -> Checkpoint | None:
    with suppress(NeatError):
        full = resolve_in(records, "checkpoint", word)
        row = records.execute("SELECT run_id FROM checkpoint WHERE id = ?", (full,)).fetchone()
        return next(one for one in checkpoints.catalogue(records, row[0]) if one.id == full)
    return None


def _around(records: sqlite3.Connection, path: Path) -> Run | None:
    """The run whose folder is the nearest around a path."""
    for folder in path.parents:
        for root in (folder, *folder.parents):
            relative = folder.relative_to(root).as_posix()
            if run := runs.by_folder(records, str(root), "" if relative == "." else relative):
                return run
    return None


def _relative(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else "/"


def _step(records: sqlite3.Connection, run: Run, path: Path) -> int | None:
    folder = Path(run.root) / run.folder
    known = {folder / one.path: one.step for one in checkpoints.catalogue(records, run.id)}
    return known[path] if path in known else step_of(path.name, path.is_dir())


def _trainer_of(records: sqlite3.Connection, run: Run, named: str | None) -> TrainerSpec:
    known = load_trainers(data_path("trainers"))
    if named is not None:
        if named not in known:
            raise NeatError(f"no trainer {named!r}", f"shipped: {', '.join(known)}")
        return known[named]
    words: Sequence[str] = ()
    with suppress(NeatError, ValueError):
        words = jobs.get_job(records, run.job_id).command if run.job_id else ()
        words = words or shlex.split(run.process.command if run.process else "")
    for spec in known.values():
        if any(Path(word).parent == spec.folder for word in words):
            return spec
    raise NeatError(f"which trainer made {run.name} is not known", f"say it: `--trainer`, one of {', '.join(known)}")


def _configured(spec: TrainerSpec, run: Run) -> tuple[str, ...]:
    """The run's parameters as the trainer takes them."""
    plain = {name: one for name, one in run.config.items() if isinstance(one, int | float | str)}
    return as_words({name: one for name, one in plain.items() if name in spec.parameters and name not in _NOT_PROFILED})
