"""A trainer's job put together: its command, its run's folder, the Python it runs on. Who asks puts it into the queue."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.jobs.interpreter import Interpreter, missing_modules, own_interpreter, with_environment
from neatd.jobs.jobname import refuse_name
from neatd.jobs.trainers import TrainerSpec, missing_needs
from neatd.models import Job
from neatd.pipeline.enqueueing import interpreter_of
from neatd.store import jobs


def interpreter_for(root: Path, config: ProjectConfig, spec: TrainerSpec) -> Interpreter:
    """The project's Python if it has what the trainer needs, else neat's own; raises NeatError when neither has."""
    by = interpreter_of(root, root, config, os.environ)
    if by.is_uv and not missing_needs(spec):
        return own_interpreter()  # uv would build what a repository names, for a program that is none of it
    missing = missing_modules(spec.needs, by, with_environment(os.environ, by))
    if not missing:
        return by
    if config.python or missing_needs(spec):
        where = f"{by.python} has not" if config.python else "is not installed"
        raise NeatError(f"{spec.name} needs {', '.join(missing)}: {where}", 'pip install "neat-notebook[trainers]"')
    return own_interpreter()


def with_project_python(declared: Sequence[str], command: tuple[str, ...]) -> tuple[str, ...]:
    """A command that was built of a trainer's `declared` one, with the word `python` again where that has it."""
    return ("python", *command[1:]) if declared[0] == "python" else command


def run_folder_of(name: str) -> str:
    """runs/NAME; raises NeatError for a name that would lead elsewhere, or be another name of the same folder."""
    refuse_name(name, "run")
    return f"runs/{name}"


def active_in(records: sqlite3.Connection, project_id: str, folder: str) -> Job | None:
    """The job that trains a run's folder, or is going to; of several the one that was queued last."""
    active = jobs.jobs(records, project_id, active_only=True)
    return next((job for job in active if job.run_folder == folder), None)


def refuse_taken(records: sqlite3.Connection, root: Path, project_id: str, folder: str, is_resumed: bool) -> None:
    """Raises NeatError for a folder that holds a run, or that a job trains or is going to."""
    if (root / folder / "metrics.jsonl").exists() and not is_resumed:
        raise NeatError(
            f"{folder} holds a run already", f"choose another --name, or go on with it: `neat resume {folder}`"
        )
    busy = active_in(records, project_id, folder)
    if busy:
        raise NeatError(f"{folder} is being trained by job {busy.id}", "choose another --name, or wait for it")
