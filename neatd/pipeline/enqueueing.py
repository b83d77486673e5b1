"""A program is put into the queue: all that it will run with is written down first, then its row, which is the order.

`frozen.json` in the job's folder, readable by its owner only, holds the command, the folder and the whole environment of
who queued it; `state.diff` beside it what was not committed, without secrets. The row holds no environment. Needs no
daemon, and asks none. Invariant: a row's frozen.json is there before it.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import read_small
from neatd.jobs import shim
from neatd.jobs.bell import ring
from neatd.jobs.distributed import on_gpus, python_words
from neatd.jobs.folder import DIFF, FROZEN, job_folder
from neatd.jobs.interpreter import Interpreter, project_interpreter, resolved, with_environment
from neatd.jobs.jobname import refuse_name
from neatd.models import Job, Project
from neatd.pipeline import worktrees
from neatd.pipeline.devices import refuse_too_much
from neatd.place import git_folder, git_head
from neatd.read.gitrun import git_output
from neatd.read.startdiff import start_diff
from neatd.redact import redact
from neatd.redact_own import redactor
from neatd.rules.admission import ANY
from neatd.rules.commandline import parse_command
from neatd.store import jobs
from neatd.store.belonging import session_here
from neatd.store.short import new_id
from neatd.who import SESSION_VARIABLE, source

_LARGEST = 16 << 20  # bytes of frozen.json: a system's limit on an environment is far below
# What a process of neat's own sets for its children, which is not the job's.
_NOT_FROZEN = ("NEAT_JOB_ID", SESSION_VARIABLE, "_NEAT_COMPLETE", "_NEATD_COMPLETE")


class Wanted(NamedTuple):
    """A job as it is asked for."""

    command: tuple[str, ...]
    name: str = ""  # "": the program's
    cwd: Path | None = None  # None: the project's folder
    run_folder: str = ""  # relative to the project's root, where it is known
    kind: Literal["command", "train", "eval", "profile"] = "command"
    params: Mapping[str, Any] = {}
    env: Mapping[str, str] = {}
    environ: Mapping[str, str] | None = None  # who queues it; None: this process
    interpreter: Interpreter | None = None  # None: the project's
    why: str = ""
    group: str = "default"
    priority: int = 0
    after: tuple[str, ...] = ()  # whole ids of jobs and studies, each with `any:` before it where a failure will do
    gpus: int = 0
    memory_bytes: int | None = None
    is_distributed: bool = True  # several GPUs: a process for each, under torchrun, where it is a Python program
    retries: int = 0
    is_frozen: bool = False  # it runs from a worktree of the state as it is now
    study_id: str | None = None
    trial: int | None = None
    who: str = ""  # "": as the environment tells
    session: str | None = None  # None: as the environment tells; "": none
    job_id: str = ""  # of who has to know it before; "": a fresh one


class Frozen(NamedTuple):
    """What stands in frozen.json."""

    command: tuple[str, ...]
    cwd: str
    env: dict[str, str]


def enqueue(
    records: sqlite3.Connection, home: Path, root: Path, project: Project, wanted: Wanted, config: ProjectConfig
) -> Job:
    """Queue a job; it begins when a daemon finds room for it. Raises NeatError, with nothing written, for a name that is none,
    when there is no such program or folder, no job to come after, or more asked of devices than this machine has."""
    if wanted.name:
        refuse_name(wanted.name)
    cwd = (wanted.cwd or root).absolute()
    if not cwd.is_dir():
        raise NeatError(f"no folder {cwd}", "name a folder that is there")
    _refuse_unknown(records, wanted.after)
    refuse_too_much(home, wanted.gpus, wanted.memory_bytes)
    environ = dict(os.environ if wanted.environ is None else wanted.environ)
    by = wanted.interpreter or interpreter_of(root, cwd, config, environ)
    command = resolved(wanted.command, by, environ, cwd)
    if wanted.is_distributed:
        command = on_gpus(command, python_words(wanted.command, command), wanted.gpus)
    env = {**with_environment(environ, by), **wanted.env}
    job_id = wanted.job_id or new_id("job")
    with _nothing_left(home, job_id):
        state = _state(home, root, job_id, wanted.is_frozen, cwd, config)
        if wanted.is_frozen:
            env = worktrees.environment(records, home, root, job_id, cwd, env)
            cwd = worktrees.place_of(home, job_id, cwd)
            state["worktree"] = str(worktrees.path_of(home, job_id))
        _write(home, job_id, Frozen(command, str(cwd), env))
        name = redact(wanted.name) or redact(Path(parse_command(wanted.command).program).name or wanted.command[0])
        fields = {**_fields(wanted), **state, "id": job_id, "root": str(root), "python": by.python}
        fields["session"] = (session_here(records) if wanted.session is None else wanted.session) or None
        job = jobs.add(records, project.id, name, list(command), str(cwd), wanted.run_folder, **fields)
    ring(home, job.id)
    return job


def _fields(wanted: Wanted) -> dict[str, Any]:
    """What is asked for, as the row names it."""
    return {
        "kind": wanted.kind, "params": dict(wanted.params), "why": wanted.why, "who": wanted.who or source(),
        "group_name": wanted.group, "priority": wanted.priority, "after": wanted.after, "gpus": wanted.gpus,
        "memory_bytes": wanted.memory_bytes, "retries": wanted.retries, "study_id": wanted.study_id, "trial": wanted.trial,
    }  # fmt: skip


@contextmanager
def _nothing_left(home: Path, job_id: str) -> Iterator[None]:
    """What fails leaves no folder and no worktree behind."""
    try:
        yield
    except BaseException:
        worktrees.drop(home, job_id)
        shutil.rmtree(job_folder(home, job_id), ignore_errors=True)
        raise


def again(
    records: sqlite3.Connection,
    home: Path,
    job: Job,
    config: ProjectConfig,
    command: tuple[str, ...] | None = None,
    **changes: Any,
) -> Job:
    """A new job from the frozen state of an old one: its command (or another), folder and environment. `changes` are fields
    of the row. Files are as they are now, and that state is written down, unless the old one ran from a frozen copy."""
    frozen = read_frozen(home, job.id)
    if job.worktree and not Path(job.worktree).is_dir():
        raise NeatError(
            f"the copy of the files that {job.id[:9]} ran from has been removed",
            "`neat launch --frozen` makes a new one",
        )
    if not Path(frozen.cwd).is_dir():
        raise NeatError(f"the folder of {job.id[:9]} is gone: {frozen.cwd}", "`neat launch` from where it is now")
    new, words = new_id("job"), command or frozen.command
    if job.worktree:
        state: dict[str, Any] = job.model_dump(include={"branch", "commit_id", "dirty", "worktree"})
        kept = job_folder(home, job.id) / DIFF
        if kept.is_file():
            _write_private(job_folder(home, new) / DIFF, read_small(kept, _LARGEST))
    else:
        state = _state(home, Path(job.root or frozen.cwd), new, False, Path(frozen.cwd), config)
    _write(home, new, frozen._replace(command=words))
    fields = {**job.model_dump(include=_SAME), **state, "id": new, "retry_of": job.id, "who": source()}
    fields |= {"session": session_here(records) or None, **changes}
    made = jobs.add(records, job.project_id, job.name, list(words), frozen.cwd, job.run_folder, **fields)
    ring(home, made.id)
    return made


_SAME = {
    "root", "kind", "params", "why", "group_name", "priority", "gpus", "memory_bytes", "retries", "python",
    "study_id", "trial",
}  # fmt: skip


def read_frozen(home: Path, job_id: str) -> Frozen:
    """What a job was frozen to. Raises NeatError for one that was queued by an older neat, or whose folder is gone."""
    path = job_folder(home, job_id) / FROZEN
    try:
        found = json.loads(read_small(path, _LARGEST))
        return Frozen(tuple(map(str, found["command"])), str(found["cwd"]), dict(found["env"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NeatError(
            f"what {job_id[:9]} was to run with is not there: {path}", "queue it anew: `neat launch`"
        ) from error


def interpreter_of(root: Path, cwd: Path, config: ProjectConfig, environ: Mapping[str, str]) -> Interpreter:
    """The project's own interpreter. Raises NeatError for one that the repository brings: an environment is made on this
    machine, and what a clone carries is not run in its place."""
    found = project_interpreter(root, cwd, config.python, environ)
    path = Path(found.python)
    if found.said_by not in ("PATH", "VIRTUAL_ENV") and any(_is_tracked(root, one) for one in _places(root, path)):
        raise NeatError(
            f"{path} is part of the repository: it is not run as the project's Python",
            "make an environment of your own: `python -m venv .venv`, ignored by git",
        )
    return found


def _places(root: Path, path: Path) -> Iterator[Path]:
    """Where a path lies in the project, as it is written and where its links lead: /proc/self/cwd is the project, too."""
    real = root.resolve()
    for one in dict.fromkeys((path, path.parent.resolve() / path.name, path.resolve())):
        if base := next((base for base in (root, real) if one.is_relative_to(base)), None):
            yield root / one.relative_to(base)


def _is_tracked(root: Path, path: Path) -> bool:
    """Whether git tracks the environment a Python lies in, or a link on the way to it; a submodule is asked itself."""
    root = next((one for one in path.parents if one.is_relative_to(root) and (one / ".git").exists()), root)
    if git_folder(root) is None:
        return False
    asked = path.parent.parent if path.parent.parent not in (root, root.parent) else path
    parts = path.relative_to(root).parts
    links = [root.joinpath(*parts[: n + 1]) for n in range(len(parts) - 1)]
    asked = next((one for one in links if one.is_symlink()), asked)
    return bool(git_output(root, ["ls-files", "--", str(asked)]))


def _refuse_unknown(records: sqlite3.Connection, after: tuple[str, ...]) -> None:
    ids = tuple(one.removeprefix(ANY) for one in after)
    known = jobs.ended(records, ids) if ids else {}
    missing = [one for one in ids if one not in known]
    if missing:
        raise NeatError(f"no job or study {missing[0]} to come after", "`neat queue --all` shows the jobs")


def _state(home: Path, root: Path, job_id: str, is_frozen: bool, cwd: Path, config: ProjectConfig) -> dict[str, Any]:
    """Commit, branch and the number of changed files; what is not committed goes beside frozen.json."""
    branch, commit = git_head(cwd)
    if is_frozen and not commit:
        raise NeatError(f"nothing to freeze: {cwd} is in no git repository, or has no commit", "leave out --frozen")
    if not commit:
        return {}
    ours = (config.plan, config.table_csv, *config.documents.values())
    diff = start_diff(cwd, ours, redactor(root))
    text = diff.text
    if text:
        _write_private(job_folder(home, job_id) / DIFF, diff.packed)
    named = {line.partition(" b/")[2] for line in text.splitlines() if line.startswith("diff --git ")}
    return {"branch": branch, "commit_id": commit, "dirty": len(named.union(diff.untracked))}


def _write(home: Path, job_id: str, frozen: Frozen) -> Path:
    folder = job_folder(home, job_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {key: value for key, value in frozen.env.items() if key not in _NOT_FROZEN}
    shim.write_json(folder / FROZEN, {"command": list(frozen.command), "cwd": frozen.cwd, "env": kept})
    return folder


def _write_private(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
