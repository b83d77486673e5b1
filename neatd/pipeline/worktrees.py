"""The worktrees that frozen jobs run from: made when a job is queued, taken away when nothing needs them.

One is taken away only when every job that runs from it has ended, the last of them well or a week ago, and nothing
new lies in it: no file that neither git nor neat put there, no tracked file changed. What a job wrote into one stays,
and its folder becomes one of the project's, so that the runs in it are found.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from neatd.actions import worktree
from neatd.errors import NeatError
from neatd.files import read_small, write_atomic
from neatd.jobs.folder import job_folder
from neatd.models import JOB_ENDED
from neatd.place import git_head, here
from neatd.read.gitrun import git_output
from neatd.store import runs
from neatd.store.connection import transaction
from neatd.store.short import ensure_project

KEPT_DAYS = 7  # of a job that did not end well: it may be tried again
YOUNG_S = 86_400.0  # of a worktree without a job: a crash left it, or it is being made
MANIFEST = "worktree.json"
_LARGEST = 1 << 20


def path_of(home: Path, job_id: str) -> Path:
    """Where the worktree of a job is."""
    return home / "worktrees" / job_id


def place_of(home: Path, job_id: str, cwd: Path) -> Path:
    """The folder in the worktree that stands for `cwd`."""
    return path_of(home, job_id) / cwd.resolve().relative_to(_top(cwd))


def environment(
    records: sqlite3.Connection, home: Path, root: Path, job_id: str, cwd: Path, env: Mapping[str, str]
) -> dict[str, str]:
    """Make the worktree; the environment in which imports find its files before those of the project."""
    top, target = _top(cwd), path_of(home, job_id)
    known = runs.folders(records, here(root).project_id).values()
    base = root.resolve().relative_to(top) if root.resolve().is_relative_to(top) else Path()
    made = worktree.make(top, git_head(cwd)[1], target, [(base / one).as_posix() for one in known if one])
    manifest = {"top": str(top), **made._asdict()}
    write_atomic(job_folder(home, job_id) / MANIFEST, json.dumps(manifest).encode())
    entries = [one for one in env.get("PYTHONPATH", "").split(os.pathsep) if one]
    moved = [str(target / Path(one).relative_to(top)) if Path(one).is_relative_to(top) else one for one in entries]
    sources = place_of(home, job_id, root) / "src"  # installed editable, it would be imported from the project
    first = [str(sources)] if sources.is_dir() else []
    paths = list(dict.fromkeys([*first, *moved]))
    return {**env, **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})}


def drop(home: Path, job_id: str) -> None:
    """Take away one whose job was not queued after all."""
    found = _manifest(home, job_id)
    if found is not None and path_of(home, job_id).exists():
        worktree.remove(found[0], path_of(home, job_id))


def left_out(home: Path, job_id: str) -> tuple[str, ...]:
    """The files that were too large to be copied into a job's worktree."""
    found = _manifest(home, job_id)
    return found[1].left_out if found else ()


def present(home: Path) -> list[Path]:
    """The worktrees that are there."""
    return sorted((home / "worktrees").glob("j-*"))


def tidy(records: sqlite3.Connection, home: Path, path: Path, now: datetime) -> bool:
    """Take one away that nothing needs; True when it went."""
    rows = records.execute("SELECT status, updated_at FROM job WHERE worktree = ?", (str(path),)).fetchall()
    if not _may_go(rows, now) or (not rows and _is_young(path, now)):  # its row is about to be written
        return False
    found = _manifest(home, path.name)
    if found is None or look_into(records, home, path):
        return False
    worktree.remove(found[0], path)
    return True


def job_of(records: sqlite3.Connection, home: Path, root: Path) -> str:
    """The last job that ran from the worktree around `root`; "" where that is none."""
    folder = home / "worktrees"
    if not root.is_relative_to(folder) or root == folder:
        return ""
    path = folder / root.relative_to(folder).parts[0]
    row = records.execute("SELECT id FROM job WHERE worktree = ? ORDER BY rowid DESC", (str(path),)).fetchone()
    return str(row[0]) if row else ""


def look_into(records: sqlite3.Connection, home: Path, path: Path) -> bool:
    """Whether a job wrote something there, or git does not tell: then the worktree is a folder of its project from now on, so
    that the runs in it are found."""
    found = _manifest(home, path.name)
    try:
        is_new = found is None or worktree.state(path) != found[1].state or any(worktree.new_files(path, found[1]))
    except NeatError:
        return True
    if is_new:
        _make_known(records, path)
    return is_new


def _may_go(rows: list[tuple[str, str]], now: datetime) -> bool:
    if any(status not in JOB_ENDED for status, _ in rows):
        return False
    last = max(rows, key=lambda row: row[1], default=None)
    return last is None or last[0] == "finished" or now - datetime.fromisoformat(last[1]) > timedelta(days=KEPT_DAYS)


def _is_young(path: Path, now: datetime) -> bool:
    return now.timestamp() - path.stat().st_mtime < YOUNG_S


def _make_known(records: sqlite3.Connection, path: Path) -> None:
    """What a job wrote there stays: the worktree is a folder of its project from now on."""
    found = next((one.parent for one in (path / "neat.yaml", *path.glob("*/neat.yaml")) if one.is_file()), None)
    if found is None:
        return
    try:
        place = here(found)
    except NeatError:
        return
    if not records.execute("SELECT 1 FROM root WHERE path = ?", (str(place.root),)).fetchone():
        with transaction(records):
            ensure_project(records, place)


def _manifest(home: Path, job_id: str) -> tuple[Path, worktree.Made] | None:
    try:
        found = json.loads(read_small(job_folder(home, job_id) / MANIFEST, _LARGEST))
        made = worktree.Made(
            tuple(found["copied"]), tuple(found["linked"]), tuple(found["left_out"]), str(found["state"])
        )
        return Path(found["top"]), made
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _top(cwd: Path) -> Path:
    """The folder of the repository around `cwd`, links resolved."""
    printed = git_output(cwd, ["rev-parse", "--show-toplevel"])
    if not printed:
        raise NeatError(f"nothing to freeze: {cwd} is in no git repository", "leave out --frozen")
    return Path(os.fsdecode(printed.rstrip(b"\r\n"))).resolve()
