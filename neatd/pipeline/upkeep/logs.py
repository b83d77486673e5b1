"""Logs that nobody writes to any more, compressed: neat's own always, those of runs with `neat allow cleaning`.

A file that neat reads points from stays as it is, for points.db is made again from it. What was a log goes into the trash
once its compressed copy was read back; `neat retention undo` brings it back.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from neatd.actions.archive import archive
from neatd.assist.render import size
from neatd.files import IGNORED_FOLDERS, is_text
from neatd.models import ENDED, Run
from neatd.pipeline.upkeep.putting import brought_back, put_away, thing_at
from neatd.pipeline.upkeep.temporary import CONSENT
from neatd.pipeline.upkeep.work import Outcome, Room, Steps, Watched, Work
from neatd.store import jobs, projects, runs
from neatd.store.short import new_id

LEAST = 4096  # bytes that are worth a file more
_ENDINGS = (".log", ".out", ".err", ".stdout", ".stderr")
_DEPTH = 2
_JOBS_ENDED = ("finished", "failed", "killed", "interrupted", "lost")


class _Done(NamedTuple):
    """Bytes of logs before, and what compressing them freed."""

    before: int = 0
    freed: int = 0
    files: int = 0

    def plus(self, other: _Done) -> _Done:
        return _Done(self.before + other.before, self.freed + other.freed, self.files + other.files)


def archive_logs(work: Work) -> Steps:
    """A piece of a file a step."""
    own, theirs, could = _Done(), _Done(), 0
    mistakes: list[str] = []
    for path in list(_own_logs(work)):
        own = own.plus((yield from _own(path, mistakes)))
    for watched in work.watched:
        is_allowed, batch = CONSENT in projects.consents(work.records, watched.root), new_id("deletion")
        for run in _ended(work, watched):
            yield f"{watched.name}: {run.name}"
            for path in list(_logs_of(work, run)):
                if is_allowed:
                    theirs = theirs.plus((yield from _theirs(work, run, path, batch, mistakes)))
                else:
                    could += path.stat().st_size
    both = own.plus(theirs)
    said = [
        f"{both.files} logs compressed, {size(both.freed)} of {size(both.before)} freed"
        if both.files
        else "nothing to do"
    ]
    if theirs.files:
        said.append(f"{theirs.files} of them were of runs: as they were, they lie in the trash")
    if could:
        said.append(f"{size(could)} of logs of runs could be compressed; `neat allow {CONSENT}` lets neat do it")
    details = Room(both.before, both.freed).details | {"could_compress_bytes": could, "stays": mistakes[:20]}
    return Outcome("; ".join([*said, *mistakes[:3]]), details)


# ---- neat's own ----


def _own_logs(work: Work) -> Iterator[Path]:
    """Rotated logs of neatd, and what jobs wrote that ended long ago."""
    limit = work.now.timestamp() - work.job.days * 86_400
    for path in sorted((work.home / "logs").glob("*.log.[0-9]*")):
        if path.suffix != ".gz" and _is_old(path, limit):
            yield path
    for job in jobs.jobs(work.records):
        path = work.home / "jobs" / job.id / "output.log"
        if job.status in _JOBS_ENDED and _is_old(path, limit):
            yield path


def _own(path: Path, mistakes: list[str]) -> Generator[str, None, _Done]:
    before = path.stat().st_size
    packed = yield from _archived(path, mistakes)
    if packed is None:
        return _Done()
    freed = before - packed.stat().st_size
    path.unlink()
    if path.parent.name == "logs":  # the rotation gives their names to others
        packed.rename(_free(packed))
    return _Done(before, freed, 1)


def _free(packed: Path) -> Path:
    stem = packed.name.split(".log")[0]
    number = 1
    while (path := packed.with_name(f"{stem}-{number:04d}.log.gz")).exists():
        number += 1
    return path


# ---- those of runs ----


def _ended(work: Work, watched: Watched) -> list[Run]:
    limit, root = work.now - timedelta(days=work.job.days), str(watched.root)
    found = runs.all_runs(work.records, watched.project_id)
    return [one for one in found if one.root == root and one.status in ENDED and one.ended_at and one.ended_at < limit]


def _logs_of(work: Work, run: Run) -> Iterator[Path]:
    """The logs in a run's folder that no point was read from, and that rest."""
    limit, top = work.now.timestamp() - work.job.days * 86_400, Path(run.root) / run.folder
    sql = "SELECT source FROM reading WHERE run_id = ?"
    sources = {row[0] for row in work.points.execute(sql, (run.id,))}
    stays = brought_back(work.records, run.id)
    inner = {Path(run.root) / one for one in runs.folders(work.records, run.project_id).values()} - {top}
    for where, folders, names in os.walk(top):
        folder = Path(where)
        depth = len(folder.relative_to(top).parts)
        folders[:] = [
            name for name in sorted(folders)
            if depth < _DEPTH and name not in IGNORED_FOLDERS and folder / name not in inner
        ]  # fmt: skip
        for name in sorted(names):
            path = folder / name
            if not name.lower().endswith(_ENDINGS) or not is_text(name) or not _is_old(path, limit):
                continue
            if path.relative_to(top).as_posix() not in sources and str(path) not in stays:
                yield path


def _is_old(path: Path, limit: float) -> bool:
    """A plain file that is worth it and was not written to since; nothing compressed lies beside it yet."""
    try:
        status = path.lstat()
    except OSError:
        return False
    is_plain = path.is_file() and not path.is_symlink()
    return (
        is_plain
        and status.st_size >= LEAST
        and status.st_mtime < limit
        and not path.with_name(f"{path.name}.gz").exists()
    )


def _theirs(work: Work, run: Run, path: Path, batch: str, mistakes: list[str]) -> Generator[str, None, _Done]:
    before = path.stat().st_size
    packed = yield from _archived(path, mistakes)
    if packed is None:
        return _Done()
    thing = thing_at(run, path, f"compressed into {packed.name}")
    outcome = put_away(work.records, thing, batch) if thing else None
    if outcome is None or outcome.status != "moved":
        packed.unlink()  # neat's own copy of what stays as it was
        mistakes.append(f"{path} stays: {outcome.note if outcome else 'gone'}")
        return _Done()
    return _Done(before, before - packed.stat().st_size, 1)


def _archived(path: Path, mistakes: list[str]) -> Generator[str, None, Path | None]:
    """The compressed file; None where there can be none, which is no reason to leave the others."""
    with closing(archive(path)) as steps:
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                return Path(end.value)
            except (OSError, EOFError) as error:
                mistakes.append(f"{path} stays: {getattr(error, 'strerror', None) or error}")
                return None
            yield f"{path.name}: {size(done)}"
