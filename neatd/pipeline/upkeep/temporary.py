"""Checkpoints that were never finished, what neat itself left half-written, and worktrees of jobs that have ended.

The environments that jobs were queued with go too, after as many days. In a user's folder only with `neat allow cleaning`,
into the trash; under NEAT_HOME always, for there it is neat's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from neatd.assist.render import size
from neatd.jobs.folder import FROZEN, job_folder
from neatd.jobs.shim import SPEC
from neatd.models import Run
from neatd.pipeline import worktrees
from neatd.pipeline.upkeep.putting import Thing, brought_back, put_away
from neatd.pipeline.upkeep.work import Outcome, Room, Steps, Watched, Work
from neatd.read.unfinished import find_unfinished
from neatd.store import jobs, projects, runs
from neatd.store.short import new_id

CONSENT = "cleaning"
_OWN = (
    ".*.tmp",
    ".*.new",
    ".*.new-*",
    ".*.restoring",
    "backups/*.partial",
    "backups/*.partial-journal",
    "knowledge/.*.tmp",
)


def clear_temporary(work: Work) -> Steps:
    """A run a step."""
    before = freed = could = moved = 0
    stays: list[str] = []
    for watched in work.watched:
        is_allowed, batch = CONSENT in projects.consents(work.records, watched.root), new_id("deletion")
        found = _runs(work, watched)
        folders = {watched.root / one.folder for one in found}
        for run in found:
            yield f"{watched.name}: {run.name}"
            for thing in _resting(work, run, folders):
                before += thing.measured[0]
                outcome = put_away(work.records, thing, batch) if is_allowed else None
                if outcome is None:
                    could += thing.measured[0]
                elif outcome.status == "moved":
                    moved, freed = moved + 1, freed + outcome.size_bytes
                else:
                    stays.append(f"{outcome.from_path}: {outcome.note}")
    own = _clear_own(work)
    copies = 0
    for path in worktrees.present(work.home):
        yield f"worktree {path.name}"
        copies += worktrees.tidy(work.records, work.home, path, work.now)
    forgotten = _forget_environments(work)
    details = Room(before + own, freed + own).details
    said = [f"{moved} unfinished checkpoints are in the trash, {size(freed)}"] if moved else ["nothing was moved"]
    if could:
        said.append(f"{size(could)} of unfinished checkpoints rest; `neat allow {CONSENT}` lets neat move them")
    said += [f"{size(own)} of neat's own removed"] if own else []
    said += [f"{copies} worktrees of frozen jobs that ended removed"] if copies else []
    said += [f"environments of {forgotten} jobs that ended forgotten"] if forgotten else []
    more = {"moved": moved, "could_free_bytes": could, "stays": stays[:20]}
    return Outcome("; ".join(said), details | more)


def _forget_environments(work: Work) -> int:
    """What jobs that ended so long ago were queued with, and a key may be in it. They are not tried again after that."""
    gone = 0
    for job_id in jobs.ended_before(work.records, work.now - timedelta(days=work.job.days)):
        files = [job_folder(work.home, job_id) / name for name in (FROZEN, SPEC)]
        gone += any(path.is_file() for path in files)
        for path in files:
            path.unlink(missing_ok=True)
    return gone


def _runs(work: Work, watched: Watched) -> list[Run]:
    root = str(watched.root)
    return [one for one in runs.all_runs(work.records, watched.project_id) if one.root == root]


def _resting(work: Work, run: Run, folders: set[Path]) -> Iterator[Thing]:
    """What has not been written to for so many days. `folders` are those of all runs: each looks after its own."""
    folder = Path(run.root) / run.folder
    limit_ns = int((work.now.timestamp() - work.job.days * 86_400) * 1e9)
    kept = brought_back(work.records, run.id)
    for found in find_unfinished(folder, folders.__contains__):
        if found.measured[1] < limit_ns and str(folder / found.path) not in kept:
            reason = f"unfinished, and at rest for {work.job.days:g} days"
            yield Thing(run, found.path, found.is_folder, found.measured, reason)


def _clear_own(work: Work) -> int:
    """Bytes of half-written files of neat's own that a crash left under NEAT_HOME."""
    freed, limit = 0, work.now.timestamp() - 86_400
    for pattern in _OWN:
        for path in work.home.glob(pattern):
            freed += _remove(path, limit)
    return freed


def _remove(path: Path, limit: float) -> int:
    try:
        stat = path.lstat()
        if not path.is_file() or path.is_symlink() or stat.st_mtime > limit:
            return 0
        path.unlink()
    except OSError:
        return 0  # gone, or not ours: it costs little where it is
    return stat.st_size
